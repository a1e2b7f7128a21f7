package kafkadist

import (
	"context"
	"io"
)

// Stage names what a fetch is busy with.
type Stage string

// The stages of a fetch, in their usual order. A cached distribution passes only Cached.
const (
	Cached   Stage = "cached"   // the cache had it
	Waiting  Stage = "waiting"  // another process fetches the same source
	Download Stage = "download" // an archive's URL is read
	Resolve  Stage = "resolve"  // mvn resolves and downloads
	Unpack   Stage = "unpack"   // an archive is unpacked
	Verify   Stage = "verify"   // the jars are checked
	Warning  Stage = "warning"  // something that the operator should know; the fetch goes on
	Pack     Stage = "pack"     // the archive for the agents is written
	Ready    Stage = "ready"    // the archive is in the cache
)

// Progress is one piece of news from a fetch.
type Progress struct {
	Stage Stage
	// Text is one line for people.
	Text string
	// Done and Total are bytes; both are 0 where bytes mean nothing, Total also where it is
	// unknown.
	Done, Total int64
}

// report hands news to the callback, one at a time.
func (c *Cache) report(p Progress) {
	if c.progress == nil {
		return
	}
	c.reporting.Lock()
	defer c.reporting.Unlock()
	c.progress(p)
}

// reportEvery is how many bytes pass between two pieces of news.
const reportEvery = 4 << 20

// meter passes bytes on, reports them, and ends with the context's error when that ends.
type meter struct {
	ctx      context.Context
	from     io.Reader
	report   func(Progress)
	news     Progress
	reported int64
}

func (m *meter) Read(p []byte) (int, error) {
	if err := context.Cause(m.ctx); err != nil {
		return 0, err
	}
	n, err := m.from.Read(p)
	m.news.Done += int64(n)
	complete := m.news.Done == m.news.Total && m.news.Done > m.reported
	if complete || m.news.Done-m.reported >= reportEvery {
		m.reported = m.news.Done
		m.report(m.news)
	}
	return n, err
}
