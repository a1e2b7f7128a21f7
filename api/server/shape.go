package server

import (
	"fmt"
	"sort"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/offer"
	"github.com/kafka-sched/kafka-sched/scheduler/rolling"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// instant is nil for the zero time, so that JSON leaves it out.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// stepShape gives a step the predecessor's message, but for the name of its Java class.
func stepShape(step scheduler.StepView, now time.Time) api.Step {
	shape := api.Step{
		ID:          step.ID,
		Status:      string(step.Status),
		Name:        step.Name,
		Message:     fmt.Sprintf("%s [%s] with status: %s", step.Name, step.ID, step.Status),
		Reason:      step.Reason,
		Since:       instant(step.Since),
		Attempts:    step.Attempts,
		NextAttempt: instant(step.NotBefore),
		Pod:         step.Pod,
		Tasks:       step.Tasks,
	}
	if shape.Since != nil {
		age := max(0, now.Sub(step.Since)).Round(time.Millisecond).Seconds()
		shape.AgeSeconds = &age
	}
	return shape
}

func podShape(pod scheduler.PodView) api.Pod {
	shape := api.Pod{
		Name:        pod.Name.String(),
		Type:        pod.Name.Type,
		Index:       pod.Name.Index,
		Incarnation: pod.Incarnation,
		Launched:    pod.Launched,
		AgentID:     string(pod.Agent),
		Hostname:    pod.Hostname,
		IP:          pod.IP,
		Region:      pod.Domain.Region,
		Zone:        pod.Domain.Zone,
		Reservation: string(pod.Reservation),
		Volumes:     texts(pod.Volumes),
		Request:     string(pod.Request),
		Tasks:       make([]api.Task, 0, len(pod.Tasks)),
		Failures:    pod.Failures,
		NextAttempt: instant(pod.NotBefore),
		Leaving:     pod.Leaving,
		Broker:      brokerShape(pod.Broker),
		ZooKeeper:   serverShape(pod.Server),
		Verdict:     verdictShape(pod.Verdict),
	}
	if pod.Runs {
		shape.Executor = &api.Executor{Version: pod.Executor, Current: !pod.OtherExecutor}
	}
	if pod.Refusal != nil {
		shape.Refusal = pod.Refusal.String()
		shape.Refusals = refusals(pod.Refusal)
	}
	for _, task := range pod.Tasks {
		shape.Tasks = append(shape.Tasks, taskShape(task))
	}
	return shape
}

// verdictShape is the verdict that keeps an instance.
func verdictShape(j *scheduler.Judgement) *api.Verdict {
	if j == nil {
		return nil
	}
	v := j.Verdict
	shape := api.Verdict{What: j.What, Answer: string(v.Answer), Code: string(v.Code),
		Sentence: v.Sentence(), Since: j.Since.UTC(), Count: v.Count,
		Causes: make([]api.Cause, 0, len(v.Causes))}
	for _, c := range v.Causes {
		cause := api.Cause{Topic: c.Topic, Have: c.Have, Need: c.Need}
		if c.Partition >= 0 {
			cause.Partition = &c.Partition
		}
		if c.Node != rolling.None {
			node := int(c.Node)
			cause.Node = &node
		}
		shape.Causes = append(shape.Causes, cause)
	}
	return &shape
}

func taskShape(task scheduler.TaskView) api.Task {
	shape := api.Task{
		Name:       task.Name,
		FullName:   task.FullName,
		ID:         string(task.ID),
		Goal:       string(task.Goal),
		State:      string(task.State),
		Reason:     task.Reason,
		Message:    task.Message,
		Since:      instant(task.Since),
		Ready:      task.Ready,
		Healthy:    task.Healthy,
		ExecutorID: string(task.Executor),
		TargetID:   task.Target,
		Override:   task.Override,
		Ports:      make([]api.Port, 0, len(task.Ports)),
	}
	for _, port := range task.Ports {
		shape.Ports = append(shape.Ports, api.Port{Name: port.Name, Port: port.Number})
	}
	return shape
}

// brokerShape: the facts hold registered brokers only.
func serverShape(facts *scheduler.ServerFacts) *api.ZooKeeperServer {
	if facts == nil {
		return nil
	}
	return &api.ZooKeeperServer{Address: facts.Address, Role: string(facts.Role),
		Error: facts.Error}
}

func brokerShape(facts *scheduler.BrokerFacts) *api.Broker {
	if facts == nil {
		return nil
	}
	return &api.Broker{
		ID:         facts.ID,
		Address:    facts.Address,
		Registered: true,
		Fenced:     facts.Fenced,
		Hosted:     facts.Hosted,
		NotInSync:  facts.NotInSync,
		Leads:      facts.Leads,
		FailedDirs: facts.Failed,
		Cordoned:   facts.Cordoned,
	}
}

func kafkaShape(kafka scheduler.KafkaView, pods []servicespec.Pod) api.Kafka {
	shape := api.Kafka{
		ClusterID: kafka.ClusterID,
		Founded:   kafka.Founded,
		Voters:    []int{},
		Brokers:   []int{},
	}
	for _, p := range pods {
		if p.Kafka != nil {
			shape.Nodes += p.Count
		}
	}
	shape.TopicsDeclared = len(kafka.Declared)
	for _, t := range kafka.Declared {
		if t.State == scheduler.TopicReached {
			shape.TopicsAsDeclared++
		}
	}
	if kafka.Drift != nil {
		shape.PropertiesDrifted = len(kafka.Drift.Brokers)
	}
	facts := kafka.Facts
	if facts == nil {
		return shape
	}
	shape.Asked, shape.Error = instant(facts.Asked), facts.Error
	if facts.Leader >= 0 && facts.Error == "" {
		leader := facts.Leader
		shape.Leader = &leader
	}
	shape.Voters = append(shape.Voters, facts.Voters...)
	for _, broker := range facts.Brokers {
		shape.Brokers = append(shape.Brokers, broker.ID)
	}
	shape.OfflinePartitions = facts.OfflinePartitions
	return shape
}

func leftoverShape(left scheduler.Leftover) api.Leftover {
	return api.Leftover{
		Reservation: string(left.Reservation),
		Pod:         left.Pod.String(),
		AgentID:     string(left.Agent),
		Hostname:    left.Hostname,
		Volumes:     texts(left.Volumes()),
		Freeing:     left.Freeing,
	}
}

func endpointShape(e scheduler.EndpointView) api.Endpoint {
	vip := ""
	if e.VIP != nil {
		vip = fmt.Sprintf("%s:%d", e.VIP.Prefix, e.VIP.Port)
	}
	return api.Endpoint{Address: texts(e.Address), DNS: texts(e.DNS), VIP: vip}
}

// liveEndpoints are the endpoints that have an address, by name; the predecessor does not know
// one before a task that has it was launched.
func liveEndpoints(v *scheduler.View) []scheduler.EndpointView {
	var live []scheduler.EndpointView
	for _, e := range v.Endpoints {
		if len(e.Address) > 0 {
			live = append(live, e)
		}
	}
	sort.SliceStable(live, func(i, j int) bool { return live[i].Name < live[j].Name })
	return live
}

func refusals(refusal *offer.Refusal) []api.AgentRefusal {
	var list []api.AgentRefusal
	for _, agent := range refusal.Agents() {
		shape := api.AgentRefusal{AgentID: string(agent.Agent), Hostname: agent.Hostname,
			Reasons: []string{}, Codes: []string{}}
		for _, reason := range agent.Reasons {
			shape.Reasons = append(shape.Reasons, reason.String())
			shape.Codes = append(shape.Codes, string(reason.Code))
		}
		list = append(list, shape)
	}
	return list
}
