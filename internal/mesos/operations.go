package mesos

import (
	"encoding/hex"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// The states of operations that carry an id, as OperationUpdated gives them. Only the first four
// are final. UNKNOWN says that the master has no such operation: it never came, or its end was
// acknowledged.
const (
	OperationFinished       = "OPERATION_FINISHED"
	OperationFailed         = "OPERATION_FAILED"
	OperationError          = "OPERATION_ERROR"
	OperationDropped        = "OPERATION_DROPPED"
	OperationPending        = "OPERATION_PENDING"
	OperationUnreachable    = "OPERATION_UNREACHABLE"
	OperationGoneByOperator = "OPERATION_GONE_BY_OPERATOR"
	OperationRecovering     = "OPERATION_RECOVERING"
	OperationUnknown        = "OPERATION_UNKNOWN"
)

// OperationStates are all of them.
var OperationStates = []string{
	OperationFinished, OperationFailed, OperationError, OperationDropped, OperationPending,
	OperationUnreachable, OperationGoneByOperator, OperationRecovering, OperationUnknown,
}

// CapabilityFeedback and CapabilityProvider are what an agent has to be capable of before an
// operation on its own resources may carry an id.
const (
	CapabilityFeedback = "AGENT_OPERATION_FEEDBACK"
	CapabilityProvider = "RESOURCE_PROVIDER"
)

// The calls about operations.
type (
	// AcknowledgeOperation confirms an OperationUpdated with a UUID, once it is stored.
	AcknowledgeOperation struct {
		ID    OperationID
		Agent AgentID
		UUID  []byte
	}
	// ReconcileOperations asks for the state of the operations named; of all that are not
	// acknowledged, on agents that can be reached, if none is.
	ReconcileOperations struct{ Operations []OperationOnAgent }
	// UnreserveResources is a call of the operator API: it takes a dynamic reservation from an
	// agent that makes no offer of it. The master refuses while any of it is in use.
	UnreserveResources struct {
		Agent     AgentID
		Resources resource.List
	}
	// DestroyVolumes is a call of the operator API, likewise.
	DestroyVolumes struct {
		Agent   AgentID
		Volumes resource.List
	}
)

// OperationOnAgent names an operation and the agent on which it is carried out.
type OperationOnAgent struct {
	ID    OperationID
	Agent AgentID
}

func (AcknowledgeOperation) call() {}
func (ReconcileOperations) call()  {}
func (UnreserveResources) call()   {}
func (DestroyVolumes) call()       {}

// ForOperator reports whether a call is one of the operator API and not of the scheduler's.
func ForOperator(c Call) bool {
	switch c.(type) {
	case UnreserveResources, DestroyVolumes:
		return true
	default:
		return false
	}
}

// String gives "acknowledge-operation op1 agent=a1 uuid=0a0b".
func (c AcknowledgeOperation) String() string {
	return "acknowledge-operation " + string(c.ID) + field("agent", string(c.Agent)) +
		field("uuid", hex.EncodeToString(c.UUID))
}

// String gives "reconcile-operations op1@a1 op2@", or "reconcile-operations all".
func (c ReconcileOperations) String() string {
	if len(c.Operations) == 0 {
		return "reconcile-operations all"
	}
	parts := make([]string, len(c.Operations))
	for i, o := range c.Operations {
		parts[i] = string(o.ID) + "@" + string(o.Agent)
	}
	return "reconcile-operations " + strings.Join(parts, " ")
}

// String gives "operator unreserve cpus:1;mem:2048 for kafka-role agent=a1".
func (c UnreserveResources) String() string {
	return operationText("operator unreserve", "", c.Resources) + field("agent", string(c.Agent))
}

// String gives "operator destroy disk[v1:data]:1000 for kafka-role agent=a1".
func (c DestroyVolumes) String() string {
	return operationText("operator destroy", "", c.Volumes) + field("agent", string(c.Agent))
}
