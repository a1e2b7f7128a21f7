package localmesos

import (
	"bytes"
	"encoding/base64"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// lockedBuffer is a log that a test reads.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func reference(name string) *mesos.Secret {
	return &mesos.Secret{Type: mesos.Secret_REFERENCE,
		Reference: &mesos.Secret_Reference{Name: name}}
}

func value(data string) *mesos.Secret {
	return &mesos.Secret{Type: mesos.Secret_VALUE, Value: &mesos.Secret_Value{Data: []byte(data)}}
}

func secretVariable(name string, s *mesos.Secret) mesos.Environment_Variable {
	return mesos.Environment_Variable{
		Name: name, Type: mesos.Environment_Variable_SECRET.Enum(), Secret: s}
}

func secretVolume(path string, s *mesos.Secret) mesos.Volume {
	return mesos.Volume{Mode: mesos.RO.Enum(), ContainerPath: path,
		Source: &mesos.Volume_Source{Type: mesos.Volume_Source_SECRET, Secret: s}}
}

// withSecrets gives an executor secrets, and has it keep what it sees of them.
func withSecrets(
	e *mesos.ExecutorInfo, vars []mesos.Environment_Variable, volumes ...mesos.Volume,
) *mesos.ExecutorInfo {
	e.Command.Value = ptr(`printf '%s|%s' "$ONE" "$TWO" > seen; ls -lL keys/one two >> modes; ` +
		`cat keys/one two > files; ` + *e.Command.Value)
	e.Command.Environment.Variables = append(e.Command.Environment.Variables, vars...)
	if len(volumes) > 0 {
		e.Container = &mesos.ContainerInfo{
			Type: mesos.ContainerInfo_MESOS.Enum(), Volumes: volumes}
	}
	return e
}

func secretsFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestSecrets gives an executor secrets in every way, and looks for them where they must not be:
// in the state file, in what the APIs say, in the log, and behind when the executor has ended.
func TestSecrets(t *testing.T) {
	const one, two, key, cert = "hunter-2-one", "hunter-2-two", "hunter-2-key", "hunter-2-cert"
	var log lockedBuffer
	cfg := testConfig(t)
	cfg.Secrets = secretsFolder(t, map[string]string{"app/one": one + "\n", "key": key})
	cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	executor := func(second string) *mesos.ExecutorInfo {
		return withSecrets(f.testExecutor("e-1"), []mesos.Environment_Variable{
			secretVariable("ONE", reference("app/one")), secretVariable("TWO", value(second))},
			secretVolume("keys/one", reference("key")), secretVolume("two", value(cert)))
	}
	o := f.offer(anyOffer)
	f.accept(o, f.launch(o, "t-1", executor(two)))
	f.status("t-1", mesos.TASK_RUNNING)
	sandbox := filepath.Join(cfg.Dir, "agents", "agent-1", "slaves", o.AgentID.Value,
		"frameworks", f.id, "executors", "e-1", "runs", "latest")
	if got := readFile(t, filepath.Join(sandbox, "seen")); got != one+"|"+two {
		t.Errorf("the variables are %q", got)
	}
	if got := readFile(t, filepath.Join(sandbox, "files")); got != key+cert {
		t.Errorf("the files are %q", got)
	}
	if got := readFile(t, filepath.Join(sandbox, "modes")); strings.Count(got, "-r--------") != 2 {
		t.Errorf("the files can be written:\n%s", got)
	}
	f.accept(f.offer(anyOffer), f.launch(o, "t-2", executor("another, which comes too late")))
	f.await("t-2", isStatusOf("t-2"))

	api := c.AgentURLs()[0] + "/api/v1"
	var said strings.Builder
	for _, call := range []string{"GET_STATE", "GET_EXECUTORS", "GET_TASKS"} {
		for _, url := range []string{c.MasterURL() + "/api/v1", api} {
			_, body := post(t, url, `{"type":"`+call+`"}`)
			said.WriteString(body)
		}
	}
	_, body := post(t, api, `{"type":"READ_FILE","read_file":{"path":"/frameworks/`+f.id+
		`/executors/e-1/runs/latest/two","offset":0}}`)
	said.WriteString(body)
	said.WriteString(f.text())
	said.WriteString(log.String())
	said.WriteString(kept(t, c))
	for _, secret := range []string{one, two, key, cert} {
		for _, form := range []string{secret, base64Of(secret)} {
			if strings.Contains(said.String(), form) {
				t.Errorf("%q is to be seen", form)
			}
		}
	}
	f.message(o, "e-1", "exit 0")
	f.await("the end of t-1", isStatusOf("t-1"))
	eventually(t, "the files of secrets are gone", func() bool {
		found := false
		walk := func(path string, d fs.DirEntry, err error) error {
			found = found || err == nil && d.Type().IsRegular()
			return nil
		}
		_ = filepath.WalkDir(filepath.Join(cfg.Dir, "agents", "agent-1", "secrets"), walk)
		return !found
	})
}

// kept is what a cluster keeps of its tasks and executors, in the form that is stored in base64.
func kept(t *testing.T, c *Cluster) string {
	t.Helper()
	text, err := ask(c, func() string {
		var b bytes.Buffer
		for _, task := range c.tasks {
			data, _ := task.Info.V.Marshal()
			b.Write(data)
		}
		for _, a := range c.agents {
			for _, e := range a.executors {
				data, _ := e.Info.V.Marshal()
				b.Write(data)
			}
		}
		return b.String()
	})
	if err != nil || !strings.Contains(text, "app/one") {
		t.Fatalf("nothing is kept: %v", err)
	}
	return text
}

// TestUnknownSecrets demands that a task whose secret nobody knows fails, with a sentence.
func TestUnknownSecrets(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := testConfig(t)
	cfg.Secrets = secretsFolder(t, map[string]string{"zero": "a\x00b",
		"large": strings.Repeat("x", mostSecret+1)})
	if err := os.Symlink(outside, filepath.Join(cfg.Secrets, "link")); err != nil {
		t.Fatal(err)
	}
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	for name, want := range map[string]string{
		"nosuch": "Secret 'nosuch' is not known: there is no file " + cfg.Secrets + "/nosuch",
		"zero":   "has a byte 0", "large": "has more than", "link": "cannot be read"} {
		o := f.offer(anyOffer)
		f.accept(o, f.launch(o, name, withSecrets(f.testExecutor(name),
			[]mesos.Environment_Variable{secretVariable("ONE", reference(name))})))
		s := f.status(name, mesos.TASK_FAILED)
		if s.GetReason() != mesos.REASON_CONTAINER_LAUNCH_FAILED ||
			!strings.Contains(s.GetMessage(), want) {
			t.Errorf("%s: %s: %s", name, s.GetReason(), s.GetMessage())
		}
	}
}

// TestBadSecrets demands that what is no secret is refused at once, and other containers are.
func TestBadSecrets(t *testing.T) {
	c := start(t, testConfig(t))
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	both := value("x")
	both.Reference = &mesos.Secret_Reference{Name: "x"}
	plain := secretVariable("ONE", nil)
	plain.Value = ptr("x")
	host := mesos.Volume{Mode: mesos.RO.Enum(), ContainerPath: "x", HostPath: ptr("/etc")}
	image := &mesos.ContainerInfo{Type: mesos.ContainerInfo_DOCKER.Enum()}
	variable := func(v mesos.Environment_Variable) *mesos.ExecutorInfo {
		return withSecrets(f.testExecutor("e"), []mesos.Environment_Variable{v})
	}
	file := func(v mesos.Volume) *mesos.ExecutorInfo {
		return withSecrets(f.testExecutor("e"), nil, v)
	}
	docker := f.testExecutor("e")
	docker.Container = image
	for name, bad := range map[string]struct {
		executor *mesos.ExecutorInfo
		want     string
	}{
		"plain":  {variable(plain), "must have a secret set and no value"},
		"both":   {variable(secretVariable("ONE", both)), "specifies an invalid secret"},
		"leaves": {variable(secretVariable("ONE", reference("../x"))), "no path of a secret"},
		"path":   {file(secretVolume("../x", value("x"))), "Invalid container path"},
		"empty":  {file(secretVolume("x", nil)), "it is not set"},
		"host":   {file(host), "Containers are not supported here"},
		"docker": {docker, "Containers are not supported here"},
	} {
		o := f.offer(anyOffer)
		f.accept(o, f.launch(o, name, bad.executor))
		if s := f.status(name, mesos.TASK_ERROR); !strings.Contains(s.GetMessage(), bad.want) {
			t.Errorf("%s: %s", name, s.GetMessage())
		}
	}
}

func base64Of(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// isStatusOf matches any update of a task.
func isStatusOf(task string) func(*scheduler.Event) bool {
	return func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_UPDATE && ev.Update.Status.TaskID.Value == task
	}
}
