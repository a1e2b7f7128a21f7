package mesoshttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/mesos/mesos-go/api/v1/lib/encoding"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/codecs"
	"github.com/mesos/mesos-go/api/v1/lib/encoding/framing"
)

// codecFor gives mesos-go's codec: protobuf, or JSON, which people can read.
func codecFor(readable bool) encoding.Codec {
	if readable {
		return codecs.ByMediaType[codecs.MediaTypeJSON]
	}
	return codecs.ByMediaType[codecs.MediaTypeProtobuf]
}

func encodeMessage(codec encoding.Codec, m encoding.Marshaler) ([]byte, error) {
	var body bytes.Buffer
	if err := codec.NewEncoder(encoding.SinkWriter(&body)).Encode(m); err != nil {
		return nil, fmt.Errorf("encoding a message: %w", err)
	}
	return body.Bytes(), nil
}

// errUndecodable marks a record that is whole and cannot be understood.
var errUndecodable = errors.New("a record cannot be decoded")

// recordDecoder reads one message after the other from a RecordIO stream.
type recordDecoder struct {
	codec   encoding.Codec
	records *recordReader
}

func newRecordDecoder(codec encoding.Codec, r io.Reader) *recordDecoder {
	return &recordDecoder{codec: codec, records: newRecordReader(r)}
}

// next decodes the next record into m. An error that is errUndecodable concerns this record
// alone; any other ends the stream.
func (d *recordDecoder) next(m encoding.Unmarshaler) error {
	record, err := d.records.ReadFrame()
	if err != nil {
		return err
	}
	return decodeMessage(d.codec, record, m)
}

// decodeMessage decodes one message. The generated decoders index into what they read; a panic
// in one of them is the sender's mistake, and becomes an error.
func decodeMessage(codec encoding.Codec, body []byte, m encoding.Unmarshaler) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", errUndecodable, r)
		}
	}()
	for range maxUnknownEnums {
		if err = decodeOnce(codec, body, m); err == nil {
			return nil
		}
		unknown := unknownEnum.FindStringSubmatch(err.Error())
		if codec.Name != codecs.NameJSON || unknown == nil {
			break
		}
		if body, err = withoutEnum(body, unknown[1]); err != nil {
			break
		}
		reset(m)
	}
	return fmt.Errorf("%w: %w", errUndecodable, err)
}

func decodeOnce(codec encoding.Codec, body []byte, m encoding.Unmarshaler) error {
	source := func() framing.Reader {
		return framing.ReaderFunc(func() ([]byte, error) { return body, nil })
	}
	return codec.NewDecoder(source).Decode(m)
}

func reset(m encoding.Unmarshaler) {
	if m, can := m.(interface{ Reset() }); can {
		m.Reset()
	}
}

// maxUnknownEnums bounds how many unknown names of enums one JSON message may hold.
const maxUnknownEnums = 16

// unknownEnum finds the name in mesos-go's error.
var unknownEnum = regexp.MustCompile(`unrecognized enum \S+ value "([^"]+)"`)

// withoutEnum takes an enum's value that mesos-go does not know out of a JSON message, since an
// unknown value is to read as absent. In protobuf it travels as a number and needs no help.
func withoutEnum(body []byte, name string) ([]byte, error) {
	var tree any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	if !dropEnum(tree, name) {
		return nil, fmt.Errorf("the unknown enum value %q stands where no enum does", name)
	}
	return json.Marshal(tree)
}

func dropEnum(tree any, name string) (dropped bool) {
	switch node := tree.(type) {
	case []any:
		for _, child := range node {
			dropped = dropEnum(child, name) || dropped
		}
	case map[string]any:
		for key, child := range node {
			switch key {
			case "type", "state", "reason", "source", "visibility", "mode", "protocol":
				if child == name {
					delete(node, key)
					dropped = true
				}
			}
			dropped = dropEnum(child, name) || dropped
		}
	}
	return dropped
}
