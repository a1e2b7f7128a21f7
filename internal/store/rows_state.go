package store

import (
	"errors"
	"fmt"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/plans"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
)

// The rows of the store: what is written, with its names in the file. Where a row has the same
// fields as the value that it stands for, Go converts one into the other and stops compiling
// when they part. A field that is a pointer and not omitempty is required.

type framework struct {
	ID *mesos.FrameworkID `json:"id"`
}

type intent struct {
	Intent *scheduler.Intent `json:"intent"`
}

func (r intent) domain() (scheduler.Intent, error) {
	i, err := required("intent", r.Intent)
	if err != nil {
		return "", err
	}
	switch i {
	case scheduler.Run, scheduler.Stop, scheduler.Uninstall, scheduler.Uninstalled:
		return i, nil
	default:
		return "", fmt.Errorf("the intent %q is none", i)
	}
}

type kafka struct {
	ID      *string             `json:"id"`
	Founder mesos.PersistenceID `json:"founder"`
	Founded *bool               `json:"founded"`
	// Archives are where distributions are served, by version.
	Archives map[string]string `json:"archives,omitempty"`
	Joins    bool              `json:"joins,omitempty"`
	// Cordoned are ids of brokers.
	Cordoned []int `json:"cordoned,omitempty"`
}

func kafkaToRow(k scheduler.KafkaCluster) kafka {
	return kafka{ID: &k.ID, Founder: k.Founder, Founded: &k.Founded, Archives: k.Archives,
		Joins: k.Joins, Cordoned: k.Cordoned}
}

func (r kafka) domain() (out scheduler.KafkaCluster, err error) {
	id, err := required("id", r.ID)
	if err != nil {
		return out, err
	}
	founded, err := required("founded", r.Founded)
	if err != nil {
		return out, err
	}
	return scheduler.KafkaCluster{ID: id, Founder: r.Founder, Founded: founded,
		Archives: r.Archives, Joins: r.Joins,
		Cordoned: r.Cordoned}, nil
}

type overrides struct {
	Interrupted map[string]bool `json:"interrupted,omitempty"`
	Forced      map[string]bool `json:"forced,omitempty"`
	Released    map[string]bool `json:"released,omitempty"`
	Said        map[string]said `json:"said,omitempty"`
}

type said struct {
	At     time.Time `json:"at"`
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

func overridesToRow(o plans.Overrides) overrides {
	return overrides{
		Interrupted: o.Interrupted, Forced: o.Forced, Released: o.Released,
		Said: eachValue(o.Said, func(s plans.Said) said { return said(s) }),
	}
}

func (r overrides) domain() plans.Overrides {
	return plans.Overrides{
		Interrupted: r.Interrupted, Forced: r.Forced, Released: r.Released,
		Said: eachValue(r.Said, func(s said) plans.Said { return plans.Said(s) }),
	}
}

type podName struct {
	Type  string `json:"type"`
	Index int    `json:"index"`
}

// namedPod refuses a name that is missing or that no instance can have.
func namedPod(row *podName) (scheduler.PodName, error) {
	name, err := required("name", row)
	if err == nil && (name.Type == "" || name.Index < 0) {
		err = errors.New("the name is no pod instance's")
	}
	return scheduler.PodName(name), err
}

type pod struct {
	Name        *podName          `json:"name"`
	Incarnation int               `json:"incarnation"`
	Place       *place            `json:"place,omitempty"`
	Executor    executorRow       `json:"executor,omitzero"`
	Tasks       []task            `json:"tasks"`
	Request     scheduler.Request `json:"request,omitempty"`
	Caretaker   bool              `json:"caretaker,omitempty"`
	Ran         bool              `json:"ran,omitempty"`
	Replacing   bool              `json:"replacing,omitempty"`
	Failed      []time.Time       `json:"failed,omitempty"`
	Recovery    *recovery         `json:"recovery,omitempty"`
	Move        *move             `json:"move,omitempty"`
	Down        *down             `json:"down,omitempty"`
	Rolls       bool              `json:"rolls,omitempty"`
	Force       bool              `json:"force,omitempty"`
	New         bool              `json:"new,omitempty"`
}

type down struct {
	Task mesos.TaskID `json:"task"`
	At   time.Time    `json:"at"`
}

type recovery struct {
	Kind  string     `json:"kind"`
	Order int        `json:"order"`
	Steps [][]string `json:"steps"`
}

func podToRow(p scheduler.Pod) pod {
	name := podName(p.Name)
	return pod{
		Name:        &name,
		Incarnation: p.Incarnation,
		Place:       maybe(p.Place, placeToRow),
		Executor:    executorToRow(p.Executor),
		Tasks:       each(p.Tasks, taskToRow),
		Request:     p.Request,
		Caretaker:   p.Caretaker,
		Ran:         p.Ran,
		Replacing:   p.Replacing,
		Failed:      each(p.Failed, time.Time.UTC),
		Recovery:    maybe(p.Recovery, func(r scheduler.Recovery) recovery { return recovery(r) }),
		Move:        maybe(p.Move, moveToRow),
		Down: maybe(p.Down,
			func(d scheduler.Down) down { return down{d.Task, d.At.UTC()} }),
		Rolls: p.Rolls,
		Force: p.Force,
		New:   p.New,
	}
}

func (r pod) domain() (out scheduler.Pod, err error) {
	out = scheduler.Pod{
		Incarnation: r.Incarnation,
		Executor:    r.Executor.domain(),
		Request:     r.Request,
		Caretaker:   r.Caretaker,
		Ran:         r.Ran,
		Replacing:   r.Replacing,
		Failed:      each(r.Failed, time.Time.UTC),
		Recovery: maybe(r.Recovery,
			func(r recovery) scheduler.Recovery { return scheduler.Recovery(r) }),
		Move:  maybe(r.Move, move.domain),
		Down:  maybe(r.Down, func(d down) scheduler.Down { return scheduler.Down(d) }),
		Rolls: r.Rolls,
		Force: r.Force,
		New:   r.New,
	}
	if out.Name, err = namedPod(r.Name); err != nil {
		return out, err
	}
	switch r.Request {
	case "", scheduler.Restart, scheduler.Replace, scheduler.Leave:
	default:
		return out, fmt.Errorf("the request %q is none", r.Request)
	}
	if r.Place != nil {
		place, err := r.Place.domain()
		if err != nil {
			return out, err
		}
		out.Place = &place
	}
	out.Tasks, err = tried(r.Tasks, task.domain)
	return out, err
}

type place struct {
	Agent       *mesos.AgentID       `json:"agent"`
	Hostname    string               `json:"hostname"`
	IP          string               `json:"ip,omitempty"`
	Domain      domain               `json:"domain,omitzero"`
	Attributes  []attribute          `json:"attributes,omitempty"`
	Reservation *mesos.ReservationID `json:"reservation"`
	Executor    []resourceRow        `json:"executor"`
	Sets        []setResources       `json:"sets"`
	Confirmed   bool                 `json:"confirmed"`
	Listed      bool                 `json:"listed,omitempty"`
	Unseen      []string             `json:"unseen,omitempty"`
	More        []string             `json:"more,omitempty"`
	Pending     []mesos.OperationID  `json:"pending,omitempty"`
}

type domain struct {
	Region string `json:"region"`
	Zone   string `json:"zone"`
}

type attribute struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func placeToRow(p scheduler.Place) place {
	return place{
		Agent:    &p.Agent,
		Hostname: p.Hostname,
		IP:       p.IP,
		Domain:   domain(p.Domain),
		Attributes: each(p.Attributes,
			func(a mesos.Attribute) attribute { return attribute(a) }),
		Reservation: &p.Reservation,
		Executor:    each(p.Executor, resourceToRow),
		Sets:        each(p.Sets, setToRow),
		Unseen:      p.Unseen,
		More:        p.More,
		Confirmed:   p.Confirmed,
		Listed:      p.Listed,
		Pending:     p.Pending,
	}
}

func (r place) domain() (out scheduler.Place, err error) {
	out = scheduler.Place{
		Hostname: r.Hostname,
		IP:       r.IP,
		Domain:   mesos.Domain(r.Domain),
		Attributes: each(r.Attributes,
			func(a attribute) mesos.Attribute { return mesos.Attribute(a) }),
		Confirmed: r.Confirmed, Listed: r.Listed, Unseen: r.Unseen, More: r.More,
		Pending: r.Pending,
	}
	if out.Agent, err = required("place.agent", r.Agent); err != nil {
		return out, err
	}
	if out.Reservation, err = required("place.reservation", r.Reservation); err != nil {
		return out, err
	}
	if out.Executor, err = resourcesToDomain(r.Executor); err != nil {
		return out, err
	}
	out.Sets, err = tried(r.Sets, setResources.domain)
	return out, err
}

type setResources struct {
	Name      *string       `json:"name"`
	Resources []resourceRow `json:"resources"`
	Ports     []portUse     `json:"ports,omitempty"`
}

type portUse struct {
	Name   string `json:"name"`
	Number int    `json:"number"`
}

func setToRow(t offer.SetResources) setResources {
	return setResources{
		Name:      &t.Name,
		Resources: each(t.Resources, resourceToRow),
		Ports:     each(t.Ports, func(p offer.PortUse) portUse { return portUse(p) }),
	}
}

func (r setResources) domain() (out offer.SetResources, err error) {
	out.Ports = each(r.Ports, func(p portUse) offer.PortUse { return offer.PortUse(p) })
	if out.Name, err = required("place.sets.name", r.Name); err != nil {
		return out, err
	}
	out.Resources, err = resourcesToDomain(r.Resources)
	return out, err
}

type task struct {
	Name    *string         `json:"name"`
	ID      mesos.TaskID    `json:"id,omitempty"`
	State   mesos.TaskState `json:"state,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
	Since   time.Time       `json:"since,omitzero"`
	Ready   *bool           `json:"ready,omitempty"`
	Healthy *bool           `json:"healthy,omitempty"`
	Target  string          `json:"target,omitempty"`
	IP      string          `json:"ip,omitempty"`
	// WasReady says that this launch was complete once.
	WasReady bool   `json:"was_ready,omitempty"`
	Deployed string `json:"deployed,omitempty"`
	Launch   string `json:"launch,omitempty"`
	Paused   bool   `json:"paused,omitempty"`
	Idle     bool   `json:"idle,omitempty"`
	Again    bool   `json:"again,omitempty"`
	Resumed  bool   `json:"resumed,omitempty"`

	Executor mesos.ExecutorID `json:"executor,omitempty"`
	Last     *statusUpdate    `json:"last,omitempty"`
	Reached  *statusUpdate    `json:"reached,omitempty"`

	Params    map[string]string `json:"params,omitempty"`
	Failures  int               `json:"failures,omitempty"`
	NotBefore time.Time         `json:"not_before,omitzero"`
}

func taskToRow(t scheduler.Task) task {
	return task{
		Name: &t.Name, ID: t.ID, State: t.State, Reason: t.Reason, Message: t.Message,
		Since: t.Since.UTC(), Ready: t.Ready, Healthy: t.Healthy, Target: t.Target, IP: t.IP,
		WasReady: t.WasReady, Deployed: t.Deployed, Launch: t.Launch,
		Paused: t.Paused, Idle: t.Idle, Again: t.Again, Resumed: t.Resumed,
		Executor: t.Executor,
		Last:     maybe(t.Last, updateToRow), Reached: maybe(t.Reached, updateToRow),
		Params:   t.Params,
		Failures: t.Failures, NotBefore: t.NotBefore.UTC(),
	}
}

func (r task) domain() (scheduler.Task, error) {
	name, err := required("tasks.name", r.Name)
	return scheduler.Task{
		Name: name, ID: r.ID, State: r.State, Reason: r.Reason, Message: r.Message,
		Since: r.Since.UTC(), Ready: r.Ready, Healthy: r.Healthy, Target: r.Target, IP: r.IP,
		WasReady: r.WasReady, Deployed: r.Deployed, Launch: r.Launch,
		Paused: r.Paused, Idle: r.Idle, Again: r.Again, Resumed: r.Resumed,
		Executor: r.Executor,
		Last:     maybe(r.Last, statusUpdate.domain),
		Reached:  maybe(r.Reached, statusUpdate.domain),
		Params:   r.Params,
		Failures: r.Failures, NotBefore: r.NotBefore.UTC(),
	}, err
}

type leftover struct {
	Reservation *mesos.ReservationID `json:"reservation"`
	Pod         *podName             `json:"pod"`
	Agent       *mesos.AgentID       `json:"agent"`
	Hostname    string               `json:"hostname"`
	Resources   []resourceRow        `json:"resources"`
	Confirmed   bool                 `json:"confirmed"`
	Unseen      []string             `json:"unseen,omitempty"`
	Freeing     bool                 `json:"freeing,omitempty"`
	Tasks       []mesos.TaskID       `json:"tasks,omitempty"`
	Pending     []mesos.OperationID  `json:"pending,omitempty"`
}

func leftoverToRow(l scheduler.Leftover) leftover {
	name := podName(l.Pod)
	return leftover{
		Reservation: &l.Reservation, Pod: &name, Agent: &l.Agent, Hostname: l.Hostname,
		Resources: each(l.Resources, resourceToRow),
		Confirmed: l.Confirmed, Freeing: l.Freeing, Tasks: l.Tasks,
		Pending: l.Pending,
	}
}

func (r leftover) domain() (out scheduler.Leftover, err error) {
	out = scheduler.Leftover{
		Hostname: r.Hostname, Confirmed: r.Confirmed, Freeing: r.Freeing, Tasks: r.Tasks,
		Pending: r.Pending}
	if out.Resources, err = resourcesToDomain(r.Resources); err != nil {
		return out, err
	}
	if out.Reservation, err = required("reservation", r.Reservation); err != nil {
		return out, err
	}
	if out.Agent, err = required("agent", r.Agent); err != nil {
		return out, err
	}
	out.Pod, err = namedPod(r.Pod)
	return out, err
}
