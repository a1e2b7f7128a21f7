package servicespec

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Topics that belong to the service, and what becomes of properties that somebody changed by hand.

// Topic declares a topic of the Kafka cluster.
type Topic struct {
	Name string `json:"name"`
	// Partitions and Replication are how many partitions it has and replicas of each; 0 leaves
	// that to the brokers when it is made, and as it is afterwards.
	Partitions  int `json:"partitions,omitempty"`
	Replication int `json:"replication,omitempty"`
	// Config are all properties that the topic has for itself; nil leaves these as they are.
	Config map[string]string `json:"config,omitzero"`
}

// The policies on drift: what is done about properties that somebody changed in Kafka.
const (
	DriftReport  = "report" // they are shown; the default
	DriftCorrect = "correct"
	DriftOff     = "off" // nobody looks
)

// DriftPolicy is what is done about properties of these brokers that somebody changed in Kafka.
func (k Kafka) DriftPolicy() string {
	if k.Drift == "" {
		return DriftReport
	}
	return k.Drift
}

// Topics are those that the pods of a service declare, by name.
func (s Service) Topics() []Topic {
	var list []Topic
	for _, p := range s.Pods {
		if p.Kafka != nil {
			list = append(list, p.Kafka.Topics...)
		}
	}
	slices.SortFunc(list, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// FewerPartitions says which declared topics would have fewer partitions than are declared before:
// Kafka takes none away.
func FewerPartitions(old, next Service) []string {
	var reasons []string
	before := old.Topics()
	for _, t := range next.Topics() {
		i := slices.IndexFunc(before, func(o Topic) bool { return o.Name == t.Name })
		if i >= 0 && t.Partitions > 0 && t.Partitions < before[i].Partitions {
			reasons = append(reasons, fmt.Sprintf("topic %s cannot shrink from %d to %d "+
				"partitions: Kafka takes none away; declare %d, or a topic of another name",
				t.Name, before[i].Partitions, t.Partitions, before[i].Partitions))
		}
	}
	return reasons
}

// Bounds of what is declared of a topic. A name of Kafka's is no longer.
const (
	maxTopicName  = 249
	maxPartitions = 100_000
	maxReplicas   = 1_000
)

var (
	topicLanguage = languageOf(podPath + ".kafka.topics.<name>")
	topicName     = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
)

// kafkaTopics reads the topics that a pod of brokers declares, and its policy on drift.
func (p *parser) kafkaTopics(f fields, k *Kafka) {
	k.Drift, _ = f.oneOf("drift", DriftReport, DriftCorrect, DriftOff)
	for _, e := range f.named("topics") {
		path := join(join(f.path, "topics"), e.key)
		report := func(message, hint string) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: BadValue,
				Message: message, Hint: hint})
		}
		if wrong, hint := wrongTopic(e.key, k.Topics); wrong != "" {
			report(wrong, hint)
			continue
		}
		t := Topic{Name: e.key}
		if e.value.kind != nullKind {
			own, ok := p.fieldsOf(e.value, path, topicLanguage)
			if !ok {
				continue
			}
			p.topic(own, &t)
		}
		k.Topics = append(k.Topics, t)
	}
	slices.SortFunc(k.Topics, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	if !k.Serves() && (len(k.Topics) > 0 || k.Drift != "") {
		f.at("", BadValue, "topics and drift are matters of brokers, and these are controllers",
			"declare them for the pod of brokers")
	}
}

// wrongTopic says what is wrong with the name of a topic, beside those before it.
func wrongTopic(name string, others []Topic) (message, hint string) {
	switch {
	case name == "" || len(name) > maxTopicName:
		return fmt.Sprintf("the name of a topic has 1 to %d characters", maxTopicName), ""
	case name == "." || name == ".." || !topicName.MatchString(name):
		return fmt.Sprintf("%s is not the name of a topic", quote(name)),
			"use letters, digits, dots, underscores and hyphens"
	case strings.HasPrefix(name, "__"):
		return fmt.Sprintf("%s looks like a topic of Kafka's own", quote(name)),
			"Kafka makes and keeps these itself"
	}
	plain := strings.NewReplacer(".", "_")
	for _, o := range others {
		if plain.Replace(o.Name) == plain.Replace(name) {
			return fmt.Sprintf("the topics %s and %s would be the same to Kafka's metrics, which "+
				"write dots as underscores", o.Name, name), "Kafka refuses the second one"
		}
	}
	return "", ""
}

func (p *parser) topic(f fields, t *Topic) {
	partitions, _ := f.whole("partitions", 1, maxPartitions)
	replication, _ := f.whole("replication", 1, maxReplicas)
	t.Partitions, t.Replication = int(partitions), int(replication)
	if _, said := f.get("config"); said {
		t.Config = map[string]string{}
	}
	maps.Copy(t.Config, p.namedProperties(f, "config", wrongTopicProperty))
	least, err := strconv.Atoi(t.Config["min.insync.replicas"])
	if err == nil && t.Replication > 0 && least > t.Replication {
		f.at("config", BadValue, fmt.Sprintf("min.insync.replicas of %d is more than the %d "+
			"replicas: nobody could write with acks=all", least, t.Replication),
			"use one less than replication")
	}
}

// wrongTopicProperty says why a topic cannot have a property, and what may have been meant.
func wrongTopicProperty(name string) (message, hint string) {
	if strings.HasSuffix(name, ".replication.throttled.replicas") {
		return "the property cannot be set: it comes and goes while replicas are moved",
			"remove it"
	}
	if slices.Contains(topicProperties, name) {
		return "", ""
	}
	near := Nearest(name, topicProperties)
	if near != "" && distance(fold(name), fold(near)) <= maxMisspelt {
		return "topics have no property " + name, "did you mean " + near + "?"
	}
	return "", ""
}

// topicProperties are those of Kafka 4.3, and of 3.9 beside them.
var topicProperties = []string{
	"cleanup.policy", "compression.gzip.level", "compression.lz4.level", "compression.type",
	"compression.zstd.level", "delete.retention.ms", "file.delete.delay.ms", "flush.messages",
	"flush.ms", "index.interval.bytes", "local.retention.bytes", "local.retention.ms",
	"max.compaction.lag.ms", "max.message.bytes", "message.downconversion.enable",
	"message.format.version", "message.timestamp.after.max.ms",
	"message.timestamp.before.max.ms", "message.timestamp.difference.max.ms",
	"message.timestamp.type", "min.cleanable.dirty.ratio", "min.compaction.lag.ms",
	"min.insync.replicas", "preallocate", "remote.log.copy.disable",
	"remote.log.delete.on.disable", "remote.storage.enable", "retention.bytes", "retention.ms",
	"segment.bytes", "segment.index.bytes", "segment.jitter.ms", "segment.ms",
	"unclean.leader.election.enable",
}

// checkTopics looks at the topics of all pods together: each is declared once, and there are
// brokers enough for its replicas.
func (p *parser) checkTopics(root fields, pods []Pod) {
	brokers, declared := 0, map[string]string{}
	for _, pod := range pods {
		if pod.Kafka != nil && pod.Kafka.Serves() {
			brokers += pod.Count
		}
	}
	for _, pod := range pods {
		if pod.Kafka == nil {
			continue
		}
		for _, t := range pod.Kafka.Topics {
			path := "pods." + pod.Type + ".kafka.topics." + t.Name
			if other, twice := declared[t.Name]; twice {
				root.at("pods", Duplicate, fmt.Sprintf("the topic %s is declared by pod %s and by "+
					"pod %s", t.Name, other, pod.Type), "declare it once")
			}
			declared[t.Name] = pod.Type
			if t.Replication > brokers {
				root.at("pods", BadValue, fmt.Sprintf("%s: %d replicas need as many brokers, and "+
					"there are %d", path, t.Replication, brokers), "")
			}
		}
	}
}
