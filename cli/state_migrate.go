package cli

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/commons"
	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// commonsTree is where the predecessor keeps the state of a service.
type commonsTree struct{ zk.Access }

func (t *commonsTree) flags(c *cobra.Command, name, usage string) {
	f := c.Flags()
	f.StringVar(&t.URI, name, "", usage)
	f.StringVar(&t.AuthFile, name+"-auth-file", "",
		"file with user:password for that ZooKeeper, or a JAAS file (SASL)")
	f.StringVar(&t.CAFile, name+"-ca-file", "",
		"authorities (PEM) of that ZooKeeper's certificates; turns TLS on")
}

// check says what makes no sense of the flag of that name.
func (t *commonsTree) check(name string) error {
	for _, f := range []fileFlag{{"--" + name + "-auth-file", &t.AuthFile},
		{"--" + name + "-ca-file", &t.CAFile}} {
		if err := f.check(); err != nil {
			return err
		}
	}
	if err := t.Check(); err != nil {
		return fail(exitUsage, "--%s: %w", name, err)
	}
	if !strings.Contains(t.URI, "/dcos-service-") {
		return fail(exitUsage, "--%s %s: the state of a service is at /dcos-service-NAME, where "+
			"each / in the name is __", name, t)
	}
	return nil
}

// read reads what the predecessor stored.
func (t *commonsTree) read(ctx context.Context) (commons.Found, error) {
	cfg, err := t.Config()
	if err != nil {
		return commons.Found{}, err
	}
	cfg.Logger = slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	session, err := zk.Dial(ctx, cfg)
	if err != nil {
		return commons.Found{}, err
	}
	defer session.Close()
	tree, err := commons.Read(ctx, session)
	if errors.Is(err, commons.ErrNone) {
		return commons.Found{}, &exitError{exitNotFound, err}
	}
	if err != nil {
		return commons.Found{}, err
	}
	return commons.Decode(tree)
}

// stillRuns is why a service whose scheduler runs is not taken over.
const stillRuns = "its scheduler runs and holds the lock: end it first, without uninstalling " +
	"(in Marathon: scale it to 0 instances); its tasks go on"

// migrating is one run of state migrate-from-dcos.
type migrating struct {
	from   commonsTree
	to     string
	place  statePlace
	spec   specFlags
	dryRun bool
}

func (e *env) stateMigrateCmd() *cobra.Command {
	var m migrating
	c := &cobra.Command{
		Use: "migrate-from-dcos", Short: "Take over the state of a DC/OS Commons scheduler",
		Args: arguments(0, 0),
		Long: "Read what a scheduler of DC/OS Commons keeps in ZooKeeper, and make of it the\n" +
			"state of a scheduler of this one: the framework's id, the configurations, the\n" +
			"tasks with their ids and states, and all that is reserved for them, volumes\n" +
			"included. What runs goes on running. Nothing is written to where it is read from;\n" +
			"what cannot be held as it is is told, and then nothing is written at all.\n\n" +
			"With --file or options the service goes on with that spec, as after an update.",
		Example: "  kafka-sched state migrate-from-dcos --dry-run \\\n" +
			"      --from zk://zk-1:2181/dcos-service-kafka\n" +
			"  kafka-sched state migrate-from-dcos --from zk://zk-1:2181/dcos-service-kafka \\\n" +
			"      --to zk://zk-1:2181/kafka-sched/kafka",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if m.from.URI == "" {
				return wrongUsage(cmd, "say by --from where the state is")
			}
			return e.migrate(cmd.Context(), &m)
		},
	}
	m.from.flags(c, "from", "the state is at zk://host:port,…/dcos-service-NAME")
	m.spec.flags(c)
	c.Flags().Lookup("file").Usage = "service spec to go on with (default: as it is stored)"
	f := c.Flags()
	f.StringVar(&m.to, "to", "", "write the state to zk://host:port,…/path, to a new file as a "+
		"scheduler keeps it, or to a new one that ends in .json as state export does")
	f.StringVar(&m.place.AuthFile, "to-auth-file", "",
		"file with user:password for the ZooKeeper of --to, or a JAAS file (SASL)")
	f.StringVar(&m.place.CAFile, "to-ca-file", "",
		"authorities (PEM) of that ZooKeeper's certificates; turns TLS on")
	f.BoolVar(&m.dryRun, "dry-run", false, "tell what would be taken over, and write nothing")
	return c
}

func (e *env) migrate(ctx context.Context, m *migrating) error {
	if m.dryRun == (m.to != "") {
		return fail(exitUsage, "say where the state goes with --to, or --dry-run to look only")
	}
	if err := m.from.check("from"); err != nil {
		return err
	}
	if strings.HasPrefix(m.to, zk.Scheme) {
		m.place.URI = m.to
		if err := m.place.check(); err != nil {
			return err
		}
	} else if m.place.db = m.to; m.to != "" && exists(m.to) {
		return fail(exitConflict, "%s is there already; name another file", m.to)
	}
	found, err := m.from.read(ctx)
	if err != nil {
		return err
	}
	want, err := e.goingOn(m.spec, found)
	if err != nil {
		return err
	}
	if found.Running && m.dryRun {
		found.Notes = append(found.Notes, stillRuns)
	} else if found.Running {
		found.Problems = append(found.Problems, stillRuns)
	}
	a := scheduler.Adoption{}
	if found.Configs != nil {
		a = scheduler.Adopt(found.Predecessor, want, time.Now().UTC())
	}
	r := reportAdoption(m.from.String(), found, a)
	if len(r.Problems) == 0 && !m.dryRun {
		if err := m.write(ctx, a); err != nil {
			return e.stateError(err)
		}
		r.To = m.place.String()
	}
	if err := e.print(r, func() error { return e.printAdoption(r) }); err != nil {
		return err
	}
	switch {
	case len(r.Problems) > 0:
		return fail(exitFailed, "nothing was written: %d of the above cannot be taken over",
			len(r.Problems))
	case m.dryRun:
		return nil
	case !e.json:
		e.printf("%d instances were taken over into %s; see that the old scheduler never starts "+
			"again\n", len(r.Pods), r.To)
	}
	return nil
}

// goingOn reads the spec that a service is to go on with, nil if none is named. Name, user and
// principal are those that it has, unless something else is said.
func (e *env) goingOn(flags specFlags, found commons.Found) (*scheduler.Target, error) {
	if flags.file == "" && len(flags.options)+len(flags.set) == 0 {
		return nil, nil
	}
	base := servicespec.Options{}
	if own, known := found.Configs[found.TargetID]; known {
		base["service.name"], base["service.user"] = own.Name, own.User
		base["service.principal"] = own.Principal
	}
	w, err := e.readWanted(flags, base)
	if err != nil {
		return nil, err
	}
	return &scheduler.Target{ID: uuid.NewString(), Service: w.service}, nil
}

// write fills the place with what is taken over.
func (m *migrating) write(ctx context.Context, a scheduler.Adoption) error {
	entries, err := adoptionEntries(a)
	if err != nil {
		return err
	}
	if strings.HasSuffix(m.place.db, ".json") {
		return exportTo(m.place.db, entries)
	}
	return m.place.fill(ctx, entries)
}
