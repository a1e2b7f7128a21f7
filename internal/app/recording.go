package app

import (
	"cmp"
	"path/filepath"

	"github.com/kafka-sched/kafka-sched/internal/flight"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// usualRecording is how many megabytes a recording may take unless somebody says another number;
// with a negative number nothing is recorded.
const usualRecording = 192

// record begins the recording of this life, and makes the machine that it is of.
func (s *schedulerRun) record() (*flight.Recorder, *scheduler.Machine) {
	return flight.New(flight.Config{
		Dir:     filepath.Join(s.o.Dir, "recording"),
		Most:    int64(cmp.Or(s.o.Recording, usualRecording)) << 20,
		Machine: s.machineConfig(), Logger: s.log,
	}, s.hard)
}
