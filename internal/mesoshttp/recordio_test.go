package mesoshttp

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/mesos/mesos-go/api/v1/lib/recordio"
)

func readAll(in io.Reader) (records []string, err error) {
	r := newRecordReader(in)
	for {
		record, err := r.ReadFrame()
		if err != nil {
			return records, err
		}
		records = append(records, string(record))
	}
}

// TestRecordIO shows what is a record and how a stream may end.
func TestRecordIO(t *testing.T) {
	for _, test := range []struct {
		name, in string
		want     []string
		err      string
	}{
		{"nothing", "", nil, "EOF"},
		{"two records", "5\nhello6\n world", []string{"hello", " world"}, "EOF"},
		{"line feeds inside", "3\n\n\n\n", []string{"\n\n\n"}, "EOF"},
		{"empty records are skipped", "0\n0\n1\na0\n", []string{"a"}, "EOF"},
		{"ends in a length", "12", nil, "reading a record's length: unexpected EOF"},
		{"ends in a record", "3\nab", nil, "reading a record of 3 bytes: unexpected EOF"},
		{"ends before a record", "3\n", nil, "reading a record of 3 bytes: unexpected EOF"},
		{"no length", "\n", nil, `a record's length is not a number: ""`},
		{"letters", "1\na<html>", []string{"a"}, `a record's length is not a number: "<"`},
		{"negative", "-1\n", nil, `a record's length is not a number: "-"`},
		{"signed", "+1\na", nil, `a record's length is not a number: "+"`},
		{"too many digits", strings.Repeat("0", 21) + "\n", nil,
			`a record's length is not a number: "000000000000000000000"`},
		{"too large a number", "99999999999999999999\n", nil,
			`a record's length is not a number: "99999999999999999999"`},
		{"one byte too large", "67108865\n", nil,
			"a record of 67108865 bytes is larger than 67108864"},
		{"promises much, holds little", "67108864\nx", nil,
			"reading a record of 67108864 bytes: unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, in := range []io.Reader{
				strings.NewReader(test.in),
				iotest.OneByteReader(strings.NewReader(test.in)),
			} {
				got, err := readAll(in)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("records (-want +got):\n%s", diff)
				}
				if err == nil || err.Error() != test.err {
					t.Errorf("ended with %v, want %s", err, test.err)
				}
			}
		})
	}
}

// TestRecordBufferIsFreed says that one large record does not keep its memory for ever.
func TestRecordBufferIsFreed(t *testing.T) {
	large := strings.Repeat("x", 3*keptBuffer)
	r := newRecordReader(strings.NewReader(
		strconv.Itoa(len(large)) + "\n" + large + "1\na"))
	for range 2 {
		if _, err := r.ReadFrame(); err != nil {
			t.Fatal(err)
		}
	}
	if kept := cap(r.buf); kept > keptBuffer {
		t.Errorf("%d bytes are kept after a large record", kept)
	}
}

// TestRecordReadError says that an error of the connection comes through.
func TestRecordReadError(t *testing.T) {
	broken := errors.New("connection reset")
	for _, in := range []string{"", "1", "5\nab"} {
		_, err := readAll(io.MultiReader(strings.NewReader(in), iotest.ErrReader(broken)))
		if !errors.Is(err, broken) {
			t.Errorf("after %q: %v", in, err)
		}
	}
}

// FuzzRecordIO reads garbage, and reads back what mesos-go writes of the records found.
func FuzzRecordIO(f *testing.F) {
	for _, seed := range []string{
		"", "5\nhello", "0\n1\na", "12", "\n", "99999999999\n", "1\na2\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		records, err := readAll(bytes.NewReader(in))
		if err == nil {
			t.Fatal("a stream ended without an error")
		}
		var written bytes.Buffer
		w := recordio.NewWriter(&written)
		for _, record := range records {
			if err := w.WriteFrame([]byte(record)); err != nil {
				t.Fatal(err)
			}
		}
		again, err := readAll(&written)
		if !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if diff := cmp.Diff(records, again); diff != "" {
			t.Error(diff)
		}
	})
}
