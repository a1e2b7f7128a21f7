package apiconform

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// The two services that were recorded, by the scenario that their lines name.
const (
	kafkaService = "kafka"
	mixedService = "mixed"
)

var serviceNames = []string{kafkaService, mixedService}

// uninstallFlag is the variable that has a start take the service away.
const uninstallFlag = "SDK_UNINSTALL"

// variables are those that both services were first started with.
var variables = map[string]map[string]string{
	kafkaService: {
		"FRAMEWORK_NAME": "kafka", "FRAMEWORK_PRINCIPAL": "kafka-principal",
		"FRAMEWORK_USER": "nobody", "PORT_API": "8080", "MARATHON_NAME": "marathon",
		"BROKER_COUNT": "3", "BROKER_CPUS": "1", "BROKER_MEM": "2048", "BROKER_PORT": "9092",
		"BROKER_DISK": "5000", "BROKER_HEAP_MB": "512", "KILL_GRACE_PERIOD": "30",
		"DEPLOY_STRATEGY":                 "serial",
		"PLACEMENT_CONSTRAINTS":           `[["hostname", "UNIQUE"]]`,
		"KAFKA_URI":                       "http://downloads.example/kafka.tgz",
		"BOOTSTRAP_URI":                   "http://downloads.example/bootstrap.zip",
		"TASKCFG_ALL_KAFKA_ZOOKEEPER_URI": "master.mesos:2181/kafka",
	},
	mixedService: {
		"FRAMEWORK_NAME": "/folder/mixed", "FRAMEWORK_PRINCIPAL": "folder/mixed-principal",
		"FRAMEWORK_USER": "nobody", "PORT_API": "8080", "MARATHON_NAME": "marathon",
		"NODE_COUNT": "2", "NODE_CPUS": "0.5", "BACKUP_TARGET": "default-target",
		"DATA_PORT": "0",
	},
}

// variablesOf gives a copy, for starts to change.
func variablesOf(service string) map[string]string { return maps.Clone(variables[service]) }

// readService renders and parses a service's spec with the predecessor's leniency.
func readService(name string, vars map[string]string) (servicespec.Service, error) {
	file := filepath.Join("testdata", name+".yml")
	text, err := os.ReadFile(file)
	if err != nil {
		return servicespec.Service{}, err
	}
	templates := map[string]string{}
	for _, path := range servicespec.TemplatePaths(text) {
		template, err := os.ReadFile(filepath.Join("testdata", path))
		if err != nil {
			return servicespec.Service{}, err
		}
		templates[path] = string(template)
	}
	spec, _, problems := servicespec.LoadLenient(file, text, vars, templates)
	if len(problems) > 0 {
		var lines []string
		for _, p := range problems {
			lines = append(lines, p.Error())
		}
		return servicespec.Service{}, fmt.Errorf("%s", strings.Join(lines, "\n"))
	}
	return spec.Service.WithTaskConfig(vars), nil
}
