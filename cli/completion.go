package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) completionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print a shell's completion script",
		Example: "  source <(kafka-sched completion bash)\n" +
			"  kafka-sched completion fish > ~/.config/fish/completions/kafka-sched.fish",
		Args:      cobra.MatchAll(arguments(1, 1), validOnly),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(e.stdout, true)
			case "zsh":
				return root.GenZshCompletion(e.stdout)
			case "fish":
				return root.GenFishCompletion(e.stdout, true)
			}
			return root.GenPowerShellCompletionWithDesc(e.stdout)
		},
	}
}

// completeTime is how long the shell waits for words at most.
const completeTime = 2 * time.Second

// completeBy gives the words that are asked of a live service; one that does not answer has none.
func (e *env) completeBy(
	cmd *cobra.Command, ask func(context.Context, *client.Client) ([]string, error),
) ([]string, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(cmd.Context(), completeTime)
	defer cancel()
	e.nameGiven = cmd.Flags().Changed("name")
	c, err := e.connect()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	words, err := ask(ctx, c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return words, cobra.ShellCompDirectiveNoFileComp
}

// complete gives words of the status document.
func (e *env) complete(
	cmd *cobra.Command, words func(api.Service) []string,
) ([]string, cobra.ShellCompDirective) {
	return e.completeBy(cmd, func(ctx context.Context, c *client.Client) ([]string, error) {
		s, err := c.Service(ctx)
		return words(s), err
	})
}

func (e *env) completePods(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.complete(cmd, func(s api.Service) (words []string) {
		switch len(args) {
		case 0:
			for _, p := range s.Pods {
				words = append(words, p.Name)
			}
		case 1:
			if p := s.Pod(args[0]); p != nil && cmd.Name() == "logs" {
				for _, t := range p.Tasks {
					words = append(words, t.Name)
				}
			}
		}
		return words
	})
}

func (e *env) completePlans(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.complete(cmd, func(s api.Service) (words []string) {
		if len(args) == 0 {
			for _, p := range s.Plans {
				words = append(words, p.Name)
			}
			return words
		}
		p := s.Plan(args[0])
		if p == nil {
			return nil
		}
		for _, ph := range p.Phases {
			if len(args) == 1 {
				words = append(words, ph.Name)
			}
			for _, st := range ph.Steps {
				if len(args) == 2 && ph.Name == args[1] {
					words = append(words, st.Name)
				}
			}
		}
		return words
	})
}

func (e *env) completeEndpoints(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.complete(cmd, func(s api.Service) (words []string) {
		for _, p := range s.Endpoints {
			if len(args) == 0 {
				words = append(words, p.Name)
			}
		}
		return words
	})
}

// completeTasks gives the tasks of the pod that is named.
func (e *env) completeTasks(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.complete(cmd, func(s api.Service) (words []string) {
		if len(args) == 0 {
			return nil
		}
		if p := s.Pod(args[0]); p != nil {
			for _, t := range p.Tasks {
				words = append(words, t.Name)
			}
		}
		return words
	})
}

// completeBrokers gives the ids of the brokers.
func (e *env) completeBrokers(
	cmd *cobra.Command, args []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.complete(cmd, func(s api.Service) (words []string) {
		for _, id := range s.Kafka.Brokers {
			if len(args) == 0 {
				words = append(words, strconv.Itoa(id))
			}
		}
		return words
	})
}

// completeAgents gives the host names of the agents that something is held on.
func (e *env) completeAgents(
	cmd *cobra.Command, _ []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.completeBy(cmd, agentNames)
}

// completeConfigs gives the ids of configurations.
func (e *env) completeConfigs(
	cmd *cobra.Command, _ []string, _ string,
) ([]string, cobra.ShellCompDirective) {
	return e.completeBy(cmd, configIDs)
}

// completeNames gives the clusters that are installed.
func (e *env) completeNames(
	*cobra.Command, []string, string,
) ([]string, cobra.ShellCompDirective) {
	h, err := e.clusters()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names, err := h.names()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
