package localmesos

import (
	"fmt"
	"net/http"
	"time"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
	"github.com/mesos/mesos-go/api/v1/lib/master"
)

// drainAgent has the master drain an agent; for what that looks like see DRAIN_AGENT.
func (c *Cluster) drainAgent(a *agentNode, f Fault) (string, error) {
	body := fmt.Sprintf(`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":%q}`, a.id)
	if f.Grace > 0 {
		body += fmt.Sprintf(`,"max_grace_period":{"seconds":%d}`,
			int64(time.Duration(f.Grace).Seconds()))
	}
	call := &master.Call{}
	if err := decodeJSON([]byte(body+"}}"), call); err != nil {
		return "", err
	}
	return c.byOperator(call, "agent "+a.Name+" is being drained; reactivate ends it")
}

func (c *Cluster) reactivateAgent(a *agentNode, _ Fault) (string, error) {
	return c.byOperator(&master.Call{Type: master.Call_REACTIVATE_AGENT,
		ReactivateAgent: &master.Call_ReactivateAgent{AgentID: mesos.AgentID{Value: a.id}}},
		"agent "+a.Name+" is offered again")
}

// removeAgent has the master mark an agent as gone for ever.
func (c *Cluster) removeAgent(a *agentNode, _ Fault) (string, error) {
	return c.byOperator(&master.Call{Type: master.Call_MARK_AGENT_GONE,
		MarkAgentGone: &master.Call_MarkAgentGone{AgentID: mesos.AgentID{Value: a.id}}},
		"agent "+a.Name+" is removed for good")
}

// byOperator makes a call of the operator API.
func (c *Cluster) byOperator(call *master.Call, done string) (string, error) {
	if p := c.operatorCall(call); p.status >= http.StatusBadRequest {
		return "", fmt.Errorf("%s is refused: %s", call.Type, p.text)
	}
	return done, nil
}
