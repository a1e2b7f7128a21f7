package server

import (
	"context"
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/balance"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// fullest is how full a volume that becomes smaller may be afterwards, in hundredths.
const fullest = 90

// dataFits looks whether the data of the volumes that another service has smaller fits into them,
// by what the brokers say of their log directories. An error says why it does not, or why nobody
// knows; without such a volume nothing is asked.
func (x *v2) dataFits(
	ctx context.Context, v *scheduler.View, next servicespec.Service,
) (bool, error) {
	list := scheduler.Shrinks(v.Target, next)
	if len(list) == 0 {
		return false, nil
	}
	at := live(v)
	if x.Layout == nil || len(at) == 0 {
		return false, fmt.Errorf("%s, and no broker is known to serve that could tell whether "+
			"the data fits", list[0])
	}
	layout := x.Layout(ctx, at, nil)
	if layout.Error != "" {
		return false, fmt.Errorf("%s, and the brokers do not tell whether the data fits: %s",
			list[0], layout.Error)
	}
	for _, shrunk := range list {
		if err := fitsInto(layout, shrunk, idsOf(v.Target, shrunk.Pod)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// idsOf are the ids of the nodes of a pod.
func idsOf(s servicespec.Service, pod string) []int {
	var ids []int
	for _, p := range s.Pods {
		for i := range p.Count {
			if p.Type == pod && p.Kafka != nil && p.Kafka.Serves() {
				ids = append(ids, p.Kafka.NodeID(i))
			}
		}
	}
	return ids
}

// fitsInto says for which of some brokers a volume would be too small, nil for none.
func fitsInto(l scheduler.Layout, s scheduler.Shrunk, ids []int) error {
	for _, id := range ids {
		used, told := usedOf(l, balance.BrokerID(id), s.Path)
		room := int64(s.To) << 20 / 100 * fullest
		switch {
		case !told:
			return fmt.Errorf("%s, and broker %d does not tell what lies there", s, id)
		case used > room:
			return fmt.Errorf("%s, but %d MB lie there on broker %d, and a volume is to be at "+
				"most %d%% full; delete topics, shorten their retention or move replicas first",
				s, used>>20, id, fullest)
		}
	}
	return nil
}

// usedOf sums up what lies on a volume of a broker.
func usedOf(l scheduler.Layout, id balance.BrokerID, path string) (bytes int64, told bool) {
	here := map[int]bool{}
	for _, b := range l.Cluster.Brokers {
		for i, dir := range b.Dirs {
			if b.ID == id && dir.Standing != balance.Down &&
				strings.HasSuffix(dir.Path, "/"+path+"/logs") {
				here[i] = true
			}
		}
	}
	for _, p := range l.Cluster.Partitions {
		for _, r := range p.Replicas {
			if r.Broker == id && here[r.Dir] {
				bytes += r.Bytes
			}
		}
	}
	return bytes, len(here) > 0
}
