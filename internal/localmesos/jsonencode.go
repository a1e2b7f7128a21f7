package localmesos

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// encodeJSON writes a message as Mesos does: fields that are not set are left
// out, doubles have a fraction, bytes are base64. A repeated field is left out
// when nil and written as [] when it is empty but not nil.
func encodeJSON(message any) []byte {
	v := reflect.ValueOf(message)
	for v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return appendMessage(nil, v)
}

// quotaV2 is a capability of masters that mesos-go has no name for.
const quotaV2 = mesos.MasterInfo_Capability_Type(3)

func appendMessage(b []byte, v reflect.Value) []byte {
	b = append(b, '{')
	first := true
	for _, f := range fieldsOf(v.Type()) {
		fv := v.Field(f.index)
		if !isPresent(fv, f) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(strconv.AppendQuote(b, f.name), ':')
		at := len(b)
		b = appendValue(b, fv, f)
		if extra := later(v, f.name, b[at:]); extra != nil {
			b = append(b[:at], extra...)
		}
	}
	return append(b, '}')
}

// later adds what Mesos writes in a field beyond what mesos-go knows, with the
// values that it always has here; and leaves it out of the events that do not
// show it. It returns nil when nothing changes.
func later(v reflect.Value, name string, text []byte) []byte {
	switch v.Type() {
	case agentType:
		if name == "agent_info" {
			return append(bytes.Clone(text[:len(text)-1]), checkpointed...)
		}
	case agentsType:
		if name == "recovered_agents" {
			return recoveredAgents(v)
		}
	case frameworkType:
		if name == "framework_info" {
			return append(bytes.Clone(text), constraints...)
		}
	case agentAddedType:
		return bytes.Replace(text, []byte(checkpointed), []byte("}"), 1)
	case frameworkAddedType, frameworkUpdatedType:
		return bytes.Replace(text, []byte(constraints), nil, 1)
	}
	return nil
}

var (
	agentType            = reflect.TypeFor[master.Response_GetAgents_Agent]()
	agentsType           = reflect.TypeFor[master.Response_GetAgents]()
	frameworkType        = reflect.TypeFor[master.Response_GetFrameworks_Framework]()
	agentAddedType       = reflect.TypeFor[master.Event_AgentAdded]()
	frameworkAddedType   = reflect.TypeFor[master.Event_FrameworkAdded]()
	frameworkUpdatedType = reflect.TypeFor[master.Event_FrameworkUpdated]()
)

const (
	checkpointed = `,"checkpoint":true}`
	constraints  = `,"offer_constraints":{}`
)

// recoveredAgents are those of GET_AGENTS that are only known from the registry.
func recoveredAgents(v reflect.Value) []byte {
	var list [][]byte
	agents := v.FieldByName("RecoveredAgents")
	for i := range agents.Len() {
		text := appendMessage(nil, agents.Index(i))
		list = append(list, append(text[:len(text)-1], checkpointed...))
	}
	return append(append([]byte("["), bytes.Join(list, []byte(","))...), ']')
}

// isPresent tells whether a field is to be written. Optional scalars that are
// not pointers exist only for enums, whose zero value means "not set".
func isPresent(v reflect.Value, f field) bool {
	if f.required {
		return true
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return !v.IsNil()
	default:
		return !v.IsZero()
	}
}

func appendValue(b []byte, v reflect.Value, f field) []byte {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return append(b, "null"...)
		}
		v = v.Elem()
	}
	if f.enum && v.Kind() == reflect.Int32 {
		name := v.Interface().(fmt.Stringer).String()
		if v.Interface() == quotaV2 {
			name = "QUOTA_V2"
		}
		return strconv.AppendQuote(b, name)
	}
	switch v.Kind() {
	case reflect.Struct:
		return appendMessage(b, v)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return append(append(append(b, '"'),
				base64.StdEncoding.EncodeToString(v.Bytes())...), '"')
		}
		b = append(b, '[')
		for i := range v.Len() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, v.Index(i), f)
		}
		return append(b, ']')
	case reflect.Map:
		return appendMap(b, v, f)
	case reflect.Float64, reflect.Float32:
		return appendFloat(b, v.Float())
	case reflect.Int32, reflect.Int64:
		return strconv.AppendInt(b, v.Int(), 10)
	case reflect.Uint32, reflect.Uint64:
		return strconv.AppendUint(b, v.Uint(), 10)
	case reflect.Bool:
		return strconv.AppendBool(b, v.Bool())
	default:
		return appendString(b, v.String())
	}
}

func appendMap(b []byte, v reflect.Value, f field) []byte {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int {
		return strings.Compare(x.String(), y.String())
	})
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k.String()), ':')
		b = appendValue(b, v.MapIndex(k), f)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a string cannot fail to marshal: %v", err))
	}
	return append(b, quoted...)
}

func appendFloat(b []byte, f float64) []byte {
	at := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	for _, c := range b[at:] {
		if c == '.' || c == 'N' || c == 'I' {
			return b
		}
	}
	return append(b, ".0"...)
}
