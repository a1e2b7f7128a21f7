package rolling

import "slices"

// Move is a new list of replicas for one partition. Where the list has the same brokers as before
// and only another first one, no data moves.
type Move struct {
	Topic     string
	Partition int32
	Replicas  []NodeID
	// Before are the present ones.
	Before []NodeID
}

// Leads is the number of partitions that a broker leads.
func (f *Facts) Leads(id NodeID) int {
	n := 0
	for p := range f.hosted(id) {
		if f.leaderOf(p) == id {
			n++
		}
	}
	return n
}

// Handover is one leader that moves.
type Handover struct {
	Topic     string
	Partition int32
	From, To  NodeID
}

// Drain says where the leaders of a node go before it stops: to replicas in sync, evenly by the
// number that each broker leads. Those are left out that nobody else can lead; the brokers that
// are down because of us get none.
func (f *Facts) Drain(id NodeID, down []NodeID) []Handover {
	gone := append(slices.Clone(down), id)
	leads := f.leads()
	var list []Handover
	for p := range f.hosted(id) {
		if f.leaderOf(p) != id || p.disputed || p.moving {
			continue
		}
		best := int32(-1)
		for _, r := range f.replicasOf(p) {
			b := &f.Brokers[r.Broker]
			if r.InSync && b.Up() && !slices.Contains(gone, b.ID) &&
				(best < 0 || leads[r.Broker] < leads[best]) {
				best = r.Broker
			}
		}
		if best < 0 {
			continue
		}
		leads[best]++
		list = append(list, Handover{f.topics[p.Topic].Name, p.ID, id, f.Brokers[best].ID})
	}
	return list
}

// leads counts the leaders by index of the broker.
func (f *Facts) leads() []int {
	n := make([]int, len(f.Brokers))
	for i := range f.partitions {
		if l := f.partitions[i].leader; l >= 0 {
			n[l]++
		}
	}
	return n
}

// Preferred names the partitions that a node is the preferred leader of, in sync with, and does
// not lead: they go back to it after a restart, by ElectLeaders.
func (f *Facts) Preferred(id NodeID) []Handover {
	var list []Handover
	for p := range f.hosted(id) {
		first := f.replicasOf(p)[0]
		leader := f.leaderOf(p)
		if f.Brokers[first.Broker].ID == id && first.InSync && leader != id && leader != None &&
			!p.moving {
			list = append(list, Handover{f.topics[p.Topic].Name, p.ID, leader, id})
		}
	}
	return list
}

// Evacuate says where the fragile partitions of a node go before it stops: the node's place in
// the list of replicas goes to the spare broker that hosts the least, of the same rack if there
// is one. Partitions without a spare are left out.
func (f *Facts) Evacuate(id NodeID, down []NodeID) []Move {
	gone := append(slices.Clone(down), id)
	hosts := make([]int, len(f.Brokers))
	for i := range f.on {
		hosts[i] = len(f.on[i])
	}
	own, _ := f.Broker(id)
	var moves []Move
	for p := range f.hosted(id) {
		if !f.fragile(p) || p.moving || p.disputed {
			continue
		}
		best := -1
		for i := range f.Brokers {
			if f.spare(p, i, gone) && (best < 0 || f.nearer(own.Rack, hosts, i, best)) {
				best = i
			}
		}
		if best < 0 {
			continue
		}
		hosts[best]++
		move := Move{Topic: f.topics[p.Topic].Name, Partition: p.ID}
		for _, r := range f.replicasOf(p) {
			to := f.Brokers[r.Broker].ID
			move.Before = append(move.Before, to)
			if to == id {
				to = f.Brokers[best].ID
			}
			move.Replicas = append(move.Replicas, to)
		}
		moves = append(moves, move)
	}
	return moves
}

// spare reports whether a broker can take a replica of a partition now.
func (f *Facts) spare(p *Partition, broker int, gone []NodeID) bool {
	b := &f.Brokers[broker]
	return b.Up() && !slices.Contains(gone, b.ID) && !f.hosts(p, broker)
}

// nearer reports whether one broker is the better new place than another.
func (f *Facts) nearer(rack string, hosts []int, x, y int) bool {
	inRack, other := f.Brokers[x].Rack == rack, f.Brokers[y].Rack == rack
	if inRack != other {
		return inRack
	}
	return hosts[x] < hosts[y]
}
