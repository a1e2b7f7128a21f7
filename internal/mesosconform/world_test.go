package mesosconform

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// world is the cluster of one replay, and what notes do to it.
type world struct {
	t       *testing.T
	dir     string
	lines   []*line
	names   *names
	cluster *localmesos.Cluster
	run     int               // clusters started, each has a directory of its own
	urls    map[string]string // of agents
	strays  []string
	started map[string]bool // agents
	renew   map[string]bool // agents that come back with a new work directory
	custom  bool            // executors are recorded, too
	agenda  []item
}

var startNote = regexp.MustCompile(`^start (master|agent\d+) (.*)$`)
var signalNote = regexp.MustCompile(`^SIG(KILL|TERM|USR1|STOP|CONT) (master|agent\d+)$`)

func newWorld(t *testing.T, r recording, n *names) *world {
	w := &world{t: t, dir: openDir(t), lines: r.lines, names: n,
		urls: map[string]string{}, started: map[string]bool{}, renew: map[string]bool{}}
	for _, l := range r.lines {
		w.custom = w.custom || strings.HasSuffix(l.Endpoint, "/api/v1/executor")
	}
	w.fixtures()
	t.Cleanup(w.end)
	return w
}

// openDir is a directory that other users can enter, who run tasks in it.
func openDir(t *testing.T) string {
	dir := t.TempDir()
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func (w *world) end() {
	if w.cluster == nil {
		return
	}
	if err := w.cluster.Shutdown(w.t.Context()); err != nil {
		w.t.Logf("ending the cluster: %v", err)
	}
	w.cluster = nil
}

func (w *world) stray(format string, a ...any) {
	w.strays = append(w.strays, fmt.Sprintf(format, a...))
}

// happen does what a note says was done. Notes that only tell a reader what
// comes next match nothing.
func (w *world) happen(l *line) {
	note := l.note()
	if m := startNote.FindStringSubmatch(note); m != nil {
		if m[1] == "master" {
			w.startMaster(m[2])
		} else {
			w.startAgent(l, m[1], strings.HasSuffix(m[2], "(new work_dir)"))
		}
		return
	}
	if w.cluster == nil {
		return
	}
	switch m := signalNote.FindStringSubmatch(note); {
	case strings.HasPrefix(note, "master exit status"):
		w.failOver(l)
	case strings.HasPrefix(note, "default executor killed"):
		w.killExecutor()
	case m == nil:
	case m[2] == "master":
		w.failOver(l)
	case m[1] == "STOP":
		w.inject(localmesos.Fault{Action: localmesos.FreezeAgent, Agent: m[2],
			Timeout: w.timeout(l)})
	case m[1] == "CONT":
		w.later(w.lead(l, registered, 0.1)-0.05, func() {
			w.inject(localmesos.Fault{Action: localmesos.ReturnAgent, Agent: m[2]})
		})
	case m[1] == "USR1":
		if err := w.cluster.UnregisterAgent(m[2]); err != nil {
			w.stray("%s: %v", note, err)
		}
	default:
		w.renew[m[2]] = w.newWorkDir(l, m[2])
		f := localmesos.Fault{Action: localmesos.KillAgent, Agent: m[2], Timeout: w.timeout(l)}
		if w.renew[m[2]] {
			f.Action, f.NewID = localmesos.PowerOffAgent, true
		}
		w.inject(f)
	}
}

func (w *world) inject(f localmesos.Fault) {
	if _, err := w.cluster.Inject(f); err != nil {
		w.stray("%s %s: %v", f.Action, f.Agent, err)
	}
}

// cut breaks all streams.
func (w *world) cut() {
	if w.cluster != nil {
		w.inject(localmesos.Fault{Action: localmesos.FailOver})
	}
}

// item is something that is to be done at a recorded time.
type item struct {
	at float64
	do func()
}

// later has something done before the first line that was recorded at that time or later.
func (w *world) later(at float64, do func()) {
	w.agenda = append(w.agenda, item{at, do})
	slices.SortStableFunc(w.agenda, func(a, b item) int { return cmp.Compare(a.at, b.at) })
}

// due takes the next thing off the agenda that comes before a recorded time.
func (w *world) due(t float64) (item, bool) {
	if len(w.agenda) == 0 || w.agenda[0].at > t {
		return item{}, false
	}
	next := w.agenda[0]
	w.agenda = w.agenda[1:]
	return next, true
}

// after are the lines that follow one, up to the first that ends matters.
func (w *world) after(l *line, ends func(*line) bool) []*line {
	var out []*line
	for i, x := range w.lines {
		if x != l {
			continue
		}
		for _, y := range w.lines[i+1:] {
			if ends(y) {
				return out
			}
			out = append(out, y)
		}
	}
	return out
}

// lead is the time of the first line after l that shows what the real cluster
// did by itself, which is a matter of its timers, or a default.
func (w *world) lead(l *line, shows func(*line) bool, def float64) float64 {
	acts := func(y *line) bool {
		return y.Dir == dirNote && (signalNote.MatchString(y.note()) ||
			strings.HasPrefix(y.note(), "start master"))
	}
	for _, y := range w.after(l, acts) {
		if shows(y) && y.T-l.T < 20 {
			return y.T
		}
	}
	return l.T + def
}

// registered are the events that come when an agent has registered.
func registered(l *line) bool {
	switch l.call() {
	case "OFFERS", "AGENT_ADDED":
		return l.Dir == dirEvent
	case "UPDATE":
		reason := textAt(l.Body, "update", "status", "reason")
		return reason == "REASON_AGENT_REREGISTERED" ||
			strings.Contains(textAt(l.Body, "update", "status", "message"), "new agent registered")
	}
	return false
}

// givenUp is the event that comes when the master gives an agent up.
func givenUp(l *line) bool {
	return l.call() == "FAILURE" && at(l.Body, "failure", "executor_id") == nil ||
		l.call() == "AGENT_REMOVED"
}

// timeout is the time until the master gives an agent up, as recorded.
func (w *world) timeout(l *line) localmesos.Span {
	return localmesos.Span(seconds(w.lead(l, givenUp, 3600) - l.T))
}

// newWorkDir tells whether the next start of an agent is with a new directory.
func (w *world) newWorkDir(l *line, name string) bool {
	for _, y := range w.after(l, func(*line) bool { return false }) {
		if m := startNote.FindStringSubmatch(y.note()); m != nil && m[1] == name {
			return strings.HasSuffix(m[2], "(new work_dir)")
		}
	}
	return false
}

// startAgent brings an agent, which takes a while to register.
func (w *world) startAgent(l *line, name string, fresh bool) {
	if w.cluster == nil {
		return
	}
	first := !w.started[name]
	w.started[name] = true
	if !first && !fresh && !w.reconfigure(l, name) {
		return
	}
	at := w.lead(l, registered, 0.75)
	if first {
		at = w.firstSeen(len(w.started)-1, l.T+0.75)
	}
	if at < l.T || at > l.T+5 || first && at > l.T+1.2 {
		at = l.T + 0.75
	}
	at -= 0.01
	switch {
	case first:
	case w.custom:
		at = l.T + 0.1
	default:
		at = max(l.T, at-0.3)
	}
	w.later(at, func() {
		w.inject(localmesos.Fault{Action: localmesos.ReturnAgent, Agent: name, NewID: fresh})
	})
}

// firstSeen is when the nth agent that registered was offered first, or a default.
func (w *world) firstSeen(n int, def float64) float64 {
	for _, l := range w.lines {
		offers, _ := at(l.Body, "offers", "offers").([]any)
		for _, o := range offers {
			if strings.HasSuffix(textAt(o, "agent_id", "value"), fmt.Sprintf("-S%d", n)) {
				return l.T
			}
		}
	}
	return def
}

// reconfigure gives an agent its flags, and tells whether it starts with them.
func (w *world) reconfigure(l *line, name string) bool {
	flags := startNote.FindStringSubmatch(l.note())[2]
	a := agentOf(name, flags)
	additive := flagsOf(flags)["reconfiguration_policy"] == "additive"
	return w.cluster.Reconfigure(name, a.Resources, a.TypedAttributes, additive) == nil
}

// failOver replaces the master. When it was started again, and when it answered
// and the agents were back, is recorded.
func (w *world) failOver(l *line) {
	never := func(*line) bool { return false }
	var start *line
	for _, y := range w.after(l, never) {
		if y.Dir == dirNote && strings.HasPrefix(y.note(), "start master") {
			start = y
			break
		}
	}
	if start == nil {
		return
	}
	answers := start.T + 1
	for _, y := range w.after(start, never) {
		if y.Dir == dirRequest && y.answer != nil && y.answer.Status != 503 {
			answers = y.T
			break
		}
	}
	w.inject(localmesos.Fault{Action: localmesos.FailOver})
	w.later(start.T, w.cluster.Recover)
	w.later(answers, w.cluster.Lead)
	w.later(max(answers, w.backAt(start)), w.cluster.Rejoin)
}

// backAt is when the agents were back with a master that was started. What is offered
// right when a framework subscribes was there before it came.
func (w *world) backAt(start *line) float64 {
	back := w.lead(start, registered, 3)
	for _, y := range w.after(start, func(y *line) bool { return y.T >= back }) {
		if y.Dir == dirRequest && y.call() == "SUBSCRIBE" && back-y.T < 0.1 {
			return min(back, start.T+3)
		}
	}
	return back
}

// killExecutor kills the newest default executor.
func (w *world) killExecutor() {
	pid, err := newestExecutor(w.urls)
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		w.stray("killing the executor: %v", err)
	}
}

func newestExecutor(urls map[string]string) (int, error) {
	for _, name := range sorted(urls) {
		resp, err := client.Post(urls[name]+"/api/v1", "application/json",
			strings.NewReader(`{"type":"GET_CONTAINERS"}`))
		if err != nil {
			return 0, err
		}
		body, err := io.ReadAll(resp.Body)
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			return 0, err
		}
		v, err := decode(body)
		if err != nil {
			return 0, err
		}
		list, _ := at(v, "get_containers", "containers").([]any)
		for _, c := range list {
			if n, ok := at(c, "container_status", "executor_pid").(json.Number); ok {
				pid, err := n.Int64()
				return int(pid), err
			}
		}
	}
	return 0, errors.New("no executor runs")
}

func (w *world) startMaster(flags string) {
	if w.cluster != nil {
		return // failOver has seen to it.
	}
	w.run++
	clear(w.started)
	cfg := w.config(flags)
	cluster, err := localmesos.Start(cfg)
	if err != nil {
		w.t.Fatal(err)
	}
	w.cluster = cluster
	w.names.paths = [][2]string{{"python3 /opt/rec/ex.py", "sh " + w.dir + "/rec/ex.sh"},
		{"/opt/rec", w.dir + "/rec"}}
	for i, a := range cfg.Agents {
		w.names.paths = append(w.names.paths,
			[2]string{"/var/lib/mesos/" + a.Name, filepath.Join(cfg.Dir, "agents", a.Name)})
		w.urls[a.Name] = cluster.AgentURLs()[i]
	}
	w.names.paths = append(w.names.paths, [2]string{"/var/lib/mesos/master", cfg.Dir})
}

// batch has the allocator make a round.
func (w *world) batch() {
	if w.cluster != nil {
		w.cluster.Batch()
	}
}

// letExit lets the end of an executor be noticed some time from now.
func (w *world) letExit(executor string, in time.Duration) {
	if cluster := w.cluster; cluster != nil {
		time.AfterFunc(in, func() { cluster.LetExit(executor) })
	}
}

// leaves tells whether a line says that an executor left on its own, or did not
// come back to its agent, and which.
func (w *world) leaves(l *line) (executor string, ok bool) {
	executor = textAt(l.Body, "failure", "executor_id", "value")
	if l.Dir != dirEvent || executor == "" {
		return "", false
	}
	late := func(x *line) bool {
		return textAt(x.Body, "update", "status", "reason") ==
			"REASON_EXECUTOR_REREGISTRATION_TIMEOUT"
	}
	next := w.after(l, func(x *line) bool { return x.T > l.T+0.1 })
	return executor, at(l.Body, "failure", "status") == json.Number("0") ||
		slices.ContainsFunc(next, late)
}

// draw tells the cluster whom the next round from a line on gave something of each
// agent, and whom most, which is chance with a real allocator.
func (w *world) draw(l *line) {
	lots := map[string][]localmesos.Lot{}
	amounts := map[string]float64{}
	first := math.Inf(1)
	next := w.after(l, func(x *line) bool { return x.T > min(l.T+5, first+0.3) })
	for _, x := range append([]*line{l}, next...) {
		if x.Dir != dirEvent || x.call() != "OFFERS" || x.T > first+0.3 {
			continue
		}
		first = min(first, x.T)
		offers, _ := at(x.Body, "offers", "offers").([]any)
		for _, o := range offers {
			agent := w.names.translate(textAt(o, "agent_id", "value"))
			lot := localmesos.Lot{Framework: w.names.ours[textAt(o, "framework_id", "value")],
				Role: textAt(o, "allocation_info", "role")}
			lots[agent] = append(lots[agent], lot)
			amounts[agent+fmt.Sprint(lot)] = cpusOf(o)
			amounts[agent] += cpusOf(o)
		}
	}
	order := slices.SortedStableFunc(maps.Keys(lots), func(a, b string) int {
		return cmp.Or(cmp.Compare(amounts[b], amounts[a]), cmp.Compare(a, b))
	})
	for agent, list := range lots {
		slices.SortStableFunc(list, func(a, b localmesos.Lot) int {
			return cmp.Compare(amounts[agent+fmt.Sprint(b)], amounts[agent+fmt.Sprint(a)])
		})
	}
	if w.cluster != nil && len(lots) > 0 {
		w.cluster.Draw(order, lots)
	}
}

func cpusOf(offer any) float64 {
	sum := 0.0
	resources, _ := at(offer, "resources").([]any)
	for _, r := range resources {
		if n, ok := at(r, "scalar", "value").(json.Number); ok && textAt(r, "name") == "cpus" {
			v, _ := n.Float64()
			sum += v
		}
	}
	return sum
}

// config makes the configuration that a master's flags stand for, with all
// agents that the recording ever starts.
func (w *world) config(flags string) localmesos.Config {
	f := flagsOf(flags)
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := localmesos.Config{Dir: filepath.Join(w.dir, fmt.Sprintf("run%d", w.run)),
		MasterAddr: "127.0.0.1:0", OfferInterval: time.Second,
		Program: program, Faults: true, Pace: true, Stepped: true,
		OfferTimeout:          durationOf(f["offer_timeout"]),
		ReregistrationTimeout: 2 * time.Second, // Mesos's default
		MinAllocatable:        f["min_allocatable_resources"], Credentials: w.credentials(f),
		ForgetfulMaster: f["registry"] == "in_memory"}
	cfg.Region, cfg.Zone = domainOf(f["domain"])
	seen := map[string]bool{}
	for _, l := range w.lines {
		m := startNote.FindStringSubmatch(l.note())
		if l.Dir != dirNote || m == nil || m[1] == "master" || seen[m[1]] {
			continue
		}
		seen[m[1]] = true
		a := agentOf(m[1], m[2])
		cfg.Agents = append(cfg.Agents, a)
	}
	return cfg
}

// flagsOf reads --name=value flags; a value may contain blanks.
func flagsOf(text string) map[string]string {
	out := map[string]string{}
	for i, part := range strings.Split(" "+text, " --") {
		if name, value, _ := strings.Cut(strings.TrimSpace(part), "="); i > 0 {
			out[name] = value
		}
	}
	return out
}

var mesosDuration = regexp.MustCompile(`^(\d+)(secs|mins|ms)$`)

func durationOf(text string) time.Duration {
	m := mesosDuration.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	unit := map[string]string{"secs": "s", "mins": "m", "ms": "ms"}[m[2]]
	d, err := time.ParseDuration(m[1] + unit)
	if err != nil {
		return 0
	}
	return d
}

func domainOf(text string) (region, zone string) {
	if text == "" {
		return "", ""
	}
	v, err := decode([]byte(text))
	if err != nil {
		return "", ""
	}
	return textAt(v, "fault_domain", "region", "name"), textAt(v, "fault_domain", "zone", "name")
}

// agentOf makes the agent that its flags stand for.
func agentOf(name, flags string) localmesos.Agent {
	f := flagsOf(strings.TrimSuffix(flags, "(new work_dir)"))
	a := localmesos.Agent{Name: name, Addr: "127.0.0.1:0", Late: true, Resources: f["resources"],
		TypedAttributes:     f["attributes"],
		RegistrationTimeout: durationOf(f["executor_registration_timeout"]),
		ShutdownGrace:       durationOf(f["executor_shutdown_grace_period"])}
	a.RemoteExec = f["agent_subsystems"] == "container_exec"
	a.Region, a.Zone = domainOf(f["domain"])
	return a
}

// credentials are what requests showed that were not answered with 401.
func (w *world) credentials(flags map[string]string) map[string]string {
	if _, on := flags["credentials"]; !on {
		return nil
	}
	out := map[string]string{}
	for _, l := range w.lines {
		encoded, ok := strings.CutPrefix(l.Headers["Authorization"], "Basic ")
		if !ok || l.answer == nil || l.answer.Status == 401 {
			continue
		}
		plain, err := base64.StdEncoding.DecodeString(encoded)
		if name, secret, ok := strings.Cut(string(plain), ":"); ok && err == nil {
			out[name] = secret
		}
	}
	return out
}

// executorScript is the process of a recorded custom executor: it lives until
// the replay says with which status it exits.
const executorScript = `dir=$(dirname "$0")
while [ ! -e "$dir/exit-$MESOS_EXECUTOR_ID" ]; do sleep 0.05; done
exit "$(cat "$dir/exit-$MESOS_EXECUTOR_ID")"
`

// fixtures writes the files that the recorded tasks fetch and run.
func (w *world) fixtures() {
	files := filepath.Join(w.dir, "rec", "files")
	if err := os.MkdirAll(files, 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join(w.dir, "rec", "ex.sh"), executorScript, 0o755)
	w.write(filepath.Join(files, "plain.txt"), "hello fetched\n", 0o644)
	w.write(filepath.Join(files, "run-me.sh"), "#!/bin/sh\necho script-ran\n", 0o644)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	pack := tar.NewWriter(z)
	err := errors.Join(
		pack.WriteHeader(&tar.Header{Name: "pkg/", Mode: 0o755, Typeflag: tar.TypeDir}),
		pack.WriteHeader(&tar.Header{Name: "pkg/inside.txt", Mode: 0o644, Size: 7}))
	if _, more := pack.Write([]byte("inside\n")); err != nil || more != nil {
		w.t.Fatal(err, more)
	}
	if err := errors.Join(pack.Close(), z.Close()); err != nil {
		w.t.Fatal(err)
	}
	w.write(filepath.Join(files, "pkg.tar.gz"), packed.String(), 0o644)
}

func (w *world) write(path, text string, mode os.FileMode) {
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		w.t.Fatal(err)
	}
}

var exitNote = regexp.MustCompile(`^executor exits (after SHUTDOWN|with (\d+))$`)

// exitExecutor lets the process of a recorded executor exit.
func (w *world) exitExecutor(conn, note string) {
	m := exitNote.FindStringSubmatch(note)
	if m == nil {
		return
	}
	status := "0"
	if m[2] != "" {
		status = m[2]
	}
	path := filepath.Join(w.dir, "rec", "exit-"+conn)
	w.write(path+".new", status, 0o644)
	if err := os.Rename(path+".new", path); err != nil {
		w.t.Fatal(err)
	}
}

// url is the address of a recorded endpoint.
func (w *world) url(endpoint string) (string, error) {
	host, path, _ := strings.Cut(endpoint, "/")
	if w.cluster == nil {
		return "", fmt.Errorf("no cluster runs")
	}
	base := w.cluster.MasterURL()
	if host != "master" {
		base = w.urls[host]
	}
	return base + "/" + path, nil
}

// encodeBody writes the body of a request, in our words.
func (w *world) encodeBody(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return w.names.translate(v), nil
	case map[string]any:
		if raw, ok := v["raw"].(string); ok && len(v) == 1 {
			return w.names.translate(raw), nil
		}
	}
	b, err := json.Marshal(w.names.translateAll(v))
	return string(b), err
}
