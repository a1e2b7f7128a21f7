//go:build !race

package zkstore

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kafka-sched/kafka-sched/internal/zktest"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// This test has a file of its own because go-zookeeper 1.0.4 reads the number of the last
// transaction, when it sets watches again after a cut, while it may be writing it. A watch may
// so miss a change, which is one more reason why a copy does not count unless it sums up.

// TestCopyBehindCuts cuts the standby's connection at random moments while another leads and
// writes (F4): whatever it missed, what it takes over is the state.
func TestCopyBehindCuts(t *testing.T) {
	server := zktest.Start(t)
	r := newRig(t, server.Address)
	relay := zktest.StartRelay(t, server.Address, 0)
	far := *r
	far.uri = strings.Replace(r.uri, server.Address, relay.Address, 1)
	chance := rand.New(rand.NewPCG(1, 2))
	s := r.open()
	copied := 0
	for range 3 {
		c, stop := far.follow()
		for i := range 25 {
			r.apply(s, file(fmt.Sprint("f", chance.IntN(9)), i, byte(i)),
				instance(chance.IntN(9), "TASK_RUNNING"), scheduler.DeletePod{
					Name: scheduler.PodName{Type: "web", Index: chance.IntN(9)}})
			if chance.IntN(5) == 0 {
				relay.Cut()
			}
		}
		if s = far.takeOver(c, stop); s.Copied() {
			copied++
		}
	}
	t.Logf("%d of 3 had the state already", copied)
	r.check()
}
