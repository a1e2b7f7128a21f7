package supervise

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/cbroglie/mustache"

	"github.com/kafka-sched/kafka-sched/executor"
)

// writeFiles writes the files of an order, each at once or not at all.
func writeFiles(root *os.Root, files []executor.File, env []string) error {
	for _, f := range files {
		text := f.Text
		if f.Template {
			var err error
			if text, err = render(text, env); err != nil {
				return fmt.Errorf("rendering %s: %w", f.Path, err)
			}
		}
		mode := fs.FileMode(0o644)
		if f.Executable {
			mode = 0o755
		}
		if err := writeFile(root, path.Clean(f.Path), text, mode); err != nil {
			return fmt.Errorf("writing %s into the sandbox: %w", f.Path, err)
		}
	}
	return nil
}

// writeFile writes a new file beside name and gives it that name when it is complete.
func writeFile(root *os.Root, name, text string, mode fs.FileMode) error {
	dir, base := path.Split(name)
	if dir != "" {
		if err := root.MkdirAll(path.Clean(dir), 0o755); err != nil {
			return err
		}
	}
	temporary := dir + "." + base + ".new"
	if err := root.RemoveAll(temporary); err != nil {
		return err
	}
	f, err := root.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err == nil {
		err = f.Chmod(mode)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = root.Rename(temporary, name)
	}
	if err != nil {
		_ = root.Remove(temporary)
	}
	return err
}

// render fills in a mustache template with the task's environment. Nothing is escaped, a name
// that is missing is empty, "false" in any case is false in a section, and there are no
// partials: a template reads no files.
func render(text string, env []string) (string, error) {
	values := map[string]any{}
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
		if strings.EqualFold(value, "false") {
			values[name] = false
		}
	}
	template, err := mustache.ParseStringPartialsRaw(text, &mustache.StaticProvider{}, true)
	if err != nil {
		return "", err
	}
	return template.Render(values)
}
