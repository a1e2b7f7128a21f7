package flight

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

const (
	// jobsMost is how many jobs may wait; who brings more waits too.
	jobsMost = 1024
	// worth is how much work has to wait for a goroutine of its own, where an event is 1: for one
	// event the change costs more than it spares.
	worth = 32
)

// segment is a file of a recording while it is written: by jobs that are done one after the other,
// where there are many beside who brings them. The first one that fails is the last one, and is
// told of.
type segment struct {
	lost func(error)

	// The jobs have these to themselves, but for the size.
	file  *os.File
	zip   *gzip.Writer
	lines *bufio.Writer // to zip
	size  atomic.Int64  // of the file, in bytes

	mu      sync.Mutex
	done    sync.Cond // another job is
	jobs    []func() error
	work    int  // how much of it waits
	started bool // before, jobs wait
	working bool // somebody does jobs
	failed  bool
}

// newSegment makes a file that there was not.
func newSegment(path string, lost func(error)) (*segment, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a segment of the recording: %w", err)
	}
	s := &segment{file: file, lost: lost}
	s.done.L = &s.mu
	if s.zip, err = gzip.NewWriterLevel(s, gzip.BestSpeed); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.lines = bufio.NewWriter(s.zip)
	return s, nil
}

// Write counts what goes to the file, for the gzip writer.
func (s *segment) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	s.size.Add(int64(n))
	return n, err
}

// add brings a job of so much work.
func (s *segment) add(work int, job func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.working && len(s.jobs) >= jobsMost {
		s.done.Wait()
	}
	s.jobs = append(s.jobs, job)
	s.work += work
	s.begin()
}

// start lets jobs be done from now on.
func (s *segment) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	s.begin()
}

// begin has a goroutine do the jobs that there are, if they are worth it.
func (s *segment) begin() {
	if s.started && !s.working && s.work >= worth {
		s.working = true
		go func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.do()
		}()
	}
}

// wait returns when all jobs are done.
func (s *segment) wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.started = true
	for s.working {
		s.done.Wait()
	}
	s.working = true
	s.do()
}

// do does the jobs that there are. Who calls it has the lock, and has set working.
func (s *segment) do() {
	defer func() {
		s.jobs, s.work, s.working = nil, 0, false
		s.done.Broadcast()
	}()
	for len(s.jobs) > 0 {
		job := s.jobs[0]
		s.jobs[0] = nil
		s.jobs = s.jobs[1:]
		if s.failed {
			continue
		}
		if err := s.unlocked(job); err != nil {
			s.failed = true
			s.file.Close()
			s.lost(err)
		}
		s.done.Broadcast()
	}
}

// unlocked does a job without the lock, and has it again when that panics, too.
func (s *segment) unlocked(job func() error) error {
	s.mu.Unlock()
	defer s.mu.Lock()
	return job()
}

// exceeds reports whether a file that is still written has become larger than so many bytes.
func (s *segment) exceeds(most int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.failed && s.size.Load() > most
}

// flush gives what was written to the system, which has it whatever becomes of this process.
func (s *segment) flush() error {
	err := s.lines.Flush()
	if err == nil {
		err = s.zip.Flush()
	}
	if err != nil {
		return fmt.Errorf("writing the recording: %w", err)
	}
	return nil
}

// close ends the file.
func (s *segment) close() error {
	err := errors.Join(s.lines.Flush(), s.zip.Close(), s.file.Close())
	if err != nil {
		return fmt.Errorf("writing the end of the recording: %w", err)
	}
	return nil
}
