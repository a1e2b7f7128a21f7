package loop

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// Store makes writes durable; all of one call or none.
type Store interface {
	Apply([]scheduler.Write) error
}

// Mesos takes calls to the master; Send never blocks.
type Mesos interface {
	Send(mesos.Call)
}

// Kafka asks brokers for facts, and of each partition too, and has them make changes; each takes as
// long as its own time-out.
type Kafka interface {
	Ask(ctx context.Context, addresses []string) scheduler.KafkaFacts
	AskAll(ctx context.Context, addresses []string) scheduler.KafkaFacts
	Change(ctx context.Context, addresses []string, change scheduler.KafkaChange) error
	Layout(ctx context.Context, addresses []string, topics []string) scheduler.Layout
	Configs(ctx context.Context, addresses []string, wish scheduler.ConfigWish) scheduler.Configs
}

// ZooKeeper asks servers for their roles, those among them that are secure over TLS; it takes as
// long as its own time-out.
type ZooKeeper interface {
	Ask(ctx context.Context, addresses, secure []string) scheduler.ZooKeeperFacts
}

// Migrations reads, or has deleted, what ZooKeeper keeps of a migration to KRaft; it takes as long
// as its own time-out.
type Migrations interface {
	Ask(ctx context.Context, connect string, forget bool) scheduler.MigrationFacts
}

// Metrics counts what happened and observes how things stand.
type Metrics interface {
	Count(name string)
	Observe(*scheduler.View)
	// Stepped is told how long each event took, Sent each call to Mesos.
	Stepped(ev scheduler.Event, took time.Duration)
	Sent(mesos.Call)
}

// Config is what a loop joins.
type Config struct {
	Machine *scheduler.Machine
	Store   Store
	Mesos   Mesos
	Kafka   Kafka
	// ZooKeeper is asked only by services that run servers of it.
	ZooKeeper ZooKeeper
	// Migrations are asked only while one is under way.
	Migrations Migrations
	Metrics    Metrics
	Logger     *slog.Logger
	// Recorder keeps what the machine is given, nil for none.
	Recorder Recorder
	// Clock stamps events; nil is one of the loop's own.
	Clock *Clock
}

// ErrStopped says that the loop ended before it took a command.
var ErrStopped = errors.New("the scheduler is stopping")

const (
	// inboxSize bounds how many events may wait; who brings more waits too.
	inboxSize = 1024
	// batchMost bounds how many events share one transaction.
	batchMost = inboxSize
	// soonest is how long the machine waits at least when it wants a tick at once, so that what
	// comes together is looked at together.
	soonest = time.Millisecond
	// latest is how long it waits at most, however much work a tick is.
	latest = 2 * time.Second
)

// Loop owns a machine; see the package's documentation.
type Loop struct {
	cfg     Config
	inbox   chan scheduler.Event
	picture atomic.Pointer[picture]
	waiting map[scheduler.CommandID]chan scheduler.Reply
	pending chan command
	begun   chan struct{}
	stopped chan struct{}
	lastID  scheduler.CommandID
	// due is when the machine gets the tick that it wants at once, zero while it wants none, and
	// pause how long it has to wait for one: three times as long as the latest took, so that a
	// service of many instances leaves most of the time to events.
	due   time.Time
	pause time.Duration
}

// picture is a view, and a channel that is closed when there is a later one.
type picture struct {
	view    *scheduler.View
	changed chan struct{}
}

// command is a command on its way into the loop.
type command struct {
	what   scheduler.Command
	caller scheduler.Caller
	reply  chan scheduler.Reply
}

// New makes a loop; nothing happens before Run.
func New(cfg Config) *Loop {
	if cfg.Recorder == nil {
		cfg.Recorder = unrecorded{}
	}
	if cfg.Clock == nil {
		cfg.Clock = new(Clock)
	}
	l := &Loop{
		cfg:     cfg,
		inbox:   make(chan scheduler.Event, inboxSize),
		waiting: map[scheduler.CommandID]chan scheduler.Reply{},
		pending: make(chan command),
		begun:   make(chan struct{}),
		stopped: make(chan struct{}),
	}
	l.picture.Store(&picture{changed: make(chan struct{})})
	return l
}

// Begun is closed once there is a first view.
func (l *Loop) Begun() <-chan struct{} { return l.begun }

// View is the latest picture, nil before the first.
func (l *Loop) View() *scheduler.View { return l.picture.Load().view }

// Watch is View with a channel that is closed at the next one. Who waits for it misses views
// that come in quick succession, but never the last.
func (l *Loop) Watch() (*scheduler.View, <-chan struct{}) {
	p := l.picture.Load()
	return p.view, p.changed
}

// publish shows a view to everybody.
func (l *Loop) publish(v *scheduler.View) {
	before := l.picture.Swap(&picture{v, make(chan struct{})})
	close(before.changed)
	l.cfg.Metrics.Observe(v)
}

// Deliver brings an event of Mesos; it blocks while the inbox is full and drops the event once
// the loop has stopped.
func (l *Loop) Deliver(ev mesos.Event) { l.put(scheduler.FromMesos{Event: ev}) }

func (l *Loop) put(ev scheduler.Event) {
	select {
	case l.inbox <- ev:
	case <-l.stopped:
	}
}

// Do brings a command of an operator and waits for its reply.
func (l *Loop) Do(
	ctx context.Context, what scheduler.Command, by scheduler.Caller,
) (scheduler.Reply, error) {
	c := command{what, by, make(chan scheduler.Reply, 1)}
	select {
	case l.pending <- c:
	case <-ctx.Done():
		return scheduler.Reply{}, ctx.Err()
	case <-l.stopped:
		return scheduler.Reply{}, ErrStopped
	}
	select {
	case r := <-c.reply:
		return r, nil
	case <-ctx.Done():
		return scheduler.Reply{}, ctx.Err()
	case <-l.stopped:
		select {
		case r := <-c.reply:
			return r, nil
		default:
			return scheduler.Reply{}, ErrStopped
		}
	}
}

// Run takes events until the context ends (nil), the machine wants to exit (its Exit), or a
// write fails (the error, after which the process must end).
func (l *Loop) Run(ctx context.Context) (*scheduler.Exit, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer close(l.stopped)
	defer l.crashes()
	if exit, err := l.take(ctx, scheduler.Tick{}); exit != nil || err != nil {
		return exit, err
	}
	close(l.begun)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		l.arm(timer)
		var ev scheduler.Event
		select {
		case <-ctx.Done():
			return nil, nil
		case ev = <-l.inbox:
		case c := <-l.pending:
			l.lastID++
			l.waiting[l.lastID] = c.reply
			ev = scheduler.Commanded{ID: l.lastID, Command: c.what, Caller: c.caller}
		case <-timer.C:
			ev = scheduler.Tick{}
		}
		if exit, err := l.take(ctx, ev); exit != nil || err != nil {
			return exit, err
		}
		for _, ev := range l.renew() {
			if exit, err := l.take(ctx, ev); exit != nil || err != nil {
				return exit, err
			}
		}
	}
}

// arm sets the timer to when the machine wants to be woken. Events that go on coming do not put
// off a tick that it wants at once.
func (l *Loop) arm(timer *time.Timer) {
	at, now := l.cfg.Machine.NextWake(), l.cfg.Clock.Now()
	switch {
	case at.IsZero():
		l.due, at = time.Time{}, now.Add(time.Hour)
	case at.After(now):
		l.due = time.Time{}
	case l.due.IsZero():
		l.due = now.Add(max(l.pause, soonest))
		fallthrough
	default:
		at = l.due
	}
	timer.Reset(at.Sub(now))
}

// take gives the machine an event, and those that wait behind it, and carries out what it wants
// of all of them as if it were one output: one transaction, one picture. Offers are looked at
// together, behind the reports of tasks that come up in between. A tick comes last, so that what
// the machine makes of an event is stored with the event.
func (l *Loop) take(ctx context.Context, ev scheduler.Event) (*scheduler.Exit, error) {
	b := batch{loop: l, ctx: ctx}
	_, tick := ev.(scheduler.Tick)
	if tick {
		ev = l.waits()
	}
	for n := 1; ev != nil; n++ {
		if more, ok := offersIn(ev); ok {
			b.offers = append(b.offers, more...)
		} else {
			if !comesUp(ev) {
				b.flush()
			}
			b.step(ev)
		}
		if ev = nil; n < batchMost {
			ev = l.waits()
		}
	}
	b.flush()
	if tick || !l.due.IsZero() && !l.cfg.Clock.Now().Before(l.due) {
		b.step(scheduler.Tick{})
	}
	b.carry()
	return b.exit, b.err
}

// batch is what the machine wants of events that are taken together.
type batch struct {
	loop   *Loop
	ctx    context.Context
	out    scheduler.Output
	offers []mesos.Offer // that it has not been given yet
	exit   *scheduler.Exit
	err    error
}

// step gives the machine an event, unless all is over.
func (b *batch) step(ev scheduler.Event) {
	if b.exit == nil && b.err == nil && !ends(b.out) {
		add(&b.out, b.loop.step(ev))
	}
}

// flush gives the machine the offers.
func (b *batch) flush() {
	if len(b.offers) > 0 {
		b.step(scheduler.FromMesos{Event: mesos.Offers{Offers: b.offers}})
		b.offers = nil
	}
}

// carry carries out what is wanted so far.
func (b *batch) carry() {
	if b.exit == nil && b.err == nil {
		b.exit, b.err = b.loop.carry(b.ctx, b.out)
		b.out = scheduler.Output{}
	}
}

// waits gives the next event if there is one.
func (l *Loop) waits() scheduler.Event {
	select {
	case ev := <-l.inbox:
		return ev
	default:
		return nil
	}
}

// offersIn gives the offers that an event brings.
func offersIn(ev scheduler.Event) (offers []mesos.Offer, ok bool) {
	from, _ := ev.(scheduler.FromMesos)
	brought, ok := from.Event.(mesos.Offers)
	return brought.Offers, ok
}

// comesUp reports whether an event says that a task comes up: that an offer was made before does
// not matter then.
func comesUp(ev scheduler.Event) bool {
	from, _ := ev.(scheduler.FromMesos)
	update, _ := from.Event.(mesos.Updated)
	state := update.Status.State
	return state == mesos.Staging || state == mesos.Starting || state == mesos.Running
}

// step gives one event to the machine.
func (l *Loop) step(ev scheduler.Event) scheduler.Output {
	l.cfg.Logger.Debug("event", "event", eventText{ev})
	at, began := l.cfg.Clock.Now(), time.Now()
	l.cfg.Recorder.Given(at, ev)
	out := l.cfg.Machine.Step(at, ev)
	l.cfg.Recorder.Made(out)
	took := time.Since(began)
	l.cfg.Metrics.Stepped(ev, took)
	if _, tick := ev.(scheduler.Tick); tick {
		l.due, l.pause = time.Time{}, min(3*took, latest)
	}
	return out
}

// ends reports whether an output is the last.
func ends(out scheduler.Output) bool {
	return slices.ContainsFunc(out.Calls, func(c scheduler.Call) bool {
		_, exit := c.(scheduler.Exit)
		return exit
	})
}

// add joins an output with that of the event behind it.
func add(out *scheduler.Output, next scheduler.Output) {
	out.Writes = append(out.Writes, next.Writes...)
	out.Calls = append(out.Calls, next.Calls...)
	out.Replies = append(out.Replies, next.Replies...)
	out.Notes = append(out.Notes, next.Notes...)
	if next.View != nil {
		out.View = next.View
	}
}

// carry carries out what the machine wants, in the order of its contract.
func (l *Loop) carry(ctx context.Context, out scheduler.Output) (*scheduler.Exit, error) {
	if len(out.Writes) > 0 {
		l.cfg.Recorder.Keep()
		if err := l.cfg.Store.Apply(out.Writes); err != nil {
			return nil, fmt.Errorf("storing %d writes: %w", len(out.Writes), err)
		}
	}
	var exit *scheduler.Exit
	for _, call := range out.Calls {
		switch call := call.(type) {
		case scheduler.ToMesos:
			l.cfg.Mesos.Send(call.Call)
			l.cfg.Metrics.Sent(call.Call)
		case scheduler.AskKafka:
			ask := l.cfg.Kafka.Ask
			if call.All {
				ask = l.cfg.Kafka.AskAll
			}
			go func() { l.put(scheduler.FromKafka{Facts: ask(ctx, call.Addresses)}) }()
		case scheduler.AskZooKeeper:
			go func() {
				l.put(scheduler.FromZooKeeper{
					Facts: l.cfg.ZooKeeper.Ask(ctx, call.Addresses, call.Secure)})
			}()
		case scheduler.AskMigration:
			go func() {
				l.put(scheduler.FromMigration{
					Facts: l.cfg.Migrations.Ask(ctx, call.Connect, call.Forget)})
			}()
		case scheduler.ChangeKafka:
			go l.change(ctx, call)
		case scheduler.AskMoves:
			go func() {
				layout := l.cfg.Kafka.Layout(ctx, call.Addresses, call.Wish.Topics())
				l.put(scheduler.FromMoves{Wish: call.Wish,
					Moves: scheduler.Weigh(layout, call.Wish)})
			}()
		case scheduler.AskConfigs:
			go func() {
				found := l.cfg.Kafka.Configs(ctx, call.Addresses, call.Wish)
				l.put(scheduler.FromConfigs{Target: call.Target,
					Drift: scheduler.Compare(found, call.Wish)})
			}()
		case scheduler.Exit:
			exit = &call
		}
	}
	if out.View != nil {
		l.publish(out.View)
	}
	for _, r := range out.Replies {
		l.waiting[r.ID] <- r
		delete(l.waiting, r.ID)
	}
	for _, n := range out.Notes {
		l.log(n)
	}
	return exit, nil
}

// change has Kafka changed and says what became of it.
func (l *Loop) change(ctx context.Context, call scheduler.ChangeKafka) {
	ev := scheduler.KafkaChanged{Change: call.Change}
	if err := l.cfg.Kafka.Change(ctx, call.Addresses, call.Change); err != nil {
		ev.Error = err.Error()
	}
	l.put(ev)
}

// eventText prints an event only if the line is wanted.
type eventText struct{ ev scheduler.Event }

// LogValue implements slog.LogValuer.
func (e eventText) LogValue() slog.Value { return slog.StringValue(scheduler.EventText(e.ev)) }

func (l *Loop) log(n scheduler.Note) {
	if n.Count != "" {
		l.cfg.Metrics.Count(n.Count)
	}
	ctx, level := context.Background(), levels[n.Level]
	if !l.cfg.Logger.Enabled(ctx, level) {
		return
	}
	fields := make([]any, 0, len(n.Fields))
	for _, f := range n.Fields {
		fields = append(fields, f)
	}
	l.cfg.Logger.Log(ctx, level, n.Text, fields...)
}

// levels are the logger's for those of notes.
var levels = map[scheduler.Level]slog.Level{
	scheduler.Debug: slog.LevelDebug, scheduler.Info: slog.LevelInfo,
	scheduler.Warn: slog.LevelWarn, scheduler.Err: slog.LevelError,
}
