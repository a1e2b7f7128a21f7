package scheduler

import (
	"slices"
	"strconv"
	"strings"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// operation reports on an operation: "operation o1-op1 FINISHED agent=a1", with noack as the
// answer to a reconciliation.
func (s *story) operation(d *datadriven.TestData) string {
	ev := mesos.OperationUpdated{ID: mesos.OperationID(d.CmdArgs[0].Key),
		State: "OPERATION_" + d.CmdArgs[1].Key, Agent: "a1", UUID: []byte{2}}
	for _, a := range d.CmdArgs[2:] {
		switch a.Key {
		case "agent":
			ev.Agent = mesos.AgentID(a.Vals[0])
		case "message":
			ev.Message = strings.Join(a.Vals, " ")
		case "noack":
			ev.UUID = nil
		}
	}
	return s.step(FromMesos{ev})
}

// failed tells of the end of an agent, "failed agent=a1", or of the executor of an instance,
// "failed kafka-0", with its exit code as in "failed kafka-0 exit=81".
func (s *story) failed(d *datadriven.TestData) string {
	if d.CmdArgs[0].Key == "agent" {
		return s.step(FromMesos{mesos.ExecutorFailed{Agent: mesos.AgentID(d.CmdArgs[0].Vals[0])}})
	}
	p := s.pod(d.CmdArgs[0].Key)
	status := 9
	if len(d.CmdArgs) > 1 {
		code, err := strconv.Atoi(d.CmdArgs[1].Vals[0])
		if err != nil {
			s.t.Fatal(err)
		}
		status = code << 8
	}
	return s.step(FromMesos{mesos.ExecutorFailed{
		Agent: p.Place.Agent, Executor: p.Executor.ID, Status: status}})
}

// refused is an ERROR event: "refused message=(Framework has been removed)".
func (s *story) refused(d *datadriven.TestData) string {
	return s.step(FromMesos{mesos.Refused{Message: strings.Join(d.CmdArgs[0].Vals, " ")}})
}

// stray is a reservation with the labels of an instance's, and ids that no record has.
func (s *story) stray(pod string) resource.List {
	return relabelled(placeResources(*s.pod(pod).Place).WithoutVolumes(),
		resource.ResourceID, labelReservation)
}

// unseen is a part of what is left of an instance that its record does not have.
func (s *story) unseen(pod string) resource.List {
	return relabelled(s.leftover(pod).Resources[:1], resource.ResourceID)
}

// relabelled is a list in which some of the labels have other values.
func relabelled(list resource.List, keys ...string) resource.List {
	list = slices.Clone(list)
	for i := range list {
		list[i].Reservations = slices.Clone(list[i].Reservations)
		last := &list[i].Reservations[len(list[i].Reservations)-1]
		last.Labels = slices.Clone(last.Labels)
		for j, l := range last.Labels {
			if slices.Contains(keys, l.Key) {
				last.Labels[j].Value = "stray-" + l.Value
			}
		}
	}
	return list
}
