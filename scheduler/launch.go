package scheduler

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// shutdownSlack is what an executor may take beyond the longest kill grace of its tasks when it
// is told to shut down: the supervisor kills by force a fifth of the whole before its end.
const shutdownSlack = 1.5

// shutdownGrace is how long an executor of such pods may take to end.
func shutdownGrace(spec servicespec.Pod) time.Duration {
	longest := 5 * time.Second
	for _, t := range spec.Tasks {
		longest = max(longest, t.KillGrace)
	}
	return time.Duration(float64(longest) * shutdownSlack)
}

// launch records an instance's place and tasks and puts the operations into the ACCEPT.
func (w *work) launch(
	p Pod, l launchOf, match offer.Match, reservation mesos.ReservationID,
) {
	m := w.m
	o := w.table().Get(match)
	fresh := p.Place == nil
	var earlier []mesos.OperationID
	if !fresh {
		earlier = slices.Clone(p.Place.Pending)
		m.goneWith(p.Name, *p.Place, match)
	}
	unseen := addedSets(p.Place, match)
	p.Place = &Place{
		Agent: o.Agent, Hostname: o.Hostname, IP: o.IP, Domain: o.Domain,
		Attributes: o.Attributes, Reservation: reservation,
		Executor: match.Executor, Sets: match.Sets, Unseen: unseen,
		More:      moreAfter(p.Place, l),
		Confirmed: !fresh && p.Place.Confirmed || len(match.Reserve) == 0,
	}
	m.filePod(p) // so that the orders of a first broker know its own place
	m.found(p, l.spec)
	if !p.anyRuns() {
		delete(m.fallen, p.Executor.ID)
		p.Executor = m.executorOf(p, l.spec)
		p.Executor.ID = mesos.ExecutorID(fmt.Sprintf("%s__%s__%s",
			m.taskPrefix(), p.Name.Type, uuid(m.cfg.UUID())))
	}
	p = p.listing(l.spec)
	for _, name := range l.tasks {
		t, i := p.task(name)
		p = p.withTask(i, m.launched(t, p, l))
	}
	reserving, pending := w.identified(o.Offer, offer.Operations(match))
	p.Place.Pending = append(earlier, pending...)
	m.await(pending, p.Name, reservation, o.Agent)
	m.setPod(p)
	m.noteLaunch(p, l)
	delete(w.wants, wantOf(p.Name))
	w.offers.Take(match)
	if fresh {
		w.occupy(*p.Place)
	}
	ops := append(reserving, m.launchOperation(p, l, o.Role))
	w.operations[match.Offer] = append(w.operations[match.Offer], ops...)
	if len(match.Reserve) > 0 {
		m.note(Info, CountReserves, "reserve", "pod", p.Name.String(), "host", o.Hostname,
			"reservation", string(reservation))
	}
	m.note(Info, CountLaunches, "launch", "pod", p.Name.String(), "host", o.Hostname,
		"tasks", strings.Join(l.tasks, " "))
}

// addedSets are the sets that a place gets with a match beyond those that are known to be there.
func addedSets(before *Place, match offer.Match) []string {
	if before == nil {
		return nil
	}
	var added []string
	for _, set := range match.Sets {
		known := slices.ContainsFunc(before.Sets,
			func(s offer.SetResources) bool { return s.Name == set.Name })
		if !known || slices.Contains(before.Unseen, set.Name) {
			added = append(added, set.Name)
		}
	}
	return added
}

// taskPrefix begins the ids of the service's tasks and executors: its name, with dots for
// slashes.
func (m *Machine) taskPrefix() string {
	return strings.ReplaceAll(strings.Trim(m.hard.Target.Service.Name, "/"), "/", ".")
}

// launched gives the record of a task that is being launched.
func (m *Machine) launched(old Task, p Pod, l launchOf) Task {
	id := mesos.TaskID(fmt.Sprintf("%s__%s__%s", m.taskPrefix(),
		p.Name.fullName(old.Name), uuid(m.cfg.UUID())))
	m.asked[id] = question{again: m.now.Add(askMax / 4), wait: askMax / 4}
	target, launch := m.hard.Target.ID, m.launchHash(p.Name, old.Name)
	if l.before != nil {
		mark, _ := m.ensembleMark(p.Name, old.Name)
		target = l.before.ID
		launch = l.before.Service.TaskLaunchHash(p.Name.Type, p.Name.Index, old.Name) + mark
	}
	t := Task{
		Name: old.Name, ID: id, State: mesos.Staging, Since: m.now,
		Target: target, Launch: launch,
		Deployed: old.Deployed, Paused: old.Paused, Idle: old.Paused && !l.caretaker,
		Failures: old.Failures, NotBefore: old.NotBefore, Params: old.Params, IP: old.IP,
		Resumed: old.Resumed, Executor: p.Executor.ID, Last: old.Last,
		Reached: old.Reached,
	}
	if old.Again || old.Deployed != "" && m.movedEnsemble(p, old) ||
		old.Deployed != "" && old.Deployed != m.hard.Target.ID {
		t.Deployed = restarted // what was complete under another target is none of this launch
	}
	if run, ok := m.hard.Runs[l.plan]; ok && l.plan != planRecovery {
		t.Params = run.Params
	}
	return t
}

// noteLaunch keeps what a step of a started plan launched.
func (m *Machine) noteLaunch(p Pod, l launchOf) {
	run, ok := m.hard.Runs[l.plan]
	if byItself(l.plan) || !ok {
		return
	}
	run.Steps = maps.Clone(run.Steps)
	if run.Steps == nil {
		run.Steps = map[string]StepRun{}
	}
	step := run.Steps[l.step]
	var tasks []mesos.TaskID
	for _, name := range l.tasks {
		t, _ := p.task(name)
		tasks = append(tasks, t.ID)
	}
	for _, t := range p.Tasks {
		if slices.Contains(step.Tasks, t.ID) && !slices.Contains(tasks, t.ID) {
			tasks = append(tasks, t.ID)
		}
	}
	run.Steps[l.step] = StepRun{Tasks: tasks} // not Again any more
	m.setRun(l.plan, run)
}

// executorOf is the executor that the target wants for an instance at its place; the id is still
// to come.
func (m *Machine) executorOf(p Pod, spec servicespec.Pod) Executor {
	return Executor{
		Version: m.cfg.Version,
		Command: m.shared(mesos.Command{
			Value: m.executorCommand(p.Place.Attributes), User: m.hard.Target.Service.User,
			URIs: m.uris(*p.Place, spec), Env: secretVariables(spec),
		}),
		ShutdownGrace: shutdownGrace(spec), Secrets: secretFiles(spec),
	}
}

// shared gives a command that is in memory once, as long as the next one is the same: most
// instances have the same.
func (m *Machine) shared(c mesos.Command) mesos.Command {
	if last := m.command; c.Value == last.Value && c.User == last.User &&
		slices.Equal(c.URIs, last.URIs) && slices.Equal(c.Env, last.Env) {
		return last
	}
	m.command = c
	return c
}

// launchOperation is the LAUNCH of tasks of an instance under its executor.
func (m *Machine) launchOperation(p Pod, l launchOf, role string) mesos.Operation {
	info := mesos.ExecutorInfo{
		ID: p.Executor.ID, Framework: m.hard.Framework, Name: p.Name.String(),
		Command: p.Executor.Command, ShutdownGrace: p.Executor.ShutdownGrace,
		Resources: p.Place.Executor.WithRole(role),
		Labels:    []resource.Label{{Key: labelPod, Value: p.Name.String()}},
		Secrets:   p.Executor.Secrets,
	}
	var launch mesos.Launch
	for _, name := range l.tasks {
		t, _ := p.task(name)
		ts, _ := taskSpec(l.spec, name)
		set := setOf(*p.Place, ts)
		data, err := m.order(p, l.spec, ts, t).Encode()
		if err != nil {
			panic("scheduler: " + err.Error())
		}
		launch.Tasks = append(launch.Tasks, mesos.TaskInfo{
			ID: t.ID, Name: p.Name.fullName(t.Name), Agent: p.Place.Agent,
			Resources: set.Resources.WithRole(role), Executor: info, Data: data,
			KillGrace: ts.KillGrace, Discovery: discovery(p, l.spec, ts, set),
			Labels: append([]resource.Label{
				{Key: "task_type", Value: p.Name.Type},
				{Key: "index", Value: strconv.Itoa(p.Name.Index)},
				{Key: "target_configuration", Value: t.Target},
			}, ts.Labels...),
		})
	}
	return launch
}

// uris are what the agent fetches for an executor: itself, Kafka, and what the spec names.
func (m *Machine) uris(at Place, spec servicespec.Pod) []mesos.URI {
	uris := m.executorURIs(at.Attributes)
	if spec.Kafka != nil || spec.ZooKeeper != nil {
		uris = append(uris, mesos.URI{Value: m.kafkaURI(spec), Extract: true, Cache: true})
		if m.cfg.JavaURI != "" {
			uris = append(uris, mesos.URI{Value: m.cfg.JavaURI, Extract: true, Cache: true})
		}
	}
	for _, u := range spec.URIs {
		uris = append(uris, mesos.URI{Value: u, Extract: true})
	}
	return uris
}

// kafkaURI is where the distribution of the version comes from that a pod runs.
func (m *Machine) kafkaURI(spec servicespec.Pod) string {
	version := ""
	if spec.Kafka != nil {
		version = spec.Kafka.Version
	} else if spec.ZooKeeper != nil {
		version = spec.ZooKeeper.KafkaVersion
	}
	if path := m.hard.Kafka.Archives[version]; path != "" {
		return m.cfg.Address + path
	}
	return m.cfg.KafkaURI
}

// discoveryName is the name under which a task of an instance is found.
func discoveryName(p Pod, ts servicespec.Task) string {
	if ts.Discovery != nil && ts.Discovery.Prefix != "" {
		return fmt.Sprintf("%s-%d", ts.Discovery.Prefix, p.Name.Index)
	}
	return p.Name.fullName(ts.Name)
}

func discovery(
	p Pod, spec servicespec.Pod, ts servicespec.Task, got offer.SetResources,
) *mesos.Discovery {
	d := &mesos.Discovery{Name: discoveryName(p, ts), Visibility: "CLUSTER"}
	if ts.Discovery != nil {
		d.Visibility = ts.Discovery.Visibility
	}
	for i, port := range got.Ports {
		visibility := "CLUSTER"
		if i < len(ts.Resources.Ports) && ts.Resources.Ports[i].Advertise {
			visibility = "EXTERNAL"
		}
		d.Ports = append(d.Ports, mesos.DiscoveryPort{
			Number: port.Number, Name: port.Name, Protocol: "tcp", Visibility: visibility,
			Labels: VIPLabels(p.Executor.ID, spec, ts, i)})
	}
	return d
}

// order says what the executor is to do for one task of an instance.
func (m *Machine) order(
	p Pod, spec servicespec.Pod, ts servicespec.Task, t Task,
) executor.Order {
	got := setOf(*p.Place, ts)
	o := executor.Order{
		Task: p.Name.fullName(ts.Name), Command: ts.Command,
		Address: p.Place.IP, KillGrace: ts.KillGrace,
	}
	if o.Address == "" {
		o.Address = p.Place.Hostname
	}
	for _, port := range got.Ports {
		o.Ports = append(o.Ports, executor.Port{Name: port.Name, Number: port.Number})
	}
	for _, c := range ts.Configs {
		o.Files = append(o.Files, executor.File{Path: c.Dest, Text: c.Text, Template: true})
	}
	for _, l := range spec.RLimits {
		o.RLimits = append(o.RLimits, executor.RLimit(l))
	}
	o.Env = m.environment(p, ts, got)
	if spec.Kafka != nil && spec.Kafka.Task == ts.Name {
		m.orderKafka(&o, p, spec)
	}
	for _, key := range slices.Sorted(maps.Keys(t.Params)) {
		o.Env = append(o.Env, executor.EnvVar{Name: key, Value: t.Params[key]})
	}
	o.Readiness = check(ts.Readiness, got, o.Address)
	o.Health = healthOf(spec, ts, check(ts.Health, got, o.Address))
	if z := spec.ZooKeeper; z != nil && z.Task == ts.Name {
		m.orderZooKeeper(&o, p, spec)
	}
	if p.Caretaker {
		o.Readiness, o.Health = caretakerCheck(spec, got, o.Address), nil
	}
	if t.Idle {
		idle(&o)
	}
	return o
}

// pausedCommand takes the place of a paused task's command. The predecessor's begins with the
// same words, and its users look for them in the output.
const pausedCommand = `echo "This task is PAUSED"; trap 'exit 0' TERM; ` +
	`while :; do sleep 5 & wait $!; done`

// idle makes an order one that does nothing and never is ready, with everything in place for
// somebody who wants to look around.
func idle(o *executor.Order) {
	o.Command, o.Health = pausedCommand, nil
	o.Readiness = neverReady()
}

// neverReady is the readiness check of what does nothing.
func neverReady() *executor.Check {
	return &executor.Check{
		Command:  &executor.CommandCheck{Command: "exit 1"},
		Interval: 5 * time.Second, Timeout: 5 * time.Second,
	}
}

// environment is what every task gets, in the predecessor's names, and then its own.
func (m *Machine) environment(
	p Pod, ts servicespec.Task, got offer.SetResources,
) []executor.EnvVar {
	service := m.hard.Target.Service
	env := []executor.EnvVar{
		{Name: "POD_INSTANCE_INDEX", Value: strconv.Itoa(p.Name.Index)},
		{Name: "TASK_NAME", Value: p.Name.fullName(ts.Name)},
		{Name: "FRAMEWORK_NAME", Value: service.Name},
		{Name: "REGION", Value: p.Place.Domain.Region},
		{Name: "ZONE", Value: p.Place.Domain.Zone},
		{Name: "TASK_HOST", Value: p.Place.Hostname},
	}
	if m.cfg.JavaHome != "" {
		env = append(env, executor.EnvVar{Name: "JAVA_HOME", Value: m.cfg.JavaHome})
	}
	for i, port := range got.Ports {
		if i < len(ts.Resources.Ports) && ts.Resources.Ports[i].EnvKey != "" {
			env = append(env, executor.EnvVar{
				Name: ts.Resources.Ports[i].EnvKey, Value: strconv.Itoa(port.Number)})
		}
	}
	for _, e := range ts.Env {
		env = append(env, executor.EnvVar{Name: e.Name, Value: e.Value})
	}
	return env
}

// check translates a check of the spec, whose ports are names, for an executor.
func check(c *servicespec.Check, got offer.SetResources, host string) *executor.Check {
	if c == nil {
		return nil
	}
	to := &executor.Check{
		Interval: c.Interval, Timeout: c.Timeout, Delay: c.Delay,
		GracePeriod: c.GracePeriod, MaxConsecutiveFailures: c.MaxConsecutiveFailures,
	}
	switch {
	case c.HTTP != nil:
		to.HTTP = &executor.HTTPCheck{Scheme: c.HTTP.Scheme, Host: host,
			Port: portOf(got, c.HTTP.Port), Path: c.HTTP.Path}
	case c.TCP != nil:
		to.TCP = &executor.TCPCheck{Host: host, Port: portOf(got, c.TCP.Port)}
	default:
		to.Command = &executor.CommandCheck{Command: c.Command}
	}
	return to
}

// setOf is what a task's resource set holds at a place.
func setOf(p Place, ts servicespec.Task) offer.SetResources {
	for _, set := range p.Sets {
		if set.Name == ts.Resources.Name {
			return set
		}
	}
	return offer.SetResources{Name: ts.Resources.Name}
}

// taskPlace is what the resource set of a task of a pod holds at a place.
func taskPlace(p Place, spec servicespec.Pod, task string) offer.SetResources {
	ts, _ := taskSpec(spec, task)
	return setOf(p, ts)
}

func portOf(got offer.SetResources, name string) int {
	for _, p := range got.Ports {
		if p.Name == name {
			return p.Number
		}
	}
	return 0
}
