package app

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/kafka-sched/kafka-sched/api"
	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/internal/metrics"
	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// edge is the way to Mesos: the scheduler API, where the framework is subscribed, and the operator
// API of the same master.
type edge struct {
	*mesoshttp.Client
	operator *mesoshttp.Operator
}

// Send implements loop.Mesos: each call goes to the API that has it.
func (e *edge) Send(call mesos.Call) {
	if mesos.ForOperator(call) {
		e.operator.Send(call)
		return
	}
	e.Client.Send(call)
}

// Run works on both until the context ends or the master refuses the framework.
func (e *edge) Run(ctx context.Context, deliver func(mesos.Event)) error {
	ctx, cancel := context.WithCancel(ctx)
	var asking sync.WaitGroup
	defer asking.Wait()
	defer cancel()
	asking.Go(func() { _ = e.operator.Run(ctx, deliver) }) // it ends with the context alone
	return e.Client.Run(ctx, deliver)
}

// connection tells how things stand with the masters.
func (e *edge) connection() api.Mesos {
	s, o := e.Client.Status(), e.operator.Status()
	shape := api.Mesos{
		Connected: s.Connected, Since: s.Since.UTC(), Reason: s.Reason, Attempts: s.Attempts,
		Master: s.Master, Version: s.Version, Capabilities: s.Capabilities,
		Agents: o.Agents, AgentsReason: o.Reason,
	}
	if !s.Next.IsZero() {
		next := s.Next.UTC()
		shape.Next = &next
	}
	if !o.Asked.IsZero() {
		asked := o.Asked.UTC()
		shape.AgentsAt = &asked
	}
	return shape
}

// measured is what metrics show of the masters.
func (e *edge) measured() metrics.Edge {
	s, o := e.Client.Status(), e.operator.Status()
	return metrics.Edge{Since: s.Since, Attempts: s.Attempts, Agents: o.Agents, Asked: o.Asked,
		Answered: o.Reason == ""}
}

// connect makes the clients of the master, by address or through ZooKeeper.
func (s *schedulerRun) connect() (closer func(), err error) {
	access, err := s.o.Access.Access()
	if err != nil {
		return nil, fmt.Errorf("being let in at Mesos: %w", err)
	}
	if err := s.checkPrincipal(); err != nil {
		return nil, err
	}
	masters, err := mastersOf(s.o.Master)
	if err != nil {
		return nil, err
	}
	cfg := mesoshttp.Config{Master: masters, Framework: s.frameworkInfo, Access: access,
		Permit: s.confirm, Logger: s.log}
	closer = func() {}
	if strings.HasPrefix(masters, zk.Scheme) {
		detector, err := zk.NewDetector(masters, s.log)
		if err != nil {
			return nil, err
		}
		cfg.Detect = detector.Leader
		if access.Secure() {
			cfg.Detect = detector.LeaderByName // as certificates have it
		}
		closer = func() { detector.Close() }
	}
	client := mesoshttp.New(cfg)
	s.mesos = &edge{client, mesoshttp.NewOperator(mesoshttp.OperatorConfig{Client: client})}
	s.access = access
	return closer, nil
}

// mastersOf gives the address of the masters, which may be in a file, as with Mesos' own agents:
// a zk:// with a password does not belong on a command line.
func mastersOf(text string) (string, error) {
	path, is := strings.CutPrefix(text, "file://")
	if !is {
		return text, nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("reading the masters' address: %w", err)
	}
	return strings.TrimSpace(string(content)), nil
}

// checkPrincipal refuses a credential of another principal than the service's: a master would
// refuse the subscription, and later each reservation, in words that do not tell why.
func (s *schedulerRun) checkPrincipal() error {
	principal, err := s.o.Access.Principal()
	if err != nil || principal == "" {
		return err
	}
	if service := s.service(); service.Principal != principal {
		return fmt.Errorf("the credential %s is of principal %q, and the service's principal is "+
			"%q: give the credential of that one, or set service.principal (in a spec: "+
			"scheduler.principal) to %q", s.o.Access.Credential, principal, service.Principal,
			principal)
	}
	return nil
}
