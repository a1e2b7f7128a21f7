package flight

import (
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

var table = crc64.MakeTable(crc64.ECMA)

// sumOf stands for all that a step wants stored and called.
func sumOf(out scheduler.Output) (string, error) {
	changes, err := store.Encode(out.Writes)
	if err != nil {
		return "", err
	}
	sum := crc64.New(table)
	for _, c := range changes {
		io.WriteString(sum, c.Key)
		sum.Write(c.Value)
	}
	for _, c := range out.Calls {
		io.WriteString(sum, scheduler.CallText(c))
	}
	return fmt.Sprintf("%016x", sum.Sum64()), nil
}

// stateSum stands for a whole state.
func stateSum(hard scheduler.Hard) (string, error) {
	entries, err := store.Entries(hard)
	if err != nil {
		return "", err
	}
	sum := crc64.New(table)
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		io.WriteString(sum, key)
		sum.Write(entries[key])
	}
	return fmt.Sprintf("%016x", sum.Sum64()), nil
}
