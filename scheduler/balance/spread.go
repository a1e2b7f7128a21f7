package balance

import (
	"cmp"
	"slices"
)

// floor is the load of a replica without data.
const floor int64 = 1 << 20

// fullest is how full a disk may become, in hundredths.
const fullest = 90

// spread is where everything is while a plan is made. Brokers, racks and partitions are indexes.
type spread struct {
	*Cluster
	tolerance float64
	rack      []int32 // of each broker
	racks     int
	load      []int64
	bytes     []int64
	due       []int64
	leaders   []int
	// at are the brokers of each partition's replicas, -1 for those that are not listed.
	at   [][]int32
	size []int64 // of each partition
	// byRoom are the brokers of each rack that take something, the one with the most room first.
	byRoom [][]int32
	left   []Left
}

func newSpread(c *Cluster, tolerance float64) *spread {
	n := len(c.Brokers)
	s := &spread{Cluster: c, tolerance: tolerance, rack: make([]int32, n), load: make([]int64, n),
		bytes: make([]int64, n), due: make([]int64, n), leaders: make([]int, n)}
	index := make(map[BrokerID]int32, n)
	racks := make(map[string]int32)
	for i, b := range c.Brokers {
		index[b.ID] = int32(i)
		if _, ok := racks[b.Rack]; !ok {
			racks[b.Rack] = int32(len(racks))
		}
		s.rack[i] = racks[b.Rack]
	}
	s.racks = len(racks)
	s.place(index)
	s.setDue()
	s.setRoom()
	return s
}

// place reads where the replicas are.
func (s *spread) place(index map[BrokerID]int32) {
	all := 0
	for i := range s.Partitions {
		all += len(s.Partitions[i].Replicas)
	}
	pool := make([]int32, 0, all)
	s.at = make([][]int32, len(s.Partitions))
	s.size = make([]int64, len(s.Partitions))
	for i := range s.Partitions {
		p := &s.Partitions[i]
		first := len(pool)
		s.size[i] = p.bytes()
		for slot, r := range p.Replicas {
			b, ok := index[r.Broker]
			if !ok {
				b = -1
			}
			pool = append(pool, b)
			if ok {
				s.load[b] += s.weight(int32(i))
				s.bytes[b] += s.size[i]
				if slot == 0 {
					s.leaders[b]++
				}
			}
		}
		s.at[i] = pool[first:len(pool):len(pool)]
	}
}

// weight is the load of each of a partition's replicas.
func (s *spread) weight(p int32) int64 { return s.size[p] + floor }

// takes reports whether a broker may get replicas.
func (s *spread) takes(b int32) bool {
	standing := s.Brokers[b].Standing
	return standing == InService || standing == Added
}

// setDue gives each broker its part of all load that is on brokers which give or take: by capacity
// where all are known, or else the same.
func (s *spread) setDue() {
	var total int64
	var takers []int32
	for i := range s.Brokers {
		if s.Brokers[i].Standing != Down {
			total += s.load[i]
		}
		if s.takes(int32(i)) {
			takers = append(takers, int32(i))
		}
	}
	s.share(total, takers)
}

// share divides load among brokers.
func (s *spread) share(total int64, takers []int32) {
	known := !slices.ContainsFunc(takers, func(b int32) bool { return s.Brokers[b].Capacity <= 0 })
	var capacity float64
	for _, b := range takers {
		capacity += float64(s.Brokers[b].Capacity)
	}
	for _, b := range takers {
		part := 1 / float64(len(takers))
		if known {
			part = float64(s.Brokers[b].Capacity) / capacity
		}
		s.due[b] = int64(float64(total) * part)
	}
}

// setRoom sorts the brokers of each rack by the room that they have below their due.
func (s *spread) setRoom() {
	s.byRoom = make([][]int32, s.racks)
	for i := range s.Brokers {
		if b := int32(i); s.takes(b) {
			s.byRoom[s.rack[b]] = append(s.byRoom[s.rack[b]], b)
		}
	}
	for _, list := range s.byRoom {
		slices.SortFunc(list, s.compareRoom)
	}
}

func (s *spread) room(b int32) int64 { return s.due[b] - s.load[b] }

// excess is what a broker has above its due.
func (s *spread) excess(b int32) int64 { return s.load[b] - s.due[b] }

func (s *spread) compareRoom(x, y int32) int {
	return cmp.Or(cmp.Compare(s.room(y), s.room(x)), cmp.Compare(s.Brokers[x].ID, s.Brokers[y].ID))
}

// over and under report whether a broker is outside of the tolerance.
func (s *spread) over(b int32) bool {
	return float64(s.load[b]) > float64(s.due[b])*(1+s.tolerance)
}

func (s *spread) under(b int32) bool {
	return float64(s.load[b]) < float64(s.due[b])*(1-s.tolerance)
}

// hosts reports whether a broker has a replica of a partition.
func (s *spread) hosts(b, p int32) bool { return slices.Contains(s.at[p], b) }

// alone reports whether no other replica of a partition is in a rack.
func (s *spread) alone(p int32, slot int, rack int32) bool {
	for i, b := range s.at[p] {
		if i != slot && b >= 0 && s.rack[b] == rack {
			return false
		}
	}
	return true
}

// fits reports whether a broker's disks can take a replica, as far as anybody knows.
func (s *spread) fits(b, p int32) bool {
	capacity := s.Brokers[b].Capacity
	return capacity <= 0 || s.bytes[b]+s.size[p] <= capacity/100*fullest
}

// may reports whether a replica may go to a broker: one that takes it, has room on its disks, has
// none yet, and is in a rack that keeps the replicas as far apart as they are.
func (s *spread) may(p int32, slot int, to int32) bool {
	from := s.at[p][slot]
	return s.takes(to) && !s.hosts(to, p) && s.fits(to, p) &&
		(s.rack[to] == s.rack[from] || s.alone(p, slot, s.rack[to]) ||
			!s.alone(p, slot, s.rack[from]))
}

// move moves a replica.
func (s *spread) move(p int32, slot int, to int32) {
	from := s.at[p][slot]
	s.at[p][slot] = to
	s.load[from] -= s.weight(p)
	s.load[to] += s.weight(p)
	s.bytes[from] -= s.size[p]
	s.bytes[to] += s.size[p]
	if slot == 0 {
		s.leaders[from]--
		s.leaders[to]++
	}
	s.resort(from)
	s.resort(to)
}

// resort brings a broker to its place in the list of its rack.
func (s *spread) resort(b int32) {
	list := s.byRoom[s.rack[b]]
	i := slices.Index(list, b)
	if i < 0 {
		return
	}
	for ; i > 0 && s.compareRoom(list[i-1], b) > 0; i-- {
		list[i] = list[i-1]
	}
	for ; i < len(list)-1 && s.compareRoom(list[i+1], b) < 0; i++ {
		list[i] = list[i+1]
	}
	list[i] = b
}

// replica is one replica of a broker: of which partition, and which of its replicas.
type replica struct {
	partition int32
	slot      int32
}

// replicasOn lists the replicas of all brokers, the largest first.
func (s *spread) replicasOn() [][]replica {
	count := make([]int, len(s.Brokers))
	for _, at := range s.at {
		for _, b := range at {
			if b >= 0 {
				count[b]++
			}
		}
	}
	on := make([][]replica, len(s.Brokers))
	for i, n := range count {
		on[i] = make([]replica, 0, n)
	}
	for p, at := range s.at {
		for slot, b := range at {
			if b >= 0 {
				on[b] = append(on[b], replica{int32(p), int32(slot)})
			}
		}
	}
	for _, list := range on {
		slices.SortFunc(list, func(x, y replica) int {
			return cmp.Or(cmp.Compare(s.size[y.partition], s.size[x.partition]),
				cmp.Compare(s.Partitions[x.partition].Topic, s.Partitions[y.partition].Topic),
				cmp.Compare(s.Partitions[x.partition].ID, s.Partitions[y.partition].ID))
		})
	}
	return on
}
