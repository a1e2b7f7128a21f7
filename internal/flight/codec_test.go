package flight

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// TestKinds says that every type that implements the interfaces of events can be recorded.
func TestKinds(t *testing.T) {
	for kind, in := range map[string]struct{ folder, method string }{
		fromMesos: {"../mesos", "event"}, commanded: {"../../scheduler", "command"},
		changed: {"../../scheduler", "kafkaChange"},
	} {
		want := implementations(t, in.folder, in.method)
		var have []string
		for name := range maps.Keys(types) {
			if rest, ok := strings.CutPrefix(name, kind); ok {
				have = append(have, rest)
			}
		}
		if slices.Sort(have); len(have) == 0 || !slices.Equal(have, want) {
			t.Errorf("%s can be recorded for %v, and there are %v", kind, have, want)
		}
	}
	if events := implementations(t, "../../scheduler", "event"); len(events) != 8 {
		t.Errorf("there are other events: %v", events)
	}
}

// implementations are the types in a folder that have a method.
func implementations(t *testing.T, folder, method string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil || f.Name.Name != method || f.Type.Params.NumFields() > 0 {
				continue
			}
			if name, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
				names = append(names, name.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// TestEvents encodes and decodes an event of each type, with something in each of its fields, and
// with nothing in any.
func TestEvents(t *testing.T) {
	check := func(ev scheduler.Event) {
		t.Helper()
		kind, data, err := encode(ev)
		if err != nil {
			t.Fatal(err)
		}
		var line bytes.Buffer
		want := fmt.Sprintf("event 1970-01-01T00:00:00Z %s %s ", kind, data)
		if err := writeEvent(&line, time.Unix(0, 0), ev); err != nil ||
			!strings.HasPrefix(line.String(), want) {
			t.Errorf("%s is written as %s: %v", data, line.Bytes(), err)
		}
		got, err := decode(kind, data)
		if err != nil || !reflect.DeepEqual(got, ev) {
			t.Errorf("%s became %#v, was %#v: %v", data, got, ev, err)
		}
	}
	for kind, of := range types {
		for _, full := range []bool{false, true} {
			v := reflect.New(of).Elem()
			if full {
				fill(t, v)
			}
			switch value := v.Interface().(type) {
			case mesos.Event:
				check(scheduler.FromMesos{Event: value})
			case scheduler.Command:
				check(scheduler.Commanded{ID: 3, Command: value,
					Caller: scheduler.Caller{Who: "ann", Reason: "why"}})
			case scheduler.KafkaChange:
				check(scheduler.KafkaChanged{Change: value, Error: "no"})
			default:
				t.Errorf("%s is no event", kind)
			}
		}
	}
	var facts scheduler.KafkaFacts
	check(scheduler.FromKafka{Facts: facts})
	fill(t, reflect.ValueOf(&facts).Elem())
	check(scheduler.FromKafka{Facts: facts})
	check(scheduler.Tick{})
	var moves scheduler.FromMoves
	check(moves)
	fill(t, reflect.ValueOf(&moves).Elem())
	check(moves)
	var drift scheduler.FromConfigs
	check(drift)
	fill(t, reflect.ValueOf(&drift).Elem())
	check(drift)
	var roles scheduler.ZooKeeperFacts
	fill(t, reflect.ValueOf(&roles).Elem())
	check(scheduler.FromZooKeeper{Facts: roles})
	if _, _, err := encode(nil); err == nil {
		t.Error("nothing is an event")
	}
}

// fullSpec has some of what a spec can say.
const fullSpec = `
name: x
pods:
  p:
    count: 2
    placement: '[["hostname","UNIQUE"]]'
    tasks:
      t:
        goal: RUNNING
        cmd: x
        cpus: 0.5
        memory: 64
        volume: {path: d, type: PATH, size: 5}
        readiness-check: {cmd: y, interval: 1, timeout: 5}
`

// fill puts something into each field.
func fill(t *testing.T, v reflect.Value) {
	t.Helper()
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)))
		return
	case rolling.Facts: // whose own test says that it becomes itself
		v.Set(reflect.ValueOf(rolling.NewBuilder(time.Unix(5, 0).UTC()).Facts()).Elem())
		return
	case servicespec.Service:
		service, problems := servicespec.Parse("x.yml", []byte(fullSpec), nil)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		v.Set(reflect.ValueOf(service))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(t, v.Index(0))
		fill(t, v.Index(1))
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key)
		fill(t, value)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem())
	case reflect.String:
		v.SetString("text \"with\nall\"")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(5)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(0.5)
	default:
		t.Fatalf("there is no value for a %s", v.Type())
	}
}
