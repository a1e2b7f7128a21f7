package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/servicespec"
	"github.com/spf13/cobra"
)

// installing is one run of install: its flags, and what it has come to so far.
type installing struct {
	env *env
	waiting
	specFlags
	master, listen, advertise string
	kafkaVersion, kafkaDist   string
	jre                       string
	secrets                   string
	recording                 int
	executorFiles             []string
	executors                 map[string]string
	agents                    int
	foreground, faults        bool
	watch                     watch
	access                    access
	state                     stateFlags
	adopt                     adopting

	folder   folder
	wanted   wanted
	needs    needs
	cluster  cluster
	progress progress
	began    time.Time
}

func (e *env) installCmd() *cobra.Command {
	in := &installing{env: e}
	c := &cobra.Command{
		Use: "install", Short: "Install a Kafka cluster and start it", Args: arguments(0, 0),
		Long: "Install a Kafka cluster and start it: check the machine, get Kafka, start the\n" +
			"scheduler in the background and, unless --master names a Mesos, an embedded one,\n" +
			"and follow the deployment. Installing again with the same options does nothing.",
		Example: "  kafka-sched install\n" +
			"  kafka-sched install --name test --set brokers.count=1 --set brokers.disk=2000\n" +
			"  kafka-sched install --master zk://zk-1:2181/mesos --options options.json\n" +
			"  kafka-sched install --master zk://zk-1:2181/mesos -f svc.yml --adopt",
		RunE: func(cmd *cobra.Command, _ []string) error { return in.run(cmd.Context()) },
	}
	in.waiting.flags(c, 10*time.Minute)
	in.specFlags.flags(c)
	f := c.Flags()
	f.StringVar(&in.master, "master", "",
		"Mesos masters: host:port or URL, a list of these, or zk://… (default: embedded)")
	f.StringVar(&in.kafkaVersion, "kafka-version", "", "version of Kafka")
	f.StringVar(&in.kafkaDist, "kafka-dist", "",
		"where Kafka comes from: folder, archive or URL (default: Maven artifacts)")
	f.StringVar(&in.jre, "jre", "",
		"Java runtime that agents fetch: folder, archive or URL (default: their own)")
	f.StringArrayVar(&in.executorFiles, "executor", nil,
		"kafka-sched built for agents on another platform: [linux/arm64=]FILE; repeatable")
	f.IntVar(&in.recording, "recording", usualRecording,
		"megabytes for the recording of what the scheduler is told; 0 records nothing")
	f.IntVar(&in.agents, "agents", 0, "agents of the embedded Mesos (default 3, or one a broker)")
	f.BoolVar(&in.faults, "faults", false,
		"let the embedded Mesos misbehave on order (localmesos chaos)")
	f.StringVar(&in.secrets, "secrets", "",
		"folder with the secrets for the embedded Mesos, a file each")
	f.StringVar(&in.listen, "listen", "", "host:port of the API (default: a free one of 127.0.0.1)")
	f.StringVar(&in.advertise, "advertise", "", "host:port under which agents reach the API")
	f.BoolVar(&in.foreground, "foreground", false, "stay in the foreground, until interrupted")
	in.watch.flags(f)
	in.access.flags(f)
	in.state.flags(f)
	in.adopt.flags(c)
	return c
}

// run installs. The lock lasts until the scheduler answers; from then on other commands may
// act on the cluster while this one only follows.
func (in *installing) run(ctx context.Context) error {
	in.began = time.Now()
	in.progress = in.env.progress(in.quiet)
	if err := in.want(); err != nil {
		return err
	}
	if err := in.folder.make(); err != nil {
		return err
	}
	release, err := claim(in.folder)
	if err != nil {
		os.Remove(in.folder.dir) // only when it is empty, as is its home
		os.Remove(string(homeOf(in.folder)))
		return noRoom(err)
	}
	defer release()
	if exists(in.folder.file("cluster.json")) {
		release()
		return in.again(ctx)
	}
	if err := in.prepare(ctx); err != nil {
		in.undo()
		return noRoom(err)
	}
	return in.start(ctx, release)
}

// want reads the flags into what is wanted; nothing is touched yet.
func (in *installing) want() error {
	base := servicespec.Options{}
	if in.kafkaVersion != "" {
		if err := base.Set("service.kafka_version=" + in.kafkaVersion); err != nil {
			return fail(exitUsage, "--kafka-version: %w", err)
		}
	}
	w, err := in.env.want(in.specFlags, base)
	if err != nil {
		return err
	}
	if in.kafkaVersion != "" && w.version != in.kafkaVersion {
		return fail(exitUsage, "--kafka-version is %s, and the spec or an option says %q",
			in.kafkaVersion, w.version)
	}
	in.wanted, in.needs = w, measure(w.service)
	in.env.name = w.service.Name
	if in.folder, err = in.env.folder(); err != nil {
		return err
	}
	if in.agents < 0 || in.agents > mostAgents {
		return fail(exitUsage, "--agents %d: 1 to %d are possible", in.agents, mostAgents)
	}
	if in.master != "" {
		if err := masterForm(in.master); err != nil {
			return err
		}
	}
	if in.agents > 0 && in.master != "" {
		return fail(exitUsage, "--agents is for the embedded Mesos, and --master names another")
	}
	if in.faults && in.master != "" {
		return fail(exitUsage, "--faults is for the embedded Mesos, and --master names another")
	}
	for _, a := range []struct{ flag, address string }{
		{"--listen", in.listen}, {"--advertise", in.advertise},
	} {
		if a.address != "" && !isAddress(a.address) {
			return fail(exitUsage, "%s %s: it must be host:port, as 127.0.0.1:8070", a.flag,
				a.address)
		}
	}
	if in.foreground && in.noWait {
		return fail(exitUsage, "--foreground and --no-wait exclude each other")
	}
	if err := in.checkSecrets(); err != nil {
		return err
	}
	if err := in.checkAccess(); err != nil {
		return err
	}
	if _, err := in.javaSource(); err != nil {
		return err
	}
	if err := in.state.check(); err != nil {
		return err
	}
	if in.executors, err = executorsOf(in.executorFiles); err != nil {
		return err
	}
	if err := in.checkAdopt(); err != nil {
		return err
	}
	return in.watch.check()
}

// checkAccess refuses what no master can be asked with.
func (in *installing) checkAccess() error {
	if in.access != (access{}) && in.master == "" {
		return fail(exitUsage, "--credential, --auth-token-… and --mesos-… are for the Mesos that "+
			"--master names; the embedded one lets everybody in")
	}
	if err := in.access.check(); err != nil {
		return err
	}
	return in.access.checkPrincipal(in.wanted.service.Principal)
}

// prepare checks the machine, gets Kafka, and only then writes the cluster down.
func (in *installing) prepare(ctx context.Context) error {
	source, err := in.source()
	if err != nil {
		return err
	}
	in.cluster = cluster{
		Format: clusterFormat, Name: in.folder.name, Created: time.Now().UTC(),
		Spec: in.wanted.path, Options: in.wanted.options, TaskConfig: in.wanted.taskConfig,
		Secrets: in.secrets, Executors: in.executors,
		Master: in.master, Listen: in.listen, Advertise: in.advertise, Watch: in.watch,
		Access: in.access, State: in.state.Access,
		Kafka: dist{Asked: in.kafkaDist, AskedVersion: in.kafkaVersion},
	}
	if in.recording != usualRecording {
		in.cluster.Recording = &in.recording
	}
	home := homeOf(in.folder)
	if in.master == "" {
		if err := in.checkMachine(ctx, home); err != nil {
			return err
		}
	} else if err := in.checkMesos(ctx); err != nil {
		return err
	}
	if err := in.state.reach(ctx); err != nil {
		return err
	}
	if err := in.lookForService(ctx); err != nil {
		return err
	}
	if in.needs.kafka {
		if err := in.fetch(ctx, source); err != nil {
			return err
		}
		if err := in.fetchJRE(ctx); err != nil {
			return err
		}
	}
	if err := in.write(home); err != nil {
		return err
	}
	return in.takeOver(ctx)
}

// checkMachine looks for all that the embedded Mesos and its brokers need.
func (in *installing) checkMachine(ctx context.Context, home home) error {
	m := in.env.machine
	if in.needs.kafka && in.jre == "" {
		java, err := m.java(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			return &exitError{exitPrecheck, err}
		}
		in.cluster.Java = java
	}
	if err := m.check(in.needs, string(home)); err != nil {
		return err
	}
	if in.agents == 0 {
		in.agents = max(3, in.needs.largest)
	}
	if in.agents > mostAgents {
		return fail(exitPrecheck, "the embedded Mesos has at most %d agents, for one pod of a "+
			"type each, and %d are wanted; use a Mesos of more machines with --master, or "+
			"--agents and a placement rule that lets pods share one", mostAgents, in.agents)
	}
	_, err := in.place(home)
	return err
}

// checkMesos looks whether the Mesos that was named is there.
func (in *installing) checkMesos(ctx context.Context) error {
	if err := in.env.machine.checkDisk(needs{}, string(homeOf(in.folder))); err != nil {
		return err
	}
	if err := checkMesos(ctx, in.access, in.master); err != nil {
		return err
	}
	if in.listen == "" && in.advertise == "" {
		in.progress.say("the API will listen on 127.0.0.1 only; agents on other machines need " +
			"--listen and --advertise, as they fetch Kafka from it")
	}
	return nil
}

// place chooses addresses and checks that those are free that cannot be chosen.
func (in *installing) place(home home) (cluster, error) {
	c, m := in.cluster, in.env.machine
	used, err := home.takenBy(in.folder.name)
	if err != nil {
		return c, err
	}
	if c.Listen == "" {
		c.AnyPort = true
		if c.Listen, err = m.pickAddress(used, apiPort); err != nil {
			return c, err
		}
	} else if err := m.free(c.Listen); err != nil {
		return c, fail(exitPrecheck, "--listen %s: %w; choose another address, or leave the flag "+
			"away for a free one", c.Listen, plain(err))
	}
	if c.Master != "" {
		return c, nil
	}
	if c.Mesos, err = m.layOut(used, in.needs, in.agents, string(home)); err != nil {
		return c, err
	}
	c.Mesos.Faults = in.faults
	return c, m.checkPorts(c.Mesos, in.needs)
}

// write chooses the addresses for good and writes the cluster down. The home folder is locked
// for this moment, so that two clusters never choose the same.
func (in *installing) write(home home) error {
	unlock, err := lockFolder(string(home))
	if err != nil {
		return err
	}
	defer unlock()
	if in.cluster, err = in.place(home); err != nil {
		return err
	}
	for _, dir := range []string{in.folder.schedulerDir(), in.folder.mesosDir()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("making the cluster's folders: %w", err)
		}
	}
	if err := in.folder.saveSpec(in.wanted); err != nil {
		return err
	}
	return in.folder.save(in.cluster)
}

// undo removes what this run made; the folder held no cluster before.
func (in *installing) undo() {
	os.RemoveAll(in.folder.dir)
	os.Remove(string(homeOf(in.folder))) // only when it is empty
}

// start starts the processes and follows the deployment.
func (in *installing) start(ctx context.Context, release func()) error {
	e, f := in.env, in.folder
	var fg *foreground
	var err error
	in.progress.say("starting %s", in.parts())
	if in.foreground {
		fg, err = keepHere(f, in.cluster)
	} else {
		err = startKeeper(f)
	}
	if err == nil {
		_, err = awaitAPI(ctx, f, in.timeout)
		if ctx.Err() != nil && !in.foreground {
			in.goesOn()
			return ctx.Err()
		}
	}
	if err != nil {
		fg.stop()
		return in.giveUp(context.WithoutCancel(ctx), err)
	}
	release()
	defer fg.stop()
	err = in.follow(ctx)
	if err == nil && in.foreground {
		e.printf("\nrunning in the foreground; an interrupt ends the scheduler, not the brokers\n")
		return fg.wait(ctx)
	}
	return err
}

// giveUp ends and removes what was started, as the scheduler does not answer. Only when the
// time was too short is all left as it is, since then it may be about to answer.
func (in *installing) giveUp(ctx context.Context, why error) error {
	if codeOf(why) == exitTimeout {
		return fmt.Errorf("%w\nit may still come up: kafka-sched status%s tells", why,
			in.env.nameFlag())
	}
	err := stopProcesses(ctx, in.folder)
	if err == nil {
		err = endLeftovers(ctx, in.folder, 0)
	}
	if err != nil {
		return fmt.Errorf("%w\nand what was started is not gone: %w", why, err)
	}
	in.undo()
	if errors.Is(why, context.Canceled) {
		fmt.Fprintf(in.env.stderr, "%s was not up yet; nothing of it is left\n", in.folder.name)
	}
	return why
}

func (in *installing) parts() string {
	if in.cluster.Mesos == nil {
		return "the scheduler"
	}
	return fmt.Sprintf("the embedded Mesos (%d agents) and the scheduler",
		len(in.cluster.Mesos.Agents))
}

// follow follows the deploy plan and prints the result.
func (in *installing) follow(ctx context.Context) error {
	e := in.env
	e.nameGiven, e.url = true, ""
	c, err := e.connect()
	if err != nil {
		return err
	}
	if in.noWait {
		return in.result(c.URL(), api.Service{})
	}
	s, err := follow{
		client:  c,
		lines:   func(s api.Service) []line { return planLines(s, api.PlanDeploy) },
		done:    func(s api.Service) bool { return complete(s, api.PlanDeploy) },
		failed:  func(s api.Service) error { return e.deployFailed(ctx, s) },
		silence: func() (bool, error) { return false, keeperAlive(in.folder) },
		timeout: max(in.timeout-time.Since(in.began), time.Second),
	}.run(ctx, in.progress)
	if errors.Is(err, context.Canceled) && !in.foreground {
		in.goesOn()
	}
	if err != nil {
		return err
	}
	return in.result(c.URL(), s)
}

// goesOn says what becomes of a deployment that is followed no more.
func (in *installing) goesOn() {
	e := in.env
	if isTerminal(e.stderr) {
		fmt.Fprintln(e.stderr) // after the ^C that the terminal shows
	}
	e.nameGiven = true
	fmt.Fprintf(e.stderr, "the deployment goes on; follow it with: "+
		"kafka-sched plan status deploy --watch%s\n", e.nameFlag())
}

// installed is the JSON document with the result of install.
type installed struct {
	Name      string   `json:"name"`
	URL       string   `json:"url"`
	Status    string   `json:"status"`
	Kafka     string   `json:"kafka_version"`
	Bootstrap []string `json:"bootstrap_servers"`
	Master    string   `json:"master"`
	Folder    string   `json:"folder"`
	Seconds   float64  `json:"seconds"`
}

// result prints what one wants to know after an installation.
func (in *installing) result(url string, s api.Service) error {
	e, took := in.env, time.Since(in.began)
	master := redactText(in.cluster.Master)
	if in.cluster.Mesos != nil {
		master = "http://" + in.cluster.Mesos.MasterAddr
	}
	status := "started"
	if !in.noWait {
		status = "running"
	}
	if e.json {
		servers := []string{}
		if b := bootstrap(s); b != "" {
			servers = strings.Split(b, ",")
		}
		return e.printJSON(installed{
			Name: in.folder.name, URL: url, Status: status, Kafka: in.cluster.Kafka.Version,
			Bootstrap: servers, Master: master, Folder: in.folder.dir,
			Seconds: took.Round(100 * time.Millisecond).Seconds(),
		})
	}
	if in.noWait {
		e.printf("%s was started; its API is at %s\n", in.folder.name, url)
		e.printf("follow the deployment with: kafka-sched plan status deploy --watch%s\n",
			e.nameFlag())
		return nil
	}
	flag := e.nameFlag()
	what := "the service"
	if in.cluster.Kafka.Version != "" {
		what = "Kafka " + in.cluster.Kafka.Version
	}
	e.printf("\n%s: %s is running, after %s\n\n", in.folder.name, what, short(took))
	if b := bootstrap(s); b != "" {
		e.printf("  Bootstrap servers  %s\n", b)
	}
	e.printf("  API                %s\n\n", url)
	pod := firstPod(in.wanted.service)
	w := table(e.stdout, "  kafka-sched status"+flag, "what runs where, and what it waits for")
	row(w, "  kafka-sched logs "+pod+" -f"+flag, "what it prints")
	row(w, "  kafka-sched uninstall"+flag, "ends the cluster and deletes its data")
	return w.Flush()
}

// firstPod is a pod to show as an example.
func firstPod(s servicespec.Service) string {
	if len(s.Pods) == 0 {
		return "kafka-0"
	}
	return s.Pods[0].Type + "-0"
}
