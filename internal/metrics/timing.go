package metrics

import (
	"math"
	"slices"
	"time"
)

// Rates is how often something happened: in all, and per second from the start on and over the
// last one, five and fifteen minutes, as the load of a machine is told.
type Rates struct {
	Count             int64
	Mean, M1, M5, M15 float64
}

// Durations is how often something was done and how many seconds it took: the last ones, and
// of these the shares of oldQuantiles that took less.
type Durations struct {
	Rates
	Min, Max, Mean, Deviation float64
	Quantiles                 [len(oldQuantiles)]float64
}

// oldQuantiles are those that the predecessor told.
var oldQuantiles = [...]float64{0.5, 0.75, 0.95, 0.98, 0.99, 0.999}

// period is how often the averages of a meter move.
const period = 5 * time.Second

// windows are what the averages are over.
var windows = [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute}

// meter measures rates.
type meter struct {
	began, moved time.Time // moved is up to when the averages are
	count, fresh int64     // fresh came since
	averages     [len(windows)]float64
}

func newMeter(now time.Time) meter { return meter{began: now, moved: now} }

func (m *meter) mark(now time.Time) {
	m.move(now)
	m.count++
	m.fresh++
}

// move brings the averages up to now: what came falls into the first period that ended since
// they were moved, and in those after it nothing did.
func (m *meter) move(now time.Time) {
	periods := int64(now.Sub(m.moved) / period)
	if periods < 1 {
		return
	}
	first := m.moved.Equal(m.began)
	rate := float64(m.fresh) / period.Seconds()
	for i, window := range windows {
		keep := math.Exp(-period.Seconds() / window.Seconds())
		average := rate + keep*(m.averages[i]-rate)
		if first {
			average = rate
		}
		m.averages[i] = average * math.Pow(keep, float64(periods-1))
	}
	m.fresh = 0
	m.moved = m.moved.Add(time.Duration(periods) * period)
}

func (m *meter) rates(now time.Time) Rates {
	m.move(now)
	r := Rates{Count: m.count, M1: m.averages[0], M5: m.averages[1], M15: m.averages[2]}
	if age := now.Sub(m.began).Seconds(); age > 0 {
		r.Mean = float64(m.count) / age
	}
	return r
}

// remembered is how many durations a timer keeps.
const remembered = 1024

// timer measures durations.
type timer struct {
	meter
	last []float64 // seconds; once it is full, a ring
}

func newTimer(now time.Time) timer { return timer{meter: newMeter(now)} }

func (t *timer) took(now time.Time, d time.Duration) {
	if len(t.last) < remembered {
		t.last = append(t.last, d.Seconds())
	} else {
		t.last[t.count%remembered] = d.Seconds()
	}
	t.mark(now)
}

func (t *timer) durations(now time.Time) Durations {
	d := Durations{Rates: t.rates(now)}
	n := len(t.last)
	if n == 0 {
		return d
	}
	list := slices.Sorted(slices.Values(t.last))
	d.Min, d.Max = list[0], list[n-1]
	for _, s := range list {
		d.Mean += s / float64(n)
	}
	for _, s := range list {
		d.Deviation += (s - d.Mean) * (s - d.Mean) / float64(n)
	}
	d.Deviation = math.Sqrt(d.Deviation)
	for i, share := range oldQuantiles {
		d.Quantiles[i] = list[min(int(share*float64(n)), n-1)]
	}
	return d
}
