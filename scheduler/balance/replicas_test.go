package balance

import (
	"slices"
	"testing"
)

// More replicas go to racks that have none, and to brokers that have the least; fewer are taken
// from where they are missed least.
func TestReplicate(t *testing.T) {
	brokers := []Broker{{ID: 0, Rack: "a"}, {ID: 1, Rack: "a"}, {ID: 2, Rack: "b"},
		{ID: 3, Rack: "c"}}
	for name, c := range map[string]struct {
		replicas, want []BrokerID
		factor         int
		behind, down   []BrokerID
	}{
		"one more":              {replicas: []BrokerID{0}, factor: 2, want: []BrokerID{0, 3}},
		"all":                   {replicas: []BrokerID{0}, factor: 4, want: []BrokerID{0, 3, 2, 1}},
		"one less, of a rack":   {replicas: []BrokerID{0, 1, 2}, factor: 2, want: []BrokerID{0, 2}},
		"one less, not in sync": {[]BrokerID{0, 2, 3}, []BrokerID{0, 3}, 2, []BrokerID{2}, nil},
		"one less, of many":     {replicas: []BrokerID{0, 2, 3}, factor: 1, want: []BrokerID{0}},
		"one less, leaving":     {[]BrokerID{3, 0, 2}, []BrokerID{0, 2}, 2, nil, []BrokerID{3}},
		"one more, not there":   {[]BrokerID{0}, []BrokerID{0, 2}, 2, nil, []BrokerID{3}},
		"as many":               {replicas: []BrokerID{0, 1}, factor: 2},
		"too many":              {replicas: []BrokerID{0, 1}, factor: 5},
		"too many of the rest":  {[]BrokerID{0}, nil, 3, nil, []BrokerID{2, 3}},
	} {
		cluster := &Cluster{Brokers: slices.Clone(brokers), Partitions: []Partition{
			{Topic: "other", Replicas: []Replica{{Broker: 2}, {Broker: 0}}}, {Topic: "events"}}}
		for i, b := range cluster.Brokers {
			if slices.Contains(c.down, b.ID) {
				cluster.Brokers[i].Standing = Down
			}
		}
		for _, id := range c.replicas {
			cluster.Partitions[1].Replicas = append(cluster.Partitions[1].Replicas,
				Replica{Broker: id, Bytes: 7, Behind: slices.Contains(c.behind, id)})
		}
		moves := Replicate(cluster, map[string]int{"events": c.factor})
		switch {
		case c.want == nil && len(moves) > 0, c.want != nil && len(moves) != 1:
			t.Errorf("%s: %+v", name, moves)
		case c.want == nil:
		case !slices.Equal(moves[0].After, c.want) || !slices.Equal(moves[0].Before, c.replicas) ||
			moves[0].Bytes != 7*int64(max(0, c.factor-len(c.replicas))):
			t.Errorf("%s: %+v, want %v", name, moves[0], c.want)
		}
	}
}

// New partitions lie on those that have the least, and each broker is first by turns.
func TestPlace(t *testing.T) {
	c := &Cluster{Brokers: []Broker{{ID: 0}, {ID: 1, Standing: Down}, {ID: 2}, {ID: 3}},
		Partitions: []Partition{{Topic: "x", Replicas: []Replica{{Broker: 3, Bytes: 1 << 30}}}}}
	want := [][]BrokerID{{2, 0}, {0, 2}, {2, 0}}
	if got := Place(c, 1, 4, 2); !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v", got)
	}
	if got := Place(c, 0, 1, 9); len(got) != 1 || len(got[0]) != 3 {
		t.Errorf("nine of three: %v", got)
	}
}
