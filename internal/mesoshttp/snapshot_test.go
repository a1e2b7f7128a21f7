package mesoshttp

import (
	"strings"
	"testing"
)

const snapshotAgents = `{"type":"GET_AGENTS","get_agents":{"agents":[
{"agent_info":{"hostname":"h1","id":{"value":"S1"},"attributes":[{"name":"rack","type":"TEXT",
"text":{"value":"r1"}}],"domain":{"fault_domain":{"region":{"name":"eu"},"zone":{"name":"a"}}}},
"active":true,"version":"1.11.0","pid":"slave(1)@10.0.0.1:5051","total_resources":[
{"name":"cpus","type":"SCALAR","scalar":{"value":6},"role":"*"},
{"name":"cpus","type":"SCALAR","scalar":{"value":2},"role":"r","reservation":{},
"reservations":[{"type":"DYNAMIC","role":"r"}]},
{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":1,"end":9}]},"role":"*"}],
"allocated_resources":[
{"name":"cpus","type":"SCALAR","scalar":{"value":1.5},"role":"*","allocation_info":{"role":"r"}},
{"name":"cpus","type":"SCALAR","scalar":{"value":2},"role":"r","reservation":{},
"reservations":[{"type":"DYNAMIC","role":"r"}],"allocation_info":{"role":"r"}},
{"name":"mem","type":"SCALAR","scalar":{"value":5},"role":"*","allocation_info":{"role":"r"}},
{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":3,"end":4}]},"role":"*"}]},
{"agent_info":{"hostname":"h2","id":{"value":"S2"}},"active":true,"version":"1","deactivated":true},
{"agent_info":{"hostname":"h3","id":{"value":"S3"}},"active":false,"version":"1"},
{"agent_info":{"hostname":"h4","id":{"value":"S4"}},"active":true,"version":"1",
"drain_info":{"state":"DRAINED","config":{}}}]},
"get_maintenance_schedule":{"schedule":{"windows":[{"machine_ids":[{"hostname":"H2"}],
"unavailability":{"start":{"nanoseconds":5000000000},"duration":{"nanoseconds":1000000000}}}]}}}`

func TestDecodeSnapshot(t *testing.T) {
	agents, err := DecodeSnapshot([]byte(snapshotAgents))
	if err != nil || len(agents) != 4 {
		t.Fatalf("%+v, %v", agents, err)
	}
	first := agents[0]
	free, used := first.Resources.String(), first.InUse.String()
	if free != "cpus:4.5;ports:[1-2,5-9]" || used != "cpus:1.5;cpus:2(r:);mem:5;ports:[3-4]" {
		t.Errorf("free %s, in use %s", free, used)
	}
	if first.ID != "S1" || first.Agent != "S1" || first.Hostname != "h1" ||
		first.IP != "10.0.0.1" || first.Domain.Zone != "a" || len(first.Attributes) != 1 {
		t.Errorf("%+v", first)
	}
	for i, away := range []string{"", "deactivated", "not connected", "drained"} {
		if agents[i].Away != away || (agents[i].Unavailable != nil) != (i == 1) {
			t.Errorf("%d: %+v", i, agents[i])
		}
	}
}

func TestDecodeSnapshotOfOffers(t *testing.T) {
	agents, err := DecodeSnapshot([]byte(`{"type":"OFFERS","offers":{"offers":[{"id":{"value":"O1"},
"framework_id":{"value":"F"},"agent_id":{"value":"S1"},"hostname":"h1","allocation_info":
{"role":"r"},"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":6},
"allocation_info":{"role":"r"}}]}]}}`))
	if err != nil || len(agents) != 1 || agents[0].Resources.String() != "cpus:6" {
		t.Errorf("%+v, %v", agents, err)
	}
	for _, text := range []string{"", "{", `{"type":"GET_STATE"}`, `{"type":"OFFERS","offers":1}`} {
		_, err := DecodeSnapshot([]byte(text))
		if err == nil || !strings.HasPrefix(err.Error(), "reading a snapshot: ") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
