package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// Daemons are the long-running parts of the program, which the command line starts and does
// not know. Each runs until its context ends.
type Daemons struct {
	// Scheduler returns nil when the context ended or the service is uninstalled. In the
	// latter case it leaves a file "uninstalled" in its folder.
	Scheduler func(context.Context, SchedulerOptions) error
	// LocalMesos runs the embedded Mesos; executors outlive it.
	LocalMesos func(context.Context, LocalMesosOptions) error
	// Executor runs inside a Mesos sandbox and gives the process' exit code, if its own binary has
	// this SHA-256, "" for any.
	Executor func(ctx context.Context, digest string) int
	// Version of the program.
	Version string
}

// SchedulerOptions is what a scheduler process has to know.
type SchedulerOptions struct {
	Name string
	// Dir is the scheduler's own folder: its state, lock, log, and scheduler.json.
	Dir string
	// State is the ZooKeeper where the state is kept; the zero one stands for a file in Dir.
	State zk.Access
	// SpecFile is the rendered service spec.
	SpecFile string
	// Master is the URL of the Mesos master or its host:port, a list of such with commas, or
	// zk://….
	Master string
	// Access is how the masters and agents let us in.
	Access mesoshttp.AccessOptions
	// Listen is the API's host:port; Advertise is the host:port that agents reach it under,
	// "" for Listen.
	Listen, Advertise string
	// AnyPort says that another port will do when that of Listen is taken.
	AnyPort bool
	// KafkaDist is the packed archive that agents fetch; KafkaVersion is what is in it.
	KafkaDist, KafkaVersion string
	// JRE is the packed Java runtime that agents fetch, "" when they have their own.
	JRE string
	// ExecutorBinary is the kafka-sched binary that agents fetch.
	ExecutorBinary string
	// Executors are binaries for agents on other platforms, by these: "linux/arm64".
	Executors map[string]string
	// Java is the path of the java command on this machine; "" when the agents are others.
	Java       string
	Foreground bool
	LogFile    string
	// Webhook is the URL that is told of what plans do, "" for none; WebhookSecretFile holds
	// the secret that its messages are signed with.
	Webhook, WebhookSecretFile string
	// Recording is how many megabytes the recording of what the scheduler is told may take.
	Recording int
	// StalledAfter is how long a plan may make no progress until a metric says so; 0 is the
	// default.
	StalledAfter time.Duration
}

// LocalMesosOptions is what an embedded Mesos has to know.
type LocalMesosOptions struct {
	Dir, MasterAddr, Name string
	Agents                []LocalAgent
	LogFile               string
	Secrets               string // the folder that references to secrets are looked up in
	// Faults lets it misbehave on order; Simulate runs no processes.
	Faults, Simulate bool
	// AgentTimeout is when the master gives up an agent that does not answer; 0 means 75 s.
	AgentTimeout time.Duration
}

// LocalAgent is one agent of an embedded Mesos.
type LocalAgent struct {
	Name     string      `json:"name"`
	Addr     string      `json:"addr"` // host:port
	Hostname string      `json:"hostname"`
	CPUs     float64     `json:"cpus"`
	MemMB    int64       `json:"mem_mb"`
	DiskMB   int64       `json:"disk_mb"`
	Ports    [][2]uint64 `json:"ports"` // inclusive ranges
	// Attributes, and the fault domain, are for agents that differ.
	Attributes   map[string]string `json:"attributes,omitempty"`
	Region, Zone string            `json:",omitempty"`
	// GPUs, and the sizes of disks of these types.
	GPUs                      float64 `json:"gpus,omitempty"`
	PathDisksMB, MountDisksMB []int64 `json:",omitempty"`
}

// Main runs a command line, without the program's name, and gives the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, d Daemons) int {
	e := &env{
		stdin: stdin, stdout: stdout, stderr: stderr, daemons: d,
		getenv: os.Getenv, machine: thisMachine(),
	}
	return e.run(args)
}

// defaultName is the name of a cluster that was given none.
const defaultName = "kafka"

// env is all that a command knows of the world.
type env struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	daemons        Daemons
	getenv         func(string) string
	machine        machine
	exitCode       int // of the executor, which has exit codes of its own

	// The flags that every command has.
	name, url, home string
	form            output
	json            bool // the result is for a program: JSON, or YAML
	verbose         bool
	nameGiven       bool
}

// run runs a command line and gives the exit code.
func (e *env) run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := e.root()
	root.SetArgs(args)
	began := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		began = true
		e.nameGiven = cmd.Flags().Changed("name")
		if name := e.getenv("KAFKA_SCHED_NAME"); name != "" && !e.nameGiven {
			e.name = name
		}
		return e.chooseForm()
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return e.exitCode
	}
	code := codeOf(err)
	switch {
	case !began:
		code = exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		code = exitInterrupted
		err = errors.New("interrupted")
	}
	fmt.Fprintf(e.stderr, "kafka-sched: %s\n", visible(strings.TrimRight(err.Error(), "\n")))
	return code
}

// root is the whole command tree.
func (e *env) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kafka-sched",
		Short: "Runs Apache Kafka on Mesos, or on this machine alone",
		Long: "kafka-sched runs Apache Kafka on Mesos. Without a Mesos, install brings one\n" +
			"along that runs on this machine.",
		Example:       "  kafka-sched install\n  kafka-sched status\n  kafka-sched uninstall",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          subcommands,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(e.stdin)
	root.SetOut(e.stdout)
	root.SetErr(e.stderr)
	root.SetHelpTemplate(root.HelpTemplate() + "\n" + exitHelp + "\n")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	flags := root.PersistentFlags()
	flags.StringVar(&e.name, "name", defaultName,
		"name of the cluster (default: KAFKA_SCHED_NAME, else kafka)")
	flags.StringVar(&e.url, "url", "",
		"URL of the scheduler's API (default: KAFKA_SCHED_URL, else the cluster's own)")
	flags.BoolVar(&e.json, "json", false, "print JSON, as -o json does")
	flags.VarP(&e.form, "output", "o", "how to print: "+strings.Join(forms, ", "))
	flags.BoolVarP(&e.verbose, "verbose", "v", false, "show the requests to the scheduler")
	flags.StringVar(&e.home, "home", "", "folder of all clusters")
	cobra.CheckErr(flags.MarkHidden("home"))
	root.AddCommand(
		e.installCmd(), e.statusCmd(), e.planCmd(), e.podCmd(), e.endpointsCmd(), e.logsCmd(),
		e.stopCmd(), e.startCmd(), e.updateCmd(), e.upgradeCmd(), e.migrateCmd(),
		e.selfUpgradeCmd(),
		e.configCmd(), e.describeCmd(), e.debugCmd(),
		e.journalCmd(), e.agentCmd(), e.brokerCmd(), e.rebalanceCmd(), e.topicCmd(),
		e.groupCmd(),
		e.quotaCmd(), e.userCmd(), e.aclCmd(), e.logDirCmd(), e.transactionCmd(), e.electionCmd(),
		e.reassignmentCmd(), e.featureCmd(), e.servicesCmd(),
		e.uninstallCmd(), e.versionCmd(), e.specCmd(), e.simulateCmd(), e.completionCmd(),
		e.stateCmd(), exitCodesTopic(), e.keepCmd(), e.schedulerCmd(), e.localMesosCmd(),
		e.executorCmd(),
	)
	cobra.CheckErr(root.RegisterFlagCompletionFunc("name", e.completeNames))
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Run, help.RunE = nil, helpOf
	return root
}

// helpOf shows the help of the command that is named.
func helpOf(cmd *cobra.Command, args []string) error {
	found, rest, err := cmd.Root().Find(args)
	if err == nil {
		err = subcommands(found, rest)
	}
	if err != nil {
		return err
	}
	return found.Help()
}

// clusters is the folder of all clusters.
func (e *env) clusters() (home, error) {
	if e.home != "" {
		return home(e.home), nil
	}
	return findHome(e.getenv)
}

// folder gives the folder of the cluster that the flags name.
func (e *env) folder() (folder, error) {
	h, err := e.clusters()
	if err != nil {
		return folder{}, err
	}
	if err := checkName(e.name); err != nil {
		return folder{}, err
	}
	return h.cluster(e.name), nil
}

// group makes a command that only holds others.
func group(use, short, example string, children ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Example: example, Args: subcommands,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.AddCommand(children...)
	return c
}
