package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) podCmd() *cobra.Command {
	c := group("pod", "Show, restart, replace and pause pods",
		"  kafka-sched pod status",
		e.podListCmd(), e.podStatusCmd(), e.podInfoCmd(), e.podFilesCmd())
	for _, v := range podVerbs {
		c.AddCommand(e.podVerbCmd(v))
	}
	return c
}

func (e *env) podListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the pods that were launched (JSON; -o table with more)",
		Args: arguments(0, 0), Aliases: []string{"ls"},
		Example: "  kafka-sched pod list\n  kafka-sched pod list -o wide",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			names, err := c.PodNames(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			return e.printRaw(listOf(names), func() error {
				s, err := c.Service(cmd.Context())
				if err != nil {
					return e.answer(err)
				}
				return e.printPods(s, s.Pods)
			})
		},
	}
}

// listOf makes a list that is [] in JSON when it is empty.
func listOf[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (e *env) podStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status [POD]", Short: "Show pods and their tasks", Args: arguments(0, 1),
		Example: "  kafka-sched pod status\n  kafka-sched pod status kafka-0\n" +
			"  kafka-sched pod status -o wide",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			if e.json {
				return e.podStatusJSON(cmd.Context(), args)
			}
			_, s, err := e.service(cmd.Context())
			if err != nil {
				return err
			}
			pods := s.Pods
			if len(args) == 1 {
				p := s.Pod(args[0])
				if p == nil {
					return noPod(s, args[0])
				}
				pods = []api.Pod{*p}
			}
			if e.form != formText {
				return e.printPods(s, pods)
			}
			if len(args) == 1 {
				return e.printTree(podNode(s, pods[0]))
			}
			return e.printTree(podsNode(s))
		},
	}
}

// podsNode is the tree of a service with its types of pods, their instances and tasks.
func podsNode(s api.Service) node {
	root := node{text: orUnknown(s.Name)}
	for _, p := range s.Pods {
		last := len(root.children) - 1
		if last < 0 || root.children[last].text != p.Type {
			root.children = append(root.children, node{text: orUnknown(p.Type)})
			last++
		}
		kind := &root.children[last]
		kind.children = append(kind.children, podNode(s, p))
	}
	return root
}

// podNode is the tree of an instance with its tasks.
func podNode(s api.Service, p api.Pod) node {
	n := node{text: orUnknown(p.Name)}
	for _, t := range p.Tasks {
		where := ""
		if p.Hostname != "" {
			where = "on " + p.Hostname
		}
		n.children = append(n.children, node{
			text: orUnknown(t.FullName), status: orUnknown(taskState(t)),
			age: sinceAge(t.Since, s.Now), note: join("; ", where, oneLine(note(p, t))),
		})
	}
	return n
}

// noPod is the error for a pod that is not there; it names those that are.
func noPod(s api.Service, name string) error {
	names := make([]string, len(s.Pods))
	for i, p := range s.Pods {
		names[i] = p.Name
	}
	return fail(exitNotFound, "there is no pod %q; there are: %s",
		name, listing(names))
}

func (e *env) podStatusJSON(ctx context.Context, args []string) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	var answer any
	if len(args) == 1 {
		answer, err = c.PodStatus(ctx, args[0])
	} else {
		answer, err = c.PodsStatus(ctx)
	}
	if err != nil {
		return e.answer(err)
	}
	return e.printJSON(answer)
}

// printPods prints a table with a line for each task.
func (e *env) printPods(s api.Service, pods []api.Pod) error {
	t := e.table([]string{"POD", "TASK", "STATE", "READY", "AGE", "HOST", "PORTS", "NOTE"},
		"IP", "ZONE", "AGENT", "TARGET", "VOLUMES", "EXECUTOR")
	for _, p := range pods {
		executor := ""
		if p.Executor != nil {
			executor = p.Executor.Version
		}
		for _, task := range p.Tasks {
			row(t, p.Name, task.Name, taskState(task), yesNo(task.Ready),
				sinceAge(task.Since, s.Now), p.Hostname, ports(task), oneLine(note(p, task)),
				p.IP, p.Zone, p.AgentID, task.TargetID, strings.Join(p.Volumes, " "), executor)
		}
	}
	return t.Flush()
}

// taskState is what a task is: what an operator made of it, else its state in Mesos without
// the prefix, which /v2 does not write.
func taskState(t api.Task) string {
	return or(t.Override, strings.TrimPrefix(t.State, "TASK_"))
}

func ports(t api.Task) string {
	var list []string
	for _, p := range t.Ports {
		list = append(list, fmt.Sprintf("%s:%d", p.Name, p.Port))
	}
	return strings.Join(list, " ")
}

// note is the one thing about a task that an operator should see first.
func note(p api.Pod, t api.Task) string {
	switch {
	case p.Refusal != "":
		return p.Refusal
	case p.Leaving:
		return "is being decommissioned"
	case p.Request != "":
		return p.Request + " requested"
	case taskState(t) != "RUNNING" && t.Message != "":
		return t.Message
	case p.Failures > 0:
		return fmt.Sprintf("failed launches in a row: %d", p.Failures)
	case p.ZooKeeper != nil:
		return serverNote(*p.ZooKeeper)
	case p.Broker != nil && p.Broker.Fenced:
		return "the broker is fenced"
	case p.Broker != nil && len(p.Broker.FailedDirs) > 0:
		return "log directories failed: " + strings.Join(p.Broker.FailedDirs, ", ")
	case p.Broker != nil && p.Broker.NotInSync > 0:
		return plural(p.Broker.NotInSync, "partition") + " not in sync"
	}
	return ""
}

// serverNote is what a ZooKeeper server is.
func serverNote(s api.ZooKeeperServer) string {
	switch s.Role {
	case "":
		return "does not answer: " + s.Error
	case "idle":
		return "is not in the quorum"
	}
	return s.Role
}

func (e *env) podInfoCmd() *cobra.Command {
	return &cobra.Command{
		Use: "info POD", Short: "Show how a pod's tasks were described to Mesos (JSON)",
		Args: arguments(1, 1), Example: "  kafka-sched pod info kafka-0",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			info, err := c.PodInfo(cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return c.PodNames(cmd.Context())
				})
			}
			return e.printJSON(json.RawMessage(info))
		},
	}
}

// podVerb is a command that acts on a pod.
type podVerb struct {
	name, short, said string
	tasks             bool   // whether -t may name tasks
	forced            string // what --force takes into account, "" where there is no force
	plan              string // that shows what becomes of it, "" for the pod's own status
	moves             bool   // whether it leads to another agent
}

var podVerbs = []podVerb{
	{name: api.CommandRestart, said: "will be started again in the same place",
		short:  "Stop a pod and start it again in the same place, on its data",
		forced: unavailable,
		plan:   api.PlanRecovery},
	{name: api.CommandReplace, said: "will get a new place",
		short:  "Give a pod a new place; the data in its old one is destroyed",
		forced: "data that is nowhere else is lost for ever",
		plan:   api.PlanRecovery},
	{name: api.CommandMove, said: "is to move",
		short: "Give a pod a place on another agent, as soon as Kafka can bear it; " +
			"its data comes from the others",
		forced: "data that is nowhere else is lost for ever",
		plan:   api.PlanMaintenance, moves: true},
	podPausing, podResuming,
	{name: api.CommandResetBackoff, said: "may be launched again at once",
		short: "Let a pod that failed again and again be launched at once",
		plan:  api.PlanRecovery},
}

// The verbs that the predecessor had below debug pod.
var (
	podPausing = podVerb{name: api.CommandPause, said: "is being paused", tasks: true,
		short: "Run a command that does nothing in place of a pod's tasks, to look around"}
	podResuming = podVerb{name: api.CommandResume, said: "is being resumed", tasks: true,
		short: "Run a paused pod's own commands again"}
)

// podVerbCmd makes a command that acts on one pod. It prints JSON, as the predecessor did.
func (e *env) podVerbCmd(v podVerb) *cobra.Command {
	var body api.PodCommand
	var yes bool
	c := &cobra.Command{
		Use: v.name + " POD", Short: v.short, Args: arguments(1, 1),
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			if body.Cancel && (body.To != "" || body.Force) {
				return wrongUsage(cmd, "--cancel takes a move back, and --to and --force begin one")
			}
			if body.Force {
				err := e.confirmForce(v.name+" of "+args[0], v.forced, yes)
				if err != nil {
					return err
				}
			}
			return e.podAct(cmd.Context(), v, args[0], body)
		},
	}
	reasonFlag(c, &body.Reason)
	c.Example = "  kafka-sched pod " + v.name + " kafka-1"
	if v.forced != "" {
		c.Long = v.short + ".\nA Kafka node goes only when Kafka can bear it, and waits for that."
		forceFlags(c, &body.Force, &yes)
	}
	moveFlags(c, v, &body)
	if v.tasks {
		c.Flags().StringArrayVarP(&body.Tasks, "tasks", "t", nil,
			"only this task, by its name in the spec or in full (repeatable)")
		cobra.CheckErr(c.RegisterFlagCompletionFunc("tasks", e.completeTasks))
		c.Example += "\n  kafka-sched debug pod " + v.name + " kafka-1 -t broker"
	}
	return c
}

// moveFlags are those of a command that leads to another agent.
func moveFlags(c *cobra.Command, v podVerb, body *api.PodCommand) {
	if !v.moves {
		return
	}
	c.Flags().StringVar(&body.To, "to", "", "the agent to go to, by its host name or id "+
		"(default: any other one that has room)")
	c.Flags().BoolVar(&body.Cancel, "cancel", false, "take back a move that was not begun")
	c.Example += " --to 10.0.0.9"
}

func (e *env) podAct(ctx context.Context, v podVerb, pod string, body api.PodCommand) error {
	c, err := e.connect()
	if err != nil {
		return err
	}
	outcome, err := c.CommandPod(ctx, pod, v.name, body)
	if err != nil {
		return e.namesOf(err, func() ([]string, error) { return podNames(ctx, c) })
	}
	if !outcome.Changed {
		return e.alreadyDone(outcome, "%s: %s", v.name, pod)
	}
	done := api.PodCommanded{Pod: pod, Tasks: listOf(outcome.Tasks)}
	err = e.printRaw(done, func() error {
		e.printf("%s %s (tasks: %s)\n", pod, v.said, strings.Join(done.Tasks, ", "))
		return nil
	})
	if err != nil {
		return err
	}
	if v.plan == "" {
		e.hint("follow it with: kafka-sched pod status %s%s", pod, e.nameFlag())
		return nil
	}
	e.hintPlan(v.plan)
	return nil
}

// podNames gives the names of all instances, those too that were never launched.
func podNames(ctx context.Context, c *client.Client) ([]string, error) {
	pods, err := c.Pods(ctx)
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	return names, err
}

// forceFlags are the flags of what takes Kafka nodes down whatever Kafka says.
func forceFlags(c *cobra.Command, force, yes *bool) {
	c.Flags().BoolVar(force, "force", false, "take Kafka nodes down whatever Kafka says")
	c.Flags().BoolVarP(yes, "yes", "y", false, "do not ask")
}

// confirmForce asks, where there is somebody to answer, whether the price is to be paid.
func (e *env) confirmForce(what, price string, yes bool) error {
	return e.agree(yes, fmt.Sprintf("The %s does not ask Kafka: %s. Go on?", what, price),
		fmt.Sprintf("with --force the %s does not ask Kafka, and %s", what, price))
}
