package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/internal/store/zkstore"
)

// takeOver ends what runs the cluster and starts this program in its place; or, if it does not come
// up, what ran before. It goes through with that even if it is interrupted.
func (u *selfUpgrade) takeOver(ctx context.Context) error {
	f := u.folder
	release, err := claim(f)
	if err != nil {
		return err
	}
	defer release()
	if err := f.keepProgram(u.runs, u.keeper); err != nil {
		return err
	}
	if err := f.keepProgram(u.own, ourselves); err != nil {
		return err
	}
	through := context.WithoutCancel(ctx)
	u.progress.say("ending what runs %s, release %s; its tasks go on", f.name, u.from)
	if err := stopProcesses(through, f); err != nil {
		return err
	}
	u.progress.say("starting release %s", u.env.daemons.Version)
	if err := u.start(through); err != nil {
		return u.goBack(through, err)
	}
	f.forgetPrograms(u.runs, u.own)
	return u.awaitConnected(ctx)
}

// awaitConnected waits until the master has taken the new scheduler for the one before, if that
// one was connected.
func (u *selfUpgrade) awaitConnected(ctx context.Context) error {
	if u.noWait || u.before == nil || !u.before.Connected {
		return nil
	}
	c, err := u.env.connect()
	if err != nil {
		return err
	}
	_, err = follow{client: c, timeout: u.timeout,
		lines:   func(api.Service) []line { return nil },
		done:    func(s api.Service) bool { return s.Connected },
		silence: func() (bool, error) { return false, keeperAlive(u.folder) },
	}.run(ctx, u.progress)
	return err
}

// start starts this program's processes, unless it cannot read the state, and waits until they
// answer.
func (u *selfUpgrade) start(ctx context.Context) error {
	f := u.folder
	db := filepath.Join(f.schedulerDir(), "state.db")
	if u.cluster.State.URI == "" && exists(db) {
		if err := readable(ctx, statePlace{db: db}); err != nil {
			return u.env.stateError(err)
		}
	}
	if err := f.save(u.cluster); err != nil {
		return err
	}
	if err := startProgram(f, f.programFile(u.own)); err != nil {
		return err
	}
	scheduler, err := awaitAPI(ctx, f, u.timeout)
	if err != nil {
		return err
	}
	return awaitView(ctx, scheduler)
}

// goBack starts what ran before, as this program does not come up.
func (u *selfUpgrade) goBack(ctx context.Context, why error) error {
	f := u.folder
	err := stopProcesses(ctx, f)
	if err == nil {
		err = startProgram(f, f.programFile(u.runs))
	}
	if err == nil {
		_, err = awaitAPI(ctx, f, u.timeout)
	}
	if err != nil {
		return fmt.Errorf("release %s does not take over: %w\nand release %s did not come up "+
			"again: %w\nstart it with: %s start%s", u.env.daemons.Version, why, u.from, err,
			f.programFile(u.runs), u.env.nameFlag())
	}
	return fmt.Errorf("release %s does not take over: %w\nrelease %s runs %s again",
		u.env.daemons.Version, why, u.from, f.name)
}

// tookOver is the document of a self-upgrade.
type tookOver struct {
	Name        string `json:"name"`
	From        string `json:"from"`
	To          string `json:"to"`
	Done        bool   `json:"done"`
	FrameworkID string `json:"framework_id,omitempty"`
	URL         string `json:"url,omitempty"`
	Mesos       string `json:"mesos"`
	Schema      int    `json:"schema"`
	// Tasks is how many run, and Kept how many of them did so before as well.
	Tasks int `json:"tasks"`
	Kept  int `json:"kept"`
	// OtherExecutors are the pods whose executors are of another release.
	OtherExecutors []string `json:"other_executors"`
	// WayBack is the command that undoes it.
	WayBack string  `json:"way_back,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
}

// planned is what would be done.
func (u *selfUpgrade) planned() tookOver {
	d := tookOver{Name: u.folder.name, From: u.from, To: u.env.daemons.Version,
		Mesos: u.mesos(), Schema: store.Schema, OtherExecutors: []string{}}
	if u.cluster.State.URI != "" {
		d.Schema = zkstore.Schema
	}
	if u.runs != u.own {
		d.WayBack = u.wayBack()
	}
	if u.before == nil {
		return d
	}
	d.FrameworkID, d.Tasks, d.Kept = u.before.FrameworkID, live(*u.before), live(*u.before)
	for _, p := range u.before.Pods {
		if p.Executor != nil && (u.runs != u.own || !p.Executor.Current) {
			d.OtherExecutors = append(d.OtherExecutors, p.Name)
		}
	}
	return d
}

// done is what was done.
func (u *selfUpgrade) done(s api.Service) tookOver {
	d := u.planned()
	d.Done, d.FrameworkID, d.Tasks, d.Kept = true, s.FrameworkID, live(s), 0
	d.OtherExecutors = otherExecutors(s)
	d.Seconds = time.Since(u.began).Round(100 * time.Millisecond).Seconds()
	before := map[string]bool{}
	if u.before != nil {
		for _, p := range u.before.Pods {
			for _, t := range p.Tasks {
				before[t.ID] = true
			}
		}
	}
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			if before[t.ID] && isLive(strings.TrimPrefix(t.State, "TASK_")) {
				d.Kept++
			}
		}
	}
	return d
}

// mesos says what becomes of Mesos.
func (u *selfUpgrade) mesos() string {
	if u.cluster.Mesos == nil {
		return "stays as it is"
	}
	return "the embedded one is of this program, too, and exchanged with it"
}

// wayBack is the command that undoes it.
func (u *selfUpgrade) wayBack() string {
	return u.folder.programFile(u.runs) + " self-upgrade" + u.env.nameFlag()
}

// print prints what would be done, or was.
func (u *selfUpgrade) print(d tookOver) error {
	return u.env.print(d, func() error {
		say := u.env.printLine
		switch {
		case u.runs == u.own:
			say("%s is run by this program already, which is release %s", d.Name, d.To)
		case !d.Done:
			say("%s would be taken over by release %s from %s", d.Name, d.To, d.From)
		default:
			say("%s is run by release %s; before it was %s", d.Name, d.To, d.From)
		}
		say("  Framework  %s", orHyphen(d.FrameworkID))
		say("  Tasks      %s", u.tasksLine(d))
		say("  Mesos      %s", d.Mesos)
		say("  State      schema %d", d.Schema)
		say("  Executors  %s", u.executorsLine(d))
		if d.WayBack != "" {
			say("  Way back   %s", d.WayBack)
		}
		return nil
	})
}

func (u *selfUpgrade) tasksLine(d tookOver) string {
	switch {
	case u.before == nil:
		return "not known: the scheduler does not answer"
	case !d.Done:
		return fmt.Sprintf("%d run, and go on meanwhile", d.Tasks)
	}
	return fmt.Sprintf("%d run, %d of them as before", d.Tasks, d.Kept)
}

func (u *selfUpgrade) executorsLine(d tookOver) string {
	n := len(d.OtherExecutors)
	switch {
	case n == 0:
		return "none is of another release"
	case u.roll && !d.Done:
		return fmt.Sprintf("%d of another release are exchanged, node by node", n)
	}
	return fmt.Sprintf("%d of another release stay until their pods are launched anew; "+
		"self-upgrade --roll-executors exchanges them", n)
}
