package localmesos

import (
	"strings"
	"testing"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
	"pgregory.net/rapid"
)

func drawResources(t *rapid.T, name string) []mesos.Resource {
	var out []mesos.Resource
	for range rapid.IntRange(0, 5).Draw(t, name) {
		kind := rapid.SampledFrom([]string{"cpus", "mem", "ports"}).Draw(t, "kind")
		r := scalarResource(kind, float64(rapid.IntRange(1, 5000).Draw(t, "milli"))/1000)
		if kind == "ports" {
			begin := rapid.Uint64Range(1, 50).Draw(t, "begin")
			r = mesos.Resource{Name: kind, Type: mesos.RANGES.Enum(),
				Ranges: &mesos.Value_Ranges{Range: []mesos.Value_Range{
					{Begin: begin, End: begin + rapid.Uint64Range(0, 20).Draw(t, "size")}}}}
		}
		if rapid.Bool().Draw(t, "reserved") {
			r = reserved(r)
		}
		out = append(out, r)
	}
	return out
}

// What was added can be taken away again, nothing can be taken twice, and no
// operation changes its arguments.
func TestArithmetic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := plus(nil, drawResources(t, "a")), plus(nil, drawResources(t, "b"))
		before := formatResources(a) + formatResources(b)
		sum := plus(a, b)
		rest, ok := minus(sum, b)
		if !ok || !containsAll(sum, a) {
			t.Fatalf("%s does not contain its parts", formatResources(sum))
		}
		// Overlapping ranges are in both parts, but only once in the sum.
		if !strings.Contains(before, "ports") && (!containsAll(rest, a) || !containsAll(a, rest)) {
			t.Fatalf("a+b-b is %s, not %s", formatResources(rest), formatResources(a))
		}
		if len(b) > 0 && containsAll(rest, b) && !containsAll(a, b) {
			t.Fatalf("%s was taken from %s and is still there", formatResources(b),
				formatResources(sum))
		}
		if after := formatResources(a) + formatResources(b); after != before {
			t.Fatalf("the arguments became %s", after)
		}
	})
}

func TestArithmeticTable(t *testing.T) {
	tenth := []mesos.Resource{scalarResource("cpus", 0.1)}
	three := plus(plus(tenth, tenth), tenth)
	rest, ok := minus(three, []mesos.Resource{scalarResource("cpus", 0.3)})
	if !ok || len(rest) > 0 {
		t.Errorf("0.1*3 - 0.3 = %s, %t", formatResources(rest), ok)
	}
	if containsAll(tenth, []mesos.Resource{scalarResource("cpus", -1)}) {
		t.Error("a negative amount is contained")
	}
	v := volume("v", 100)
	if containsAll([]mesos.Resource{v}, []mesos.Resource{volume("v", 50)}) {
		t.Error("a part of a volume is contained")
	}
	if got := formatResource(&v); got != "disk(reservations: [(DYNAMIC,svc,svc-principal,"+
		"{resource_id: r-1})])[v:data]:100" {
		t.Error(got)
	}
	old := []mesos.Resource{{Name: "cpus", Type: mesos.SCALAR.Enum(), Role: ptr("svc"),
		Scalar:      &mesos.Value_Scalar{Value: 1},
		Reservation: &mesos.Resource_ReservationInfo{Principal: ptr("p")}}}
	upgrade(old)
	if got := formatResources(old); got != "cpus(reservations: [(DYNAMIC,svc,p)]):1" {
		t.Error(got)
	}
	if got := downgrade(old)[0]; got.GetRole() != "svc" ||
		got.GetReservation().GetPrincipal() != "p" || got.Reservations != nil {
		t.Errorf("downgraded to %s", encodeJSON(&got))
	}
}

// Each recorded event reads and writes to the same bytes, but for fields that
// the library does not know.
func TestJSONRoundTrip(t *testing.T) {
	same := 0
	for _, l := range readRecording(t, "03b-operation-errors.jsonl") {
		ev := &scheduler.Event{}
		if l.Dir != "event" || string(l.Body) == "null" {
			continue
		}
		if err := decodeJSON(l.Body, ev); err != nil {
			t.Fatal(err)
		}
		if ev.Type == scheduler.Event_OFFERS || ev.Type == scheduler.Event_UPDATE_OPERATION_STATUS {
			again := &scheduler.Event{}
			if err := decodeJSON(encodeJSON(ev), again); err != nil || !ev.Equal(again) {
				t.Errorf("%s became %s (%v)", l.Body, encodeJSON(ev), err)
			}
			if string(encodeJSON(ev)) == string(l.Body) {
				same++
			}
		}
	}
	if same < 30 {
		t.Errorf("only %d events have the same bytes", same)
	}
}

func FuzzDecodeJSON(f *testing.F) {
	f.Add(`{"type":"KILL","kill":{"task_id":{"value":"x"}},"framework_id":{"value":"f"}}`)
	f.Add(`{"accept":{"operations":[{"type":"LAUNCH","launch":{"task_infos":[{}]}}]}}`)
	f.Add(`{"type":5}`)
	f.Fuzz(func(t *testing.T, body string) {
		call := &scheduler.Call{}
		if decodeJSON([]byte(body), call) != nil {
			return
		}
		again := &scheduler.Call{}
		if err := decodeJSON(encodeJSON(call), again); err != nil || !call.Equal(again) {
			t.Errorf("%q became %s (%v)", body, encodeJSON(call), err)
		}
	})
}

// TestDisks says which disks can be divided: a PATH disk can, a MOUNT disk and a volume cannot.
func TestDisks(t *testing.T) {
	a := Agent{PathDisksMB: []int64{100}, MountDisksMB: []int64{100}}
	disks := a.moreDisks("/agent")
	part := func(i int, size float64) []mesos.Resource {
		r := cloneResource(disks[i])
		r.Scalar.Value = size
		return []mesos.Resource{r}
	}
	rest, ok := minus(disks, part(0, 30))
	if !ok || scalarSum(rest, "disk") != milliOf(170) {
		t.Errorf("less 30 of a PATH disk: %s, %v", formatResources(rest), ok)
	}
	if rest, ok := minus(disks, part(1, 30)); ok {
		t.Errorf("less a part of a MOUNT disk: %s", formatResources(rest))
	}
	if rest, ok := minus(disks, part(1, 100)); !ok || len(rest) != 1 {
		t.Errorf("less a MOUNT disk: %s, %v", formatResources(rest), ok)
	}
	if sum := plus(part(1, 100), part(1, 100)); len(sum) != 2 {
		t.Errorf("two MOUNT disks became %s", formatResources(sum))
	}
	if sum := plus(part(0, 30), part(0, 20)); len(sum) != 1 {
		t.Errorf("two parts of a PATH disk became %s", formatResources(sum))
	}
	for _, a := range []Agent{{PathDisksMB: []int64{0}}, {MountDisksMB: []int64{5, -1}}} {
		if a.checkDisks() == nil {
			t.Errorf("%+v is possible", a)
		}
	}
	agent := &agentNode{dir: "/agent"}
	for i, want := range []string{
		"/agent/disks/path-1/volumes/roles/a b/v", "/agent/disks/mount-1",
	} {
		v := part(i, 100)[0]
		v.Reservations = []mesos.Resource_ReservationInfo{{Role: ptr("a/b")}}
		disk := *v.Disk
		disk.Persistence = &mesos.Resource_DiskInfo_Persistence{ID: "v"}
		v.Disk = &disk
		if got := agent.volumeDir(&v); got != want {
			t.Errorf("a volume is at %s, want %s", got, want)
		}
	}
}
