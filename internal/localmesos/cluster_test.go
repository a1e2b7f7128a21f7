package localmesos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

func reserved(r mesos.Resource) mesos.Resource {
	r.Reservations = []mesos.Resource_ReservationInfo{{
		Type: mesos.Resource_ReservationInfo_DYNAMIC.Enum(), Role: ptr("svc"),
		Principal: ptr("svc-principal"), Labels: &mesos.Labels{Labels: []mesos.Label{
			{Key: "resource_id", Value: ptr("r-1")}}}}}
	return r
}

func volume(id string, mb float64) mesos.Resource {
	v := reserved(scalarResource("disk", mb))
	v.Disk = &mesos.Resource_DiskInfo{
		Persistence: &mesos.Resource_DiskInfo_Persistence{ID: id, Principal: ptr("svc-principal")},
		Volume:      &mesos.Volume{ContainerPath: "data", Mode: mesos.RW.Enum()}}
	return v
}

func reserve(rs ...mesos.Resource) mesos.Offer_Operation {
	return mesos.Offer_Operation{Type: mesos.Offer_Operation_RESERVE,
		Reserve: &mesos.Offer_Operation_Reserve{Resources: rs}}
}

func create(vs ...mesos.Resource) mesos.Offer_Operation {
	return mesos.Offer_Operation{Type: mesos.Offer_Operation_CREATE,
		Create: &mesos.Offer_Operation_Create{Volumes: vs}}
}

func hasVolume(o mesos.Offer) bool { return len(volumesIn(o.Resources)) > 0 }

// Offers come at once, after a decline, after REVIVE; the hostname, ports and
// amounts are those of the agent.
func TestOffers(t *testing.T) {
	for _, media := range []string{mediaJSON, mediaProtobuf} {
		t.Run(media, func(t *testing.T) {
			c := start(t, testConfig(t))
			f := subscribeAs(t, c.MasterURL(), frameworkOf(t), media)
			o := f.offer(anyOffer)
			want := "ports(allocated: svc):[31000-31010]; cpus(allocated: svc):4; " +
				"mem(allocated: svc):4096; disk(allocated: svc):10000"
			if got := formatResources(o.Resources); got != want || o.Hostname != "one.test" {
				t.Errorf("offer of %s: %s, want %s", o.Hostname, got, want)
			}
			f.decline(o, 0)
			o = f.offer(anyOffer)
			f.decline(o, 3600)
			f.revive()
			o = f.offer(anyOffer)
			f.call(&scheduler.Call{Type: scheduler.Call_SUPPRESS})
			f.decline(o, 0)
			f.revive()
			f.offer(anyOffer)
		})
	}
}

// The life of a task with a volume: reserve, create, launch, kill, and launch
// again on the volume, whose data is still there; then destroy and unreserve.
func TestVolumeLife(t *testing.T) {
	cfg := testConfig(t)
	c := start(t, cfg)
	f := subscribe(t, c.MasterURL(), frameworkOf(t))
	o := f.offer(anyOffer)
	cpus, mem, disk := reserved(scalarResource("cpus", 1)), reserved(scalarResource("mem", 128)),
		reserved(scalarResource("disk", 100))
	f.accept(o, reserve(cpus, mem, disk), create(volume("v-1", 100)),
		f.launch(o, "t-1", f.testExecutor("e-1"), cpus, mem, volume("v-1", 100)))
	s := f.status("t-1", mesos.TASK_RUNNING)
	if s.GetContainerStatus().GetExecutorPID() == 0 || s.AgentID == nil || len(s.UUID) != 16 {
		t.Errorf("incomplete status %s", encodeJSON(&s))
	}
	f.ask(o, "e-1", "write data/file precious")
	f.kill("t-1")
	f.status("t-1", mesos.TASK_KILLED)
	o = f.offer(func(o mesos.Offer) bool { // which may come without what an executor needs at first
		return hasVolume(o) && scalarSum(o.Resources, "cpus") > milliOf(1)
	})
	destroy := mesos.Offer_Operation{Type: mesos.Offer_Operation_DESTROY,
		ID:      &mesos.OperationID{Value: "op"},
		Destroy: &mesos.Offer_Operation_Destroy{Volumes: []mesos.Resource{volume("v-1", 100)}}}
	f.accept(o, f.launch(o, "t-2", f.testExecutor("e-2"), cpus, mem, volume("v-1", 100)), destroy)
	ev := f.await("an error", func(ev *scheduler.Event) bool {
		return ev.Type == scheduler.Event_UPDATE_OPERATION_STATUS
	})
	if m := ev.UpdateOperationStatus.Status.GetMessage(); !strings.HasPrefix(m,
		"Persistent volumes in use; on agent ") {
		t.Errorf("destroying a volume in use: %s", m)
	}
	f.status("t-2", mesos.TASK_RUNNING)
	if got := f.ask(o, "e-2", "read data/file"); got != "precious" {
		t.Errorf("the volume held %q", got)
	}
	f.kill("t-2")
	o = f.offer(hasVolume)
	f.accept(o, destroy, mesos.Offer_Operation{Type: mesos.Offer_Operation_UNRESERVE,
		Unreserve: &mesos.Offer_Operation_Unreserve{Resources: []mesos.Resource{cpus, mem, disk}}})
	f.offer(func(o mesos.Offer) bool {
		return scalarSum(o.Resources, "disk") == milliOf(10000) &&
			!strings.Contains(formatResources(o.Resources), "reserv")
	})
	dir := filepath.Join(cfg.Dir, "agents", "agent-1", "volumes", "roles", "svc", "v-1")
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the destroyed volume is still there: %v", err)
	}
}
