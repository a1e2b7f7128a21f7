package cli

import (
	"context"
	"fmt"
	"strings"
)

// again is install of a cluster that is there already.
func (in *installing) again(ctx context.Context) error {
	e, f := in.env, in.folder
	c, err := f.load()
	if err != nil {
		return err
	}
	if len(c.TaskConfig) > 0 { // which stay unless the environment gives them anew
		in.specFlags.taskConfig = c.TaskConfig
		if err := in.want(); err != nil {
			return err
		}
	}
	if _, err := in.source(); err != nil {
		return err
	}
	if in.kafkaVersion == "" && in.kafkaDist != "" && c.Kafka.Asked == in.kafkaDist {
		if err := in.useVersion(c.Kafka.Version); err != nil { // what is in the distribution
			return err
		}
	}
	if in.faults && c.Mesos != nil && !c.Mesos.Faults {
		return fail(exitConflict, "%q is installed already, without --faults; switch them on "+
			"with: kafka-sched localmesos chaos enable%s", f.name, e.nameFlag())
	}
	fixed := in.fixed(c)
	changes, err := f.changes(in.wanted)
	if err != nil {
		return err
	}
	hint := "change the running service with: kafka-sched update start" + e.nameFlag() +
		in.specFlags.String()
	if len(fixed) > 0 {
		hint = "these flags cannot be changed on a cluster that exists; kafka-sched uninstall" +
			e.nameFlag() + " removes it"
	}
	if differs := append(fixed, changes...); len(differs) > 0 {
		return fail(exitConflict, "%q is installed already, with other options:\n  %s\n%s",
			f.name, strings.Join(differs, "\n  "), hint)
	}
	e.nameGiven, e.url = true, ""
	if !e.json && !in.quiet {
		e.printf("%s is installed already, with the same options\n", f.name)
	}
	if stopped, err := e.stopped(); err != nil || stopped {
		return err
	}
	return e.status(ctx)
}

// fixed says in lines which flags differ from those that the cluster was made with and cannot
// be changed.
func (in *installing) fixed(c cluster) []string {
	var lines []string
	for _, d := range []struct{ what, is, asked string }{
		{"--master", redactText(c.Master), redactText(in.master)},
		{"--jre", c.JRE.Asked, in.jre},
		{"--executor", executorsText(c.Executors), executorsText(in.executors)},
		{"--secrets", c.Secrets, in.secrets},
		{"--credential", c.Access.Credential, in.access.Credential},
		{"--auth-token-file", c.Access.TokenFile, in.access.TokenFile},
		{"--auth-token-command", c.Access.TokenCommand, in.access.TokenCommand},
		{"--mesos-ca", c.Access.CA, in.access.CA},
		{"--mesos-cert", c.Access.Cert, in.access.Cert},
		{"--mesos-key", c.Access.Key, in.access.Key},
		{"--kafka-dist", c.Kafka.Asked, in.kafkaDist},
		{"--state", c.State.String(), in.state.String()},
		{"--webhook", c.Watch.Webhook, in.watch.Webhook},
		{"--webhook-secret-file", c.Watch.SecretFile, in.watch.SecretFile},
		{"--kafka-version", c.Kafka.AskedVersion, in.kafkaVersion},
	} {
		if d.is != d.asked {
			lines = append(lines, fmt.Sprintf("%s: %s -> %s", d.what,
				orDefault(d.is), orDefault(d.asked)))
		}
	}
	if in.listen != "" && in.listen != c.Listen {
		lines = append(lines, fmt.Sprintf("--listen: %s -> %s", c.Listen, in.listen))
	}
	if in.agents != 0 && c.Mesos != nil && in.agents != len(c.Mesos.Agents) {
		lines = append(lines, fmt.Sprintf("--agents: %d -> %d", len(c.Mesos.Agents), in.agents))
	}
	return lines
}

func orDefault(s string) string {
	if s == "" {
		return "(default)"
	}
	return s
}
