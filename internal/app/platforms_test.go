package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/executor"
	"github.com/kafka-sched/kafka-sched/internal/localmesos"
)

// foreign is a platform that this machine is none of.
func foreign() (platform, arch string) {
	arch = "arm64"
	if runtime.GOARCH == arch {
		arch = "amd64"
	}
	return runtime.GOOS + "/" + arch, arch
}

// platformSpec is a service of one shell on each agent.
func platformSpec(count int) string {
	return fmt.Sprintf(`
name: web
pods:
  web:
    count: %d
    placement: '[["hostname", "UNIQUE"]]'
    tasks:
      server:
        goal: RUNNING
        cmd: exec sleep 100000
        cpus: 0.1
        memory: 32
        kill-grace-period: 2
`, count)
}

// TestPlatforms runs a service where the scheduler has executors for two platforms: an agent that
// tells its own fetches one, one that does not fetches both and takes the one that fits, and one
// for which there is none is not taken.
func TestPlatforms(t *testing.T) {
	t.Parallel()
	s := newSite(t, platformSpec(3), func(cfg *localmesos.Config) {
		cfg.Agents[0].Attributes = map[string]string{"arch": runtime.GOARCH}
		cfg.Agents[2].Attributes = map[string]string{"arch": "s390x"}
	})
	s.foreignExecutor()
	s.start()
	s.reason("web-2", "on host-2.test there is no executor for the CPU s390x, only for ")
	for host, want := range map[string]int{"agent-0": 1, "agent-1": 2} {
		found, err := filepath.Glob(filepath.Join(s.cfg.Dir, "agents", host,
			"slaves/*/frameworks/*/executors/*/runs/*/kafka-sched*"))
		if links := strings.Count(strings.Join(found, " "), "/latest/"); err != nil ||
			len(found)-links != want {
			t.Errorf("on %s: %v, %v", host, found, err)
		}
	}
}

// TestWrongPlatform runs a service on an agent that is not what it tells.
func TestWrongPlatform(t *testing.T) {
	t.Parallel()
	_, arch := foreign()
	s := newSite(t, platformSpec(1), func(cfg *localmesos.Config) {
		for i := range cfg.Agents {
			cfg.Agents[i].Attributes = map[string]string{"arch": arch}
		}
	})
	s.foreignExecutor()
	s.start()
	s.reason("web-0", "there is no executor for the kind of machine that the agent on")
}

// foreignExecutor gives the scheduler an executor for another platform, which cannot run here.
func (s *site) foreignExecutor() {
	s.t.Helper()
	platform, _ := foreign()
	file := filepath.Join(s.dir, "foreign")
	if err := os.WriteFile(file, []byte("of another machine"), 0o755); err != nil {
		s.t.Fatal(err)
	}
	s.options.Executors = map[string]string{platform: file}
}

// reason waits until the step of an instance in the plan deploy says something.
func (s *site) reason(pod, want string) {
	s.t.Helper()
	s.eventually(pod+" says "+want, func() error {
		var said []string
		for _, p := range s.status().Plans {
			for _, phase := range p.Phases {
				for _, step := range phase.Steps {
					if strings.HasPrefix(step.Name, pod) && strings.Contains(step.Reason, want) {
						return nil
					}
					said = append(said, step.Name+": "+step.Status+": "+step.Reason)
				}
			}
		}
		return fmt.Errorf("%s", strings.Join(said, "; "))
	})
}

// TestGenuine starts an executor that is not what it was to be: it starts nothing, and says so.
func TestGenuine(t *testing.T) {
	t.Parallel()
	digest, err := fileDigest(binary)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "executor", "--sha256", "00")
	cmd.Dir = t.TempDir()
	cmd.Env = []string{"MESOS_FRAMEWORK_ID=f", "MESOS_EXECUTOR_ID=e", "MESOS_SLAVE_ID=a",
		"MESOS_AGENT_ENDPOINT=127.0.0.1:1", "MESOS_SANDBOX=" + cmd.Dir}
	out, err := cmd.CombinedOutput()
	want := "has the SHA-256 " + digest + ", and the scheduler's has 00: something"
	if cmd.ProcessState.ExitCode() != executor.ExitDiffers || !strings.Contains(string(out), want) {
		t.Errorf("it ended with %v: %s", err, out)
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if digest, err = fileDigest(own); err != nil || genuine(digest) != nil {
		t.Errorf("this program, with its digest %s: %v, %v", digest, genuine(digest), err)
	}
}
