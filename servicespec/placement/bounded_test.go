package placement_test

import (
	"runtime/metrics"
	"syscall"
	"testing"
	"time"
)

// What one rule may cost, whatever it says.
const (
	maxRuleCPU       = 5 * time.Second
	maxRuleAllocated = 64 << 20 // bytes in all, and so in use at any time
	ruleHangs        = 2 * time.Minute
)

// bounded does the work that a rule asks for, and demands that it ends and stays within the
// bounds. Other processes do not count in any of these.
func bounded(t *testing.T, work func()) {
	t.Helper()
	watch := time.AfterFunc(ruleHangs, func() { panic("the rule takes for ever") })
	defer watch.Stop()
	cpu, allocated := processorTime(t), allocatedBytes()
	work()
	if spent := processorTime(t) - cpu; spent > maxRuleCPU {
		t.Errorf("the rule takes %v of the processor, more than %v", spent, maxRuleCPU)
	}
	if bytes := allocatedBytes() - allocated; bytes > maxRuleAllocated {
		t.Errorf("the rule allocates %d MB, more than %d", bytes>>20, maxRuleAllocated>>20)
	}
}

func allocatedBytes() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// processorTime is what this process has used of the processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
