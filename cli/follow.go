package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/kafka-sched/kafka-sched/internal/sandbox"
	"github.com/spf13/cobra"
)

const (
	// followEvery is how often the state is asked for.
	followEvery = 250 * time.Millisecond
	// sparing is how many times longer than an answer took there is a rest, unless the plans in
	// short say that something came to an end: the state of 10,000 pods is 6 MB.
	sparing = 20
	// longestRest is how long that is at most.
	longestRest = 10 * time.Second
)

// waiting are the flags of all commands that wait for something.
type waiting struct {
	quiet, noWait bool
	timeout       time.Duration
	reason        string // of those that change something, by reasonFlag
}

func (w *waiting) flags(c *cobra.Command, timeout time.Duration) {
	c.Flags().BoolVarP(&w.quiet, "quiet", "q", false, "print only the result")
	c.Flags().BoolVar(&w.noWait, "no-wait", false, "do not wait for the end")
	w.timeout = timeout
	c.Flags().Var((*patience)(&w.timeout), "timeout", "how long to wait")
}

// follow is something that is waited for.
type follow struct {
	client *client.Client
	// lines are what to show of a state.
	lines func(api.Service) []line
	// done says that it is reached; failed that it will not be.
	done   func(api.Service) bool
	failed func(api.Service) error
	// silence is asked while the scheduler does not answer: true ends the waiting, and an
	// error says that the scheduler will not come back. Nil waits on.
	silence func() (bool, error)
	timeout time.Duration
}

// follow asks for the state until it is as wished; it gives the last state that was seen.
func (f follow) run(ctx context.Context, p progress) (api.Service, error) {
	defer p.end()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	var last api.Service
	for {
		began := time.Now()
		s, err := f.client.Service(ctx)
		over := false
		switch {
		case err == nil:
			last = s
			p.show(f.lines(s))
			if f.done(s) {
				return s, nil
			}
			if f.failed != nil {
				err = f.failed(s)
			}
		case f.silence != nil && isSilence(err):
			over, err = f.silence()
		case isSilence(err) || ctx.Err() != nil:
			err = nil
		}
		if over && err == nil {
			p.show(finished(f.lines(last)))
		}
		if over || err != nil {
			return last, err
		}
		if f.rest(ctx, began, last); ctx.Err() != nil {
			return last, f.ended(ctx, last)
		}
	}
}

// rest waits until the state is to be asked for again: soon where it is small, and where it is
// large and its plans stand as they stood, after a time that leaves the scheduler to its work.
func (f follow) rest(ctx context.Context, began time.Time, last api.Service) {
	until := time.Now().Add(min(sparing*time.Since(began), longestRest))
	timer := time.NewTimer(followEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		asked := time.Now()
		if asked.After(until) {
			return
		}
		plans, err := f.client.FindPlans(ctx, api.PlanQuery{Summary: true})
		timer.Reset(max(followEvery, min(sparing*time.Since(asked), time.Until(until))))
		if err != nil || !slices.EqualFunc(plans.Plans, last.Plans, sameStatus) {
			return
		}
	}
}

func sameStatus(a, b api.Plan) bool { return a.Name == b.Name && a.Status == b.Status }

// finished are lines of which the last news did not arrive, because the scheduler ended with the
// last step.
func finished(lines []line) []line {
	for i := range lines {
		lines[i].status, lines[i].reason = api.StatusComplete, ""
	}
	return lines
}

// isSilence says of a request's error that nobody answered, or not yet.
func isSilence(err error) bool {
	if errors.Is(err, client.ErrNoScheduler) {
		return true
	}
	if no, ok := errors.AsType[*client.Error](err); ok {
		return no.Code == api.CodeUnavailable || no.Status == api.HealthUnavailable
	}
	return !errors.Is(err, context.Canceled) // a connection that broke off
}

// ended is the error of a wait whose context ended: an interrupt, or too long a time.
func (f follow) ended(ctx context.Context, s api.Service) error {
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return ctx.Err()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "not done after %v; it goes on in the background",
		f.timeout.Round(time.Second))
	open := 0
	for _, l := range f.lines(s) {
		if l.status == api.StatusComplete {
			continue
		}
		if open++; open > mostLines {
			continue
		}
		fmt.Fprintf(&b, "\n  %s %s", l.name, l.status)
		if l.reason != "" {
			fmt.Fprintf(&b, ": %s", l.reason)
		}
	}
	if open > mostLines {
		fmt.Fprintf(&b, "\n  and %d more", open-mostLines)
	}
	return fail(exitTimeout, "%s", b.String())
}

// complete says whether a plan is complete.
func complete(s api.Service, plan string) bool {
	p := s.Plan(plan)
	return p != nil && p.Status == api.StatusComplete
}

// mostFailures is how often a step may fail in a row until a deployment counts as failed. The
// scheduler itself goes on trying.
const mostFailures = 3

// deployFailed says why a deployment is not going to succeed, with the last lines of what the
// failing task printed.
func (e *env) deployFailed(ctx context.Context, s api.Service) error {
	p := s.Plan(api.PlanDeploy)
	if p == nil {
		return nil
	}
	if len(p.Errors) > 0 {
		return fmt.Errorf("the deploy plan has errors:\n- %s", strings.Join(p.Errors, "\n- "))
	}
	for _, ph := range p.Phases {
		for _, st := range ph.Steps {
			if st.Status != api.StatusComplete && st.Attempts >= mostFailures {
				return e.stepFailed(ctx, s, st)
			}
		}
	}
	return nil
}

// stepFailed describes a step that failed again and again.
func (e *env) stepFailed(ctx context.Context, s api.Service, st api.Step) error {
	var b strings.Builder
	fmt.Fprintf(&b, "the deployment failed: step %s failed %d times", st.Name, st.Attempts)
	if st.Reason != "" {
		fmt.Fprintf(&b, " (%s)", oneLine(st.Reason))
	}
	pod := s.Pod(st.Pod)
	if pod == nil {
		return errors.New(b.String())
	}
	for _, t := range pod.Tasks {
		if t.Message != "" {
			fmt.Fprintf(&b, "\n%s: %s", t.FullName, oneLine(t.Message))
		}
		b.WriteString(e.lastWords(ctx, s, *pod, t))
	}
	fmt.Fprintf(&b, "\nmore: kafka-sched logs %s%s, and --stderr", pod.Name, e.nameFlag())
	if f, err := e.folder(); err == nil && exists(f.schedulerLog()) {
		fmt.Fprintf(&b, "; the scheduler's log is %s", f.schedulerLog())
	}
	b.WriteString("\nthe scheduler goes on trying; kafka-sched uninstall" + e.nameFlag() +
		" gives up")
	return errors.New(b.String())
}

// lastWords gives the last lines that a task printed, as far as they can be had.
func (e *env) lastWords(ctx context.Context, s api.Service, p api.Pod, t api.Task) string {
	const most = 15
	box, err := e.findSandbox(ctx, s, p, t)
	if err != nil {
		return "\n(its output cannot be read: " + err.Error() + ")"
	}
	var b strings.Builder
	for _, file := range []string{sandbox.Stdout(t.FullName), sandbox.Stderr(t.FullName)} {
		text, _, err := box.Tail(ctx, file, most)
		if err != nil || text == "" {
			continue
		}
		fmt.Fprintf(&b, "\nlast lines of %s:\n%s", file, indent(text))
	}
	return b.String()
}

// logTail gives the last lines of log files that exist, for error messages.
func logTail(files ...string) string {
	const most = 15
	var b strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil || len(text) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\nlast lines of %s:\n%s", filepath.Base(file),
			indent(sandbox.LastLines(string(text), most)))
	}
	return b.String()
}

// watchPlan follows a plan until it is complete.
func (e *env) watchPlan(ctx context.Context, c *client.Client, name string) error {
	if _, err := c.Plan(ctx, name); err != nil {
		return e.noPlan(ctx, c, err)
	}
	f := follow{
		client:  c,
		lines:   func(s api.Service) []line { return planLines(s, name) },
		done:    func(s api.Service) bool { return complete(s, name) },
		timeout: 365 * 24 * time.Hour,
	}
	s, err := f.run(ctx, e.progress(false))
	if err != nil {
		return err
	}
	if e.json {
		return e.printJSON(s.Plan(name))
	}
	e.printf("%q plan is complete.\n", name)
	return nil
}
