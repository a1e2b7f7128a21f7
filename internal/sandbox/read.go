package sandbox

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Stdout is the file of what a task prints, by the task's full name; Stderr that of its errors.
func Stdout(task string) string { return task + ".out" }

// Stderr is the file of a task's error output.
func Stderr(task string) string { return task + ".err" }

const (
	// mostRead is the largest piece that is asked for at once, in bytes.
	mostRead = 64 << 10
	// mostTail bounds what Tail gives, in bytes.
	mostTail = 16 << 20
)

// piece is an answer of /files/read.
type piece struct {
	Data   string `json:"data"`
	Offset int64  `json:"offset"`
}

// length is how many bytes of the file a piece stands for, of which there were so many left.
// Bytes that are not UTF-8 arrive as U+FFFD, so that the text's own length says nothing then.
func (p piece) length(left int64) int64 {
	if strings.ContainsRune(p.Data, '\uFFFD') {
		return min(mostRead, left)
	}
	return int64(len(p.Data))
}

// read reads a piece of a file; offset -1 gives the file's size as the offset.
func (s *Sandbox) read(ctx context.Context, file string, offset int64) (piece, error) {
	q := url.Values{"offset": {strconv.FormatInt(offset, 10)}}
	if offset >= 0 {
		q.Set("length", strconv.Itoa(mostRead))
	}
	res, err := s.files(ctx, "read", file, q)
	if err != nil {
		return piece{}, err
	}
	return decoded[piece](res)
}

// Size gives the size of a file in bytes.
func (s *Sandbox) Size(ctx context.Context, file string) (int64, error) {
	p, err := s.read(ctx, file, -1)
	return p.Offset, err
}

// Tail gives the last lines of a file, and the offset at which they end.
func (s *Sandbox) Tail(ctx context.Context, file string, lines int) (string, int64, error) {
	size, err := s.Size(ctx, file)
	if err != nil {
		return "", 0, err
	}
	var pieces []string // the last first
	ends, stop := 0, max(0, size-mostTail)
	for from := size; from > stop && ends <= lines; {
		begin := max(from-mostRead, 0)
		p, err := s.read(ctx, file, begin)
		if err != nil {
			return "", 0, err
		}
		data := p.Data[:min(int64(len(p.Data)), from-begin)]
		pieces = append(pieces, data)
		ends += strings.Count(data, "\n")
		from = begin
	}
	var text strings.Builder
	for i := len(pieces) - 1; i >= 0; i-- {
		text.WriteString(pieces[i])
	}
	return LastLines(text.String(), lines), size, nil
}

// LastLines gives the last lines of a text.
func LastLines(text string, lines int) string {
	if lines <= 0 {
		return ""
	}
	rest := strings.TrimSuffix(text, "\n")
	for range lines {
		i := strings.LastIndexByte(rest, '\n')
		if i < 0 {
			return text
		}
		rest = rest[:i]
	}
	return text[len(rest)+1:]
}

// Follow calls with what a file has from an offset on, and looks for more so often, until the
// context ends or the callback gives an error, which it returns. A file that became shorter was
// begun anew, or belongs to a new start of the executor, and is read from its beginning. An
// agent that does not answer, and a file that is not there, are asked for again.
func (s *Sandbox) Follow(
	ctx context.Context, file string, offset int64, every time.Duration,
	more func(text string) error,
) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		var stop caller
		next, err := s.rest(ctx, file, offset, more)
		if errors.As(err, &stop) {
			return stop.error
		}
		offset = next
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// caller is an error of the callback.
type caller struct{ error }

// rest gives what a file has from an offset to its end, and where that is.
func (s *Sandbox) rest(
	ctx context.Context, file string, offset int64, more func(text string) error,
) (int64, error) {
	size, err := s.Size(ctx, file)
	if err != nil {
		return offset, err
	}
	if size < offset {
		offset = 0
	}
	for offset < size {
		p, err := s.read(ctx, file, offset)
		if err != nil || p.Data == "" {
			return offset, err
		}
		if err := more(p.Data); err != nil {
			return offset, caller{err}
		}
		offset += p.length(size - offset)
	}
	return offset, nil
}
