package kafkadist

import "syscall"

// dieWithParent asks the kernel to kill the command when its parent dies.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
