package servicespec

import (
	"fmt"
	"strings"
)

// Environment gives the template variables of the options: one for each known option, and
// KAFKA_PROPERTIES, a JSON object (which YAML reads) of the server properties.
// FRAMEWORK_USER is absent unless service.user was said: who may run brokers is known to the
// caller alone.
func (o Options) Environment() map[string]string {
	env := map[string]string{}
	for _, option := range knownOptions {
		_, said := o[option.Name]
		if text := o.Get(option.Name); said || text != "" {
			env[option.Variable] = text
		}
	}
	if env["FRAMEWORK_PRINCIPAL"] == "" {
		env["FRAMEWORK_PRINCIPAL"] = strings.TrimPrefix(o.Get("service.name"), "/") + "-principal"
	}
	env["KAFKA_PROPERTIES"] = o.properties()
	return env
}

// properties prints the Kafka properties as a JSON object with sorted keys.
func (o Options) properties() string {
	properties := map[string]string{}
	for _, name := range sortedNames(o) {
		if property, ok := strings.CutPrefix(name, kafkaPrefix); ok {
			properties[kafkaProperty(property)] = o[name]
		}
	}
	var pairs []string
	for _, name := range sortedNames(properties) {
		key, _ := marshal(name)
		text, _ := marshal(properties[name])
		pairs = append(pairs, strings.TrimSpace(string(key))+": "+strings.TrimSpace(string(text)))
	}
	return "{" + strings.Join(pairs, ", ") + "}"
}

// kafkaProperty gives the name that Kafka knows: DC/OS writes _ for the dots.
func kafkaProperty(name string) string {
	if strings.Contains(name, ".") {
		return name
	}
	return strings.ReplaceAll(name, "_", ".")
}

// retired lists options of the DC/OS package that are no properties of this Kafka, with the
// reason; their other names are those of Kafka.
var retired = []struct{ name, reason string }{
	{"kafka_zookeeper_uri", "this Kafka runs without ZooKeeper"},
	{"zookeeper_session_timeout_ms", "this Kafka runs without ZooKeeper"},
	{"zookeeper_sync_time_ms", "this Kafka runs without ZooKeeper"},
	{"kafka_advertise_host_ip", "the scheduler advertises the agent's address"},
	{"kafka_metrics_reporters", "metrics come from the scheduler"},
	{"ssl_endpoint_identification_enabled", "encryption is not supported yet"},
	{"inter_broker_protocol_version", "Kafka 4 has metadata versions instead"},
	{"log_message_format_version", "Kafka 4 has one message format"},
}

// propertyProblem says what is wrong with a kafka option's name, after the prefix.
func propertyProblem(name string) (message, hint string) {
	for _, r := range retired {
		if name == r.name {
			return "the option cannot be set: " + r.reason, "remove it"
		}
	}
	if !propertyName.MatchString(name) || len(name) > 200 {
		return fmt.Sprintf("%s is not the name of a property", quote(name)), ""
	}
	if reason := ownedProperty(kafkaProperty(name)); reason != "" {
		return "the property cannot be set: " + reason, "remove it"
	}
	if near := misspeltProperty(kafkaProperty(name)); near != "" {
		return "Kafka has no property " + kafkaProperty(name), "did you mean " + near + "?"
	}
	return "", ""
}
