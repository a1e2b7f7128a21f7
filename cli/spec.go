package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/examples"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// specFlags are the flags that say what service is wanted.
type specFlags struct {
	file    string
	options []string
	set     []string
	// stdin is what the file of options named - is read from.
	stdin io.Reader
	// taskConfig are the variables for tasks that a cluster has beside those of the environment.
	taskConfig map[string]string
}

func (s *specFlags) flags(c *cobra.Command) {
	c.Flags().StringVarP(&s.file, "file", "f", "", "service spec, whose {{VARIABLES}} are "+
		"options or of the environment (default: the built-in one)")
	s.optionFlags(c)
}

// optionFlags are the flags that say options alone.
func (s *specFlags) optionFlags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVar(&s.options, "options", nil, "file with options, JSON or YAML; - is the "+
		"standard input (repeatable)")
	f.StringArrayVar(&s.set, "set", nil, "one option as name=value (repeatable)")
	known := func(
		*cobra.Command, []string, string,
	) ([]string, cobra.ShellCompDirective) {
		var words []string
		for _, o := range servicespec.KnownOptions() {
			words = append(words, o.Name+"=\t"+o.Help)
		}
		return words, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	cobra.CheckErr(c.RegisterFlagCompletionFunc("set", known))
}

// String gives the flags as they are written in a command line, each after a space.
func (s specFlags) String() string {
	var b strings.Builder
	if s.file != "" {
		b.WriteString(" --file " + quote(s.file))
	}
	for _, file := range s.options {
		b.WriteString(" --options " + quote(file))
	}
	for _, set := range s.set {
		b.WriteString(" --set " + quote(set))
	}
	return b.String()
}

// quote makes one word of a text for a shell.
func quote(text string) string {
	if text != "" && !strings.ContainsAny(text, " \t\n\"'`$&|;<>()*?[]{}\\~#!") {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// wanted is the service that the flags ask for.
type wanted struct {
	service servicespec.Service
	// text is the rendered spec; path the file that it came from, "" for the built-in one.
	text    []byte
	path    string
	options servicespec.Options
	// files are the templates of config files that the spec names, by the path it uses.
	files map[string]string
	// version of Kafka, "" when the service runs none.
	version string
	// taskConfig are the variables that were put into the environments of tasks.
	taskConfig map[string]string
}

// want reads what the flags ask for, upon options that are there already, and that a cluster can be
// called so.
func (e *env) want(flags specFlags, base servicespec.Options) (wanted, error) {
	w, err := e.readWanted(flags, base)
	if err != nil {
		return wanted{}, err
	}
	return w, checkName(w.service.Name)
}

// readWanted reads what the flags ask for; its name may be in folders.
func (e *env) readWanted(flags specFlags, base servicespec.Options) (wanted, error) {
	flags.stdin = e.stdin
	options, err := flags.merge(base)
	if err != nil {
		return wanted{}, err
	}
	if err := e.nameOption(options); err != nil {
		return wanted{}, err
	}
	if errs := options.Check(); len(errs) > 0 {
		return wanted{}, mistakes(errs)
	}
	w := wanted{options: options}
	if err := w.load(flags.file, e.templateVariables(options, flags.file != "")); err != nil {
		return wanted{}, err
	}
	if err := w.configure(or(flags.file, builtIn), taskConfig(flags.taskConfig)); err != nil {
		return wanted{}, err
	}
	if e.nameGiven && w.service.Name != e.name {
		return wanted{}, fail(exitUsage, "the spec names the service %q, and --name says %q",
			w.service.Name, e.name)
	}
	w.options["service.name"] = w.service.Name // which one's own spec may say itself
	for _, p := range w.service.Pods {
		if p.Kafka != nil {
			w.version = p.Kafka.Version
		} else if p.ZooKeeper != nil && w.version == "" {
			w.version = p.ZooKeeper.KafkaVersion
		}
	}
	return w, nil
}

// merge reads the options of files and of --set; what comes later is stronger.
func (s specFlags) merge(base servicespec.Options) (servicespec.Options, error) {
	options := servicespec.Options{}
	maps.Copy(options, base)
	for _, file := range s.options {
		text, err := s.readOptions(file)
		if err != nil {
			return nil, fail(exitUsage, "--options %s: %w", file, plain(err))
		}
		more, errs := servicespec.DecodeOptions(file, text)
		if len(errs) > 0 {
			return nil, mistakes(errs)
		}
		maps.Copy(options, more)
	}
	for _, set := range s.set {
		if err := options.Set(set); err != nil {
			return nil, fail(exitUsage, "--set %s: %w", set, err)
		}
	}
	return options, nil
}

// readOptions reads a file of options; - is the standard input.
func (s specFlags) readOptions(file string) ([]byte, error) {
	if file == "-" && s.stdin != nil {
		return io.ReadAll(s.stdin)
	}
	return os.ReadFile(file)
}

// nameOption makes the option service.name and the flag --name the same.
func (e *env) nameOption(options servicespec.Options) error {
	said, ok := options["service.name"]
	switch {
	case ok && e.nameGiven && said != e.name:
		return fail(exitUsage, "the option service.name is %q, and --name says %q", said, e.name)
	case !ok:
		if err := checkName(e.name); err != nil {
			return err
		}
		options["service.name"] = e.name
	}
	return nil
}

// templateVariables are the variables of a spec. One's own spec may also use the environment.
func (e *env) templateVariables(o servicespec.Options, own bool) map[string]string {
	vars := map[string]string{}
	if own {
		for _, pair := range os.Environ() {
			name, value, _ := strings.Cut(pair, "=")
			vars[name] = value
		}
	}
	maps.Copy(vars, o.Environment())
	if o.Get("service.user") == "" {
		vars["FRAMEWORK_USER"] = "root"
		if u, err := user.Current(); err == nil {
			vars["FRAMEWORK_USER"] = u.Username
		}
	}
	return vars
}

// builtIn is the name of the built-in spec in messages.
const builtIn = "kafka.yml"

// load reads, renders and parses the spec.
func (w *wanted) load(file string, vars map[string]string) error {
	name, template := builtIn, examples.Kafka
	if file != "" {
		var err error
		if template, err = os.ReadFile(file); err != nil {
			return fail(exitUsage, "--file %s: %w", file, plain(err))
		}
		if w.path, err = filepath.Abs(file); err != nil {
			return fmt.Errorf("finding %s: %w", file, err)
		}
		name = file
	}
	text, errs := servicespec.Render(name, template, vars)
	if len(errs) > 0 {
		return mistakes(errs)
	}
	files, err := templateFiles(text, filepath.Dir(w.path))
	if err != nil {
		return err
	}
	service, errs := servicespec.Load(name, template, vars, files)
	if len(errs) > 0 {
		return mistakes(errs)
	}
	if list := append(scheduler.Unsupported(service), service.Conflicts()...); len(list) > 0 {
		return fail(exitUsage, "%s: %s", name, strings.Join(list, "; "))
	}
	w.service, w.text, w.files = service, text, files
	return nil
}

// templateFiles reads the files that a spec names as templates, from the spec's folder. Those
// that are not there are left out: parsing the spec says so, with the place.
func templateFiles(text []byte, dir string) (map[string]string, error) {
	files := map[string]string{}
	for _, path := range servicespec.TemplatePaths(text) {
		if !filepath.IsLocal(path) {
			return nil, fail(exitUsage, "template %q: only files below the spec's folder can be "+
				"used", path)
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fail(exitUsage, "template %s: %w", path, err)
		}
		files[path] = string(content)
	}
	return files, nil
}

// mistakes makes one error of all that is wrong in a file, one a line.
func mistakes(errs []servicespec.Error) error {
	lines := make([]string, len(errs))
	for i, e := range advise(errs) {
		lines[i] = e.Error()
	}
	return fail(exitUsage, "%s", strings.Join(lines, "\n"))
}

// saveSpec writes the rendered spec, with the templates beside it under the paths that it uses.
func (f folder) saveSpec(w wanted) error {
	for _, path := range slices.Sorted(maps.Keys(w.files)) {
		target := filepath.Join(f.dir, path)
		first, _, _ := strings.Cut(filepath.ToSlash(path), "/")
		if slices.Contains(ownNames, first) {
			return fail(exitUsage, "template %s: a cluster's folder has a %s of its own; "+
				"rename it", path, first)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return fmt.Errorf("saving the templates: %w", err)
		}
		if err := writeFile(target, []byte(w.files[path])); err != nil {
			return err
		}
	}
	return writeFile(f.specFile(), w.text)
}

// ownNames are the names in a cluster's folder that no template may have.
var ownNames = []string{
	"cluster.json", "service.yml", "scheduler", "mesos", "targets",
	"install.lock", "keeper.lock", "keeper.json", "keeper.log",
}

// recorded parses the spec that a cluster was installed with.
func (f folder) recorded() (servicespec.Service, error) {
	text, err := os.ReadFile(f.specFile())
	if err != nil {
		return servicespec.Service{}, fmt.Errorf("reading the cluster's spec: %w", err)
	}
	files, err := templateFiles(text, f.dir)
	if err != nil {
		return servicespec.Service{}, err
	}
	service, errs := servicespec.Parse(f.specFile(), text, files)
	if len(errs) > 0 {
		return servicespec.Service{}, mistakes(errs)
	}
	return service, nil
}

// changes lists what of a cluster's spec is not as it is now wanted.
func (f folder) changes(w wanted) ([]string, error) {
	now, err := f.recorded()
	if err != nil {
		return nil, err
	}
	var lines []string
	for _, c := range servicespec.Diff(now, w.service) {
		lines = append(lines, c.String())
	}
	return lines, nil
}
