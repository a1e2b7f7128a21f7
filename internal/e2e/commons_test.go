//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	zookeeper "github.com/go-zookeeper/zk"
	wire "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// commons does what a scheduler of DC/OS Commons does with the service hello: reserve, create,
// launch under Mesos' default executor, and store it all in ZooKeeper.
type commons struct {
	t       *testing.T
	master  string
	service servicespec.Service
	stream  string // the Mesos-Stream-Id
	events  io.Closer
	inbox   chan *scheduler.Event
	id      wire.FrameworkID
	infos   map[string]wire.TaskInfo // by task name
	status  map[string]wire.TaskStatus
}

// runCommons deploys the service, one instance an agent.
func runCommons(t *testing.T, master string, s servicespec.Service) *commons {
	c := &commons{t: t, master: master, service: s, inbox: make(chan *scheduler.Event, 1000),
		infos: map[string]wire.TaskInfo{}, status: map[string]wire.TaskStatus{}}
	role, timeout := s.Role, 3600.0
	checkpoint := true
	c.subscribe(wire.FrameworkInfo{Name: s.Name, User: s.User, Principal: &s.Principal,
		Roles: []string{role}, FailoverTimeout: &timeout, Checkpoint: &checkpoint,
		Capabilities: []wire.FrameworkInfo_Capability{
			{Type: wire.FrameworkInfo_Capability_MULTI_ROLE},
			{Type: wire.FrameworkInfo_Capability_RESERVATION_REFINEMENT}}})
	used := map[string]bool{}
	c.until("all of it runs", func(e *scheduler.Event) bool {
		switch e.Type {
		case scheduler.Event_OFFERS:
			for _, o := range e.Offers.Offers {
				if agent := o.AgentID.Value; !used[agent] && len(used) < s.Pods[0].Count {
					c.launch(len(used), o)
					used[agent] = true
				}
			}
		case scheduler.Event_UPDATE:
			c.updated(e.Update.Status)
		}
		return len(c.status) == s.Pods[0].Count
	})
	return c
}

func (c *commons) subscribe(info wire.FrameworkInfo) {
	call := scheduler.Call{Type: scheduler.Call_SUBSCRIBE,
		Subscribe: &scheduler.Call_Subscribe{FrameworkInfo: &info}}
	resp := c.post(&call)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(resp.Body)
		c.t.Fatalf("SUBSCRIBE: %s %s", resp.Status, text)
	}
	c.stream, c.events = resp.Header.Get("Mesos-Stream-Id"), resp.Body
	go func() {
		defer close(c.inbox)
		in := bufio.NewReader(resp.Body)
		for {
			length, err := in.ReadString('\n')
			if err != nil {
				return
			}
			n, _ := strconv.Atoi(strings.TrimSpace(length))
			record := make([]byte, n)
			var e scheduler.Event
			if _, err := io.ReadFull(in, record); err != nil || e.Unmarshal(record) != nil {
				return
			}
			c.inbox <- &e
		}
	}()
	c.until("it is subscribed", func(e *scheduler.Event) bool {
		if e.Type == scheduler.Event_SUBSCRIBED {
			c.id = *e.Subscribed.FrameworkID
		}
		return c.id.Value != ""
	})
}

func (c *commons) post(call *scheduler.Call) *http.Response {
	c.t.Helper()
	if c.id.Value != "" {
		call.FrameworkID = &c.id
	}
	data, err := call.Marshal()
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, c.master+"/api/v1/scheduler",
		bytes.NewReader(data))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Accept", "application/x-protobuf")
	if c.stream != "" {
		req.Header.Set("Mesos-Stream-Id", c.stream)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp
}

func (c *commons) send(call *scheduler.Call) {
	c.t.Helper()
	resp := c.post(call)
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		text, _ := io.ReadAll(resp.Body)
		c.t.Fatalf("%s: %s %s", call.Type, resp.Status, text)
	}
}

// until takes events until one makes it true.
func (c *commons) until(what string, holds func(*scheduler.Event) bool) {
	c.t.Helper()
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	for {
		select {
		case e, open := <-c.inbox:
			if !open {
				c.t.Fatalf("the events ended before %s", what)
			}
			if holds(e) {
				return
			}
		case <-late.C:
			c.t.Fatalf("waited a minute until %s; known: %v", what, c.status)
		}
	}
}

func (c *commons) updated(s wire.TaskStatus) {
	if s.UUID != nil {
		c.send(&scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE,
			Acknowledge: &scheduler.Call_Acknowledge{TaskID: s.TaskID, AgentID: *s.AgentID,
				UUID: s.UUID}})
	}
	for name, info := range c.infos {
		if info.TaskID == s.TaskID && s.GetState() == wire.TASK_RUNNING {
			c.status[name] = s
		}
	}
}

// resource is one reserved resource, with an id of its own.
func (c *commons) resource(id, name string, amount float64) wire.Resource {
	kind := wire.SCALAR
	r := wire.Resource{Name: name, Type: &kind, Scalar: &wire.Value_Scalar{Value: amount}}
	return c.reserved(r, id)
}

func (c *commons) reserved(r wire.Resource, id string) wire.Resource {
	dynamic := wire.Resource_ReservationInfo_DYNAMIC
	r.AllocationInfo = &wire.Resource_AllocationInfo{Role: &c.service.Role}
	r.Reservations = []wire.Resource_ReservationInfo{{Type: &dynamic, Role: &c.service.Role,
		Principal: &c.service.Principal, Labels: &wire.Labels{Labels: []wire.Label{
			{Key: "framework_id", Value: &c.id.Value}, {Key: "resource_id", Value: &id}}}}}
	return r
}

// launch reserves and launches an instance as the predecessor does.
func (c *commons) launch(index int, o wire.Offer) {
	id := func(what string) string { return fmt.Sprintf("res-%d-%s", index, what) }
	executor := []wire.Resource{c.resource(id("e-cpus"), "cpus", 0.1),
		c.resource(id("e-mem"), "mem", 32), c.resource(id("e-disk"), "disk", 256)}
	kind, port := wire.RANGES, uint64(0)
	for _, r := range o.Resources {
		if r.Name == "ports" {
			port = r.Ranges.Range[0].Begin + uint64(index)
		}
	}
	ports := c.reserved(wire.Resource{Name: "ports", Type: &kind, Ranges: &wire.Value_Ranges{
		Range: []wire.Value_Range{{Begin: port, End: port}}}}, id("http"))
	disk := c.resource(id("disk"), "disk", 50)
	volume := disk
	rw := wire.RW
	volume.Disk = &wire.Resource_DiskInfo{
		Persistence: &wire.Resource_DiskInfo_Persistence{ID: id("volume"),
			Principal: &c.service.Principal},
		Volume: &wire.Volume{Mode: &rw, ContainerPath: "hello-data"}}
	own := []wire.Resource{c.resource(id("cpus"), "cpus", 0.2), c.resource(id("mem"), "mem", 64),
		ports}
	pod := c.service.Pods[0]
	task := pod.Tasks[0]
	full := fmt.Sprintf("%s-%d-%s", pod.Type, index, task.Name)
	name, value, tcp := "PORT0", fmt.Sprint(port), "tcp"
	info := wire.TaskInfo{Name: full,
		TaskID:    wire.TaskID{Value: c.service.Name + "__" + full + "__0-1-2"},
		AgentID:   o.AgentID,
		Resources: append(own, volume),
		Command: &wire.CommandInfo{Value: &task.Command, User: &c.service.User,
			Environment: &wire.Environment{Variables: []wire.Environment_Variable{
				{Name: name, Value: &value}}}},
		Discovery: &wire.DiscoveryInfo{Visibility: wire.CLUSTER, Name: &full,
			Ports: &wire.Ports{Ports: []wire.Port{{Number: uint32(port), Name: &pod.Tasks[0].
				Resources.Ports[0].Name, Protocol: &tcp}}}},
		Labels: labels("task_type", pod.Type, "index", fmt.Sprint(index), "target_configuration",
			"config-1", "offer_hostname", o.Hostname),
	}
	group := wire.ExecutorInfo{Type: wire.ExecutorInfo_DEFAULT, Name: &pod.Type,
		ExecutorID:  wire.ExecutorID{Value: c.service.Name + "__" + full},
		FrameworkID: &c.id, Resources: executor}
	reserve := append(append(append([]wire.Resource{}, executor...), own...), disk)
	c.send(&scheduler.Call{Type: scheduler.Call_ACCEPT, Accept: &scheduler.Call_Accept{
		OfferIDs: []wire.OfferID{o.ID}, Operations: []wire.Offer_Operation{
			{Type: wire.Offer_Operation_RESERVE,
				Reserve: &wire.Offer_Operation_Reserve{Resources: reserve}},
			{Type: wire.Offer_Operation_CREATE,
				Create: &wire.Offer_Operation_Create{Volumes: []wire.Resource{volume}}},
			{Type: wire.Offer_Operation_LAUNCH_GROUP,
				LaunchGroup: &wire.Offer_Operation_LaunchGroup{Executor: group,
					TaskGroup: wire.TaskGroupInfo{Tasks: []wire.TaskInfo{info}}}},
		}}})
	info.Executor = &group
	c.infos[full] = info
}

func labels(pairs ...string) *wire.Labels {
	l := &wire.Labels{}
	for i := 0; i < len(pairs); i += 2 {
		l.Labels = append(l.Labels, wire.Label{Key: pairs[i], Value: &pairs[i+1]})
	}
	return l
}

// end ends the scheduler without its framework, as a process that is stopped.
func (c *commons) end() { c.events.Close() }

// tearDown ends the framework with all of its tasks; what is reserved stays.
func (c *commons) tearDown() {
	c.send(&scheduler.Call{Type: scheduler.Call_TEARDOWN})
	c.end()
}

// store writes what the predecessor keeps into ZooKeeper.
func (c *commons) store(address string) {
	c.t.Helper()
	conn, _, err := zookeeper.Connect([]string{address}, 10*time.Second,
		zookeeper.WithLogInfo(false))
	if err != nil {
		c.t.Fatal(err)
	}
	defer conn.Close()
	put := func(path string, data []byte) {
		c.t.Helper()
		_, err := conn.Create("/dcos-service-hello"+path, data, 0,
			zookeeper.WorldACL(zookeeper.PermAll))
		if err != nil {
			c.t.Fatal(path, err)
		}
	}
	bytesOf := func(m interface{ Marshal() ([]byte, error) }) []byte {
		data, err := m.Marshal()
		if err != nil {
			c.t.Fatal(err)
		}
		return data
	}
	config, err := servicespec.PredecessorJSON(c.service)
	if err != nil {
		c.t.Fatal(err)
	}
	put("", nil)
	put("/servicename", []byte("hello"))
	put("/SchemaVersion", []byte("1"))
	put("/FrameworkID", bytesOf(&c.id))
	put("/ConfigTarget", []byte("config-1"))
	put("/Configurations", nil)
	put("/Configurations/config-1", config)
	put("/Properties", nil)
	put("/Properties/last-completed-update-type", []byte("DEPLOY"))
	put("/Tasks", nil)
	for name, info := range c.infos {
		status := c.status[name]
		put("/Tasks/"+name, nil)
		put("/Tasks/"+name+"/TaskInfo", bytesOf(&info))
		put("/Tasks/"+name+"/TaskStatus", bytesOf(&status))
		put("/Properties/"+name+":task-status", bytesOf(&status))
	}
}

// reservedNow counts what the master's agents have reserved.
func reservedNow(t *testing.T, master string) int {
	t.Helper()
	resp, err := http.Post(master+"/api/v1", "application/json",
		strings.NewReader(`{"type":"GET_AGENTS"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Agents struct {
			Agents []struct {
				Total []struct {
					Reservations []json.RawMessage `json:"reservations"`
				} `json:"total_resources"`
			} `json:"agents"`
		} `json:"get_agents"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, a := range answer.Agents.Agents {
		for _, r := range a.Total {
			if len(r.Reservations) > 0 {
				n++
			}
		}
	}
	return n
}
