package balance

import "slices"

// Limits are how much may be on its way at a time.
type Limits struct {
	// PerBroker is how many moves may read from, write to or leave one broker; 0 is five.
	PerBroker int
	// Total is how many moves there may be in the cluster; 0 is a thousand.
	Total int
	// Leaders is how many may only change their leader; 0 is a thousand.
	Leaders int
}

func orElse(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

// Batches cuts moves into portions to be carried out one after another. Within each, no limit is
// passed. Leaders move last, when the data is where it should be.
func Batches(moves []Move, l Limits) [][]Move {
	var data []waiting
	var leaders []Move
	index := make(map[BrokerID]int)
	for _, m := range moves {
		if !Copies(m) {
			leaders = append(leaders, m)
			continue
		}
		w := waiting{move: m}
		for _, b := range touched(m) {
			if _, ok := index[b]; !ok {
				index[b] = len(index)
			}
			w.brokers = append(w.brokers, index[b])
		}
		data = append(data, w)
	}
	perBroker, total := orElse(l.PerBroker, 5), orElse(l.Total, 1000)
	busy := make([]int, len(index))
	var batches [][]Move
	for len(data) > 0 {
		clear(busy)
		var batch []Move
		data = slices.DeleteFunc(data, func(w waiting) bool {
			goes := len(batch) < total && w.takes(busy, perBroker)
			if goes {
				batch = append(batch, w.move)
			}
			return goes
		})
		batches = append(batches, batch)
	}
	for n := orElse(l.Leaders, 1000); len(leaders) > 0; leaders = leaders[min(n, len(leaders)):] {
		batches = append(batches, leaders[:min(n, len(leaders))])
	}
	return batches
}

// waiting is a move that is in no batch yet, and the brokers that it keeps busy.
type waiting struct {
	move    Move
	brokers []int
}

// takes counts a move if none of its brokers has too many.
func (w waiting) takes(busy []int, limit int) bool {
	for _, b := range w.brokers {
		if busy[b] >= limit {
			return false
		}
	}
	for _, b := range w.brokers {
		busy[b]++
	}
	return true
}

// Copies reports whether a move copies data, and does not only change the order of replicas.
func Copies(m Move) bool {
	if m.Inside() {
		return true
	}
	for _, b := range m.After {
		if !slices.Contains(m.Before, b) {
			return true
		}
	}
	return false
}

// touched are the brokers that a move keeps busy, each once: those that get a replica, those that
// lose one, and the one that is read from.
func touched(m Move) []BrokerID {
	var list []BrokerID
	for i, b := range m.Before {
		if i == 0 || !slices.Contains(m.After, b) {
			list = append(list, b)
		}
	}
	for _, b := range m.After {
		if !slices.Contains(m.Before, b) {
			list = append(list, b)
		}
	}
	return list
}
