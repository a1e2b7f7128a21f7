package app

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// nowhere are options that are good in all but that nobody is at the master's address.
func nowhere(t *testing.T) SchedulerOptions {
	t.Helper()
	dir := t.TempDir()
	return SchedulerOptions{
		Name: "web", Dir: filepath.Join(dir, "scheduler"), SpecFile: writeSpec(t, dir, webSpec),
		Master: "http://127.0.0.1:1", Listen: "127.0.0.1:0", ExecutorBinary: binary,
		LogFile: filepath.Join(dir, "scheduler.log"),
	}
}

// refused runs a scheduler that must end by itself, and gives its error.
func refused(t *testing.T, o SchedulerOptions) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := RunScheduler(ctx, o, "test")
	if err == nil {
		t.Fatal("it runs, or ends without an error")
	}
	log, _ := os.ReadFile(o.LogFile)
	if !strings.Contains(string(log), "the scheduler ends") {
		t.Errorf("the log does not say so: %s", log)
	}
	return err.Error()
}

// What a scheduler cannot start with, it names.
func TestRefusals(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, c := range []struct {
		name  string
		spoil func(*SchedulerOptions)
		want  string
	}{
		{"no spec", func(o *SchedulerOptions) { o.SpecFile += ".gone" }, "service.yml.gone"},
		{"a wrong spec", func(o *SchedulerOptions) {
			writeSpec(t, filepath.Dir(o.SpecFile), strings.ReplaceAll(webSpec, "goal", "gaol"))
		}, "gaol"},
		{"the address is taken", func(o *SchedulerOptions) { o.Listen = taken.Addr().String() },
			taken.Addr().String() + ": bind: address already in use"},
		{"no secret", func(o *SchedulerOptions) { o.Webhook = "http://hooks.test" },
			"reading the secret of the webhook"},
		{"a webhook that is none", func(o *SchedulerOptions) {
			o.Webhook, o.WebhookSecretFile = "hooks.test", o.SpecFile
		}, "must begin with http"},
		{"no address", func(o *SchedulerOptions) { o.Listen = "nonsense" },
			"the address to listen on"},
		{"no binary", func(o *SchedulerOptions) { o.ExecutorBinary += ".gone" },
			"kafka-sched.gone"},
		{"no Kafka", func(o *SchedulerOptions) { o.KafkaDist = o.Dir + "/kafka.tgz" },
			"kafka.tgz"},
		{"no master", func(o *SchedulerOptions) { o.Master = "ftp://127.0.0.1" }, "ftp"},
		{"no ZooKeeper", func(o *SchedulerOptions) { o.Master = "zk://" },
			"reading a ZooKeeper URI"},
	} {
		o := nowhere(t)
		c.spoil(&o)
		if got := refused(t, o); !strings.Contains(got, c.want) {
			t.Errorf("%s: %q does not tell of %q", c.name, got, c.want)
		}
	}
}

// A damaged state is refused, and left as it is for who can mend it.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	o := nowhere(t)
	state := filepath.Join(o.Dir, "state.db")
	ctx, cancel := context.WithCancel(t.Context())
	first := runUntilAnnounced(t, ctx, o)
	cancel()
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"cut":     good[:3*4096], // its later half is empty in a young file
		"strange": []byte(strings.Repeat("this is no state file\n", 1000)),
		"altered": bytes.Replace(good, []byte("data"), []byte("dada"), -1),
	} {
		if err := os.WriteFile(state, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		got := refused(t, o)
		if !strings.Contains(got, state) || !strings.Contains(got, "nothing in it was changed") {
			t.Errorf("%s: %s", name, got)
		}
		if now, err := os.ReadFile(state); err != nil || !bytes.Equal(now, bad) {
			t.Errorf("%s: it was changed (%v)", name, err)
		}
	}
}

// runUntilAnnounced runs a scheduler and gives what it ends with.
func runUntilAnnounced(t *testing.T, ctx context.Context, o SchedulerOptions) <-chan error {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- RunScheduler(ctx, o, "test") }()
	s := &site{t: t, options: o}
	s.connect(os.Getpid())
	return ended
}

// Two schedulers never share a folder; the second one says what is the matter and disturbs the
// first in nothing.
func TestSecondScheduler(t *testing.T) {
	t.Parallel()
	o := nowhere(t)
	ctx, cancel := context.WithCancel(t.Context())
	first := runUntilAnnounced(t, ctx, o)
	before, err := os.ReadFile(filepath.Join(o.Dir, "scheduler.json"))
	if err != nil {
		t.Fatal(err)
	}
	err = RunScheduler(t.Context(), o, "test")
	if err == nil || !strings.Contains(err.Error(), "another scheduler runs in "+o.Dir) {
		t.Errorf("the second one: %v", err)
	}
	after, err := os.ReadFile(filepath.Join(o.Dir, "scheduler.json"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("announced was %s, is %s (%v)", before, after, err)
	}
	cancel()
	if err := <-first; err != nil {
		t.Errorf("the first one: %v", err)
	}
}
