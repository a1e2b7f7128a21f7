package localmesos

import (
	"fmt"
	"slices"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// launch starts the tasks of a LAUNCH that are valid and fit.
func (x *acceptance) launch(op *mesos.Offer_Operation) {
	for _, t := range operationTasks(op) {
		if op.ID != nil {
			x.taskError(t, mesos.REASON_TASK_INVALID,
				"The `id` field cannot be set on LAUNCH operations")
			continue
		}
		if err := x.launchTask(t); err != nil {
			x.taskError(t, mesos.REASON_TASK_INVALID, err.Error())
		}
	}
}

func (x *acceptance) launchTask(t mesos.TaskInfo) error {
	t = completeTask(t, x.framework.id)
	if err := x.validateTask(&t); err != nil {
		return err
	}
	if err := x.validateOwnExecutor(&t); err != nil {
		return err
	}
	var values secretValues
	if t.Executor != nil {
		values = takeSecretValues(t.Executor)
	}
	needed, err := x.needed(plus(nil, t.Resources), t.Executor)
	if err != nil {
		return err
	}
	rest, ok := minus(x.remaining, needed)
	if !ok {
		return fmt.Errorf("Total resources %s required by task and its executor "+
			"is more than available %s", formatResources(needed), formatResources(x.remaining))
	}
	x.remaining = rest
	if x.loses(t) {
		return nil
	}
	x.c.launchOnAgent(x.framework, x.agent, []mesos.TaskInfo{t}, t.Executor, false, values)
	return nil
}

// needed is what tasks take together with their executor, unless that runs.
func (x *acceptance) needed(
	tasks []mesos.Resource, e *mesos.ExecutorInfo,
) ([]mesos.Resource, error) {
	if e == nil {
		return tasks, nil
	}
	running := x.agent.executors[executorKey(x.framework.id, e.ExecutorID.Value)]
	if running == nil {
		return plus(tasks, e.Resources), nil
	}
	return tasks, compatible(&running.Info.V, e)
}

// launchGroup starts the tasks of a LAUNCH_GROUP, or none of them.
func (x *acceptance) launchGroup(op *mesos.Offer_Operation) {
	tasks := operationTasks(op)
	if len(tasks) == 0 {
		return
	}
	fail := func(reason mesos.TaskStatus_Reason, err error) {
		for _, t := range tasks {
			x.taskError(t, reason, err.Error())
		}
	}
	if op.ID != nil {
		fail(mesos.REASON_TASK_GROUP_INVALID,
			fmt.Errorf("The `id` field cannot be set on LAUNCH_GROUP operations"))
		return
	}
	e := op.LaunchGroup.Executor
	if err := x.validateGroup(tasks, &e); err != nil {
		fail(mesos.REASON_TASK_GROUP_INVALID, err)
		return
	}
	e = completeExecutor(e)
	var wanted []mesos.Resource
	for i := range tasks {
		tasks[i] = completeTask(tasks[i], x.framework.id)
		wanted = plus(wanted, tasks[i].Resources)
	}
	needed, err := x.needed(wanted, &e)
	if err != nil {
		fail(mesos.REASON_TASK_GROUP_INVALID, err)
		return
	}
	rest, ok := minus(x.remaining, needed)
	if !ok {
		fail(mesos.REASON_TASK_GROUP_INVALID, fmt.Errorf("Total resources %s required by task "+
			"group and its executor are more than available %s", formatResources(needed),
			formatResources(x.remaining)))
		return
	}
	x.remaining = rest
	x.c.launchOnAgent(x.framework, x.agent, tasks, &e, true, nil)
}

func (x *acceptance) validateGroup(tasks []mesos.TaskInfo, e *mesos.ExecutorInfo) error {
	if err := x.validateGroupExecutor(e); err != nil {
		return err
	}
	for i := range tasks {
		if err := x.validateGroupTask(&tasks[i], e); err != nil {
			return fmt.Errorf("Task '%s' is invalid: %w", tasks[i].TaskID.Value, err)
		}
		for _, other := range tasks[:i] {
			if other.TaskID.Value == tasks[i].TaskID.Value {
				return fmt.Errorf("Task '%s' is invalid: Task has duplicate ID: %s",
					tasks[i].TaskID.Value, tasks[i].TaskID.Value)
			}
		}
	}
	return nil
}

func (x *acceptance) validateGroupTask(t *mesos.TaskInfo, e *mesos.ExecutorInfo) error {
	if t.Executor != nil {
		if err := compatible(e, t.Executor); err != nil {
			return fmt.Errorf("The `ExecutorInfo` of task is different from executor's")
		}
		without := *t
		without.Executor = nil
		if without.Command == nil {
			without.Command = &mesos.CommandInfo{}
		}
		return x.validateTask(&without)
	}
	if t.Command == nil && e.Type == mesos.ExecutorInfo_CUSTOM {
		without := *t
		without.Command = &mesos.CommandInfo{}
		return x.validateTask(&without)
	}
	return x.validateTask(t)
}

func (x *acceptance) validateGroupExecutor(e *mesos.ExecutorInfo) error {
	switch {
	case e.Type == mesos.ExecutorInfo_UNKNOWN:
		return fmt.Errorf("'ExecutorInfo.type' must be set")
	case x.c.cfg.Program == "":
		return fmt.Errorf("Task groups are not supported here: " +
			"LAUNCH tasks with an executor of their own")
	}
	if err := x.validateExecutor(e); err != nil {
		return err
	}
	cpus, mem := scalarSum(e.Resources, "cpus"), scalarSum(e.Resources, "mem")
	switch {
	case cpus < 10:
		return fmt.Errorf("Executor '%s' uses less CPUs (%s) than the minimum required (0.01)",
			e.ExecutorID.Value, amount(cpus))
	case mem < milliOf(32):
		return fmt.Errorf("Executor '%s' uses less memory (%s) than the minimum required (32MB)",
			e.ExecutorID.Value, amount(mem))
	case scalarSum(e.Resources, "disk") == 0:
		return fmt.Errorf("Executor '%s' uses no disk", e.ExecutorID.Value)
	}
	return nil
}

func amount(m milli) string {
	if m == 0 {
		return "None"
	}
	return fmt.Sprint(m.float())
}

// completeTask fills in what Mesos fills in; it copies what it changes.
func completeTask(t mesos.TaskInfo, framework string) mesos.TaskInfo {
	t.Command = completeCommand(t.Command)
	if t.HealthCheck != nil && t.HealthCheck.Type == mesos.HealthCheck_UNKNOWN {
		check := *t.HealthCheck
		switch {
		case check.Command != nil:
			check.Type = mesos.HealthCheck_COMMAND
		case check.HTTP != nil:
			check.Type = mesos.HealthCheck_HTTP
		}
		t.HealthCheck = &check
	}
	if t.Executor != nil {
		e := completeExecutor(*t.Executor)
		t.Executor = &e
	}
	return t
}

func completeExecutor(e mesos.ExecutorInfo) mesos.ExecutorInfo {
	if e.Type == mesos.ExecutorInfo_UNKNOWN {
		e.Type = mesos.ExecutorInfo_CUSTOM
	}
	e.Command = completeCommand(e.Command)
	if e.Container != nil {
		container := *e.Container
		container.Volumes = slices.Clone(e.Container.Volumes)
		e.Container = &container
	}
	return e
}

// incompleteExecutor is an info without the types that completeCommand has filled in.
func incompleteExecutor(e *mesos.ExecutorInfo) *mesos.ExecutorInfo {
	out := *e
	if e.Command == nil || e.Command.Environment == nil {
		return &out
	}
	command := *e.Command
	vars := slices.Clone(command.Environment.Variables)
	for i := range vars {
		if vars[i].GetType() == mesos.Environment_Variable_VALUE {
			vars[i].Type = nil
		}
	}
	command.Environment = &mesos.Environment{Variables: vars}
	out.Command = &command
	return &out
}

// completeCommand says of each variable that it is a value if it says nothing.
func completeCommand(own *mesos.CommandInfo) *mesos.CommandInfo {
	if own == nil || own.Environment == nil {
		return own
	}
	command := *own
	vars := slices.Clone(own.Environment.Variables)
	for i := range vars {
		vars[i].Type = vars[i].GetType().Enum()
	}
	command.Environment = &mesos.Environment{Variables: vars}
	return &command
}

func (x *acceptance) validateTask(t *mesos.TaskInfo) error {
	if err := checkID(t.TaskID.Value); err != nil {
		return err
	}
	if (t.Command == nil) == (t.Executor == nil) {
		return fmt.Errorf("Task should have at least one (but not both) " +
			"of CommandInfo or ExecutorInfo present")
	}
	if t.AgentID.Value != x.agent.id {
		return fmt.Errorf("Task uses invalid agent %s while agent %s is expected",
			t.AgentID.Value, x.agent.id)
	}
	if x.c.tasks[taskKey(x.framework.id, t.TaskID.Value)] != nil {
		return fmt.Errorf("Task has duplicate ID: %s", t.TaskID.Value)
	}
	if len(t.Resources) == 0 {
		return fmt.Errorf("Task uses no resources")
	}
	if err := validateResources(t.Resources); err != nil {
		return fmt.Errorf("Task uses invalid resources: %w", err)
	}
	return validateTaskChecks(t)
}

// validateOwnExecutor checks what a task of a LAUNCH is to be run by.
func (x *acceptance) validateOwnExecutor(t *mesos.TaskInfo) error {
	if t.Executor == nil {
		if x.c.cfg.Program == "" {
			return fmt.Errorf("Command tasks are not supported here: a task must have an executor")
		}
		return nil
	}
	if t.Executor.Type == mesos.ExecutorInfo_DEFAULT {
		return fmt.Errorf("'ExecutorInfo.type' must be 'CUSTOM'")
	}
	if t.Container != nil || !onlySecrets(t.Executor.Container) {
		return fmt.Errorf("Containers are not supported here")
	}
	return x.validateExecutor(t.Executor)
}

func validateTaskChecks(t *mesos.TaskInfo) error {
	if t.Check != nil && t.Check.Type == mesos.CheckInfo_UNKNOWN {
		return fmt.Errorf("Task uses invalid check: CheckInfo must specify 'type'")
	}
	h := t.HealthCheck
	if h == nil {
		return nil
	}
	missing := map[mesos.HealthCheck_Type]bool{mesos.HealthCheck_COMMAND: h.Command == nil,
		mesos.HealthCheck_HTTP: h.HTTP == nil, mesos.HealthCheck_TCP: h.TCP == nil}
	switch {
	case h.Type == mesos.HealthCheck_UNKNOWN:
		return fmt.Errorf("Task uses invalid health check: HealthCheck must specify 'type'")
	case missing[h.Type]:
		return fmt.Errorf("Task uses invalid health check: Expecting '%s' to be set for %s "+
			"health check", strings.ToLower(h.Type.String()), h.Type)
	}
	return nil
}

func (x *acceptance) validateExecutor(e *mesos.ExecutorInfo) error {
	if err := checkID(e.ExecutorID.Value); err != nil {
		return fmt.Errorf("Executor ID is invalid: %w", err)
	}
	switch {
	case e.FrameworkID == nil:
		return fmt.Errorf("'ExecutorInfo.framework_id' must be set")
	case e.FrameworkID.Value != x.framework.id:
		return fmt.Errorf("ExecutorInfo has an invalid FrameworkID (Actual: %s vs Expected: %s)",
			e.FrameworkID.Value, x.framework.id)
	case e.Type == mesos.ExecutorInfo_DEFAULT && e.Command != nil:
		return fmt.Errorf("'ExecutorInfo.command' must not be set for 'DEFAULT' executor")
	case e.Type != mesos.ExecutorInfo_DEFAULT && e.Command == nil:
		return fmt.Errorf("'ExecutorInfo.command' must be set for 'CUSTOM' executor")
	case e.ShutdownGracePeriod.GetNanoseconds() < 0:
		return fmt.Errorf("ExecutorInfo's 'shutdown_grace_period' must be non-negative")
	}
	if err := validateSecrets(e); err != nil {
		return err
	}
	if err := validateResources(e.Resources); err != nil {
		return fmt.Errorf("Executor uses invalid resources: %w", err)
	}
	return nil
}

// compatible tells whether a task may run on an executor that exists: the infos
// must be equal except for their labels.
func compatible(have, want *mesos.ExecutorInfo) error {
	a, b := *have, *want
	a.Labels, b.Labels = nil, nil
	if a.Equal(&b) {
		return nil
	}
	line := "------------------------------------------------------------\n"
	return fmt.Errorf("ExecutorInfo is not compatible with existing ExecutorInfo "+
		"with same ExecutorID.\n%sExisting ExecutorInfo:\n%s\n%sExecutorInfo:\n%s\n%s",
		line, textOf(incompleteExecutor(have)), line, textOf(incompleteExecutor(want)), line)
}
