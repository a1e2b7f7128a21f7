package migrate

import (
	"maps"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// Specs are the service before and after a migration.
type Specs struct {
	// Origin has its metadata in ZooKeeper, and Final with controllers.
	Origin, Final servicespec.Service
}

// brokers are the pods of brokers: as they were but in the migration, or as they are to be.
func (s Specs) brokers(migrates bool) []servicespec.Pod {
	var list []servicespec.Pod
	for _, pod := range s.Origin.Pods {
		next, stays := podOf(s.Final, pod.Type)
		if pod.Kafka == nil || !stays {
			continue
		}
		if migrates {
			k := *pod.Kafka
			k.Migrates = true
			next, next.Kafka = pod, &k
		}
		list = append(list, next)
	}
	return list
}

// controllers are the pods of controllers: as they are to be, in the migration or beyond it. In it
// they are let in by ZooKeeper as the brokers are.
func (s Specs) controllers(migrates bool) []servicespec.Pod {
	var list []servicespec.Pod
	for _, pod := range s.Final.Pods {
		if pod.Kafka == nil || pod.Kafka.Serves() {
			continue
		}
		if migrates {
			k := s.migrating(*pod.Kafka)
			pod.Kafka = &k
		}
		list = append(list, pod)
	}
	return list
}

// migrating is a controller that takes part in the migration.
func (s Specs) migrating(k servicespec.Kafka) servicespec.Kafka {
	properties := map[string]string{}
	for _, pod := range s.Origin.Pods {
		if pod.Kafka == nil {
			continue
		}
		k.ZooKeeper, k.Migrates = pod.Kafka.ZooKeeper, true
		for name, value := range pod.Kafka.Properties {
			if strings.HasPrefix(name, "zookeeper.") {
				properties[name] = value
			}
		}
	}
	maps.Copy(properties, k.Properties)
	if len(properties) > 0 {
		k.Properties = properties
	}
	return k
}

func podOf(s servicespec.Service, kind string) (servicespec.Pod, bool) {
	for _, pod := range s.Pods {
		if pod.Type == kind {
			return pod, true
		}
	}
	return servicespec.Pod{}, false
}
