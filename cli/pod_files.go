package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/spf13/cobra"
)

func (e *env) podFilesCmd() *cobra.Command {
	var save string
	c := &cobra.Command{
		Use: "files POD [PATH]", Short: "List or print the files of a pod's sandbox",
		Args: arguments(1, 2),
		Long: "List the files of a pod's sandbox, or of a folder in it, through the Mesos agent\n" +
			"that it runs on; of a file, print what is in it.",
		Example: "  kafka-sched pod files kafka-0\n" +
			"  kafka-sched pod files kafka-0 server.properties\n" +
			"  kafka-sched pod files kafka-0 kafka-0-broker.out --save broker.log",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			return e.podFiles(cmd.Context(), args[0], append(args, "")[1], save)
		},
	}
	c.Flags().StringVar(&save, "save", "", "write the file PATH to this file")
	return c
}

func (e *env) podFiles(ctx context.Context, pod, at, save string) error {
	_, s, err := e.service(ctx)
	if err != nil {
		return err
	}
	box, _, err := e.sandboxOf(ctx, s, pod, "")
	if err != nil {
		return err
	}
	at = strings.Trim(path.Clean("/"+at), "/")
	entries, err := box.Folder(ctx, at)
	switch {
	case errors.Is(err, sandbox.ErrNoFile) && at == "":
		return fail(exitNotFound, "the agent of %s has no sandbox of it any more", pod)
	case errors.Is(err, sandbox.ErrNoFile):
		return fail(exitNotFound, "the sandbox of %s has no %s; kafka-sched pod files %s%s "+
			"lists what it has", pod, at, pod, e.nameFlag())
	case errors.Is(err, sandbox.ErrNoFolder):
		return e.sandboxFile(ctx, box, at, save)
	case err != nil:
		return err
	case save != "":
		return fail(exitUsage, "--save is for a file, and %q is a folder", or(at, "/"))
	}
	return e.printEntries(entries)
}

// file is what JSON says of a file of a sandbox.
type file struct {
	Name     string    `json:"name"`
	Dir      bool      `json:"dir"`
	Size     int64     `json:"size"`
	Mode     string    `json:"mode"`
	Modified time.Time `json:"modified"`
}

func (e *env) printEntries(entries []sandbox.File) error {
	files := []file{}
	for _, f := range entries {
		files = append(files, file{Name: f.Name(), Dir: f.IsDir(), Size: f.Size,
			Mode: f.Mode, Modified: time.Unix(0, int64(f.MTime*1e9)).UTC()})
	}
	return e.print(files, func() error {
		t := e.table([]string{"MODE", "SIZE", "MODIFIED", "NAME"})
		for _, f := range files {
			name := f.Name
			if f.Dir {
				name += "/"
			}
			row(t, f.Mode, fmt.Sprint(f.Size), moment(f.Modified), name)
		}
		return t.Flush()
	})
}

// sandboxFile prints a file of a sandbox, or saves it.
func (e *env) sandboxFile(ctx context.Context, box *sandbox.Sandbox, at, save string) error {
	if save != "" {
		return saveTo(save, func(out io.Writer) error { return box.Download(ctx, at, out) })
	}
	if !e.json {
		return box.Download(ctx, at, e.stdout)
	}
	var content strings.Builder
	if err := box.Download(ctx, at, &content); err != nil {
		return err
	}
	return e.printJSON(map[string]string{"file": at, "content": content.String()})
}

// saveTo writes a file; one that could not be written wholly is removed.
func saveTo(name string, write func(io.Writer) error) error {
	out, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("saving: %w", err)
	}
	if err := errors.Join(write(out), out.Close()); err != nil {
		os.Remove(name)
		return fmt.Errorf("saving %s: %w", name, err)
	}
	return nil
}
