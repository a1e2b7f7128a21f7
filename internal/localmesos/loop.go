package localmesos

import (
	"errors"
	"fmt"
	"time"
)

// errClosed is what callers see when the cluster is closed.
var errClosed = errors.New("localmesos is closed")

// run is the loop: it alone touches the cluster's state. After each batch of
// inbox entries the dirty records are committed, and then the effects run. A
// simulation has nothing to lose, and stores them when it ends in order.
func (c *Cluster) run() {
	defer close(c.loopDone)
	for {
		var f func()
		if len(c.local) > 0 {
			f, c.local = c.local[0], c.local[1:]
		} else {
			select {
			case f = <-c.inbox:
			case <-c.stop:
				if err := c.commit(); err != nil {
					c.fail(fmt.Errorf("writing the state file: %w", err))
				}
				return
			}
		}
		f()
		c.drain()
		if !c.cfg.Simulate {
			if err := c.commit(); err != nil {
				c.fail(fmt.Errorf("writing the state file: %w", err))
				return
			}
		}
		c.flush()
	}
}

// drain takes what is already waiting, so that one commit serves many entries.
func (c *Cluster) drain() {
	for range 64 {
		if len(c.local) > 0 {
			var f func()
			f, c.local = c.local[0], c.local[1:]
			f()
			continue
		}
		select {
		case f := <-c.inbox:
			f()
		default:
			return
		}
	}
}

func (c *Cluster) commit() error {
	if len(c.dirty) == 0 {
		return nil
	}
	changes := make([]change, 0, len(c.dirty))
	for _, k := range sortedKeys(c.dirty) {
		changes = append(changes, c.dirty[k])
	}
	clear(c.dirty)
	return c.reg.write(changes)
}

func (c *Cluster) flush() {
	effects := c.effects
	c.effects = nil
	for _, f := range effects {
		f()
	}
}

// save marks a record as dirty; its state at the end of the batch is stored.
func (c *Cluster) save(bucket, key string, value any) {
	c.dirty[bucket+"\x00"+key] = change{bucket, key, value}
}

// drop marks a record for deletion.
func (c *Cluster) drop(bucket, key string) {
	c.dirty[bucket+"\x00"+key] = change{bucket, key, nil}
}

// after queues an effect. Effects run in the loop, after the commit; they must
// not change state and must not block.
func (c *Cluster) after(f func()) { c.effects = append(c.effects, f) }

// next queues an entry from inside of the loop.
func (c *Cluster) next(f func()) { c.local = append(c.local, f) }

// post hands an entry to the loop from any other goroutine. It reports false if
// the loop has ended and the entry will not run.
func (c *Cluster) post(f func()) bool {
	select {
	case c.inbox <- f:
		return true
	case <-c.loopDone:
		return false
	}
}

// background runs f outside of the loop; Close waits for it.
func (c *Cluster) background(f func()) {
	c.wg.Add(1)
	go func() {
		defer c.wg.Done()
		f()
	}()
}

// timer is a timer whose function runs in the loop.
type timer struct {
	t       *time.Timer
	stopped bool
}

// later runs f in the loop after d, unless the timer is stopped before.
func (c *Cluster) later(d time.Duration, f func()) *timer {
	tm := &timer{}
	tm.t = time.AfterFunc(d, func() {
		c.post(func() {
			if !tm.stopped {
				f()
			}
		})
	})
	return tm
}

// cancel stops a timer; it may be nil. Only the loop calls it.
func (tm *timer) cancel() {
	if tm != nil {
		tm.stopped = true
		tm.t.Stop()
	}
}

// ask runs f in the loop and returns its result once that is on disk.
// It does not end early when the caller's client goes away: a subscription that
// was made must be unmade by the caller.
func ask[T any](c *Cluster, f func() T) (T, error) {
	reply := make(chan T, 1)
	ok := c.post(func() {
		v := f()
		c.after(func() { reply <- v })
	})
	var zero T
	if !ok {
		return zero, errClosed
	}
	select {
	case v := <-reply:
		return v, nil
	case <-c.loopDone:
		return zero, errClosed
	}
}
