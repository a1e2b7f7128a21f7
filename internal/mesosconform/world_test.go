package mesosconform

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
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
	batches []float64         // recorded rounds of the allocator
	strays  []string
}

var startNote = regexp.MustCompile(`^start (master|agent\d+) (.*)$`)
var signalNote = regexp.MustCompile(`^SIG(KILL|TERM|USR1|STOP|CONT) (master|agent\d+)$`)

func newWorld(t *testing.T, r recording, n *names) *world {
	w := &world{t: t, dir: t.TempDir(), lines: r.lines, names: n,
		urls: map[string]string{}, batches: batchesOf(r.lines)}
	w.fixtures()
	t.Cleanup(w.end)
	return w
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
func (w *world) happen(note string, at time.Time) {
	if m := startNote.FindStringSubmatch(note); m != nil {
		w.start(m[1], m[2])
		return
	}
	if strings.HasPrefix(note, "master exit status") {
		w.end()
		return
	}
	m := signalNote.FindStringSubmatch(note)
	if m == nil || w.cluster == nil {
		return
	}
	w.stray("not done: %s", note)
}

func (w *world) start(name, flags string) {
	if name != "master" {
		return
	}
	if w.cluster != nil {
		return
	}
	w.run++
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
}

// align lets the allocator's batches fall where they did in the recording: the
// recorded clock's t is at base + t.
func (w *world) align(base time.Time, t float64) {
	if w.cluster == nil {
		return
	}
	for _, at := range w.batches {
		if at > t {
			w.cluster.AlignBatches(base.Add(seconds(at) - 5*time.Millisecond))
			return
		}
	}
}

// atOnce are the calls after which offers are made without waiting for a batch.
var atOnce = map[string]bool{"REVIVE": true, "SUBSCRIBE": true, "UPDATE_FRAMEWORK": true}

// batchesOf finds the times at which the recorded allocator made its rounds.
func batchesOf(lines []*line) []float64 {
	var out []float64
	trigger := -1.0
	for _, l := range lines {
		switch {
		case l.Dir == dirRequest && atOnce[l.call()],
			l.Dir == dirNote && startNote.MatchString(l.note()):
			trigger = l.T
		case l.Dir == dirEvent && l.call() == "OFFERS" && l.T > trigger+0.05:
			out = append(out, l.T)
		}
	}
	return out
}

// config makes the configuration that a master's flags stand for, with all
// agents that the recording ever starts.
func (w *world) config(flags string) localmesos.Config {
	f := flagsOf(flags)
	_ = f
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	cfg := localmesos.Config{Dir: filepath.Join(w.dir, fmt.Sprintf("run%d", w.run)),
		MasterAddr: "127.0.0.1:0", OfferInterval: time.Second,
		Program: program}
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
	a := localmesos.Agent{Name: name, Addr: "127.0.0.1:0", CPUs: 8, MemMB: 16384, DiskMB: 100000, Ports: [][2]uint64{{31000, 32000}}}
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
	w.write(filepath.Join(files, "plain.txt"), "plain text\n", 0o644)
	w.write(filepath.Join(files, "run-me.sh"), "#!/bin/sh\necho ran\n", 0o644)
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
