package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"golang.org/x/term"
)

// watchEvery is how often status --watch looks.
const watchEvery = time.Second

// What a terminal is told by status --watch: to use its second screen, without a cursor, which
// leaves the first one as it was; and to begin a picture at the top.
const (
	enterScreen = "\x1b[?1049h\x1b[?25l"
	leaveScreen = "\x1b[?25h\x1b[?1049l"
	topOfScreen = "\x1b[H"
	restOfLine  = "\x1b[K"
	restBelow   = "\x1b[J"
)

// sight is what status --watch shows at one moment.
type sight struct {
	service api.Service
	offers  []api.OfferOutcome
	trouble error // why it is not of now, nil when it is
}

// watcher shows a service as it goes on.
type watcher interface {
	show(sight) error
	end()
}

// watchStatus shows the service until the context ends. A scheduler that does not answer for a
// while is waited for.
func (e *env) watchStatus(ctx context.Context) error {
	c, s, err := e.service(ctx)
	if err != nil {
		return err
	}
	w := e.watcher(c.URL())
	defer w.end()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for now := (sight{service: s}); ; {
		if now.trouble == nil {
			now.offers = latestOffers(ctx, c)
		}
		if err := w.show(now); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if s, err = c.Service(ctx); err == nil {
			now.service = s
		}
		now.trouble = err
	}
}

// latestOffers gives the last offers, the newest first, and none when they cannot be had.
func latestOffers(ctx context.Context, c *client.Client) []api.OfferOutcome {
	list, err := c.Offers(ctx, api.OfferQuery{Page: api.Page{Limit: 10}})
	if err != nil {
		return nil
	}
	return list.Offers
}

func (e *env) watcher(url string) watcher {
	f, terminal := e.stdout.(*os.File)
	switch {
	case e.json:
		return &documents{env: e, url: url}
	case terminal && isTerminal(f):
		fmt.Fprint(f, enterScreen)
		return &display{env: e, url: url, out: f}
	}
	return &changes{lines: e.progress(false)}
}

// documents prints the status document whenever the scheduler's state has changed.
type documents struct {
	env  *env
	url  string
	last time.Time
}

func (d *documents) show(s sight) error {
	if s.trouble != nil || s.service.At.Equal(d.last) {
		return nil
	}
	d.last = s.service.At
	doc, err := statusDocument(d.url, s.service)
	if err != nil {
		return err
	}
	return d.env.printJSON(doc)
}

func (*documents) end() {}

// changes prints a line whenever a step, a task or the service has changed.
type changes struct{ lines progress }

func (c *changes) show(s sight) error {
	if s.trouble != nil {
		return nil
	}
	lines := []line{{key: "service", name: s.service.Name, status: summary(s.service)}}
	for _, p := range s.service.Plans {
		lines = append(lines, planLines(s.service, p.Name)...)
	}
	c.lines.show(append(lines, taskLines(s.service)...))
	return nil
}

func (c *changes) end() { c.lines.end() }

// display draws the service over what was there before.
type display struct {
	env *env
	url string
	out *os.File
}

func (d *display) show(s sight) error {
	width, height, err := term.GetSize(int(d.out.Fd()))
	if err != nil || width < leastWidth {
		width, height = 80, 24
	}
	picture, err := d.env.picture(d.url, s, width)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimRight(picture, "\n"), "\n")
	if len(lines) > height {
		more := len(lines) - height + 1
		lines = append(lines[:height-1], fmt.Sprintf("… %d more lines", more))
	}
	_, err = fmt.Fprint(d.out, topOfScreen+strings.Join(lines, restOfLine+"\n")+
		restOfLine+restBelow)
	return printing(err)
}

func (d *display) end() { fmt.Fprint(d.out, leaveScreen) }

// picture draws the service, its pods, the steps that are not complete, and the last offers,
// in lines of a width.
func (e *env) picture(url string, s sight, width int) (string, error) {
	page := &canvas{width: width}
	at := *e
	at.stdout, at.form = page, formText
	if s.trouble != nil {
		at.printLine("no answer since %s: %v", moment(s.service.Now), plain(s.trouble))
	}
	at.printHead(url, s.service)
	at.printf("\n")
	if err := at.printPods(s.service, s.service.Pods); err != nil {
		return "", err
	}
	if err := at.printOpenSteps(s.service); err != nil {
		return "", err
	}
	if len(s.offers) > 0 {
		at.printf("\n")
		if err := at.printOffers(s.offers, s.service.Now); err != nil {
			return "", err
		}
	}
	return page.String(), nil
}

// printOpenSteps prints a table of the steps that are not complete.
func (e *env) printOpenSteps(s api.Service) error {
	t := e.table([]string{"PLAN", "PHASE", "STEP", "STATUS", "AGE", "REASON"})
	for _, p := range s.Plans {
		for _, ph := range p.Phases {
			for _, st := range ph.Steps {
				if st.Status != api.StatusComplete {
					row(t, p.Name, ph.Name, st.Name, st.Status, age(st.AgeSeconds),
						oneLine(st.Reason))
				}
			}
		}
	}
	e.printf("\n")
	if len(t.rows) == 1 {
		e.printf("all steps of all plans are complete\n")
		return nil
	}
	return t.Flush()
}
