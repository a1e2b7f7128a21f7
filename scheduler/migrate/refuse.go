package migrate

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// line is the one of Kafka that has ZooKeeper and all that a migration needs.
const line = "3.9"

// Refusals say why one service cannot become another one by a migration, none if it can.
func (s Specs) Refusals() []string {
	var list []string
	refuse := func(when bool, text string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(text, args...))
		}
	}
	for _, pod := range s.Origin.Pods {
		next, stays := podOf(s.Final, pod.Type)
		z := pod.ZooKeeper
		refuse(z != nil && (z.TLS != nil || z.JAAS != ""), "pod %s: its servers have "+
			"zookeeper.tls or zookeeper.jaas, and do not let the scheduler in, which has to read "+
			"two nodes, and to delete them should the migration be undone", pod.Type)
		switch k := pod.Kafka; {
		case !stays:
			refuse(true, "pod %s is missing: a migration takes nothing away; remove it when it "+
				"is finalized", pod.Type)
		case k == nil:
			refuse(!reflect.DeepEqual(pod, next), "pod %s differs: a migration changes pods of "+
				"brokers alone; change it before, or afterwards", pod.Type)
		case k.ZooKeeper == "":
			refuse(true, "pod %s keeps no metadata in ZooKeeper", pod.Type)
		default:
			list = append(list, refuseBrokers(pod, next)...)
		}
	}
	runs := func(p servicespec.Pod) bool { return p.Kafka != nil }
	refuse(!slices.ContainsFunc(s.Origin.Pods, runs), "no pod runs Kafka")
	return append(list, s.refuseControllers()...)
}

// refuseBrokers says what is in the way of a pod of brokers.
func refuseBrokers(pod, next servicespec.Pod) []string {
	var list []string
	refuse := func(when bool, text string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf("pod "+pod.Type+": "+text, args...))
		}
	}
	k, n := *pod.Kafka, next.Kafka
	refuse(!strings.HasPrefix(k.Version, line+"."), "it runs Kafka %s, and a migration is made "+
		"with %s: upgrade first", k.Version, line)
	if n == nil || n.ZooKeeper != "" || n.Process != "broker" {
		refuse(true, "after the migration its process has to be broker, without zookeeper: nodes "+
			"that are controllers as well cannot migrate")
		return list
	}
	same := *n
	same.ZooKeeper, same.Process, same.Properties = k.ZooKeeper, k.Process, k.Properties
	same.Instances = k.Instances
	next.Kafka = &same
	refuse(!reflect.DeepEqual(pod, next), "a migration changes kafka.process, kafka.zookeeper, "+
		"kafka.properties and kafka.instances, and nothing else")
	return append(list, refuseProperties(pod.Type, k, *n)...)
}

// refuseProperties says which properties are in the way.
func refuseProperties(kind string, k, next servicespec.Kafka) []string {
	var list []string
	say := func(text string, args ...any) {
		list = append(list, fmt.Sprintf("pod "+kind+": "+text, args...))
	}
	before, after := propertiesOf(k), propertiesOf(next)
	for _, value := range before[Protocol] {
		if value != line && !strings.HasPrefix(value, line+"-") {
			say("%s is %s: raise it to %s first", Protocol, value, line)
		}
	}
	if slices.Contains(before["zookeeper.set.acl"], "true") {
		say("zookeeper.set.acl is set, and the scheduler, which has to delete two nodes should " +
			"the migration be undone, is not let in; unset it first")
	}
	for _, name := range []string{Protocol, "control.plane.listener.name"} {
		if len(after[name]) > 0 {
			say("%s has to go: brokers do not take it without ZooKeeper", name)
		}
	}
	if slices.Contains(after[Authorizer], zooKeeperAuthorizer) {
		say("%s has to become org.apache.kafka.metadata.authorizer.StandardAuthorizer, as the "+
			"other keeps its rules in ZooKeeper", Authorizer)
	}
	if len(before[Authorizer]) > 0 && len(after[Authorizer]) == 0 {
		say("%s is missing: everybody would be allowed everything", Authorizer)
	}
	return list
}

// Properties that a migration has to do with.
const (
	Protocol            = "inter.broker.protocol.version"
	Authorizer          = "authorizer.class.name"
	zooKeeperAuthorizer = "kafka.security.authorizer.AclAuthorizer"
)

// propertiesOf are the values that any of the nodes has of each property.
func propertiesOf(k servicespec.Kafka) map[string][]string {
	all := map[string][]string{}
	add := func(properties map[string]string) {
		for _, name := range slices.Sorted(maps.Keys(properties)) {
			if value := properties[name]; !slices.Contains(all[name], value) {
				all[name] = append(all[name], value)
			}
		}
	}
	add(k.Properties)
	for _, index := range slices.Sorted(maps.Keys(k.Instances)) {
		add(k.Instances[index].Properties)
	}
	return all
}

// refuseControllers says what is wrong with the pod of controllers that is new.
func (s Specs) refuseControllers() []string {
	var list []string
	var kinds []string
	authorizes := false
	for _, pod := range s.Origin.Pods {
		authorizes = authorizes || pod.Kafka != nil && len(propertiesOf(*pod.Kafka)[Authorizer]) > 0
	}
	for _, pod := range s.Final.Pods {
		if _, known := podOf(s.Origin, pod.Type); known {
			continue
		}
		kinds = append(kinds, pod.Type)
		switch k := pod.Kafka; {
		case k == nil || k.Process != "controller":
			list = append(list, fmt.Sprintf("pod %s is new, and none of controllers: a migration "+
				"adds these alone", pod.Type))
		case pod.Count != 1 && pod.Count != 3 && pod.Count != 5:
			list = append(list, fmt.Sprintf("pod %s has %d controllers: give it a count of 1, 3 "+
				"or 5, as an even one bears no more failures", pod.Type, pod.Count))
		case authorizes && len(propertiesOf(*k)[Authorizer]) == 0:
			list = append(list, fmt.Sprintf("pod %s: %s is missing, which brokers have",
				pod.Type, Authorizer))
		}
	}
	switch len(kinds) {
	case 1:
	case 0:
		list = append(list, "no pod of controllers is new: add one whose kafka.process is "+
			"controller")
	default:
		list = append(list, fmt.Sprintf("pods %s are new: give the controllers one pod",
			strings.Join(kinds, ", ")))
	}
	return list
}
