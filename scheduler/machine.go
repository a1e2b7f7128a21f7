package scheduler

import (
	"cmp"
	"slices"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Machine is the scheduler. It is owned by one goroutine; none of its methods may be called
// from two at once.
type Machine struct {
	cfg  Config
	hard Hard

	now time.Time
	out Output

	// Everything below is soft: rebuilt after a restart by events and the pass.
	connected bool
	lost      string // why, "" while nobody knows
	master    string
	offers    map[mesos.OfferID]mesos.Offer // those of the event in hand
	wants     map[string]bool               // what offers are wanted for, as last told
	// wanting are those of which wants says nothing because they rest; see visit.go.
	wanting  map[PodName]bool
	told     bool                       // whether the master was told at all since subscribed
	asked    map[mesos.TaskID]question  // reconciliation under way
	unheard  unheard                    // what is not known of since subscribed
	settled  bool                       // asked may have some that are in doubt no more
	implicit time.Time                  // when to reconcile implicitly next
	soughtAt time.Time                  // when agents that were given up were last asked about
	kills    map[mesos.TaskID]time.Time // when each kill was last sent
	refusals map[PodName]*offer.Refusal
	tried    map[PodName]string    // the step, by id, that a place was last looked for
	unseen   map[PodName]time.Time // since when offers are awaited for places that nobody saw
	waits    map[PodName]string    // what an instance waits for, when it is no refusal
	recovery map[PodName]*recovery
	since    map[string]change // per step key, when its status came to be
	facts    *KafkaFacts
	polling  polling // of Kafka
	inquiry  inquiry // into whether Kafka nodes may go down
	// changing are the changes of Kafka that were asked for, by their texts.
	changing map[string]changing
	servers  servers // of ZooKeeper
	survey   survey  // of where Kafka's data lies
	trek     trek    // of a migration
	// campaignTrouble is what keeps the campaign from getting on, "" for nothing.
	campaignTrouble string
	chained         int64     // the campaign that was seen to be done, and has one behind it
	declared        declared  // topics and properties
	freshAfter      time.Time // facts asked for earlier say nothing of a broker that came since
	// foreignPorts are ports that agents offered and somebody else had.
	foreignPorts []takenPorts
	crowds       map[string]*placement.Crowd // see peers
	lodgers      map[string][]PodName        // see lodgersAt
	orders       int                         // counts recoveries and farewells, for their order
	leaving      map[string]bool             // when uninstalling began, by phase/step
	leavers      map[string][]leaver         // who has the resources of leaving, by their ids
	uninstalls   plans.Plan                  // the plan uninstall, as long as leaving stays
	unnoted      unnoted                     // changes that leaving lacks
	lefts        *lefts                      // see leftIndex
	farewells    map[PodName]farewell
	planErrors   []string                 // what is wrong with the configuration of the process
	blocked      map[string]string        // by step id, which other plan has the instance
	outcomes     []Outcome                // what became of the latest offers
	names        []PodName                // the keys of hard.Pods, sorted; never changed in place
	newcomers    []PodName                // those of them that names lacks
	goners       bool                     // names has some that are gone
	taskAt       map[mesos.TaskID]PodName // by launch; see indexTasks
	executorAt   map[mesos.ExecutorID]PodName
	passed       bool // a pass was made since the process began
	// reachedBefore holds the ids of steps with nothing to do when the process began.
	reachedBefore map[string]bool
	readySince    map[PodName]time.Time // of pods whose updates settle
	wake          time.Time             // when a policy wants the next pass, zero for never
	stopLive      int                   // tasks that still ran when a stopping service last got on
	stopAt        time.Time             // when that was
	feedback      feedback              // of operations
	// seen is what the operator API last showed of agents, nil before it did; outlooks are what is
	// known of their futures, heard is when they last gave a sign.
	seen     map[mesos.AgentID]mesos.SeenAgent
	outlooks map[mesos.AgentID]Outlook
	heard    map[mesos.AgentID]time.Time
	moves    map[PodName]Move      // those under way and those done, for the plan
	cramped  map[PodName]time.Time // since when there was no room for what is wanted more
	rooms    map[PodName]room      // what was seen of new places for those that are to move
	diskLost map[PodName]time.Time // since when log directories of theirs have failed
	// leftAt is since when brokers that ended to leave wait for what Kafka says of their data.
	leftAt map[PodName]time.Time
	// securedAt is when more was last reserved for an instance.
	securedAt map[PodName]time.Time
	// freedAt is when an ACCEPT last told a leftover to go.
	freedAt map[mesos.ReservationID]time.Time
	// fallen says of executors that ended why they could not begin.
	fallen   map[mesos.ExecutorID]string
	curious  bool      // somebody waits for what Kafka says
	due      bool      // something happened since the last pass
	passedAt time.Time // when the last pass was
	// restless are the instances that a pass looks at, visiting those that have a record, sorted,
	// nil when not known; undrawn are those that changed since the last picture. See stir.
	restless, undrawn nameSet
	visiting          []PodName
	index             targetIndex
	drawn             drawing
	holdings          holdings
	command           mesos.Command // see shared
	finished          bool          // Exit was sent
}

// question is a task whose status was asked for.
type question struct {
	again time.Time     // when to ask again
	wait  time.Duration // how long that wait was
}

// change is a status and when it began.
type change struct {
	status plans.Status
	at     time.Time
}

// recovery is an instance that is, or was, brought back.
type recovery struct {
	Recovery
	done  bool
	built *builtRecovery // its phase in the plan, nil before somebody wanted it
}

// builtRecovery is the phase of a recovery, and what it was built of.
type builtRecovery struct {
	order int
	steps [][]string
	phase plans.Phase
}

// Config is what a machine is made with; it does not change while it runs.
type Config struct {
	// Target is the configuration that the process was started with. It becomes the target
	// only if the store holds none yet.
	Target Target
	// ExecutorURI and KafkaURI are where agents fetch the executor binary and the packed Kafka
	// distribution from; KafkaURI is "" when no pod runs Kafka.
	ExecutorURI, KafkaURI string
	// Address is what the paths of KafkaCluster.Archives are below: "http://host:port".
	Address string
	// Binaries are the executor's binaries, that of ExecutorURI first; none if all that is known
	// is that one.
	Binaries []Binary
	// Version is the release that the executor is of, which is that of the scheduler.
	Version string
	// JavaURI is where agents fetch a Java runtime for Kafka from, "" when they have their own.
	JavaURI string
	// JavaHome is set for tasks, "" leaves the agent's own.
	JavaHome string
	// Offered says that Target shall become the target of a service that has another one, as
	// if an operator had asked for it when the process was started. What is wrong with it
	// shows as errors of the plan deploy.
	Offered bool
	// Backoff is how long launches wait after failures.
	Backoff Backoff
	// Thorough has every pass look at every instance, for tests of those that do not.
	Thorough bool
	// Undrawn has no step make a picture, for tests that look at few of them: View makes one.
	Undrawn bool
	// UUID draws a new random id each time.
	UUID func() [16]byte
}

// Times that govern the machine. Each is a bound on waiting, not on correctness.
const (
	declineWorking = 5 * time.Second        // filter while something still wants a place
	declineIdle    = time.Hour              // filter while nothing does
	killAgain      = 10 * time.Second       // a kill is repeated until the task is seen to end
	askFirst       = 2 * time.Second        // first wait for an answer to a reconciliation
	askMax         = time.Minute            // longest
	implicitFirst  = 15 * time.Second       // longest wait before the first implicit reconciliation
	implicitEvery  = 15 * time.Minute       // between those after it
	factsBusy      = 250 * time.Millisecond // between questions while a broker comes up
	factsIdle      = 15 * time.Second       // between questions while all is well
	factsLost      = 20 * time.Second       // an answer that did not come is given up
	stopPatience   = 2 * time.Minute        // a stop that does not get on becomes a rough one
	stopRough      = 20 * time.Second       // kill grace of a rough stop
	backoffFirst   = time.Second
	backoffMax     = 5 * time.Minute
	backoffFactor  = 2
	steady         = 10 * time.Second // a life that ended sooner is one more failed launch
)

// Restore makes a machine from its durable state; for a service that never ran that is the
// zero Hard. The first Step makes the first view.
func Restore(cfg Config, hard Hard) *Machine {
	m := &Machine{
		cfg: cfg, hard: hard.clone(),
		offers: map[mesos.OfferID]mesos.Offer{},
		wants:  map[string]bool{}, wanting: map[PodName]bool{},
		asked: map[mesos.TaskID]question{},
		kills: map[mesos.TaskID]time.Time{},
		waits: map[PodName]string{}, refusals: map[PodName]*offer.Refusal{},
		tried: map[PodName]string{}, taskAt: map[mesos.TaskID]PodName{},
		executorAt: map[mesos.ExecutorID]PodName{},
		recovery:   map[PodName]*recovery{},
		farewells:  map[PodName]farewell{},
		crowds:     map[string]*placement.Crowd{},
		since:      map[string]change{}, readySince: map[PodName]time.Time{},
		outlooks: map[mesos.AgentID]Outlook{},
		heard:    map[mesos.AgentID]time.Time{}, moves: map[PodName]Move{},
		cramped: map[PodName]time.Time{}, securedAt: map[PodName]time.Time{},
		freedAt: map[mesos.ReservationID]time.Time{},
		rooms:   map[PodName]room{}, diskLost: map[PodName]time.Time{},
		leftAt:   map[PodName]time.Time{},
		fallen:   map[mesos.ExecutorID]string{},
		feedback: newFeedback(), changing: map[string]changing{},
		inquiry:  newInquiry(),
		holdings: newHoldings(),
	}
	//tidy:unordered podNames sorts them
	for name := range hard.Pods {
		m.newcomers = append(m.newcomers, name)
	}
	m.stirAll()
	for _, name := range m.podNames() {
		p := hard.Pods[name]
		p.Executor.Command = m.shared(p.Executor.Command)
		m.hard.Pods[name] = p
		m.indexTasks(p)
		m.holdings.unchecked.add(name)
		if p.Recovery != nil {
			m.recovery[name] = &recovery{Recovery: *p.Recovery}
			m.orders = max(m.orders, p.Recovery.Order)
		}
		if p.Move != nil {
			m.moves[name] = *p.Move
			m.orders = max(m.orders, p.Move.Order)
		}
	}
	return m
}

// Step takes one event and says what is to be done. The time must never be before that of the
// step before; if it is, the earlier one counts.
func (m *Machine) Step(now time.Time, ev Event) Output {
	begins := m.now.IsZero()
	_, tick := ev.(Tick)
	facts, answer := ev.(FromKafka)
	idle := (tick || answer) && !begins && m.idle(now)
	if now.After(m.now) {
		m.now = now
	}
	m.out = Output{}
	if m.finished {
		return m.out
	}
	switch {
	case idle && tick:
		m.poll()
		return m.out
	case idle && answer && m.saysNothing(facts.Facts):
		m.heardAgain(facts.Facts)
		return m.out
	}
	m.adoptTarget()
	if begins {
		m.mindClock()
	}
	m.due = true
	switch ev := ev.(type) {
	case FromMesos:
		m.fromMesos(ev.Event)
	case FromKafka:
		m.fromKafka(ev.Facts)
	case FromZooKeeper:
		m.fromZooKeeper(ev.Facts)
	case FromMigration:
		m.fromMigration(ev)
	case KafkaChanged:
		m.kafkaChanged(ev)
	case FromMoves:
		m.fromMoves(ev)
	case FromConfigs:
		m.fromConfigs(ev)
	case Commanded:
		m.commanded(ev)
	}
	if m.cfg.Thorough {
		m.stirAll()
	}
	_, command := ev.(Commanded)
	if tick || len(m.offers) > 0 {
		m.due, m.passedAt = false, m.now
		m.pass()
	}
	if command || !m.due || m.finished {
		if !m.cfg.Undrawn {
			m.out.View = m.view()
		}
		if err := m.check(); err != nil {
			panic("scheduler: invariant broken: " + err.Error())
		}
	}
	return m.out
}

// Hard is the durable state as of the latest step: what the store holds once its writes are
// stored.
func (m *Machine) Hard() Hard { return m.hard.clone() }

// View makes the picture of this moment. The outputs bring it after commands and passes; in
// between, and where they do not, it is for tests, and drawn anew.
func (m *Machine) View() *View {
	m.undrawn.addAll()
	return m.view()
}

func (m *Machine) write(w Write) { m.out.Writes = append(m.out.Writes, w) }

func (m *Machine) send(c mesos.Call) { m.out.Calls = append(m.out.Calls, ToMesos{c}) }

func (m *Machine) note(level Level, count, text string, fields ...string) {
	m.out.Notes = append(m.out.Notes, Note{level, text, fields, count})
}

func (m *Machine) setIntent(i Intent) {
	m.hard.Intent = i
	m.write(WriteIntent{i})
}

func (m *Machine) setKafka(k KafkaCluster) {
	m.hard.Kafka = k
	m.write(WriteKafka{k})
}

// setPod replaces the record of an instance. Records are values: a caller changes its copy,
// its Tasks included, and hands it in.
func (m *Machine) setPod(p Pod) {
	m.filePod(p)
	m.write(WritePod{p})
}

// filePod is setPod of what is not to be stored yet.
func (m *Machine) filePod(p Pod) {
	old, known := m.hard.Pods[p.Name]
	if !known {
		m.rouse(p.Name)
		if m.goners {
			m.podNames() // without it, should it be one that has gone
		}
		m.newcomers = append(m.newcomers, p.Name)
		m.visiting = nil
		if _, wanted := m.spec(p.Name); !wanted {
			m.index.wanted = nil
		}
	}
	m.holdings.letGo(p.Name, old.Place, p.Place)
	m.settled = m.settled || endedIn(old, p)
	m.hard.Pods[p.Name] = p
	m.moved(p.Name, old.Place, p.Place)
	m.unindexTasks(old)
	m.indexTasks(p)
	m.stir(p.Name)
	m.holdings.unchecked.add(p.Name)
	if m.leaving != nil {
		m.unnoted.pods.add(p.Name)
	}
}

// podNames lists the instances that have a record, by type and index.
func (m *Machine) podNames() []PodName {
	if m.goners {
		var left []PodName
		for _, name := range m.names {
			if _, known := m.hard.Pods[name]; known {
				left = append(left, name)
			}
		}
		m.names, m.goners = left, false
	}
	if len(m.newcomers) > 0 {
		sortPods(m.newcomers)
		m.names = merged(m.names, m.newcomers)
		m.newcomers = nil
	}
	return slices.Clip(m.names)
}

// merged gives the names of two sorted lists in one.
func merged(a, b []PodName) []PodName {
	all := make([]PodName, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0].compare(b[0]) < 0 {
			all, a = append(all, a[0]), a[1:]
		} else {
			all, b = append(all, b[0]), b[1:]
		}
	}
	return append(append(all, a...), b...)
}

// dropPod forgets an instance.
func (m *Machine) dropPod(name PodName) {
	m.unindexTasks(m.hard.Pods[name])
	m.moved(name, m.hard.Pods[name].Place, nil)
	m.holdings.letGo(name, m.hard.Pods[name].Place, nil)
	delete(m.hard.Pods, name)
	delete(m.readySince, name)
	m.newcomers = slices.DeleteFunc(m.newcomers, func(n PodName) bool { return n == name })
	m.goners, m.settled = true, true
	m.visiting, m.index.wanted = nil, nil
	m.write(DeletePod{name})
}

// indexTasks notes where the launches of an instance, and its executor, are to be found.
func (m *Machine) indexTasks(p Pod) {
	if p.Executor.ID != "" {
		m.executorAt[p.Executor.ID] = p.Name
	}
	for _, t := range p.Tasks {
		if t.ID != "" {
			m.taskAt[t.ID] = p.Name
		}
	}
}

// unindexTasks forgets where those of a record are that is about to go.
func (m *Machine) unindexTasks(p Pod) {
	delete(m.executorAt, p.Executor.ID)
	for _, t := range p.Tasks {
		delete(m.taskAt, t.ID)
	}
}

// endedIn reports whether a task that lived in a record does not in the next one.
func endedIn(before, now Pod) bool {
	return slices.ContainsFunc(before.Tasks, func(t Task) bool {
		return t.live() && !slices.ContainsFunc(now.Tasks,
			func(o Task) bool { return o.ID == t.ID && o.live() })
	})
}

func sortPods(names []PodName) { slices.SortFunc(names, PodName.compare) }

func (p PodName) compare(o PodName) int {
	return cmp.Or(cmp.Compare(p.Type, o.Type), cmp.Compare(p.Index, o.Index))
}
