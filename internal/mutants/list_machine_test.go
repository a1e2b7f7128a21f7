package mutants

// machine are mutations of the scheduler's machine.
var machine = []mutation{
	// What is written.
	{"scheduler/machine.go", "	m.filePod(p)\n	m.write(WritePod{p})", "	m.filePod(p)",
		"no record of an instance is stored"},
	{"scheduler/machine.go", "	m.hard.Intent = i\n	m.write(WriteIntent{i})",
		"	m.hard.Intent = i", "what the service is to do is not stored"},
	{"scheduler/machine.go", "	m.hard.Kafka = k\n	m.write(WriteKafka{k})",
		"	m.hard.Kafka = k", "who founds the Kafka cluster is not stored"},
	{"scheduler/lefts.go", "	m.write(WriteLeftover{l})", "",
		"a reservation that is to be freed is not stored"},
	{"scheduler/launch.go", "	m.setPod(p)\n	m.noteLaunch(p, l)",
		"	m.filePod(p)\n	m.noteLaunch(p, l)", "a launch is not stored before its ACCEPT"},
	{"scheduler/machine.go", "		if p.Recovery != nil {\n", "		if false {\n",
		"a recovery under way is forgotten over a restart"},

	// What is heard of tasks.
	{"scheduler/from_mesos.go", "	if len(s.UUID) > 0 {", "	if len(s.UUID) > 99 {",
		"no status update is acknowledged"},
	{"scheduler/from_mesos.go", "		m.ended(p, i, s, told)\n", "		_ = told\n",
		"the end of a task is ignored"},
	{"scheduler/from_mesos.go",
		"		m.killStray(s, \"a task that nobody knows is killed\")", "",
		"a task that nobody knows runs on"},
	{"scheduler/from_mesos.go",
		"		m.killStray(s, \"a task that was taken for ended is killed\")", "",
		"a task that was taken for ended runs on beside its successor"},
	{"scheduler/from_mesos.go", "		m.strayEnded(s.Task)", "",
		"what a task ran on that ended is never freed"},
	{"scheduler/from_mesos.go",
		"	if !t.live() {\n		return\n	}\n	if m.steadyNow(t) {",
		"	if m.steadyNow(t) {", "a second report of an end counts as another failure"},
	{"scheduler/from_mesos.go", "		t.NotBefore = m.now.Add(wait)", "		_ = wait",
		"what fails is launched again at once"},
	{"scheduler/from_mesos.go", "	m.setPod(m.withoutAgent(p, s.State))", "	m.setPod(p)",
		"an instance whose agent was declared gone is not replaced"},
	{"scheduler/from_mesos.go", "	return !told && !others && ", "	return told || !others && ",
		"what was killed by order counts as failed"},
	{"scheduler/status.go",
		"		s.State = mesos.Gone // its agent is there, and has no such task",
		"		_ = s", "a lost task whose agent is there is waited for"},

	// Reconciliation.
	{"scheduler/from_mesos.go", "	m.askAbout(m.podNames())\n", "",
		"no task is asked about after a subscription"},
	{"scheduler/from_mesos.go",
		"		m.asked[t.ID] = question{again: m.now.Add(askMax), wait: askMax}",
		"", "an unreachable task is not asked about again"},
	{"scheduler/pass.go", "	if !m.now.Before(m.implicit) {", "	if false {",
		"there is no implicit reconciliation"},
	{"scheduler/pass.go", "				ask(t.ID, m.hard.Pods[name].Place.Agent)\n",
		"				_ = t\n",
		"tasks in doubt are not asked about"},
	{"scheduler/launch.go",
		"	m.asked[id] = question{again: m.now.Add(askMax / 4), wait: askMax / 4}\n", "",
		"a launch that got lost is not asked about"},

	// What is skipped, and what goes.
	{"scheduler/wake.go", "	if m.due || !now.Before(", "	if !now.Before(",
		"a tick that was asked for is taken for one that a question is due for"},
	{"scheduler/leaving.go", " &&\n			!m.remembered(p) {", " {",
		"a node that goes is forgotten with its vote in the quorum"},
	{"scheduler/pass.go",
		"			m.setPod(m.withoutRequest(p))\n			continue\n", "",
		"what is not wanted any more is replaced without a verdict"},
	{"scheduler/place.go", "	if m.goesYet(p, l) {", "	if false {",
		"a set is added while one of the same ids is to be freed"},
	{"scheduler/free.go", "			m.crossed(offers, l) {", "			false {",
		"a leftover is gone by an offer that was made before it was told to go"},
	{"scheduler/agents.go", "	if due := m.soughtAt.Add(soughtEvery); m.now.Before(due) {",
		"	if due := m.now.Add(soughtEvery); true {",
		"the master is not asked about agents that were given up"},

	// Kills.
	{"scheduler/wake.go",
		"			next = earliest(next, at.Add(killAgain))", "			_ = at",
		"nobody wakes up to repeat a kill"},
	{"scheduler/pass.go",
		"		if p.anyRuns() || m.lingers(p) && p.Request != Replace {", "		if false {",
		"an instance is launched again before its tasks have ended"},

	// Offers.
	{"scheduler/launch.go", "	w.offers.Take(match)\n", "",
		"two instances are launched from one part of an offer"},
	{"scheduler/pass.go",
		"			m.note(Debug, CountAccepts, \"accept\", \"offer\", string(o.ID))\n" +
			"			continue",
		"			m.note(Debug, CountAccepts, \"accept\", \"offer\", string(o.ID))",
		"an offer is accepted and declined"},
	{"scheduler/pass.go", "	m.offers = map[mesos.OfferID]mesos.Offer{}\n	w.tellWants()",
		"	w.tellWants()", "offers are kept beyond their step, so that a rescinded one is used"},
	{"scheduler/pass.go", "		gained = gained || !m.wants[key]", "		_ = key",
		"offers are never revived"},
	{"scheduler/pass.go",
		"	case len(w.wants) == 0 && len(m.wanting) == 0 && (len(m.wants) > 0 || !m.told):",
		"	case len(m.wants) > 0 || !m.told:", "offers are suppressed while one is wanted"},
	{"scheduler/pass.go", "		refuse = declineWorking", "		refuse = declineIdle",
		"what may be needed soon is declined for an hour"},

	// Reservations and volumes.
	{"scheduler/launch.go",
		"		Confirmed: !fresh && p.Place.Confirmed || len(match.Reserve) == 0,",
		"		Confirmed: true,", "a reservation counts before it was seen"},
	{"scheduler/place.go",
		"	if p.Place != nil && !p.Place.Confirmed && (p.anyRuns() || len(p.Place.Pending) > " +
			"0) {",
		"	if false {", "a second launch is made while a reservation is in doubt"},
	{"scheduler/place.go", "	if w.lostPlace(p) {", "	if false {",
		"a reservation that never came to be is waited for"},

	// Kafka.
}
