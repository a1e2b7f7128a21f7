package store

import (
	"fmt"
	"reflect"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// source decides what a value is filled with.
type source interface {
	text(field string) string
	number(most int64) int64
	// size is the number of elements of a slice or map; -1 is nil.
	size() int
	// set says whether a pointer is set.
	set() bool
}

// filled makes a value with every field filled, by reflection: a field that is added to a type
// takes part in every test at once.
func filled[T any](s source) T {
	var v T
	fill(s, reflect.ValueOf(&v).Elem(), "")
	return v
}

func fill(s source, v reflect.Value, field string) {
	if special(s, v) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s.text(field))
	case reflect.Bool:
		v.SetBool(s.number(1) == 1)
	case reflect.Int, reflect.Int64:
		v.SetInt(s.number(1 << 40))
	case reflect.Int32:
		v.SetInt(s.number(1 << 30))
	case reflect.Uint64:
		v.SetUint(uint64(s.number(1 << 40)))
	case reflect.Pointer:
		if s.set() {
			v.Set(reflect.New(v.Type().Elem()))
			fill(s, v.Elem(), field)
		}
	case reflect.Slice:
		if n := s.size(); n >= 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				fill(s, v.Index(i), field)
			}
		}
	case reflect.Map:
		fillMap(s, v, field)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(s, v.Field(i), v.Type().Field(i).Name)
		}
	default:
		panic(fmt.Sprintf("no filling for %s", v.Type()))
	}
}

func fillMap(s source, v reflect.Value, field string) {
	n := s.size()
	if n < 0 {
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	for range n {
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(s, key, field+"Key")
		fill(s, value, field)
		switch value := value.Addr().Interface().(type) {
		case *scheduler.Pod: // the key is the record's own name
			key.Set(reflect.ValueOf(value.Name))
		case *scheduler.Leftover:
			key.Set(reflect.ValueOf(value.Reservation))
		case *scheduler.Agent:
			key.Set(reflect.ValueOf(value.ID))
		}
		v.SetMapIndex(key, value)
	}
}

// special fills values whose type or sense allows less than their kind.
func special(s source, v reflect.Value) bool {
	pick := func(values ...string) {
		v.SetString(values[s.number(int64(len(values)-1))])
	}
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		if s.set() {
			*p = time.Unix(s.number(1<<33), s.number(999_999_999)).UTC()
		}
	case *scheduler.Intent:
		pick(string(scheduler.Uninstall), string(scheduler.Run), string(scheduler.Stop),
			string(scheduler.Uninstalled))
	case *scheduler.Request:
		pick(string(scheduler.Replace), string(scheduler.Restart), "",
			string(scheduler.Leave))
	case *scheduler.Fate:
		pick(string(scheduler.FateAbandoned), string(scheduler.FateGone), "")
	case *servicespec.Service:
		*p = services[s.number(int64(len(services)-1))]
	case *scheduler.PodName:
		*p = scheduler.PodName{Type: "p" + s.text("Type"), Index: int(s.number(1000))}
	case *[]scheduler.EarlierTarget: // sorted, and each with an id of its own
		*p = someOf[scheduler.EarlierTarget](s)
		for i := range *p {
			(*p)[i].Number = int64(i + 1)
			(*p)[i].ID += fmt.Sprint("-", i)
		}
	case *[]scheduler.JournalEntry:
		*p = someOf[scheduler.JournalEntry](s)
		for i := range *p {
			(*p)[i].Number += int64(i) << 41
		}
	case *resource.Kind:
		*p = resource.Kind(s.number(2))
	case *resource.Resource:
		for i := range v.NumField() {
			fill(s, v.Field(i), v.Type().Field(i).Name)
		}
		if p.Kind != resource.Scalar {
			p.Scalar = 0
		}
		if p.Kind != resource.RangesKind {
			p.Ranges = nil
		}
		if p.Kind != resource.SetKind {
			p.Set = nil
		}
	default:
		return false
	}
	return true
}

func someOf[T any](s source) []T {
	out := make([]T, max(s.size(), 0))
	for i := range out {
		out[i] = filled[T](s)
	}
	return out
}

// counter fills everything, always the same way: texts are the names of their fields.
type counter struct{ n int64 }

func (c *counter) text(field string) string {
	c.n++
	return fmt.Sprintf("%s %d", field, c.n)
}

func (c *counter) number(most int64) int64 {
	c.n++
	if most == 1 {
		return 1
	}
	return c.n % (most + 1)
}

func (*counter) size() int { return 2 }
func (*counter) set() bool { return true }

// services are some that a target can have; package servicespec has the tests of their form.
var services = []servicespec.Service{
	parsed(`
name: a
pods: {p: {count: 1, tasks: {t: {goal: RUNNING, cmd: x, cpus: 1, memory: 1}}}}
`),
	parsed(`
name: b
scheduler: {user: nobody}
pods:
  kafka:
    count: 3
    placement: '[["hostname","UNIQUE"]]'
    kafka: {version: 4.3.1, heap: 256, properties: {num.partitions: 3}}
    tasks:
      broker:
        goal: RUNNING
        cpus: 0.5
        memory: 768
        ports: {broker: {port: 0, advertise: true}, controller: {port: 0}}
        volume: {path: data, type: ROOT, size: 500}
        readiness-check: {tcp: {port: broker}, interval: 1, timeout: 5}
`),
}

func parsed(text string) servicespec.Service {
	service, problems := servicespec.Parse("test.yml", []byte(text), nil)
	if len(problems) > 0 {
		panic(fmt.Sprint(problems))
	}
	return service
}
