package scheduler

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler/ensemble"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// The servers of a ZooKeeper ensemble, and Kafka that keeps its metadata there.
//
// Each server is launched with the places of all. The first to be launched cannot know them: as
// long as less than a majority of the servers has a place they do nothing but wait, and a server
// without a place stands in the list of others with an address at which nobody is. A server, or a
// broker, that was launched with another list than the present one is outdated, and launched anew
// by the plan deploy, followers first. How an ensemble changes its size: zookeeper_size.go.

// AskZooKeeper is a call: it wants a FromZooKeeper event with the roles of servers at addresses.
type AskZooKeeper struct {
	Addresses []string
	// Secure are those of them that answer over TLS alone.
	Secure []string
}

func (AskZooKeeper) call() {}

// FromZooKeeper is an event: the answer to an AskZooKeeper call.
type FromZooKeeper struct{ Facts ZooKeeperFacts }

func (FromZooKeeper) event() {}

// ZooKeeperFacts is what ZooKeeper servers said of themselves, all from fresh requests.
type ZooKeeperFacts struct {
	// Asked is when the questions were put.
	Asked   time.Time
	Servers []ServerFacts
}

// ServerFacts is what one server said.
type ServerFacts struct {
	Address string
	Role    ensemble.Role
	// Error is why it did not answer, "" if it did.
	Error string
}

// at is what the server at an address said.
func (f *ZooKeeperFacts) at(address string) ServerFacts {
	for _, s := range f.Servers {
		if s.Address == address {
			return s
		}
	}
	return ServerFacts{Address: address, Error: "it was not asked yet"}
}

// servers is what the machine knows of ZooKeeper servers, and when it asks.
type servers struct {
	facts   *ZooKeeperFacts
	polling polling
	curious bool // somebody waits for the answer
}

// serversIdle is between questions while all is well: less than ensemble.MaxAge, so that an
// operator's command finds facts that count.
const serversIdle = 5 * time.Second

// fromZooKeeper takes in what servers say of themselves.
func (m *Machine) fromZooKeeper(f ZooKeeperFacts) {
	m.servers.facts = &f
	m.servers.polling.took(m.now)
}

// askZooKeeper asks servers for their roles: often while one comes up, seldom while all is well.
func (m *Machine) askZooKeeper() {
	var ask AskZooKeeper
	busy := m.servers.curious
	for _, pod := range m.hard.Target.Service.Pods {
		for i := range max(pod.Count, m.members(pod)) {
			p := m.hard.Pods[PodName{pod.Type, i}]
			if pod.ZooKeeper == nil || p.Place == nil || !p.anyRuns() && !m.mayFollow(p) {
				continue
			}
			ask.Addresses = append(ask.Addresses, clientAddress(p, pod))
			if pod.ZooKeeper.TLS != nil {
				ask.Secure = append(ask.Secure, clientAddress(p, pod))
			}
			busy = busy || p.anyRuns() && m.missing(p, pod) != ""
		}
	}
	polling := &m.servers.polling
	if len(ask.Addresses) == 0 {
		polling.rest()
		return
	}
	interval := polling.pace(busy, serversIdle, m.now, m.movedAt())
	if polling.asks(m.now, polling.answered.Add(interval)) {
		m.out.Calls = append(m.out.Calls, ask)
	}
}

// clientAddress is where a server with a place is reached by clients, host:port.
func clientAddress(p Pod, spec servicespec.Pod) string {
	return serverAddress(p, spec, spec.ZooKeeper.ClientPort)
}

func serverAddress(p Pod, spec servicespec.Pod, port string) string {
	return fmt.Sprintf("%s:%d", p.Place.Hostname,
		portOf(taskPlace(*p.Place, spec, spec.ZooKeeper.Task), port))
}

// serverReady reports whether a server serves: in the quorum, with the leader's data.
func (m *Machine) serverReady(p Pod, spec servicespec.Pod) (bool, string) {
	f := m.servers.facts
	if f == nil || f.Asked.Before(m.freshAfter) {
		return false, "ZooKeeper has not answered yet"
	}
	switch s := f.at(clientAddress(p, spec)); {
	case s.Role == ensemble.Silent:
		return false, fmt.Sprintf("server %d does not answer: %s", serverID(p.Name, spec), s.Error)
	case s.Role == ensemble.Idle:
		return false, fmt.Sprintf("server %d is not in the quorum yet", serverID(p.Name, spec))
	}
	return true, ""
}

func serverID(name PodName, spec servicespec.Pod) int {
	return spec.ZooKeeper.ServerID(name.Index)
}

// serverView is what a server said last, nil if the instance is none or nothing is known.
func (m *Machine) serverView(p Pod, spec servicespec.Pod) *ServerFacts {
	if spec.ZooKeeper == nil || m.servers.facts == nil || p.Place == nil {
		return nil
	}
	s := m.servers.facts.at(clientAddress(p, spec))
	return &s
}

// ensembleOf gives what is known of all servers of a pod. stops says of an instance whether it is
// to be stopped as well.
func (m *Machine) ensembleOf(spec servicespec.Pod, stops func(Pod) bool) ensemble.Facts {
	facts := ensemble.Facts{}
	if m.servers.facts != nil {
		facts.Asked = m.servers.facts.Asked
	}
	for i := range m.members(spec) {
		name := PodName{spec.Type, i}
		p := m.hard.Pods[name]
		if i >= spec.Count && !p.anyLive() {
			continue // it has left
		}
		s := ensemble.Server{Name: name.String(), Missing: "it has no place yet"}
		if p.Place != nil {
			s.Missing = m.missing(p, spec)
			s.Stops = stops(p)
			if m.servers.facts != nil {
				s.Role = m.servers.facts.at(clientAddress(p, spec)).Role
			}
			t, _ := p.task(spec.ZooKeeper.Task)
			s.Unheard = t.unsure() || t.live() && facts.Asked.Before(t.Since)
		}
		if m.endsNow(name) {
			s.Missing = "it is being stopped"
		}
		facts.Servers = append(facts.Servers, s)
	}
	return facts
}

// holdServer says why a ZooKeeper server may not be stopped now, to come back where it is, "" if
// it may: followers go first and the leader last, one at a time, and only while all others serve.
func (m *Machine) holdServer(p Pod, spec servicespec.Pod) string {
	if p.Force || m.awaitsPlaces(p, spec) {
		return ""
	}
	facts := m.ensembleOf(spec, func(o Pod) bool {
		t, _ := o.task(spec.ZooKeeper.Task)
		return o.Request != "" || p.Request == "" && m.outdated(o, spec, t)
	})
	reason := facts.MayStop(p.Name.String(), m.now)
	m.servers.curious = m.servers.curious || reason != ""
	return reason
}

// takesServer reports whether a ZooKeeper server that does its work is among launches.
func (m *Machine) takesServer(p Pod, spec servicespec.Pod, ends []mesos.TaskID) bool {
	return spec.ZooKeeper != nil && p.takes(spec.ZooKeeper.Task, ends)
}

// holdServerRequest says why what an operator asked of a server has to wait, "" if it has not.
func (m *Machine) holdServerRequest(p Pod, spec servicespec.Pod) string {
	t, _ := p.task(spec.ZooKeeper.Task)
	switch {
	case t.ID == "" || m.endsNow(p.Name):
		return ""
	case p.Request == Replace:
		return m.holdServerData(p, spec)
	case !t.live(), t.Idle, m.wentDown(p, t):
		return ""
	}
	return m.holdServer(p, spec)
}

// holdServerData says why a ZooKeeper server may not lose its data now, "" if it may.
func (m *Machine) holdServerData(p Pod, spec servicespec.Pod) string {
	if p.Force || m.awaitsPlaces(p, spec) {
		return ""
	}
	facts := m.ensembleOf(spec, stopsNone)
	reason := facts.MayReplace(p.Name.String(), m.now)
	m.servers.curious = m.servers.curious || reason != ""
	return reason
}

// holdSecondLeader says why a server may not be launched now, "" if it may. One that was replaced
// while nobody could reach its agent may run on there, and lead those that know its place.
func (m *Machine) holdSecondLeader(name PodName, spec servicespec.Pod) string {
	mayRun := func(o PodName) bool {
		return o.Type == name.Type && o != name && m.hard.Pods[o].anyLive()
	}
	if spec.ZooKeeper == nil || name.Index >= m.members(spec) || m.outlived(name.Type) == 0 ||
		!slices.ContainsFunc(m.podNames(), mayRun) {
		return ""
	}
	facts := m.ensembleOf(spec, stopsNone)
	facts.Beside = m.outlived(name.Type)
	reason := facts.MayStart(name.String(), m.now)
	m.servers.curious = m.servers.curious || reason != ""
	return reason
}

// outlived is how many instances of a type were replaced and may run on.
func (m *Machine) outlived(kind string) int {
	count := 0
	for _, id := range m.leftoverIDs() {
		if l := m.hard.Leftovers[id]; l.Pod.Type == kind && len(l.Tasks) > 0 {
			count++
		}
	}
	return count
}

// mayFollow reports whether a server that may run, or not, may follow one that was replaced: only
// it can tell.
func (m *Machine) mayFollow(p Pod) bool {
	return p.anyLive() && m.outlived(p.Name.Type) > 0
}

// connect gives the connection string of the ensemble of a pod of brokers, and how many of its
// servers have a place and how many there are to be. Each service has a folder of its own in it.
func (m *Machine) connect(k servicespec.Kafka) (text string, placed, count int) {
	folder := "/" + m.taskPrefix()
	if external := k.External(); external != "" {
		if !strings.Contains(external, "/") {
			external += folder
		}
		return external, 1, 1
	}
	m.derive()
	spec := m.index.pods[k.Ensemble()]
	if spec == nil || spec.ZooKeeper == nil {
		return "", 0, 1
	}
	var hosts []string
	for i := range m.members(*spec) {
		if p := m.hard.Pods[PodName{spec.Type, i}]; p.Place != nil {
			hosts = append(hosts, clientAddress(p, *spec))
		}
	}
	return strings.Join(hosts, ",") + folder, len(hosts), m.members(*spec)
}

// awaiting ends Task.Launch of a server that was launched to wait for the places of others.
const awaiting = "+waits"

// mark stands for the places of an ensemble; see ensembleMark.
type mark struct {
	text string
	all  bool
}

// ensembleMark stands for the places of an ensemble as far as a task is launched with them, "" when
// it is not; all says whether each server of it has one.
func (m *Machine) ensembleMark(name PodName, task string) (text string, all bool) {
	m.derive()
	spec := m.index.pods[name.Type]
	if spec == nil || spec.ZooKeeper == nil && spec.Kafka == nil || serverTask(*spec) != task {
		return "", true
	}
	key := launchKey{name.Type, name.Index, task}
	got, known := m.index.marks[key]
	if !known {
		got.text, got.all = m.markOf(name, *spec)
		m.index.marks[key] = got
	}
	return got.text, got.all
}

// markOf is ensembleMark of what runs Kafka or ZooKeeper.
func (m *Machine) markOf(name PodName, spec servicespec.Pod) (string, bool) {
	text, placed, count := "", 0, 0
	switch {
	case spec.ZooKeeper != nil:
		var lines []string
		lines, placed = m.serverLines(spec, -1, "")
		text, count = strings.Join(lines, "\n"), m.members(spec)
		if placed <= count/2 || name.Index >= count {
			return awaiting, false
		}
	case spec.Kafka.Ensemble() == "":
		return "", true
	default:
		text, placed, count = m.connect(*spec.Kafka)
		if m.hard.Target.Servers[spec.Kafka.Ensemble()] != 0 {
			placed = 0 // it has yet to come to its size
		}
	}
	sum := sha256.Sum256([]byte(text))
	return "+" + hex.EncodeToString(sum[:4]), placed == count
}

// movedEnsemble reports whether a task was launched with other places of its ensemble than those of
// now. A server that is without a place for a while restarts nobody.
func (m *Machine) movedEnsemble(p Pod, t Task) bool {
	mark, all := m.ensembleMark(p.Name, t.Name)
	if t.ID == "" || mark == "" || mark == awaiting || strings.HasSuffix(t.Launch, mark) {
		return false
	}
	return all || strings.HasSuffix(t.Launch, awaiting)
}

// awaitsPlaces reports whether an instance is a server that does nothing but wait for others.
func (m *Machine) awaitsPlaces(p Pod, spec servicespec.Pod) bool {
	t, _ := p.task(spec.ZooKeeper.Task)
	return strings.HasSuffix(t.Launch, awaiting)
}

// holdEnsemble says why brokers may not be launched yet, "" if they may: they cannot come up
// before their ensemble has.
func (m *Machine) holdEnsemble(k servicespec.Kafka) string {
	kind := k.Ensemble()
	if kind == "" {
		return ""
	}
	m.derive()
	spec := m.index.pods[kind]
	if _, placed, _ := m.connect(k); placed == 0 {
		return "waits for a place of the ZooKeeper servers of pod " + kind
	}
	if m.hard.Kafka.Founded || spec == nil {
		return ""
	}
	facts := m.ensembleOf(*spec, stopsNone)
	if reason := facts.Complete(m.now); reason != "" {
		return "waits for the ZooKeeper ensemble: " + reason
	}
	return ""
}

// foundByZooKeeper takes over the cluster's id, which the first broker makes.
func (m *Machine) foundByZooKeeper(f KafkaFacts) {
	k := m.hard.Kafka
	k.ID, k.Founded = f.ClusterID, true
	m.setKafka(k)
	m.note(Info, "", "the Kafka cluster is founded", "cluster", f.ClusterID, "by", "ZooKeeper")
}

// forbiddenServers says what in a change of an ensemble cannot be rolled out.
func forbiddenServers(o, n servicespec.Pod) []string {
	var reasons []string
	refuse := func(changed bool, what string) {
		if changed {
			reasons = append(reasons, fmt.Sprintf("pod %s: %s cannot change", o.Type, what))
		}
	}
	refuse((o.ZooKeeper == nil) != (n.ZooKeeper == nil), "whether it is a ZooKeeper ensemble")
	if o.ZooKeeper != nil && n.ZooKeeper != nil {
		refuse(o.ZooKeeper.FirstID != n.ZooKeeper.FirstID, "zookeeper.first-id")
		refuse(o.ZooKeeper.Volume != n.ZooKeeper.Volume, "zookeeper.volume")
		refuse((o.ZooKeeper.TLS == nil) != (n.ZooKeeper.TLS == nil), "whether there is "+
			"zookeeper.tls, as servers and brokers with it do not talk to those without,")
		refuse((o.ZooKeeper.JAAS == "") != (n.ZooKeeper.JAAS == ""), "whether there is "+
			"zookeeper.jaas, as servers do not let brokers in that have none,")
	}
	return reasons
}

// usesZooKeeper reports whether the target's brokers keep their metadata in ZooKeeper.
func (m *Machine) usesZooKeeper() bool {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil && p.Kafka.OnZooKeeper() {
			return true
		}
	}
	return false
}

// metadataAt is where the brokers' metadata is in ZooKeeper, "" when controllers have it.
func (m *Machine) metadataAt() string {
	for _, p := range m.hard.Target.Service.Pods {
		if p.Kafka != nil && p.Kafka.OnZooKeeper() {
			text, _, _ := m.connect(*p.Kafka)
			return text
		}
	}
	return ""
}
