package flight

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/store"
	"github.com/kafka-sched/kafka-sched/scheduler"
)

// ErrForeign says that a file is no recording, or one of a newer release.
var ErrForeign = errors.New("it is no recording that this release can read")

// settings are a machine's Config as it is recorded: without what draws ids.
type settings scheduler.Config

// MarshalJSON implements json.Marshaler.
func (s settings) MarshalJSON() ([]byte, error) {
	s.UUID = nil
	type plain settings // whose field UUID is left out below
	return json.Marshal(struct {
		plain
		UUID *struct{} `json:",omitempty"`
	}{plain: plain(s)})
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *settings) UnmarshalJSON(data []byte) error {
	type plain settings
	return json.Unmarshal(data, (*plain)(s))
}

// Player replays a segment.
type Player struct {
	lines   *bufio.Reader
	next    string // the line that was read too far, "" for none
	cfg     scheduler.Config
	machine *scheduler.Machine
	hard    scheduler.Hard
	draws   [][16]byte
	short   bool // more ids were drawn than recorded
	n       int
	// End is what the last line says, known once all steps are taken: "end", "crash" or "" for a
	// process that was killed.
	End string
	// Crash is what the machine panicked with, as recorded.
	Crash string
	sum   string // of the state in the end
}

// Step is one event with what came of it, now and as recorded.
type Step struct {
	// N counts the steps, from 1.
	N     int
	At    time.Time
	Event scheduler.Event
	// Text is the event in words.
	Text string
	Out  scheduler.Output
	// Panic is what the machine panicked with, "" if it did not.
	Panic string
	// Differs says what is not as it was, "" if all is.
	Differs string
	// Kept says that the process got so far that the state up to here was to be stored.
	Kept bool
	// drawn are the ids that were drawn.
	drawn [][16]byte
}

// Open reads how a segment begins, compressed or not, and makes the machine for it.
func Open(r io.Reader) (*Player, error) {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForeign, err)
		}
		in = bufio.NewReader(unzipped)
	}
	p := &Player{lines: in}
	if line, err := p.line(); err != nil || line != title {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrForeign, title)
	}
	entries := map[string][]byte{}
	for {
		line, err := p.line()
		if err != nil && err != io.EOF {
			return nil, err
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "config":
			if err := json.Unmarshal([]byte(rest), (*settings)(&p.cfg)); err != nil {
				return nil, fmt.Errorf("%w: its configuration: %w", ErrForeign, err)
			}
		case "state":
			key, value, _ := strings.Cut(rest, " ")
			entries[key] = []byte(value)
		default:
			p.next = line
			return p, p.restore(entries)
		}
	}
}

// restore makes the machine.
func (p *Player) restore(entries map[string][]byte) (err error) {
	if p.hard, err = store.Decode(entries); err != nil {
		return fmt.Errorf("%w: its state: %w", ErrForeign, err)
	}
	p.cfg.UUID = func() (id [16]byte) {
		if len(p.draws) == 0 {
			p.short = true
			return id
		}
		id, p.draws = p.draws[0], p.draws[1:]
		return id
	}
	p.machine = scheduler.Restore(p.cfg, p.hard)
	return nil
}

// line gives the next line, io.EOF behind the last whole one.
func (p *Player) line() (string, error) {
	if p.next != "" {
		line := p.next
		p.next = ""
		return line, nil
	}
	line, err := p.lines.ReadString('\n')
	if errors.Is(err, io.ErrUnexpectedEOF) || err == io.EOF {
		return "", io.EOF // what is not whole was never acted on
	}
	if err != nil {
		return "", fmt.Errorf("reading the recording: %w", err)
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// Hard is the state after the steps that were taken.
func (p *Player) Hard() scheduler.Hard { return p.machine.Hard() }

// given is one step as it is in the file.
type given struct {
	at    time.Time
	event scheduler.Event
	draws [][16]byte
	made  string
	kept  bool
}

// read reads a step; io.EOF says that there is none any more.
func (p *Player) read() (g given, err error) {
	line, err := p.line()
	if err != nil {
		return g, err
	}
	word, rest, _ := strings.Cut(line, " ")
	if word != "event" {
		return g, p.ended(word, rest)
	}
	if g.at, g.event, err = parseEvent(rest); err != nil {
		return g, fmt.Errorf("step %d: %w", p.n+1, err)
	}
	for {
		line, err := p.line()
		if err == io.EOF && g.made == "" {
			return g, io.EOF
		}
		if err != nil && err != io.EOF {
			return g, err
		}
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "draws":
			if g.draws, err = parseDraws(rest); err != nil {
				return g, fmt.Errorf("step %d: %w", p.n+1, err)
			}
		case "made":
			g.made = rest
		case "kept":
			g.kept = true
		case "crash":
			return g, p.ended(word, rest)
		default:
			p.next = line
			return g, nil
		}
	}
}

// ended reads how a segment ends; a crash leaves its step to be taken.
func (p *Player) ended(word, rest string) error {
	switch word {
	case "end":
		p.End, p.sum = word, rest
		return io.EOF
	case "crash":
		p.End = word
		_, err := fmt.Sscanf(rest, "%q", &p.Crash)
		return err
	default:
		return fmt.Errorf("%w: a line begins with %q", ErrForeign, word)
	}
}

// parseEvent reads "TIME KIND JSON text".
func parseEvent(text string) (at time.Time, ev scheduler.Event, err error) {
	stamp, rest, _ := strings.Cut(text, " ")
	kind, rest, _ := strings.Cut(rest, " ")
	if at, err = time.Parse(time.RFC3339Nano, stamp); err != nil {
		return at, nil, err
	}
	var data json.RawMessage
	if err = json.NewDecoder(strings.NewReader(rest)).Decode(&data); err != nil {
		return at, nil, fmt.Errorf("reading a %s: %w", kind, err)
	}
	if ev, err = decode(kind, data); err != nil {
		err = fmt.Errorf("reading a %s: %w", kind, err)
	}
	return at, ev, err
}

func parseDraws(text string) (ids [][16]byte, err error) {
	for _, word := range strings.Fields(text) {
		bytes, err := hex.DecodeString(word)
		if err != nil || len(bytes) != 16 {
			return nil, fmt.Errorf("%q is no id: %w", word, err)
		}
		ids = append(ids, [16]byte(bytes))
	}
	return ids, nil
}

// Next takes a step; io.EOF says that all were taken, and what the end has to say is then checked.
func (p *Player) Next() (Step, error) {
	g, err := p.read()
	if err == io.EOF {
		return Step{}, p.check()
	}
	if err != nil {
		return Step{}, err
	}
	p.n++
	p.draws, p.short = g.draws, false
	s := Step{N: p.n, At: g.at, Event: g.event, Text: scheduler.EventText(g.event), Kept: g.kept,
		drawn: g.draws}
	s.Out, s.Panic = p.step(g)
	made, err := madeText(s.Out)
	switch {
	case err != nil:
		return s, err
	case s.Panic != p.Crash:
		s.Differs = fmt.Sprintf("the machine panics with %q, and it was %q", s.Panic, p.Crash)
	case p.short || len(p.draws) > 0:
		s.Differs = fmt.Sprintf("not as many ids are drawn as were: %d", len(g.draws))
	case s.Panic == "" && made != g.made:
		s.Differs = fmt.Sprintf("it makes %s, and it was %s", made, g.made)
	}
	return s, nil
}

// step gives the machine an event.
func (p *Player) step(g given) (out scheduler.Output, panicked string) {
	defer func() {
		if why := recover(); why != nil {
			panicked = fmt.Sprint(why)
		}
	}()
	return p.machine.Step(g.at, g.event), ""
}

// madeText is what the line "made" says of an output.
func madeText(out scheduler.Output) (string, error) {
	sum, err := sumOf(out)
	return fmt.Sprintf("writes=%d calls=%d sum=%s", len(out.Writes), len(out.Calls), sum), err
}

// ErrDiffers says that the state in the end is not what it was.
var ErrDiffers = errors.New("the state in the end is not what it was")

// check compares the state in the end; it gives io.EOF if all is well.
func (p *Player) check() error {
	if p.End != "end" {
		return io.EOF
	}
	sum, err := stateSum(p.Hard())
	if err != nil {
		return err
	}
	if sum != p.sum {
		return fmt.Errorf("%w: its sum is %s, and it was %s", ErrDiffers, sum, p.sum)
	}
	return io.EOF
}
