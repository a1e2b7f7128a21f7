package localmesos

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// conversion is what an operation does to resources.
type conversion struct{ consumed, converted []mesos.Resource }

// operationError reports an operation that was not carried out. Without an id
// there is nobody who asked.
func (c *Cluster) operationError(f *framework, op *mesos.Offer_Operation, message string) {
	if op.ID == nil {
		return
	}
	c.sendOperationStatus(f, mesos.OperationStatus{OperationID: op.ID,
		State: mesos.OPERATION_ERROR, Message: &message})
}

func (c *Cluster) sendOperationStatus(f *framework, s mesos.OperationStatus) {
	c.toFramework(f, &scheduler.Event{Type: scheduler.Event_UPDATE_OPERATION_STATUS,
		UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: s}})
}

// reshape carries out a reservation or volume operation of a framework.
func (x *acceptance) reshape(op *mesos.Offer_Operation) {
	if x.refuses(op) {
		return
	}
	principal := x.framework.Info.V.GetPrincipal()
	conv, err := x.c.convert(x.agent, op, principal, rolesOf(&x.framework.Info.V))
	if err != nil {
		x.c.operationError(x.framework, op, err.Error()+x.suffix(op))
		return
	}
	rest, ok := minus(x.remaining, conv.consumed)
	if !ok {
		x.c.operationError(x.framework, op, fmt.Sprintf("%s does not contain %s",
			formatResources(x.remaining), formatResources(conv.consumed)))
		return
	}
	x.remaining = plus(rest, conv.converted)
	x.c.changeTotal(x.agent, op, conv)
	if op.ID != nil {
		x.c.addOperation(x.framework, x.agent, op)
	}
}

// suffix names the agent in an error, unless the operation as such is malformed.
func (x *acceptance) suffix(op *mesos.Offer_Operation) string {
	if missingField(op) != "" || len(op.GetReserve().GetSource()) > 0 {
		return ""
	}
	return x.agent.where()
}

// changeTotal applies a conversion to an agent's resources and directories.
func (c *Cluster) changeTotal(a *agentNode, op *mesos.Offer_Operation, conv conversion) {
	rest, ok := minus(a.total(), unallocate(conv.consumed))
	if !ok {
		panic("an operation consumed what agent " + a.Name + " does not have")
	}
	a.setTotal(plus(rest, unallocate(conv.converted)))
	c.saveAgent(a)
	switch op.Type {
	case mesos.Offer_Operation_CREATE:
		for _, v := range op.Create.Volumes {
			dir := a.volumeDir(&v)
			c.after(func() { c.makeVolume(dir) })
		}
	case mesos.Offer_Operation_DESTROY:
		for i := range op.Destroy.Volumes {
			c.discardVolume(a, &op.Destroy.Volumes[i])
		}
	}
}

func missingField(op *mesos.Offer_Operation) string {
	fields := map[mesos.Offer_Operation_Type]bool{
		mesos.Offer_Operation_RESERVE:       op.Reserve != nil,
		mesos.Offer_Operation_UNRESERVE:     op.Unreserve != nil,
		mesos.Offer_Operation_CREATE:        op.Create != nil,
		mesos.Offer_Operation_DESTROY:       op.Destroy != nil,
		mesos.Offer_Operation_GROW_VOLUME:   op.GrowVolume != nil,
		mesos.Offer_Operation_SHRINK_VOLUME: op.ShrinkVolume != nil,
	}
	if present, ok := fields[op.Type]; ok && !present {
		return op.Type.String()
	}
	return ""
}

// convert checks an operation and says what it consumes and yields. Roles are
// those of the framework, nil for an operator.
func (c *Cluster) convert(
	a *agentNode, op *mesos.Offer_Operation, principal string, roles []string,
) (conversion, error) {
	if name := missingField(op); name != "" {
		return conversion{}, fmt.Errorf("Operation attempted with invalid resources: A %s offer "+
			"operation must have the Offer.Operation.%s field set.", name, strings.ToLower(name))
	}
	switch op.Type {
	case mesos.Offer_Operation_RESERVE:
		rs := op.Reserve.Resources
		if len(op.Reserve.Source) > 0 {
			return conversion{}, fmt.Errorf("Operation attempted with invalid resources: " +
				"Reservation updates are not yet implemented for the scheduler API.")
		}
		return conversion{popReservation(rs), rs}, validateReserve(rs, principal, roles)
	case mesos.Offer_Operation_UNRESERVE:
		rs := op.Unreserve.Resources
		return conversion{rs, popReservation(rs)}, validateUnreserve(rs)
	case mesos.Offer_Operation_CREATE:
		vs := op.Create.Volumes
		return conversion{withoutVolume(vs), vs}, c.validateCreate(a, vs, principal)
	case mesos.Offer_Operation_DESTROY:
		vs := op.Destroy.Volumes
		return conversion{vs, withoutVolume(vs)}, c.validateDestroy(a, vs)
	case mesos.Offer_Operation_GROW_VOLUME:
		return growVolume(op.GrowVolume.Volume, op.GrowVolume.Addition)
	case mesos.Offer_Operation_SHRINK_VOLUME:
		return c.shrinkVolume(a, op.ShrinkVolume.Volume, op.ShrinkVolume.Subtract)
	}
	return conversion{}, fmt.Errorf("The operation %s is not supported here", op.Type)
}

func notDynamic(r *mesos.Resource) error {
	n := len(r.Reservations)
	if n == 0 || r.Reservations[n-1].GetType() != mesos.Resource_ReservationInfo_DYNAMIC {
		return fmt.Errorf("Resource %s is not dynamically reserved", formatResource(r))
	}
	return nil
}

func validateReserve(rs []mesos.Resource, principal string, roles []string) error {
	if err := validateResources(rs); err != nil {
		return err
	}
	for i := range rs {
		r := &rs[i]
		if err := notDynamic(r); err != nil {
			return err
		}
		if isVolume(r) {
			return fmt.Errorf("A persistent volume %s must already be reserved", formatResource(r))
		}
		last := &r.Reservations[len(r.Reservations)-1]
		if roles == nil {
			if r.AllocationInfo != nil {
				return fmt.Errorf("A reserve operation was attempted with an allocated resource, " +
					"but the operator API only allows reservations to be made " +
					"to unallocated resources")
			}
			continue
		}
		role := r.GetAllocationInfo().GetRole()
		if !slices.Contains(roles, role) {
			return fmt.Errorf("A reserve operation was attempted for a resource allocated to "+
				"role '%s', but the framework only has roles '{ %s }'",
				role, strings.Join(roles, ", "))
		}
		if last.GetRole() != role {
			return fmt.Errorf("A reserve operation was attempted for a resource allocated to "+
				"role '%s' with a reservation for role '%s'", role, last.GetRole())
		}
		if principal == "" {
			continue
		}
		if last.Principal == nil {
			return fmt.Errorf("A reserve operation was attempted by principal '%s', "+
				"but there is a reserved resource in the request with no principal set", principal)
		}
		if last.GetPrincipal() != principal {
			return fmt.Errorf("A reserve operation was attempted by authenticated principal '%s', "+
				"which does not match a reserved resource in the request with principal '%s'",
				principal, last.GetPrincipal())
		}
	}
	return nil
}

func validateUnreserve(rs []mesos.Resource) error {
	if err := validateResources(rs); err != nil {
		return err
	}
	for i := range rs {
		if err := notDynamic(&rs[i]); err != nil {
			return err
		}
		if isVolume(&rs[i]) {
			return fmt.Errorf("A dynamically reserved persistent volume %s cannot be unreserved "+
				"directly. Please destroy the persistent volume first then unreserve the resource",
				formatResource(&rs[i]))
		}
	}
	return nil
}

func (c *Cluster) validateCreate(a *agentNode, vs []mesos.Resource, principal string) error {
	if err := validateResources(vs); err != nil {
		return err
	}
	taken := map[string]bool{}
	for _, v := range volumesIn(a.total()) {
		taken[a.volumeDir(&v)] = true
	}
	for i := range vs {
		v := &vs[i]
		if !isVolume(v) {
			return fmt.Errorf("Resource %s does not have DiskInfo", formatResource(v))
		}
		id, dir := v.Disk.Persistence.ID, a.volumeDir(v)
		if taken[dir] {
			return fmt.Errorf("Persistence ID '%s' is not unique", id)
		}
		taken[dir] = true
		p := v.Disk.Persistence.Principal
		if principal != "" && (p == nil || *p != principal) {
			return fmt.Errorf("Create volume operation attempted by principal '%s', "+
				"but there is a volume in the operation with principal '%s' set in `DiskInfo`",
				principal, v.Disk.Persistence.GetPrincipal())
		}
		if milliOf(v.GetScalar().GetValue()) == 0 {
			return fmt.Errorf("Volume '%s' has no size", id)
		}
	}
	return nil
}

// volumeUsed tells whether a task or an executor has the volume.
func (c *Cluster) volumeUsed(a *agentNode, v *mesos.Resource) bool {
	dir := a.volumeDir(v)
	for _, u := range volumesIn(c.used(a)) {
		if a.volumeDir(&u) == dir {
			return true
		}
	}
	return false
}

func (c *Cluster) validateDestroy(a *agentNode, vs []mesos.Resource) error {
	if err := validateResources(vs); err != nil {
		return err
	}
	for i := range vs {
		if !isVolume(&vs[i]) {
			return fmt.Errorf("Resource %s does not have DiskInfo", formatResource(&vs[i]))
		}
	}
	if !containsAll(volumesIn(a.total()), unallocate(vs)) {
		return fmt.Errorf("Persistent volumes not found")
	}
	for i := range vs {
		if c.volumeUsed(a, &vs[i]) {
			return fmt.Errorf("Persistent volumes in use")
		}
	}
	return nil
}

// growVolume adds plain disk of the same reservation to a volume.
func growVolume(v, addition mesos.Resource) (conversion, error) {
	if err := validateResources([]mesos.Resource{v, addition}); err != nil {
		return conversion{}, err
	}
	plain := withoutVolume([]mesos.Resource{v})[0]
	if !isVolume(&v) || identity(&plain) != identity(&addition) {
		return conversion{}, fmt.Errorf("The resources to be added and the volume do not fit")
	}
	grown := cloneResource(v)
	sum := milliOf(v.Scalar.Value) + milliOf(addition.Scalar.Value)
	grown.Scalar.Value = sum.float()
	return conversion{[]mesos.Resource{v, addition}, []mesos.Resource{grown}}, nil
}

func (c *Cluster) shrinkVolume(
	a *agentNode, v mesos.Resource, subtract mesos.Value_Scalar,
) (conversion, error) {
	if err := validateResources([]mesos.Resource{v}); err != nil {
		return conversion{}, err
	}
	less := milliOf(subtract.Value)
	if !isVolume(&v) || less <= 0 || less >= milliOf(v.Scalar.Value) {
		return conversion{}, fmt.Errorf("The value of 'subtract' must be positive " +
			"and smaller than the volume")
	}
	if c.volumeUsed(a, &v) {
		return conversion{}, fmt.Errorf("Persistent volumes in use")
	}
	small, rest := cloneResource(v), withoutVolume([]mesos.Resource{v})[0]
	small.Scalar.Value = (milliOf(v.Scalar.Value) - less).float()
	rest.Scalar = &mesos.Value_Scalar{Value: less.float()}
	return conversion{[]mesos.Resource{v}, []mesos.Resource{small, rest}}, nil
}

// addOperation remembers a finished operation until its status is acknowledged.
func (c *Cluster) addOperation(f *framework, a *agentNode, op *mesos.Offer_Operation) {
	c.concludeOperation(f, a, op, mesos.OperationStatus{State: mesos.OPERATION_FINISHED})
}

// concludeOperation remembers how an operation ended until that is acknowledged.
func (c *Cluster) concludeOperation(
	f *framework, a *agentNode, op *mesos.Offer_Operation, s mesos.OperationStatus,
) {
	s.OperationID, s.AgentID = op.ID, &mesos.AgentID{Value: a.id}
	s.UUID = &mesos.UUID{Value: newUUID()}
	c.shadow(f, op.ID.GetValue())
	c.seq++
	o := &operation{Seq: c.seq, Op: operationInfo{mesos.Operation{
		FrameworkID: &mesos.FrameworkID{Value: f.id}, AgentID: &mesos.AgentID{Value: a.id},
		Info: *op, LatestStatus: s, Statuses: []mesos.OperationStatus{s},
		UUID: mesos.UUID{Value: newUUID()}}}}
	c.operations[o.key()] = o
	c.saveOperation(o)
	c.sendOperation(o, c.cfg.UpdateRetry)
}

// shadow hides the operations that have an id from whoever names it.
func (c *Cluster) shadow(f *framework, id string) {
	for _, o := range c.operations {
		if o.Op.V.FrameworkID.GetValue() == f.id && o.Op.V.Info.ID.GetValue() == id {
			o.Shadowed = true
			c.saveOperation(o)
		}
	}
}

func (c *Cluster) sendOperation(o *operation, backoff time.Duration) {
	o.retry.cancel()
	f := c.frameworks[o.Op.V.FrameworkID.Value]
	if f == nil || !f.connected() || c.outageOf(o.Op.V.AgentID.GetValue()) != nil {
		return
	}
	c.sendOperationStatus(f, o.Op.V.LatestStatus)
	o.retry = c.later(backoff, func() { c.sendOperation(o, min(2*backoff, maxBackoff)) })
}

func (c *Cluster) removeOperation(o *operation) {
	o.retry.cancel()
	delete(c.operations, o.key())
	c.drop(bucketOperations, o.key())
}

func (c *Cluster) sortedOperations() []*operation {
	var out []*operation
	for _, o := range c.operations {
		out = append(out, o)
	}
	slices.SortFunc(out, func(x, y *operation) int { return compareUint(x.Seq, y.Seq) })
	return out
}

func (c *Cluster) acknowledgeOperation(
	f *framework, ack *scheduler.Call_AcknowledgeOperationStatus,
) {
	for _, o := range c.operations {
		op := &o.Op.V
		if !o.Shadowed && op.FrameworkID.Value == f.id &&
			op.AgentID.Value == ack.AgentID.GetValue() &&
			op.Info.ID.GetValue() == ack.OperationID.Value &&
			bytes.Equal(op.LatestStatus.UUID.GetValue(), ack.UUID) {
			c.removeOperation(o)
			return
		}
	}
}

func (c *Cluster) reconcileOperations(
	f *framework, queries []scheduler.Call_ReconcileOperations_Operation,
) {
	find := func(id string) *operation {
		for _, o := range c.sortedOperations() {
			if !o.Shadowed && o.Op.V.FrameworkID.Value == f.id &&
				o.Op.V.Info.ID.GetValue() == id {
				return o
			}
		}
		return nil
	}
	known := func(o *operation) {
		s := o.Op.V.LatestStatus
		s.UUID = nil
		c.sendOperationStatus(f, s)
	}
	if len(queries) == 0 {
		for _, o := range c.sortedOperations() {
			if o.Op.V.FrameworkID.Value == f.id && c.outageOf(o.Op.V.AgentID.GetValue()) == nil {
				known(o)
			}
		}
	}
	for _, q := range queries {
		if c.outageOf(q.AgentID.GetValue()).forgotten() {
			c.sendOperationStatus(f, mesos.OperationStatus{OperationID: &q.OperationID,
				State: mesos.OPERATION_UNREACHABLE, AgentID: q.AgentID,
				Message: ptr("Reconciliation: Agent is unreachable")})
			continue
		}
		if o := find(q.OperationID.Value); o != nil {
			known(o)
			continue
		}
		message := "Reconciliation: Both operation and agent are unknown"
		switch {
		case q.AgentID == nil:
			message = "Reconciliation: Operation is unknown and no 'agent_id' was provided"
		case c.agentByID(q.AgentID.Value) != nil:
			message = "Reconciliation: Operation is unknown"
		}
		c.sendOperationStatus(f, mesos.OperationStatus{OperationID: &q.OperationID,
			State: mesos.OPERATION_UNKNOWN, Message: &message, AgentID: q.AgentID})
	}
}
