package balance

import (
	"cmp"
	"slices"
)

// DirMove moves one replica from one log directory of its broker to another.
type DirMove struct {
	Broker    BrokerID
	Topic     string
	Partition int32
	From, To  string // paths
	Bytes     int64
}

// Dirs plans how the log directories inside each broker get their due, by capacity where all of a
// broker's are known, and how those that leave are emptied. From a directory that is down nothing
// can be moved: what is on it has to come from other brokers, and is named.
func Dirs(c *Cluster, o Options) ([]DirMove, []Left) {
	on := make(map[BrokerID][]placed)
	for i := range c.Partitions {
		for _, r := range c.Partitions[i].Replicas {
			on[r.Broker] = append(on[r.Broker], placed{&c.Partitions[i], r})
		}
	}
	var moves []DirMove
	var left []Left
	ordered := slices.Clone(c.Brokers)
	slices.SortFunc(ordered, func(x, y Broker) int { return cmp.Compare(x.ID, y.ID) })
	for _, b := range ordered {
		if len(b.Dirs) == 0 {
			continue
		}
		d := newShelf(b, on[b.ID], o.tolerance())
		d.clear()
		d.level()
		moves, left = append(moves, d.moves...), append(left, d.left...)
	}
	return moves, left
}

// placed is a replica in a directory.
type placed struct {
	*Partition
	Replica
}

// shelf is one broker's directories.
type shelf struct {
	Broker
	tolerance float64
	list      []placed // the largest first
	load, due []int64
	filled    []int64 // in bytes
	moves     []DirMove
	left      []Left
}

func newShelf(b Broker, list []placed, tolerance float64) *shelf {
	d := &shelf{Broker: b, tolerance: tolerance, list: list, load: make([]int64, len(b.Dirs)),
		due: make([]int64, len(b.Dirs)), filled: make([]int64, len(b.Dirs))}
	slices.SortFunc(d.list, func(x, y placed) int {
		return cmp.Or(cmp.Compare(y.Bytes, x.Bytes), cmp.Compare(x.Topic, y.Topic),
			cmp.Compare(x.ID, y.ID))
	})
	var total, capacity int64
	takers, known := 0, true
	for _, r := range d.list {
		d.load[r.Dir] += r.Bytes + floor
		d.filled[r.Dir] += r.Bytes
	}
	for i, dir := range b.Dirs {
		if dir.Standing != Down {
			total += d.load[i]
		}
		if d.takes(i) {
			takers++
			capacity += dir.Capacity
			known = known && dir.Capacity > 0
		}
	}
	for i, dir := range b.Dirs {
		switch {
		case !d.takes(i):
		case known:
			d.due[i] = int64(float64(total) * float64(dir.Capacity) / float64(capacity))
		default:
			d.due[i] = total / int64(takers)
		}
	}
	return d
}

func (d *shelf) takes(dir int) bool {
	standing := d.Dirs[dir].Standing
	return standing == InService || standing == Added
}

// roomiest is the directory that is the farthest below its due and can take a replica, -1 for none.
func (d *shelf) roomiest(r placed) int {
	best := -1
	for i, dir := range d.Dirs {
		if i == r.Dir || !d.takes(i) ||
			dir.Capacity > 0 && d.filled[i]+r.Bytes > dir.Capacity/100*fullest {
			continue
		}
		if best < 0 || d.due[i]-d.load[i] > d.due[best]-d.load[best] {
			best = i
		}
	}
	return best
}

func (d *shelf) move(r *placed, to int) {
	d.moves = append(d.moves, DirMove{d.ID, r.Topic, r.Partition.ID, d.Dirs[r.Dir].Path,
		d.Dirs[to].Path, r.Bytes})
	d.load[r.Dir] -= r.Bytes + floor
	d.load[to] += r.Bytes + floor
	d.filled[r.Dir] -= r.Bytes
	d.filled[to] += r.Bytes
	r.Dir = to
}

// clear empties the directories that leave.
func (d *shelf) clear() {
	for i := range d.list {
		r := &d.list[i]
		switch d.Dirs[r.Dir].Standing {
		case Leaving:
			if to := d.roomiest(*r); to >= 0 {
				d.move(r, to)
				continue
			}
			d.left = append(d.left, Left{r.Topic, r.Partition.ID, d.ID,
				"no other log directory of the broker has room for it"})
		case Down:
			d.left = append(d.left, Left{r.Topic, r.Partition.ID, d.ID,
				"its log directory " + d.Dirs[r.Dir].Path + " is down"})
		}
	}
}

// level moves what is above the tolerance, or fills what is below it, the largest that fit first.
func (d *shelf) level() {
	for i := range d.list {
		r := &d.list[i]
		from, weight := r.Dir, r.Bytes+floor
		if !d.takes(from) || weight > d.load[from]-d.due[from] {
			continue
		}
		to := d.roomiest(*r)
		if to < 0 || weight > d.due[to]-d.load[to] {
			continue
		}
		over := float64(d.load[from]) > float64(d.due[from])*(1+d.tolerance)
		under := float64(d.load[to]) < float64(d.due[to])*(1-d.tolerance)
		if over || under {
			d.move(r, to)
		}
	}
}
