package localmesos

import (
	"net/http"
	"slices"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/allocator"
	"github.com/mesos/mesos-go/api/v1/lib/maintenance"
	"github.com/mesos/mesos-go/api/v1/lib/master"
	"github.com/mesos/mesos-go/api/v1/lib/scheduler"
)

// upkeep is the maintenance schedule, the machines that are down for it, and what
// frameworks are asked and have said about it.
type upkeep struct {
	Schedule wire[maintenance.Schedule, *maintenance.Schedule]
	Down     []machineID

	offers   map[string]*inverseOffer
	statuses map[string]allocator.InverseOfferStatus // by agent and framework
	quiet    map[string]time.Time                    // by agent and framework
}

type machineID = wire[mesos.MachineID, *mesos.MachineID]

// inverseOffer asks a framework for the resources of an agent back.
type inverseOffer struct {
	id        string
	framework *framework
	agent     *agentNode
}

func (o *inverseOffer) key() string { return o.agent.id + "\x00" + o.framework.id }

func sameMachine(a, b mesos.MachineID) bool {
	return a.GetHostname() == b.GetHostname() && a.GetIP() == b.GetIP()
}

func (a *agentNode) machine() mesos.MachineID {
	return mesos.MachineID{Hostname: &a.cfg.Hostname, IP: &a.ip}
}

// unavailability is when an agent's machine is to be maintained, nil for never.
func (c *Cluster) unavailability(a *agentNode) *mesos.Unavailability {
	for _, w := range c.upkeep.Schedule.V.Windows {
		for _, m := range w.MachineIDs {
			if sameMachine(m, a.machine()) {
				return &w.Unavailability
			}
		}
	}
	return nil
}

func (c *Cluster) isDown(m mesos.MachineID) bool {
	return slices.ContainsFunc(c.upkeep.Down, func(d machineID) bool {
		return sameMachine(d.V, m)
	})
}

func (c *Cluster) saveUpkeep() { c.save(bucketMeta, keyUpkeep, &c.upkeep) }

// updateSchedule replaces the schedule. What was offered of machines that it
// changes something for is taken back and offered again, with the new dates.
func (c *Cluster) updateSchedule(s maintenance.Schedule) *reply {
	for _, w := range s.Windows {
		if len(w.MachineIDs) == 0 {
			return fail(http.StatusBadRequest,
				"List of machines in the maintenance window is empty")
		}
	}
	before := map[*agentNode]*mesos.Unavailability{}
	for _, a := range c.agents {
		before[a] = c.unavailability(a)
	}
	c.upkeep.Schedule.V = s
	c.saveUpkeep()
	changed := false
	for _, a := range c.agents {
		if now := c.unavailability(a); (now != nil || before[a] != nil) && !now.Equal(before[a]) {
			c.takeBack(a)
			changed = true
		}
	}
	if changed {
		c.allocateNow()
	}
	return &reply{status: http.StatusOK}
}

// takeBack rescinds everything that is offered of an agent, and what it is asked
// for.
func (c *Cluster) takeBack(a *agentNode) {
	c.removeOffers(true, func(o *offer) bool { return o.agent == a })
	for _, id := range sortedKeys(c.upkeep.offers) {
		o := c.upkeep.offers[id]
		if o.agent != a {
			continue
		}
		delete(c.upkeep.offers, id)
		c.toFramework(o.framework, &scheduler.Event{Type: scheduler.Event_RESCIND_INVERSE_OFFER,
			RescindInverseOffer: &scheduler.Event_RescindInverseOffer{
				InverseOfferID: mesos.OfferID{Value: id}}})
	}
	for _, f := range c.frameworks {
		key := (&inverseOffer{framework: f, agent: a}).key()
		delete(c.upkeep.quiet, key)
		delete(c.upkeep.statuses, key)
	}
}

// askBack sends inverse offers to those who hold something of machines that are
// to be maintained.
func (c *Cluster) askBack() {
	if len(c.upkeep.Schedule.V.Windows) == 0 {
		return
	}
	batch := map[*framework][]mesos.InverseOffer{}
	for _, a := range c.agents {
		when := c.unavailability(a)
		if when == nil || !a.active() || a.out != nil {
			continue
		}
		for _, id := range sortedKeys(c.frameworks) {
			if f := c.frameworks[id]; f.connected() && c.holds(f, a) {
				if o := c.inverse(f, a, *when); o != nil {
					batch[f] = append(batch[f], *o)
				}
			}
		}
	}
	for _, id := range sortedKeys(c.frameworks) {
		if f := c.frameworks[id]; len(batch[f]) > 0 {
			c.toFramework(f, &scheduler.Event{Type: scheduler.Event_INVERSE_OFFERS,
				InverseOffers: &scheduler.Event_InverseOffers{InverseOffers: batch[f]}})
		}
	}
}

// holds tells whether a framework uses an agent or has an offer of it.
func (c *Cluster) holds(f *framework, a *agentNode) bool {
	mine := func(t *task) bool { return t.Framework == f.id && !t.terminal() }
	return slices.ContainsFunc(c.tasksOn(a), mine) ||
		slices.ContainsFunc(c.offersOf(a), func(o *offer) bool { return o.framework == f })
}

func (c *Cluster) inverse(f *framework, a *agentNode, u mesos.Unavailability) *mesos.InverseOffer {
	o := &inverseOffer{framework: f, agent: a}
	if until, ok := c.upkeep.quiet[o.key()]; ok && time.Now().Before(until) {
		return nil
	}
	for _, known := range c.upkeep.offers {
		if known.key() == o.key() {
			return nil
		}
	}
	o.id = c.newOfferID()
	c.upkeep.offers[o.id] = o
	return &mesos.InverseOffer{OfferID: mesos.OfferID{Value: o.id}, URL: a.url(),
		FrameworkID: mesos.FrameworkID{Value: f.id}, AgentID: &mesos.AgentID{Value: a.id},
		Unavailability: u}
}

// answerInverse notes what a framework says to inverse offers. It is asked again
// when the filter has run out.
func (c *Cluster) answerInverse(
	f *framework, ids []mesos.OfferID, said allocator.InverseOfferStatus_Status,
	filters *mesos.Filters,
) {
	wait := 5.0
	if filters != nil && filters.RefuseSeconds != nil {
		wait = filters.GetRefuseSeconds()
	}
	d := time.Duration(wait * float64(time.Second))
	for _, id := range ids {
		o := c.upkeep.offers[id.Value]
		if o == nil || o.framework != f {
			continue
		}
		delete(c.upkeep.offers, id.Value)
		c.upkeep.statuses[o.key()] = allocator.InverseOfferStatus{Status: &said,
			FrameworkID: mesos.FrameworkID{Value: f.id}, Timestamp: *timeInfo(time.Now())}
		c.upkeep.quiet[o.key()] = time.Now().Add(d)
	}
	c.later(d, c.scheduleAllocation)
}

func (c *Cluster) viewUpkeep() *maintenance.ClusterStatus {
	out := &maintenance.ClusterStatus{}
	for _, w := range c.upkeep.Schedule.V.Windows {
		for _, m := range w.MachineIDs {
			if c.isDown(m) {
				continue
			}
			draining := maintenance.ClusterStatus_DrainingMachine{ID: m}
			for _, a := range c.agents {
				for _, id := range sortedKeys(c.frameworks) {
					o := &inverseOffer{framework: c.frameworks[id], agent: a}
					if s, ok := c.upkeep.statuses[o.key()]; ok && sameMachine(m, a.machine()) {
						draining.Statuses = append(draining.Statuses, s)
					}
				}
			}
			out.DrainingMachines = append(out.DrainingMachines, draining)
		}
	}
	for _, d := range c.upkeep.Down {
		out.DownMachines = append(out.DownMachines, d.V)
	}
	return out
}

func (c *Cluster) scheduled(m mesos.MachineID) bool {
	return slices.ContainsFunc(c.upkeep.Schedule.V.Windows, func(w maintenance.Window) bool {
		return slices.ContainsFunc(w.MachineIDs, func(x mesos.MachineID) bool {
			return sameMachine(x, m)
		})
	})
}

// startMaintenance takes machines down: their agents are removed, and may not
// come back before the maintenance is over.
func (c *Cluster) startMaintenance(machines []mesos.MachineID) *reply {
	if len(machines) == 0 {
		return fail(http.StatusBadRequest, "List of machines is empty")
	}
	for _, m := range machines {
		switch {
		case !c.scheduled(m):
			return fail(http.StatusBadRequest,
				"Machine '%s' is not part of a maintenance schedule", encodeJSON(&m))
		case c.isDown(m):
			return fail(http.StatusBadRequest, "Machine '%s' is not in DRAINING mode and cannot "+
				"be brought down", encodeJSON(&m))
		}
	}
	for _, m := range machines {
		c.upkeep.Down = append(c.upkeep.Down, machineID{V: m})
		for _, a := range slices.Clone(c.agents) {
			if sameMachine(m, a.machine()) && a.active() {
				c.takeDown(a)
			}
		}
	}
	c.saveUpkeep()
	return &reply{status: http.StatusOK}
}

func (c *Cluster) takeDown(a *agentNode) {
	for _, t := range c.tasksOn(a) {
		if f := c.frameworks[t.Framework]; f != nil {
			c.loseTask(f, t, mesos.REASON_AGENT_REMOVED,
				"Agent "+a.cfg.Hostname+" removed: Operator initiated 'Machine DOWN'")
		}
	}
	c.takeBack(a)
	c.tellFailure(a)
	c.watchAgentRemoved(a)
	c.sendOff(a, false)
}

// stopMaintenance lets agents come back to machines.
func (c *Cluster) stopMaintenance(machines []mesos.MachineID) *reply {
	if len(machines) == 0 {
		return fail(http.StatusBadRequest, "List of machines is empty")
	}
	for _, m := range machines {
		if !c.isDown(m) {
			return fail(http.StatusBadRequest,
				"Machine '%s' is not in DOWN mode and cannot be brought up", encodeJSON(&m))
		}
	}
	for _, m := range machines {
		c.upkeep.Down = slices.DeleteFunc(c.upkeep.Down,
			func(d machineID) bool { return sameMachine(d.V, m) })
		for i := range c.upkeep.Schedule.V.Windows {
			w := &c.upkeep.Schedule.V.Windows[i]
			w.MachineIDs = slices.DeleteFunc(slices.Clone(w.MachineIDs),
				func(x mesos.MachineID) bool { return sameMachine(x, m) })
		}
	}
	c.upkeep.Schedule.V.Windows = slices.DeleteFunc(c.upkeep.Schedule.V.Windows,
		func(w maintenance.Window) bool { return len(w.MachineIDs) == 0 })
	if len(c.upkeep.Schedule.V.Windows) == 0 {
		c.upkeep.Schedule.V.Windows = nil
	}
	c.saveUpkeep()
	return &reply{status: http.StatusOK}
}

// upkeepCall carries out the calls about maintenance, or returns nil.
func (c *Cluster) upkeepCall(call *master.Call) *reply {
	switch call.Type {
	case master.Call_UPDATE_MAINTENANCE_SCHEDULE:
		return c.updateSchedule(call.UpdateMaintenanceSchedule.Schedule)
	case master.Call_START_MAINTENANCE:
		return c.startMaintenance(call.StartMaintenance.Machines)
	case master.Call_STOP_MAINTENANCE:
		return c.stopMaintenance(call.StopMaintenance.Machines)
	case master.Call_GET_MAINTENANCE_SCHEDULE:
		return answer(&master.Response{Type: master.Response_GET_MAINTENANCE_SCHEDULE,
			GetMaintenanceSchedule: &master.Response_GetMaintenanceSchedule{
				Schedule: c.upkeep.Schedule.V}})
	case master.Call_GET_MAINTENANCE_STATUS:
		return answer(&master.Response{Type: master.Response_GET_MAINTENANCE_STATUS,
			GetMaintenanceStatus: &master.Response_GetMaintenanceStatus{Status: *c.viewUpkeep()}})
	}
	return nil
}
