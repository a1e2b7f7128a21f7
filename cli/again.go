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
	if in.kafkaVersion == "" && in.kafkaDist != "" && c.Kafka.Asked == in.kafkaDist {
		if err := in.useVersion(c.Kafka.Version); err != nil { // what is in the distribution
			return err
		}
	}
	differs, err := in.differences(c)
	if err != nil {
		return err
	}
	if len(differs) > 0 {
		return fail(exitConflict, "%q is installed already, with other options:\n  %s\n"+
			"change the running service with: kafka-sched update start%s%s",
			f.name, strings.Join(differs, "\n  "), e.nameFlag(), in.specFlags.String())
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

// differences says in lines what of a cluster is not as it is now asked for.
func (in *installing) differences(c cluster) ([]string, error) {
	var lines []string
	for _, d := range []struct{ what, is, asked string }{
		{"--master", c.Master, in.master},
		{"--kafka-dist", c.Kafka.Asked, in.kafkaDist},
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
	changes, err := in.folder.changes(in.wanted)
	return append(lines, changes...), err
}

func orDefault(s string) string {
	if s == "" {
		return "(default)"
	}
	return s
}
