package cli

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/spf13/cobra"
)

func (e *env) debugBundleCmd() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "bundle", Short: "Pack what is known of a service into an archive for a bug report",
		Args: arguments(0, 0),
		Long: "Pack what is known of a service into an archive for a bug report: its status,\n" +
			"plans, configurations, journal, offers and reservations, the ends of its logs and\n" +
			"of its tasks' output. Values of settings that look like secrets (passwords,\n" +
			"tokens, keys) are left out; look through it all the same before you give it away.\n" +
			"What cannot be had is named in problems.txt. It works for a stopped cluster, too.",
		Example: "  kafka-sched debug bundle\n  kafka-sched debug bundle --out /tmp/bug.tar.gz",
		RunE: func(cmd *cobra.Command, _ []string) error {
			now := time.Now().UTC()
			if out == "" {
				at := now.Format("20060102T150405Z")
				out = fmt.Sprintf("kafka-sched-%s-%s.tar.gz", e.name, at)
			}
			return e.bundle(cmd.Context(), out, now)
		},
	}
	c.Flags().StringVar(&out, "out", "", "the archive's file, - for the standard output "+
		"(default: one in this folder that has the time in its name)")
	return c
}

// bundle is an archive that is being written.
type bundle struct {
	env      *env
	tar      *tar.Writer
	at       time.Time
	files    []string
	problems []string
	failed   error // of writing
}

// How much of a log and of a task's output a bundle has, in lines.
const bundleLines = 2000

func (e *env) bundle(ctx context.Context, out string, now time.Time) error {
	b := &bundle{env: e, at: now}
	write := func(to io.Writer) error { return e.fill(ctx, b, to) }
	if out == "-" {
		return write(e.stdout)
	}
	if err := saveTo(out, write); err != nil {
		return err
	}
	result := map[string]any{"file": out, "files": b.files, "problems": listOf(b.problems)}
	return e.print(result, func() error {
		e.printf("%s has %s:\n%s\n", out, plural(len(b.files), "file"),
			indent(strings.Join(b.files, "\n")))
		if len(b.problems) > 0 {
			e.printf("what could not be had:\n%s\n", indent(strings.Join(b.problems, "\n")))
		}
		e.hint("secrets are left out as far as their names tell; look through it before you give " +
			"it away")
		return nil
	})
}

// fill writes the whole archive.
func (e *env) fill(ctx context.Context, b *bundle, to io.Writer) error {
	zip := gzip.NewWriter(to)
	b.tar = tar.NewWriter(zip)
	b.json("version.json", map[string]string{"version": e.daemons.Version,
		"go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH}, nil)
	if e.here() {
		e.fillLocal(b)
	}
	if c, err := e.connect(); err != nil {
		b.problem("the API", err)
	} else {
		e.fillRemote(ctx, b, c)
	}
	if len(b.problems) > 0 {
		b.text("problems.txt", strings.Join(b.problems, "\n")+"\n")
	}
	return errors.Join(b.failed, b.tar.Close(), zip.Close())
}

// fillLocal adds what is in the cluster's folder.
func (e *env) fillLocal(b *bundle) {
	f, err := e.folder()
	if err == nil {
		_, err = f.load()
	}
	if err != nil {
		b.problem("the cluster's folder", err)
		return
	}
	for _, file := range []struct{ name, path string }{
		{"cluster.json", f.file("cluster.json")}, {"service.yml", f.specFile()},
		{"keeper.log", f.keeperLog()}, {"scheduler.log", f.schedulerLog()},
		{"localmesos.log", f.mesosLog()},
	} {
		text, err := os.ReadFile(file.path)
		switch {
		case errors.Is(err, os.ErrNotExist): // not every cluster has each
		case err != nil:
			b.problem(file.name, err)
		case strings.HasSuffix(file.name, ".json"):
			b.json(file.name, json.RawMessage(text), nil)
		case strings.HasSuffix(file.name, ".log"):
			b.text(file.name, sandbox.LastLines(string(text), bundleLines))
		default:
			b.text(file.name, string(text))
		}
	}
}

// fillRemote adds what the scheduler's API and the agents tell.
func (e *env) fillRemote(ctx context.Context, b *bundle, c *client.Client) {
	s, err := c.Service(ctx)
	b.json("status.json", s, err)
	if err != nil {
		return // then it answers nothing else either
	}
	health, err := c.Health(ctx, true)
	b.json("health.json", health, err)
	target, err := c.Target(ctx)
	b.json("target.json", target, err)
	configs, err := c.FindConfigurations(ctx, api.Page{})
	b.json("configurations.json", configs, err)
	journal, err := c.Journal(ctx, api.JournalQuery{})
	b.json("journal.json", journal, err)
	offers, err := c.Offers(ctx, api.OfferQuery{})
	b.json("offers.json", offers, err)
	held, err := c.Reservations(ctx, api.Page{})
	b.json("reservations.json", held, err)
	metrics, err := c.Metrics(ctx)
	if b.problem("metrics.txt", err) {
		b.text("metrics.txt", metrics)
	}
	for _, p := range s.Pods {
		why, err := c.Why(ctx, p.Name)
		b.json("why/"+p.Name+".json", why, err)
		for _, t := range p.Tasks {
			b.output(ctx, s, p, t)
		}
	}
}

// output adds what a task printed.
func (b *bundle) output(ctx context.Context, s api.Service, p api.Pod, t api.Task) {
	if t.ExecutorID == "" {
		return // it was never launched
	}
	box, err := b.env.findSandbox(ctx, s, p, t)
	if err != nil {
		b.problem("output of "+t.FullName, err)
		return
	}
	for _, file := range []string{sandbox.Stdout(t.FullName), sandbox.Stderr(t.FullName)} {
		text, _, err := box.Tail(ctx, file, bundleLines)
		if errors.Is(err, sandbox.ErrNoFile) {
			continue
		}
		if b.problem(file, err) && text != "" {
			b.text("tasks/"+file, text)
		}
	}
}

// problem notes what could not be had; good says that there was no error.
func (b *bundle) problem(what string, err error) (good bool) {
	if err != nil {
		b.problems = append(b.problems, oneText(fmt.Sprintf("%s: %v", what, err)))
	}
	return err == nil
}

// json adds a document without its secrets.
func (b *bundle) json(name string, document any, err error) {
	if !b.problem(name, err) {
		return
	}
	text, err := redactJSON(document)
	if b.problem(name, err) {
		b.add(name, text)
	}
}

// text adds a text without its secrets.
func (b *bundle) text(name, content string) { b.add(name, []byte(redactText(content))) }

func (b *bundle) add(name string, content []byte) {
	if b.failed != nil {
		return
	}
	b.failed = b.tar.WriteHeader(&tar.Header{Name: "kafka-sched/" + name, Mode: 0o600,
		Size: int64(len(content)), ModTime: b.at})
	if b.failed == nil {
		_, b.failed = b.tar.Write(content)
	}
	b.files = append(b.files, name)
}
