package api

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// document is what the tests read of openapi.yaml.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct {
		Schemas    map[string]schema
		Parameters map[string]parameter
	}
}

type operation struct {
	Summary    string
	Parameters []parameter
	Responses  map[string]any
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
}

type schema struct {
	Required   []string
	Properties map[string]any
}

func load(t *testing.T) document {
	t.Helper()
	var doc document
	if err := yaml.Unmarshal(OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("OpenAPI version %s", doc.OpenAPI)
	}
	for _, operations := range doc.Paths {
		for _, o := range operations {
			for i, p := range o.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					o.Parameters[i] = doc.Components.Parameters[name]
				}
			}
		}
	}
	return doc
}

func TestEveryRouteIsDocumented(t *testing.T) {
	var documented, routes []string
	for path, operations := range load(t).Paths {
		for method, operation := range operations {
			documented = append(documented, strings.ToUpper(method)+" "+path)
			checkOperation(t, method+" "+path, path, operation)
		}
	}
	for _, route := range Routes() {
		routes = append(routes, route.Method+" "+route.Path)
	}
	slices.Sort(documented)
	slices.Sort(routes)
	if !slices.Equal(documented, routes) {
		t.Errorf("documented:\n%s\nroutes:\n%s",
			strings.Join(documented, "\n"), strings.Join(routes, "\n"))
	}
}

func checkOperation(t *testing.T, name, path string, o operation) {
	if o.Summary == "" || len(o.Responses) == 0 {
		t.Errorf("%s has no summary or no responses", name)
	}
	in := 0
	for _, parameter := range o.Parameters {
		if parameter.In == "path" {
			in++
			if !strings.Contains(path, "{"+parameter.Name+"}") {
				t.Errorf("%s has no parameter %s", name, parameter.Name)
			}
		}
	}
	if in != strings.Count(path, "{") {
		t.Errorf("%s documents %d parameters of its path", name, in)
	}
}

// Each shape has a schema with the same fields, and those that are never left out are required.
func TestEveryShapeIsDocumented(t *testing.T) {
	schemas := load(t).Components.Schemas
	for _, shape := range []any{
		Plan{}, Phase{}, Step{}, PlanList{}, Message{}, Outcome{}, PodsStatus{},
		PodTypeStatus{}, PodInstanceStatus{}, TaskStatus{}, PodCommanded{}, PodList{}, Pod{},
		AgentRefusal{}, Task{}, Port{}, Broker{}, Service{}, Leftover{}, Endpoint{},
		Progress{}, Held{}, PlanRun{}, PlannedStep{}, TaskList{}, ServiceCommand{},
		PlanCommand{}, PodCommand{}, Rollback{}, Journal{}, JournalEntry{}, History{},
		HistoryRun{}, ConfigurationList{}, Configuration{}, Diff{}, Change{}, OfferList{},
		OfferOutcome{}, ReservationList{}, Reservation{}, OwnedResources{}, LeftoverList{},
		Why{}, WhyReason{}, Event{}, LogLines{},
		NamedEndpoint{}, Kafka{}, SetTarget{}, Version{}, Health{}, Problem{}, DebugPlans{},
		DebugPlan{}, DebugPhase{}, DebugStep{}, DebugNode{}, DebugPlanTasks{},
		DebugPhaseTasks{}, DebugStepTasks{}, DebugTask{}, DebugOffers{}, DebugOffer{},
		OldMetrics{}, OldGauge{}, OldCounter{}, OldRates{}, OldMeter{},
		OldTimer{}, BrokerNode{}, TopicDescription{},
		TopicPartition{},
		PropertyChange{}, Drift{}, DriftedProperty{}, BrokerList{}, BrokerDetail{}, MayGo{},
		DeclaredTopics{}, DeclaredTopic{},
		TopicList{}, TopicSummary{}, TopicDetail{}, PartitionState{}, TopicCreate{},
		ConfigList{}, ConfigEntry{}, ConfigChange{}, TopicPartitionsChange{}, TopicReplication{},
		OffsetList{}, PartitionOffset{}, TopicTest{}, TopicTested{}, GroupList{}, GroupSummary{},
		Group{}, GroupMember{}, GroupOffset{}, GroupReset{}, GroupResetResult{}, OffsetMoved{},
		QuotaList{}, Quota{}, QuotaChange{}, UserList{}, User{}, Credential{}, UserSet{},
		ACLList{}, ACL{}, ACLChange{}, LogDirList{}, LogDir{}, TransactionList{},
		TransactionSummary{}, Transaction{}, PartitionName{}, Election{}, ElectionResult{},
		PartitionFailed{}, ReassignmentList{}, Reassignment{}, Reassign{}, Placement{},
		ReassignCancel{}, ReassignResult{}, FeatureList{}, Feature{}, KafkaCode{},
	} {
		of := reflect.TypeOf(shape)
		fields, required := jsonFields(of)
		schema := schemas[of.Name()]
		var properties []string
		for name := range schema.Properties {
			properties = append(properties, name)
		}
		for _, list := range [][]string{fields, required, properties, schema.Required} {
			slices.Sort(list)
		}
		if !slices.Equal(fields, properties) {
			t.Errorf("%s: fields %v, documented %v", of.Name(), fields, properties)
		}
		if !slices.Equal(required, schema.Required) {
			t.Errorf("%s: required %v, documented %v", of.Name(), required, schema.Required)
		}
	}
}

func jsonFields(of reflect.Type) (all, required []string) {
	for i := range of.NumField() {
		field := of.Field(i)
		if field.Anonymous {
			more, moreRequired := jsonFields(field.Type)
			all, required = append(all, more...), append(required, moreRequired...)
			continue
		}
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		all = append(all, name)
		if options != "omitempty" {
			required = append(required, name)
		}
	}
	return all, required
}

func TestFill(t *testing.T) {
	for _, c := range []struct {
		path   string
		values []string
		want   string
	}{
		{PathPlans, []string{"x"}, "/v1/plans"},
		{PathPlan, []string{"a/b c"}, "/v1/plans/a%2Fb%20c"},
		{PathPlanCommand, []string{"{plan}", "start"}, "/v1/plans/%7Bplan%7D/start"},
		{PathPodStatus, []string{".."}, "/v1/pod/%2E%2E/status"},
	} {
		if got := Fill(c.path, c.values...); got != c.want {
			t.Errorf("Fill(%q, %q) = %q, want %q", c.path, c.values, got, c.want)
		}
	}
}

func TestServiceFinds(t *testing.T) {
	s := Service{Plans: []Plan{{Name: "deploy"}}, Pods: []Pod{{Name: "kafka-0"}}}
	if s.Plan("deploy") != &s.Plans[0] || s.Plan("x") != nil ||
		s.Pod("kafka-0") != &s.Pods[0] || s.Pod("x") != nil {
		t.Error("a plan or pod is not found, or one that is not there is")
	}
}
