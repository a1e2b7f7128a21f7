package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/api/client"
	"github.com/spf13/cobra"
)

func (e *env) quotaCmd() *cobra.Command {
	return group("quota", "Show and change what clients may use", "  kafka-sched quota list",
		e.quotaListCmd(), e.quotaSetCmd(), e.quotaDeleteCmd())
}

func (e *env) quotaListCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.QuotaList]{
		use: "list", alias: []string{"ls"}, short: "List the quotas", example: "quota list",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.QuotaList, error) {
			return c.Quotas(ctx)
		},
		draw: func(list api.QuotaList) error {
			t := e.table([]string{"USER", "CLIENT", "IP", "LIMITS"})
			for _, q := range list.Quotas {
				var limits []string
				for _, name := range sortedNames(q.Limits) {
					value := strconv.FormatFloat(q.Limits[name], 'f', -1, 64)
					limits = append(limits, name+"="+value)
				}
				row(t, q.User, q.ClientID, q.IP, strings.Join(limits, " "))
			}
			return t.Flush()
		},
	})
}

// quotaFlags are those that say whose quota it is.
func quotaFlags(c *cobra.Command, change *api.QuotaChange, dry *bool) *cobra.Command {
	flags := c.Flags()
	flags.StringVar(&change.User, "user", "", "of this user, or <default> for all others")
	flags.StringVar(&change.ClientID, "client", "", "of this client id, or <default>")
	flags.StringVar(&change.IP, "ip", "", "of this address, or <default>")
	return dryRunFlag(c, dry)
}

func (e *env) quotaSetCmd() *cobra.Command {
	var change api.QuotaChange
	var dry bool
	return quotaFlags(kafkaCmd(e, asking[api.Outcome]{
		use: "set LIMIT=VALUE...", short: "Set limits of a user, a client or an address",
		long: "Sets limits: producer_byte_rate, consumer_byte_rate, request_percentage and\n" +
			"controller_mutation_rate of users and clients, connection_creation_rate of addresses.",
		example: "quota set producer_byte_rate=1048576 --user alice", least: 1, most: 20,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			words, err := assignments(args)
			if err != nil {
				return api.Outcome{}, err
			}
			change.Set = map[string]float64{}
			for _, name := range sortedNames(words) {
				value, err := strconv.ParseFloat(words[name], 64)
				if err != nil {
					return api.Outcome{}, fail(exitUsage, "%s of %s is no number",
						quote(words[name]), name)
				}
				change.Set[name] = value
			}
			return c.ChangeQuota(ctx, change, dryRun(dry)...)
		},
		draw: e.said,
	}), &change, &dry)
}

func (e *env) quotaDeleteCmd() *cobra.Command {
	var change api.QuotaChange
	var dry bool
	return quotaFlags(kafkaCmd(e, asking[api.Outcome]{
		use: "delete LIMIT...", short: "Take limits of a user, a client or an address away",
		example: "quota delete producer_byte_rate --user alice", least: 1, most: 20,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			change.Delete = args
			return c.ChangeQuota(ctx, change, dryRun(dry)...)
		},
		draw: e.said,
	}), &change, &dry)
}

func (e *env) userCmd() *cobra.Command {
	return group("user", "Show and change the users that have SCRAM passwords",
		"  kafka-sched user list", e.userListCmd(), e.userSetCmd(), e.userDeleteCmd())
}

func (e *env) userListCmd() *cobra.Command {
	return kafkaCmd(e, asking[api.UserList]{
		use: "list", alias: []string{"ls"}, short: "List who has SCRAM passwords",
		example: "user list",
		ask: func(ctx context.Context, c *client.Client, _ []string) (api.UserList, error) {
			return c.Users(ctx)
		},
		draw: func(list api.UserList) error {
			t := e.table([]string{"USER", "MECHANISM", "ITERATIONS"})
			for _, u := range list.Users {
				for _, credential := range u.Credentials {
					row(t, u.Name, credential.Mechanism, strconv.Itoa(credential.Iterations))
				}
			}
			return t.Flush()
		},
	})
}

func (e *env) userSetCmd() *cobra.Command {
	var user api.UserSet
	var file string
	c := kafkaCmd(e, asking[api.Outcome]{
		use: "set USER", short: "Give a user a SCRAM password",
		long: "Gives a user a password, which is read from a file, from the standard input, or\n" +
			"asked for on a terminal; it is never an argument, where others could see it.",
		example: "user set alice --password-file alice.txt", least: 1, most: 1,
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			var err error
			if user.Password, err = e.password(file); err != nil {
				return api.Outcome{}, err
			}
			user.Name = args[0]
			return c.SetUser(ctx, user)
		},
		draw: e.said,
	})
	c.Flags().StringVar(&file, "password-file", "", "file with the password (default: asked for)")
	c.Flags().StringVar(&user.Mechanism, "mechanism", "",
		"SCRAM-SHA-512 (default) or SCRAM-SHA-256")
	c.Flags().IntVar(&user.Iterations, "iterations", 0, "4096 (default) to 16384")
	return c
}

// password reads the first line of a file, or of the standard input.
func (e *env) password(file string) (string, error) {
	text := ""
	switch stdin, terminal := e.stdin.(*os.File); {
	case file != "":
		data, err := os.ReadFile(file)
		if err != nil {
			return "", fail(exitUsage, "--password-file: %w", err)
		}
		text, _, _ = strings.Cut(string(data), "\n")
	case terminal && term.IsTerminal(int(stdin.Fd())):
		fmt.Fprint(e.stderr, "Password: ")
		data, err := term.ReadPassword(int(stdin.Fd()))
		fmt.Fprintln(e.stderr)
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		text = string(data)
	default:
		// The end of the input may come without a line's end.
		text, _ = bufio.NewReader(e.stdin).ReadString('\n')
	}
	if text = strings.TrimRight(text, "\r\n"); text == "" {
		return "", fail(exitUsage, "there is no password; --password-file or the standard input "+
			"has it in its first line")
	}
	return text, nil
}

func (e *env) userDeleteCmd() *cobra.Command {
	var mechanism string
	c := kafkaCmd(e, asking[api.Outcome]{
		use: "delete USER", short: "Take a user's SCRAM passwords away",
		example: "user delete alice --yes", least: 1, most: 1,
		danger: "take the passwords of user %s away",
		ask: func(ctx context.Context, c *client.Client, args []string) (api.Outcome, error) {
			return c.DeleteUser(ctx, args[0], mechanism)
		},
		draw: e.said,
	})
	c.Flags().StringVar(&mechanism, "mechanism", "", "only SCRAM-SHA-512 or SCRAM-SHA-256")
	return c
}
