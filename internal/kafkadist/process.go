package kafkadist

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// runGroup runs a command in a process group of its own, all of which is killed when the
// command's context ends. The command is told to die with this process too, where the system can
// do that; it takes the death of the thread that started it for that, hence the locked thread.
func runGroup(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	return cmd.Run()
}
