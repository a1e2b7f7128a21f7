package servicespec

import "strings"

// rootGroups are the keys outside of pods.
var rootGroups = []group{
	{[]string{""}, []row{
		{"name", "string", "", "", must,
			"The service's name; slashes make folders.", "dev/kafka"},
		{"web-url", "string", "", "", 0,
			"An address that Mesos shows as the service's page.", "http://kafka.example:8080"},
		{"scheduler", "mapping", "", "", 0, "How the service appears to Mesos.", "{user: kafka}"},
		{"pods", "names", "", "", must, "The types of pods, by name.", "{broker: {count: 3, …}}"},
		{"plans", "names", "", "", 0,
			"The plans; one must be deploy. Without any, pods deploy one after the other.",
			"{deploy: {phases: …}}"},
		{"actions", "names", "", "", 0, "What is done when something happens.",
			"{repair: {pod: broker, failures: 3, plan: repair}}"},
	}},
	{[]string{"scheduler"}, []row{
		{"principal", "string", "<name>-principal", "", 0,
			"The principal that the scheduler registers with.", "kafka-principal"},
		{"zookeeper", "string", "", "", 0,
			"Accepted for the predecessor's files; the state lies elsewhere.",
			"master.mesos:2181"},
		{"user", "string", "root", "", 0,
			"The user that tasks run as; it cannot be changed later.", "nobody"},
		{"failover-timeout", "integer", "1209600", "", 0,
			"After how many seconds without the scheduler Mesos ends the tasks; at least 60.",
			"604800"},
	}},
	{[]string{"plans.<name>"}, []row{
		{"strategy", "string", "serial", "serial parallel dependency", 0,
			"Whether phases follow each other, run together, or wait for what they depend on; " +
				"dependency is the default when a phase has depends-on.", "parallel"},
		{"phases", "names", "", "", must, "The phases, in order.", "{brokers: {pod: kafka}}"},
	}},
	{[]string{"plans.<name>.phases.<name>"}, []row{
		{"strategy", "string", "serial",
			"serial parallel serial-canary parallel-canary canary", 0,
			"How instances follow each other; canary ones wait for the operator twice.",
			"serial-canary"},
		{"pod", "string", "", "", must, "The pod type that the phase works on.", "kafka"},
		{"depends-on", "list of string", "", "", 0,
			"What must be complete first: phases of this plan, or the steps of one instance in " +
				"one as phase:index.", "[database, schema:0]"},
		{"steps", "list of mapping", "", "", 0,
			"Which tasks each instance launches step by step, by index or default.",
			"[{default: [[init], [server]]}]"},
	}},
	{[]string{"actions.<name>"}, []row{
		{"pod", "string", "", "", must, "The pod type that is watched.", "kafka"},
		{"failures", "integer", "", "", 0,
			"Act when tasks of one instance failed so often.", "3"},
		{"within", "integer", "600", "", 0, "Seconds in which failures are counted.", "300"},
		{"metric", "string", "", strings.Join(metricNames(true), " "), 0,
			"Act when this metric crosses a value; some are of pods with kafka only.",
			MetricReplicasNotInSync},
		{"above", "number", "", "", 0, "The metric is too high above this.", "10"},
		{"below", "number", "", "", 0, "The metric is too low below this.", "0.5"},
		{"plan", "string", "", "", must, "The plan that is started.", "repair"},
		{"cooldown", "integer", "3600", "", 0,
			"Seconds until the action may start the plan again.", "600"},
	}},
}
