package mesoshttp

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// maxRecord is the largest record that is read; a larger one ends the connection. Offers of a
// thousand agents take some 2 MiB.
const maxRecord = 64 << 20

// keptBuffer is how much of a large record's buffer is kept for the next one.
const keptBuffer = 1 << 20

// recordReader splits a stream into RecordIO records: the length in decimal digits, a line
// feed, that many bytes. It is a framing.Reader for mesos-go's decoders. (mesos-go's own reader
// allocates half of its limit at once.)
type recordReader struct {
	in  *bufio.Reader
	buf []byte
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{in: bufio.NewReader(r)}
}

// ReadFrame gives the next record, which is valid until the next call. It returns io.EOF only
// at the end of a record; empty records are skipped.
func (r *recordReader) ReadFrame() ([]byte, error) {
	for {
		size, err := r.readSize()
		if err != nil {
			return nil, err
		}
		if size == 0 {
			continue
		}
		if cap(r.buf) > keptBuffer {
			r.buf = nil
		}
		if err := r.fill(int(size)); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("reading a record of %d bytes: %w", size, err)
		}
		return r.buf, nil
	}
}

// leastBuffer is how large a buffer is at least.
const leastBuffer = 4 << 10

// fill reads so many bytes. The buffer grows with what arrives, not with what the length promises,
// and not beyond that.
func (r *recordReader) fill(size int) error {
	r.buf = r.buf[:0]
	for len(r.buf) < size {
		if len(r.buf) == cap(r.buf) {
			more := make([]byte, len(r.buf), min(size, max(leastBuffer, 2*len(r.buf))))
			copy(more, r.buf)
			r.buf = more
		}
		begin := len(r.buf)
		r.buf = r.buf[:min(size, cap(r.buf))]
		if _, err := io.ReadFull(r.in, r.buf[begin:]); err != nil {
			return err
		}
	}
	return nil
}

func (r *recordReader) readSize() (int64, error) {
	const maxDigits = 20
	var digits []byte
	for {
		c, err := r.in.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(digits) == 0:
			return 0, io.EOF
		case errors.Is(err, io.EOF):
			return 0, fmt.Errorf("reading a record's length: %w", io.ErrUnexpectedEOF)
		case err != nil:
			return 0, fmt.Errorf("reading a record's length: %w", err)
		case c == '\n':
			return parseSize(digits)
		case c < '0' || c > '9' || len(digits) == maxDigits:
			return 0, fmt.Errorf("a record's length is not a number: %q", append(digits, c))
		}
		digits = append(digits, c)
	}
}

func parseSize(digits []byte) (int64, error) {
	size, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("a record's length is not a number: %q", digits)
	}
	if size > maxRecord {
		return 0, fmt.Errorf("a record of %d bytes is larger than %d", size, maxRecord)
	}
	return int64(size), nil
}
