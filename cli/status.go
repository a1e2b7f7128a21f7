package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/spf13/cobra"
)

func (e *env) statusCmd() *cobra.Command {
	var watch bool
	c := &cobra.Command{
		Use: "status", Short: "Show the whole service", Args: arguments(0, 0),
		Long: "Show the whole service: where its API is, its plans with what they wait for, its\n" +
			"pods, its addresses. With --json it is the scheduler's status document with the\n" +
			"API's address as \"url\". With --watch it is drawn anew every second, with the\n" +
			"latest offers; where the output is no terminal, a line tells each change.",
		Example: "  kafka-sched status\n  kafka-sched status --watch\n" +
			"  kafka-sched status --json | jq -r .url",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if e.here() {
				if stopped, err := e.stopped(); err != nil || stopped {
					return err
				}
			}
			if watch {
				return e.watchStatus(cmd.Context())
			}
			return e.status(cmd.Context())
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing it until interrupted")
	return c
}

// stopped says whether the cluster's processes do not run, and in that case prints so.
func (e *env) stopped() (bool, error) {
	f, err := e.folder()
	if err != nil {
		return false, err
	}
	if _, err := f.load(); err != nil {
		return false, err
	}
	for _, lock := range []string{f.keeperLock(), f.schedulerLock()} {
		pid, err := holder(lock)
		if err != nil {
			return false, err
		}
		if pid != 0 {
			return false, nil
		}
	}
	alive := len(leftovers(f)) > 0
	if e.json {
		return true, e.printJSON(map[string]any{
			"name": f.name, "url": "", "running": false, "tasks_running": alive,
		})
	}
	if alive {
		e.printf("the scheduler of %s does not run, but its tasks do; kafka-sched start%s goes on "+
			"with them, kafka-sched stop%s ends them\n", f.name, e.nameFlag(), e.nameFlag())
		return true, nil
	}
	e.printf("%s is stopped; kafka-sched start%s starts it\n", f.name, e.nameFlag())
	return true, nil
}

// status prints the status document.
func (e *env) status(ctx context.Context) error {
	c, s, err := e.service(ctx)
	if err != nil {
		return err
	}
	if e.json {
		doc, err := statusDocument(c.URL(), s)
		if err != nil {
			return err
		}
		return e.printJSON(doc)
	}
	e.printHead(c.URL(), s)
	e.printf("\n")
	if err := e.printPods(s, s.Pods); err != nil {
		return fmt.Errorf("printing: %w", err)
	}
	for _, p := range s.Plans {
		if p.Name != api.PlanDeploy && p.Status == api.StatusComplete {
			continue
		}
		e.printf("\n")
		if err := e.printPlan(p); err != nil {
			return err
		}
	}
	return nil
}

// statusDocument is the scheduler's document with the API's address.
func statusDocument(url string, s api.Service) (map[string]any, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encoding the status: %w", err)
	}
	var doc map[string]any
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("encoding the status: %w", err)
	}
	doc["url"], doc["running"] = url, true
	return doc, nil
}

// printHead prints what concerns the service as a whole.
func (e *env) printHead(url string, s api.Service) {
	e.printLine("%s: %s", s.Name, summary(s))
	e.printLine("  API        %s", url)
	e.printLine("  Release    %s", releaseLine(s))
	e.printLine("  Mesos      %s", mesosLine(s))
	if s.Kafka.Nodes > 0 || s.Kafka.Founded {
		e.printLine("  Kafka      %s", kafkaLine(s.Kafka))
		e.printLine("  Bootstrap  %s", orHyphen(bootstrap(s)))
	}
	if line := declaredLine(s.Kafka); line != "" {
		e.printLine("  Declared   %s", line)
	}
	if line := zooKeeperLine(s); line != "" {
		e.printLine("  ZooKeeper  %s", line)
	}
	for _, l := range s.Leftovers {
		e.printLine("  Leftover   reservation of %s on %s waits to be freed", l.Pod,
			orHyphen(l.Hostname))
	}
}

// releaseLine says which release the scheduler is of, and whether executors are of another.
func releaseLine(s api.Service) string {
	line := s.Version
	if n := len(otherExecutors(s)); n > 0 {
		line += fmt.Sprintf("; %s run under executors of another, until they are launched anew or "+
			"by self-upgrade --roll-executors", plural(n, "pod"))
	}
	return line
}

// mesosLine says how things stand with the masters.
func mesosLine(s api.Service) string {
	switch m := s.Mesos; {
	case s.Connected && m != nil && m.AgentsReason != "":
		return "connected to " + s.Master + "; its operator API does not list the agents: " +
			m.AgentsReason
	case s.Connected:
		return "connected to " + s.Master
	case m != nil && m.Reason != "":
		return fmt.Sprintf("not connected for %s: %s", short(s.Now.Sub(m.Since)), m.Reason)
	default:
		return "not connected"
	}
}

// printLine prints a line. Where the output is drawn over, it is cut so that it does not wrap;
// elsewhere it is kept whole, because somebody may copy from it.
func (e *env) printLine(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if c, ok := e.stdout.(*canvas); ok && c.width > 0 {
		text = clip(text, c.width)
	}
	e.printf("%s\n", text)
}

// summary says in a few words how the service is.
func summary(s api.Service) string {
	recovery := s.Plan(api.PlanRecovery)
	deploy := s.Plan(api.PlanDeploy)
	switch {
	case s.Intent == api.IntentUninstall:
		return "is being uninstalled"
	case s.Intent == api.IntentStop && live(s) == 0:
		return "stopped"
	case s.Intent == api.IntentStop:
		return "stopping"
	case deploy != nil && deploy.Status == api.StatusError:
		return "the deploy plan has errors"
	case deploy != nil && deploy.Status != api.StatusComplete:
		return "deploying"
	case recovery != nil && recovery.Status != api.StatusComplete:
		return "recovering"
	}
	return "running"
}

// kafkaLine says what is known of the Kafka cluster.
func kafkaLine(k api.Kafka) string {
	switch {
	case !k.Founded:
		return "the cluster is not founded yet"
	case k.Error != "":
		return "no answer: " + k.Error
	}
	text := fmt.Sprintf("cluster %s, %d brokers", k.ClusterID, len(k.Brokers))
	if k.Leader != nil {
		text += fmt.Sprintf(", controller %d", *k.Leader)
	}
	if k.OfflinePartitions > 0 {
		text += fmt.Sprintf(", %d partitions OFFLINE", k.OfflinePartitions)
	}
	return text
}

// declaredLine says how what the target declares is in Kafka, "" when there is nothing to say.
func declaredLine(k api.Kafka) string {
	var parts []string
	if k.TopicsDeclared > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d topics as declared", k.TopicsAsDeclared,
			k.TopicsDeclared))
	}
	if k.PropertiesDrifted > 0 {
		parts = append(parts, fmt.Sprintf("%d properties of brokers drifted; see config drift",
			k.PropertiesDrifted))
	}
	return strings.Join(parts, ", ")
}

// zooKeeperLine says which servers serve and who leads, "" when there are none.
func zooKeeperLine(s api.Service) string {
	count, serving, leader := 0, 0, ""
	for _, p := range s.Pods {
		if p.ZooKeeper == nil {
			continue
		}
		count++
		switch p.ZooKeeper.Role {
		case "leader", "standalone":
			leader = p.Name
			serving++
		case "follower":
			serving++
		}
	}
	switch {
	case count == 0:
		return ""
	case leader == "":
		return fmt.Sprintf("none of %s leads", plural(count, "server"))
	}
	return fmt.Sprintf("%d of %s serve, %s leads", serving, plural(count, "server"), leader)
}

// brokerEndpoint is the name of the endpoint that Kafka clients use.
const brokerEndpoint = "broker"

// bootstrap gives the bootstrap servers, separated by commas.
func bootstrap(s api.Service) string {
	for _, p := range s.Endpoints {
		if p.Name == brokerEndpoint {
			return strings.Join(p.Address, ",")
		}
	}
	return ""
}

// live counts the tasks that have not ended.
func live(s api.Service) int {
	n := 0
	for _, p := range s.Pods {
		for _, t := range p.Tasks {
			if isLive(strings.TrimPrefix(t.State, "TASK_")) {
				n++
			}
		}
	}
	return n
}

// isLive says of a task's state whether a process may be behind it.
func isLive(state string) bool {
	switch state {
	case "", "FINISHED", "FAILED", "KILLED", "ERROR", "LOST", "DROPPED", "GONE",
		"GONE_BY_OPERATOR":
		return false
	}
	return true
}
