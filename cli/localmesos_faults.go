package cli

import (
	"github.com/kafka-sched/kafka-sched/internal/localmesos"
	"github.com/spf13/pflag"
)

// rehearsal is one fault as an operator orders it: what it is, what one will see, and what
// kafka-sched should do about it.
type rehearsal struct {
	action            localmesos.FaultAction
	short, see, mends string
	// agent says that the fault is one of an agent; heals that it ends others, so that nobody
	// is asked.
	agent, heals bool
	flags        func(*pflag.FlagSet, *localmesos.Fault)
	example      string
}

// outageFlags are those of all faults that keep the master from an agent.
func outageFlags(fs *pflag.FlagSet, f *localmesos.Fault) {
	spanFlag(fs, &f.For, "for", "how long until the agent comes back by itself")
	spanFlag(fs, &f.Timeout, "agent-timeout",
		"how long the master waits before it gives the agent up (default 1m15s)")
}

// updateFlags are those of all faults that spoil updates.
func updateFlags(fs *pflag.FlagSet, f *localmesos.Fault) {
	fs.IntVar(&f.Count, "count", 1, "how many updates")
	fs.StringVar(&f.Of, "of", "", "only updates of task, or of operation")
	fs.StringVar(&f.Match, "match", "", "only of tasks or operations whose id contains this")
}

func lateFlags(fs *pflag.FlagSet, f *localmesos.Fault) {
	updateFlags(fs, f)
	spanFlag(fs, &f.Delay, "delay", "how long an update is held at most (default 5s)")
}

func spanFlag(fs *pflag.FlagSet, to *localmesos.Span, name, usage string) {
	fs.Var(spanValue{(*patience)(to)}, name, usage)
}

// spanValue is a duration that may be left out.
type spanValue struct{ *patience }

func (v spanValue) String() string {
	if v.patience == nil || *v.patience == 0 {
		return ""
	}
	return v.patience.String()
}

// rehearsals are all faults, in the order in which help shows them.
func rehearsals() []rehearsal {
	return append(append(agentRehearsals(), masterRehearsals()...), messageRehearsals()...)
}

func agentRehearsals() []rehearsal {
	return append(outageRehearsals(), operatorRehearsals()...)
}

func outageRehearsals() []rehearsal {
	return []rehearsal{{
		action: localmesos.KillAgent, agent: true, flags: outageFlags,
		short: "Kill the process of an agent; its tasks run on",
		see: "The agent's offers are rescinded at once. The brokers go on. After the agent " +
			"timeout the\nmaster says TASK_UNREACHABLE of its tasks.",
		mends: "It waits: the tasks may be alive. When the agent is back they are RUNNING " +
			"again, in the\nsame place, and nothing was restarted. If it stays away, the pod's " +
			"fault-policy decides:\nwait, or replace after unreachable-timeout.",
		example: "kill-agent --agent agent-1 --for 2m --agent-timeout 15s",
	}, {
		action: localmesos.FreezeAgent, agent: true, flags: outageFlags,
		short: "Freeze an agent, as SIGSTOP does: sockets open, no answers",
		see: "Nothing, until the agent timeout. What is launched or killed there meanwhile is " +
			"late; once the\nagent is given up it is lost, and a task that was to be killed " +
			"runs on.",
		mends: "It waits as for kill-agent. After the return it asks what became of each task, " +
			"launches again\nwhat was lost, and kills again what was to end.",
		example: "freeze-agent --agent agent-2 --for 1m --agent-timeout 10s",
	}, {
		action: localmesos.PartitionAgent, agent: true, flags: outageFlags,
		short:   "Cut an agent off from the master",
		see:     "To the master it is frozen; the agent itself and its executors are well.",
		mends:   "As for freeze-agent. What happened behind the cut is told, in order, after it.",
		example: "partition-agent --agent agent-2 --for 90s --agent-timeout 15s",
	}, {
		action: localmesos.PowerOffAgent, agent: true, flags: outageFlags,
		short: "Switch the machine of an agent off, with all that runs on it",
		see: "The broker is gone, partitions are under-replicated, and after the agent timeout " +
			"its tasks are\nTASK_UNREACHABLE.",
		mends: "It waits, or replaces the pod elsewhere after unreachable-timeout if its " +
			"fault-policy says so.\nWhen the machine is back (return-agent), the broker starts " +
			"on its old data, or, if it was\nreplaced, what is left there is freed.",
		example: "power-off --agent agent-3 --agent-timeout 10s",
	}, {
		action: localmesos.RebootAgent, agent: true, short: "Reboot the machine of an agent",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			outageFlags(fs, f)
			fs.BoolVar(&f.NewID, "new-id", false, "its disk is lost: it returns as another agent")
		},
		see: "Its tasks fail when it is back, after 5s or --for. With --new-id they are " +
			"TASK_LOST, and the\nreservations and volumes are gone for good.",
		mends: "The broker starts again in the same place on the same data. With --new-id the " +
			"old place can\nnever come back: the fault-policy replaces it, or pod replace does.",
		example: "reboot --agent agent-1",
	}, {
		action: localmesos.ReturnAgent, agent: true, heals: true,
		short: "Bring an agent back from whatever was done to it",
		see:   "It registers again, its tasks are told of, and its resources are offered.",
		mends: "It takes up what it finds.", example: "return-agent --agent agent-1",
	}}
}

// operatorRehearsals are what an operator of Mesos does on purpose.
func operatorRehearsals() []rehearsal {
	return []rehearsal{{
		action: localmesos.DrainAgent, agent: true, short: "Drain an agent, as before maintenance",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			spanFlag(fs, &f.Grace, "grace", "the longest time that its tasks get to end")
		},
		see: "The master kills the tasks of the agent, and offers nothing of it.",
		mends: "The broker ends in order. It starts again when the agent is reactivated, or " +
			"moves if its\nfault-policy says so.",
		example: "drain --agent agent-2 --grace 1m",
	}, {
		action: localmesos.ReactivateAgent, agent: true, heals: true,
		short: "End the draining of an agent", see: "Its resources are offered again.",
		mends:   "The broker starts on its old data.",
		example: "reactivate --agent agent-2",
	}, {
		action: localmesos.RemoveAgent, agent: true,
		short: "Mark an agent as gone for ever; nothing undoes it",
		see: "Its tasks are TASK_GONE_BY_OPERATOR, its executors are ended, and it is never " +
			"listed again.",
		mends:   "The fault-policy replaces the pod, or pod replace does; the old data is lost.",
		example: "remove-agent --agent agent-3 --yes",
	}}
}

func masterRehearsals() []rehearsal {
	return []rehearsal{{
		action: localmesos.FailOver, short: "Let the master fail over to another",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			spanFlag(fs, &f.Election, "election", "how long there is no leader at all")
			spanFlag(fs, &f.For, "recovery", "how long the new one reads its registry (default 1s)")
			spanFlag(fs, &f.Rejoin, "rejoin", "how long until agents register again (default 2s)")
		},
		see: "The scheduler's stream is cut, requests are answered 503, then it subscribes " +
			"again with its\nid. Brokers notice nothing.",
		mends: "It asks after all tasks. Until the agents have registered the master says " +
			"nothing of them,\nand that means nothing; work that was under way goes on.",
		example: "failover --election 20s",
	}, {
		action: localmesos.RescindOffers, short: "Take all offers back, or those of an agent",
		see:   "Offers vanish; an ACCEPT of one that is gone is answered with an error.",
		mends: "It forgets them and waits for others.", example: "rescind-offers",
		flags: func(*pflag.FlagSet, *localmesos.Fault) {},
	}, {
		action: localmesos.EndFaults, heals: true, short: "End all faults and bring agents back",
		see: "Agents return, and no message is spoilt any more.", example: "clear",
		mends: "It catches up; kafka-sched status shows when all is well.",
	}}
}

func messageRehearsals() []rehearsal {
	return []rehearsal{{
		action: localmesos.DropUpdates, flags: updateFlags,
		short:   "Lose the next status updates on their way to the scheduler",
		see:     "A step stays where it is for 10 s, 20 s, …: the agent sends an update again.",
		mends:   "It waits for the repetition, and acts on it as if it were the first.",
		example: "drop-updates --count 3 --match kafka-1",
	}, {
		action: localmesos.DelayUpdates, flags: lateFlags, short: "Hold the next status updates",
		see:     "Updates are late, and may come after their own repetitions.",
		mends:   "It takes the first that arrives, and acknowledges the others too.",
		example: "delay-updates --count 10 --delay 15s",
	}, {
		action: localmesos.DoubleUpdates, flags: updateFlags,
		short: "Send the next status updates twice",
		see:   "Nothing at all.", mends: "The second changes nothing.",
		example: "double-updates --count 100",
	}, {
		action: localmesos.ReorderUpdates, flags: lateFlags,
		short:   "Let each of the next status updates be overtaken by the one behind it",
		see:     "Tasks seem to start in another order.",
		mends:   "Each task is judged by its own updates only.",
		example: "reorder-updates --count 5",
	}, {
		action: localmesos.RefuseOperations, short: "Refuse the next reservations or volumes",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			fs.IntVar(&f.Count, "count", 1, "how many operations")
			fs.StringVar(&f.Operation, "kind", "", "only RESERVE, UNRESERVE, CREATE or DESTROY")
			fs.StringVar(&f.State, "as", "FAILED", "FAILED, DROPPED or ERROR")
		},
		see:     "The operation is answered so, and a launch that needs it is TASK_ERROR.",
		mends:   "It assumes nothing: it looks at the next offer and tries again.",
		example: "refuse-operations --kind RESERVE --as DROPPED --count 2",
	}, {
		action: localmesos.DelayAccepts, short: "Let the master be slow with the next ACCEPTs",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			fs.IntVar(&f.Count, "count", 1, "how many ACCEPTs")
			spanFlag(fs, &f.Delay, "delay", "how long each is held (default 5s)")
		},
		see: "Reservations and launches come late. A good moment to end the scheduler with " +
			"kill -9.",
		mends: "It does not ask twice; after a restart it asks what became of what it had asked " +
			"for, and\nno pod is started twice.",
		example: "delay-accepts --delay 10s",
	}, {
		action: localmesos.LoseLaunches, short: "Lose the next launches on their way to the agent",
		flags: func(fs *pflag.FlagSet, f *localmesos.Fault) {
			fs.IntVar(&f.Count, "count", 1, "how many tasks")
			fs.StringVar(&f.Match, "match", "", "only tasks whose id contains this")
			spanFlag(fs, &f.Delay, "delay", "how long until that is noticed (default 5s)")
		},
		see:     "What was reserved stays reserved, and the task is TASK_DROPPED after a while.",
		mends:   "It launches the task again, in the same place.",
		example: "lose-launches --match kafka-0",
	}}
}
