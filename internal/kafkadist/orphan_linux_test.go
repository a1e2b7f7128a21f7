package kafkadist

import (
	"syscall"
	"testing"
)

// TestMavenDiesWithItsParent kills a process whose mvn runs. The kernel ends mvn then.
func TestMavenDiesWithItsParent(t *testing.T) {
	my := scriptedMaven(t, slowMaven)
	dir := t.TempDir()
	parent := startChild(t, dir, "", "4.3.1")
	self, sleeper := pidIn(t, my, "self"), pidIn(t, my, "child")
	t.Cleanup(func() { syscall.Kill(sleeper, syscall.SIGKILL) })
	if err := parent.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.cmd.Wait()
	eventually(t, "mvn's end", func() bool { return gone(self) })
	open(t, dir, nil)
	wantNames(t, dir, 0)
}
