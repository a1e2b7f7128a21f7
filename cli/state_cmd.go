package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/store/zkstore"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// stateCmd has what reads and writes the state without a scheduler. An earlier predecessor had
// the commands of debug state here, too.
func (e *env) stateCmd() *cobra.Command {
	c := group("state", "Save, restore and examine the durable state of a service",
		"  kafka-sched state export -f kafka.state.json\n  kafka-sched state verify",
		e.stateExportCmd(), e.stateImportCmd(), e.stateInspectCmd(), e.stateVerifyCmd(),
		e.stateMigrateCmd())
	for _, old := range e.v1StateCmds() {
		old.Hidden = true
		c.AddCommand(old)
	}
	return c
}

// statePlace is where a state lies: a file, or a ZooKeeper. Unless flags say so it is that of
// the cluster.
type statePlace struct {
	stateFlags
	db string
}

func (p *statePlace) flags(c *cobra.Command) {
	p.stateFlags.flags(c.Flags())
	c.Flags().StringVar(&p.db, "db", "", "the state is in this file (default: the cluster's)")
	c.Flags().Lookup("state").Usage = "the state is at zk://host:port,…/path"
}

// find settles which place is meant, and keeps the cluster's scheduler away from a file.
func (p *statePlace) find(e *env) (release func(), err error) {
	if p.db != "" && p.URI != "" {
		return nil, fail(exitUsage, "--db and --state exclude each other")
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	if p.db != "" || p.URI != "" {
		return func() {}, nil
	}
	f, c, err := e.own()
	if err != nil {
		return nil, err
	}
	if c.State.URI != "" {
		p.Access = c.State
		return func() {}, nil
	}
	p.db = filepath.Join(f.schedulerDir(), "state.db")
	lock, err := takeLock(f.schedulerLock(), daemonPatience)
	if errors.Is(err, errHeld) {
		return nil, fail(exitConflict, "the scheduler of %q has its state file open; "+
			"kafka-sched stop%s ends it", f.name, e.nameFlag())
	}
	return lock.release, err
}

func (p *statePlace) String() string {
	if p.db != "" {
		return p.db
	}
	return p.Access.String()
}

// dial begins a session at the ZooKeeper of the state.
func (p *statePlace) dial(ctx context.Context) (*zk.Session, error) {
	cfg, err := p.Config()
	if err != nil {
		return nil, err
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	session, err := zk.Dial(ctx, cfg)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, fail(exitPrecheck, "no ZooKeeper server of %s answers; check the addresses", p)
	}
	return session, err
}

// entries finds the state and gives what it holds.
func (p *statePlace) entries(ctx context.Context, e *env) (map[string][]byte, error) {
	release, err := p.find(e)
	if err != nil {
		return nil, err
	}
	defer release()
	entries, err := p.read(ctx)
	return entries, e.stateError(err)
}

// read gives the entries of the state.
func (p *statePlace) read(ctx context.Context) (map[string][]byte, error) {
	if p.db == "" {
		session, err := p.dial(ctx)
		if err != nil {
			return nil, err
		}
		defer session.Close()
		return zkstore.Snapshot(session)
	}
	if !exists(p.db) {
		return nil, fail(exitNotFound, "there is no state at %s", p.db)
	}
	file, err := store.Open(p.db)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return file.Entries()
}

// fill writes the entries where there are none.
func (p *statePlace) fill(ctx context.Context, entries map[string][]byte) error {
	if p.db == "" {
		return p.fillZooKeeper(ctx, entries)
	}
	file, err := store.Open(p.db)
	if err != nil {
		return err
	}
	return errors.Join(file.Fill(entries), file.Close())
}

// fillZooKeeper does so as one that stands for election, so that no scheduler leads meanwhile.
func (p *statePlace) fillZooKeeper(ctx context.Context, entries map[string][]byte) error {
	session, err := p.dial(ctx)
	if err != nil {
		return err
	}
	defer session.Close()
	election, err := session.Campaign(zkstore.ElectionPath(session), nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, daemonPatience)
	defer cancel()
	switch err := election.Won(ctx); {
	case errors.Is(err, context.DeadlineExceeded):
		return fail(exitConflict, "a scheduler leads at %s; end all that stand there first", p)
	case err != nil:
		return err
	}
	s, err := zkstore.Open(session, "kafka-sched state import", true)
	if err != nil {
		return err
	}
	return s.Fill(entries)
}

func (e *env) stateExportCmd() *cobra.Command {
	var p statePlace
	var to string
	c := &cobra.Command{
		Use: "export", Short: "Write the state to a file, as JSON", Args: arguments(0, 0),
		Long: "Write the whole durable state to a file, as JSON that people can read and that\n" +
			"state import takes; the same state gives the same bytes. A state in ZooKeeper can\n" +
			"be exported while schedulers run. It holds no secrets, but the spec's environment.",
		Example: "  kafka-sched state export -f kafka.state.json\n" +
			"  kafka-sched state export --state zk://zk-1/kafka-sched/kafka > kafka.state.json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries, err := p.entries(cmd.Context(), e)
			if err != nil {
				return err
			}
			if to == "" {
				return store.Export(e.stdout, entries)
			}
			return exportTo(to, entries)
		},
	}
	p.flags(c)
	c.Flags().StringVarP(&to, "file", "f", "", "file to write (default: standard output)")
	return c
}

// exportTo writes a new file, which is there as a whole or not at all.
func exportTo(path string, entries map[string][]byte) error {
	if exists(path) {
		return fail(exitConflict, "%s is there already; name another file", path)
	}
	return store.ExportTo(path, entries)
}

func (e *env) stateImportCmd() *cobra.Command {
	var p statePlace
	c := &cobra.Command{
		Use: "import FILE", Short: "Make an exported state that of a service without one",
		Args: arguments(1, 1),
		Long: "Make an exported state the one of a place that holds none: a file, or a path in\n" +
			"ZooKeeper. A scheduler that is then started there goes on as the same framework.\n" +
			"Two that go on from one export are two that fight for the same brokers: see that\n" +
			"the old one never starts again.",
		Example: "  kafka-sched state import kafka.state.json --state zk://zk-1/kafka-sched/kafka",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Open(args[0])
			if err != nil {
				return fail(exitNotFound, "%s: %w", args[0], plain(err))
			}
			defer file.Close()
			entries, err := store.Import(file)
			if err != nil {
				return e.stateError(fmt.Errorf("%s: %w", args[0], err))
			}
			release, err := p.find(e)
			if err != nil {
				return err
			}
			defer release()
			if err := p.fill(cmd.Context(), entries); err != nil {
				return e.stateError(err)
			}
			e.printf("%d entries were imported into %s\n", len(entries), &p)
			return nil
		},
	}
	p.flags(c)
	return c
}

// stateError gives the error of a state the exit code that it deserves.
func (e *env) stateError(err error) error {
	switch {
	case errors.Is(err, store.ErrOccupied), errors.Is(err, store.ErrInUse):
		return &exitError{exitConflict, err}
	case errors.Is(err, store.ErrForeign), errors.Is(err, store.ErrDamaged),
		errors.Is(err, store.ErrNewer):
		return &exitError{exitUsage, err}
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, zkstore.ErrUninstalled):
		return &exitError{exitNotFound, err}
	}
	return err
}
