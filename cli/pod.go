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
	return group("pod", "Show, restart and replace pods",
		"  kafka-sched pod status",
		e.podListCmd(), e.podStatusCmd(), e.podInfoCmd(),
		e.podActCmd("restart", "Stop a pod and start it again in the same place, on its data",
			"will be started again in the same place", (*client.Client).PodRestart),
		e.podActCmd("replace", "Give a pod a new place; the data in its old one is destroyed",
			"will get a new place", (*client.Client).PodReplace),
	)
}

func (e *env) podListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the pods that were launched", Args: arguments(0, 0),
		Example: "  kafka-sched pod list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			names, err := c.PodNames(cmd.Context())
			if err != nil {
				return e.answer(err)
			}
			return e.printNames(names)
		},
	}
}

// printNames prints a list, one name a line.
func (e *env) printNames(names []string) error {
	if e.json {
		if names == nil {
			names = []string{}
		}
		return e.printJSON(names)
	}
	for _, name := range names {
		e.printf("%s\n", name)
	}
	return nil
}

func (e *env) podStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status [POD]", Short: "Show pods and their tasks", Args: arguments(0, 1),
		Example:           "  kafka-sched pod status\n  kafka-sched pod status kafka-0",
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
			return e.printPods(s, pods)
		},
	}
}

// noPod is the error for a pod that is not there; it names those that are.
func noPod(s api.Service, name string) error {
	names := make([]string, len(s.Pods))
	for i, p := range s.Pods {
		names[i] = p.Name
	}
	return fail(exitNotFound, "there is no pod %q; there are: %s",
		name, orUnknown(strings.Join(names, ", ")))
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
	w := table(e.stdout, "POD", "TASK", "STATE", "READY", "AGE", "HOST", "PORTS", "NOTE")
	for _, p := range pods {
		for _, t := range p.Tasks {
			row(w, p.Name, t.Name, taskState(t), yesNo(t.Ready), sinceAge(t.Since, s.Now),
				p.Hostname, ports(t), oneLine(note(p, t)))
		}
	}
	return w.Flush()
}

// taskState is a task's Mesos state without its prefix, which /v2 does not write.
func taskState(t api.Task) string { return strings.TrimPrefix(t.State, "TASK_") }

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
	case p.Request != "":
		return p.Request + " requested"
	case taskState(t) != "RUNNING" && t.Message != "":
		return t.Message
	case p.Broker != nil && p.Broker.Fenced:
		return "the broker is fenced"
	case p.Broker != nil && p.Broker.NotInSync > 0:
		return fmt.Sprintf("%d partitions are not in sync", p.Broker.NotInSync)
	}
	return ""
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
				return e.answer(err)
			}
			return e.printJSON(json.RawMessage(info))
		},
	}
}

// podActCmd makes the commands that act on one pod.
func (e *env) podActCmd(
	verb, about, said string,
	act func(*client.Client, context.Context, string) (api.PodCommanded, error),
) *cobra.Command {
	return &cobra.Command{
		Use: verb + " POD", Short: about, Args: arguments(1, 1),
		Example:           "  kafka-sched pod " + verb + " kafka-1",
		ValidArgsFunction: e.completePods,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.connect()
			if err != nil {
				return err
			}
			done, err := act(c, cmd.Context(), args[0])
			if err != nil {
				return e.namesOf(err, func() ([]string, error) {
					return c.PodNames(cmd.Context())
				})
			}
			if e.json {
				return e.printJSON(done)
			}
			e.printf("%s %s (tasks: %s)\n", done.Pod, said, strings.Join(done.Tasks, ", "))
			e.printf("follow it with: kafka-sched plan status recovery --watch%s\n",
				e.nameFlag())
			return nil
		},
	}
}
