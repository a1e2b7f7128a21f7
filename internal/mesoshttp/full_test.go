package mesoshttp

import (
	"fmt"
	"reflect"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// Values with every field set: what a round trip loses shows as a difference, and a field that
// is added to a type and forgotten here is found by unset.

func pointer[T any](v T) *T { return &v }

func fullLabels() []resource.Label {
	return []resource.Label{{Key: "resource_id", Value: "r-1"}, {Key: "k", Value: "v"}}
}

// fullResources has all kinds of value; together its resources set every field.
func fullResources() resource.List {
	stack := []resource.Reservation{
		{Role: "eng"},
		{Dynamic: true, Role: "eng/kafka", Principal: "p", Labels: fullLabels()},
	}
	return resource.List{
		{Name: "cpus", Scalar: 1001, Role: "eng/kafka", Reservations: stack},
		{Name: "ports", Kind: resource.RangesKind, Role: "eng/kafka",
			Ranges: resource.Ranges{{Begin: 1, End: 2}, {Begin: 31000, End: 32000}}},
		{Name: "tags", Kind: resource.SetKind, Set: []string{"a", "b"}, Role: "eng/kafka"},
		{Name: "disk", Scalar: 100000, Role: "eng/kafka", Reservations: stack, Revocable: true,
			Shared: true, Provider: "provider-1",
			Disk: &resource.DiskInfo{PersistenceID: "v1", Principal: "p", ContainerPath: "data",
				Source: "MOUNT", Root: "/mnt/a", ID: "id", Vendor: "vendor", Profile: "fast"}},
		{Name: "disk", Scalar: 7, Role: "eng/kafka",
			Disk: &resource.DiskInfo{Source: "PATH", Root: "/data"}},
		{Name: "disk", Scalar: 7, Role: "eng/kafka", Disk: &resource.DiskInfo{Source: "RAW"}},
	}
}

func fullTask() mesos.TaskInfo {
	return mesos.TaskInfo{
		ID: "t1", Name: "kafka-0-broker", Agent: "a1", Resources: fullResources(),
		Data: []byte("order"), Labels: fullLabels(), KillGrace: 5 * time.Minute,
		Executor: mesos.ExecutorInfo{
			ID: "e1", Framework: "f1", Name: "kafka-0", Resources: fullResources(),
			Labels: fullLabels(), ShutdownGrace: time.Minute,
			Command: mesos.Command{
				Value: "exec ./kafka-sched executor", User: "kafka",
				URIs: []mesos.URI{{Value: "http://h/x.tgz", Executable: true, Extract: true,
					Cache: true, OutputFile: "x"}},
				Env: []mesos.EnvVar{{Name: "A", Value: "b"}, {Name: "B", Secret: "kafka/b"}},
			},
			Secrets: []mesos.SecretFile{{Path: "keys/k", Secret: "kafka/k"}},
		},
		Discovery: &mesos.Discovery{Name: "kafka-0", Visibility: "CLUSTER",
			Ports: []mesos.DiscoveryPort{{Number: 9092, Name: "client", Protocol: "tcp",
				Visibility: "EXTERNAL", Labels: fullLabels()}}},
	}
}

func fullStatus() mesos.Status {
	return mesos.Status{
		Task: "t1", State: mesos.Failed, Agent: "a1", Executor: "e1", Source: "SOURCE_EXECUTOR",
		Reason: "REASON_EXECUTOR_TERMINATED", Message: "m", UUID: []byte("0123456789abcdef"),
		Healthy: pointer(true), Ready: pointer(true), IP: "10.0.0.1",
		Time: time.UnixMicro(1795253783931056).UTC(),
	}
}

func fullOffer() mesos.Offer {
	return mesos.Offer{
		ID: "o1", Agent: "a1", Hostname: "h1", IP: "10.0.0.1", Port: 5051, Role: "eng/kafka",
		Domain:      mesos.Domain{Region: "eu", Zone: "eu-1"},
		Resources:   fullResources(),
		Attributes:  []mesos.Attribute{{Name: "rack", Value: "r1"}},
		Executors:   []mesos.ExecutorID{"e1", "e2"},
		Unavailable: &mesos.Unavailability{Start: time.Unix(9, 9).UTC(), Duration: time.Hour},
	}
}

func fullOperations() []mesos.Operation {
	return []mesos.Operation{
		mesos.Reserve{ID: "op1", Resources: fullResources()},
		mesos.Unreserve{ID: "op2", Resources: fullResources()},
		mesos.Create{ID: "op3", Volumes: fullResources()},
		mesos.Destroy{ID: "op4", Volumes: fullResources()},
		mesos.Launch{Tasks: []mesos.TaskInfo{fullTask()}},
	}
}

func fullCalls() []mesos.Call {
	return []mesos.Call{
		mesos.Accept{Offers: []mesos.OfferID{"o1", "o2"}, Operations: fullOperations(),
			Refuse: 2500 * time.Millisecond},
		mesos.Decline{Offers: []mesos.OfferID{"o1"}, Refuse: time.Hour},
		mesos.Revive{},
		mesos.Suppress{},
		mesos.Kill{Task: "t1", Agent: "a1", Grace: pointer(time.Duration(0))},
		mesos.Kill{Task: "t1"},
		mesos.Acknowledge{Task: "t1", Agent: "a1", UUID: []byte("0123456789abcdef")},
		mesos.Reconcile{Tasks: []mesos.TaskOnAgent{{Task: "t1", Agent: "a1"}, {Task: "t2"}}},
		mesos.Reconcile{},
		mesos.AcknowledgeOperation{ID: "op1", Agent: "a1", UUID: []byte("0123456789abcdef")},
		mesos.ReconcileOperations{Operations: []mesos.OperationOnAgent{
			{ID: "op1", Agent: "a1"}, {ID: "op2"}}},
		mesos.ReconcileOperations{},
		mesos.AcceptInverse{Offers: []mesos.OfferID{"i1", "i2"}, Refuse: time.Minute},
		mesos.DeclineInverse{Offers: []mesos.OfferID{"i1"}, Refuse: time.Second},
		mesos.Teardown{},
	}
}

func fullEvents() []mesos.Event {
	return []mesos.Event{
		mesos.Subscribed{Framework: "f1", Master: "10.0.0.1:5050"},
		mesos.Offers{Offers: []mesos.Offer{fullOffer()}},
		mesos.Rescinded{Offer: "o1"},
		mesos.InverseOffers{Offers: []mesos.InverseOffer{{ID: "i1", Agent: "a1",
			Unavailable: mesos.Unavailability{Start: time.Unix(9, 9).UTC(),
				Duration: time.Hour}}}},
		mesos.Updated{Status: fullStatus()},
		mesos.OperationUpdated{ID: "op1", State: "OPERATION_FAILED", Message: "m",
			UUID: []byte("0123456789abcdef"), Agent: "a1"},
		mesos.ExecutorFailed{Agent: "a1", Executor: "e1", Status: 9},
		mesos.ExecutorFailed{Agent: "a1"},
		mesos.Refused{Message: "Framework failed over"},
	}
}

func fullFramework() mesos.FrameworkInfo {
	return mesos.FrameworkInfo{ID: "f1", Name: "kafka", User: "root", Role: "eng/kafka",
		MoreRoles: []string{"public/eng/kafka"}, GPUs: true,
		Principal: "p", FailoverTimeout: time.Hour, WebURL: "http://h/", Hostname: "h"}
}

// unset names the fields that no value of a list of values sets.
func unset(values ...any) []string {
	set := map[string]bool{}
	for _, v := range values {
		note(set, reflect.ValueOf(v))
	}
	var out []string
	for name, is := range set {
		if !is {
			out = append(out, name)
		}
	}
	return out
}

func note(set map[string]bool, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			note(set, v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			note(set, v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			name := fmt.Sprintf("%s.%s", v.Type(), v.Type().Field(i).Name)
			set[name] = set[name] || !v.Field(i).IsZero()
			note(set, v.Field(i))
		}
	}
}
