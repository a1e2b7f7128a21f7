package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"syscall"
)

// The exit codes. They are part of the command line's contract, and every help text lists them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotFound    = 3
	exitPrecheck    = 4
	exitTimeout     = 5
	exitConflict    = 6
	exitAlready     = 7
	exitEnded       = 8
	exitInterrupted = 130
)

// exitHelp is what every help text says of exit codes.
const exitHelp = `Exit codes:
  0    it was done
  1    it failed
  2    wrong usage or invalid input (flags, options, spec)
  3    there is no such cluster, pod, plan, endpoint or configuration
  4    the machine lacks something (Java, memory, disk, a port, Mesos)
  5    it took longer than --timeout
  6    conflict: another command is at work, or the cluster exists with other options
  7    there was nothing to do: the command was already issued, or what it is for is complete
  8    of the scheduler itself: the master has ended its framework for ever
  130  interrupted; what was started goes on`

// exitError is an error together with the exit code that it ends the command with.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// fail makes an error that ends the command with a code.
func fail(code int, format string, args ...any) error {
	return &exitError{code: code, err: fmt.Errorf(format, args...)}
}

// codeOf is the exit code for an error that a command returned.
func codeOf(err error) int {
	if err == nil {
		return exitOK
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.code
	}
	var own interface{ ExitCode() int }
	if errors.As(err, &own) {
		return own.ExitCode()
	}
	return exitFailed
}

// plain takes off an error what only repeats what was attempted and where, which the message
// around it says in words.
func plain(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*net.OpError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*os.SyscallError](err); ok {
		err = e.Err
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err
}

// noRoom adds to the error of a full or read-only disk what can be done about it.
func noRoom(err error) error {
	if lacksRoom(err) {
		return fail(exitPrecheck, "%w; make room there, or set KAFKA_SCHED_HOME (clusters) or "+
			"KAFKA_SCHED_CACHE (distributions) to another disk", err)
	}
	return err
}

func lacksRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EROFS)
}
