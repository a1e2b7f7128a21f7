package scheduler

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
)

// upgrade reads "upgrade to=VERSION [features=(name:level,...)] [pause-after=(...)] [finalize]", or
// "upgrade pause|continue|finalize|rollback".
func (s *story) upgrade(d *datadriven.TestData) Command {
	if verb := d.CmdArgs[1]; len(verb.Vals) == 0 {
		return CampaignCommand{Kind: Upgrading, Verb: CampaignVerb(verb.Key)}
	}
	c := *s.upgradeTo("")
	for _, a := range d.CmdArgs[1:] {
		switch a.Key {
		case "to":
			c.To = a.Vals[0]
		case "archive":
			c.Archives[a.Vals[0]] = "/kafka-" + a.Vals[0] + ".tgz"
		case "pause-after":
			c.PauseAfter = a.Vals
		case "finalize":
			c.Finalize = true
		case "java":
			c.Java = 11
		case "features":
			c.Features = map[string]int{}
			for _, f := range featuresOf(s.t, a.Vals) {
				c.Features[f.Name] = f.Finalized
			}
		}
	}
	return c
}

// upgradeTo is an upgrade to a version, with distributions of that one and of the present one.
func (s *story) upgradeTo(version string) *Upgrade {
	c := &Upgrade{To: version, Archives: map[string]string{}, Java: 17}
	for _, p := range s.stored.Target.Service.Pods {
		if p.Kafka != nil {
			c.Archives[p.Kafka.Version] = "/kafka-" + p.Kafka.Version + ".tgz"
		}
	}
	if version != "" {
		c.Archives[version] = "/kafka-" + version + ".tgz"
	}
	return c
}

// features are those that Kafka tells of, "features=(...)".
func (s *story) features(d *datadriven.TestData) []FeatureFacts {
	for _, a := range d.CmdArgs {
		if a.Key == "features" {
			return featuresOf(s.t, a.Vals)
		}
	}
	return nil
}

// featuresOf reads features: name:finalized, or name:finalized:least:greatest.
func featuresOf(t *testing.T, vals []string) []FeatureFacts {
	var list []FeatureFacts
	for _, val := range vals {
		words := strings.Split(val, ":")
		f := FeatureFacts{Name: words[0]}
		for i, to := range []*int{&f.Finalized, &f.Least, &f.Greatest} {
			if i+1 < len(words) {
				n, err := strconv.Atoi(words[i+1])
				if err != nil {
					t.Fatal(err)
				}
				*to = n
			}
		}
		list = append(list, f)
	}
	return list
}

// fetches prints what the agents fetch for the latest launches, beside the executor.
func (s *story) fetches(*datadriven.TestData) string {
	var b strings.Builder
	for _, c := range s.last.Calls {
		to, _ := c.(ToMesos)
		accept, _ := to.Call.(mesos.Accept)
		for _, op := range accept.Operations {
			launch, _ := op.(mesos.Launch)
			for _, task := range launch.Tasks {
				for _, u := range besideBinaries(task.Executor.Command.URIs) {
					fmt.Fprintf(&b, "%s fetches %s\n", task.Name, u.Value)
				}
			}
		}
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}
