package zk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/scheduler/migrate"
)

// Migrations reads what brokers and controllers of Kafka keep in ZooKeeper of a migration, and
// deletes it when that is undone. Its zero value is ready to be used, by several goroutines.
type Migrations struct {
	// Timeout is how long ZooKeeper has to answer; 0 means ten seconds.
	Timeout time.Duration
}

// The two nodes, below the folder of the cluster.
const (
	controllerNode = "/controller"
	migrationNode  = "/migration"
)

// Ask reads the nodes of the cluster at a connection string, host:port,…/path. With forget it first
// deletes those that keep a broker from being the controller: /controller, if one of KRaft's has
// it, and /migration. It returns no error: MigrationFacts.Error says why nothing is known.
func (m Migrations) Ask(
	ctx context.Context, connect string, forget bool,
) scheduler.MigrationFacts {
	facts := scheduler.MigrationFacts{Asked: time.Now()}
	nodes, err := m.ask(ctx, connect, forget)
	if err != nil {
		facts.Error = err.Error()
		return facts
	}
	facts.Nodes = &nodes
	return facts
}

func (m Migrations) ask(
	ctx context.Context, connect string, forget bool,
) (migrate.Nodes, error) {
	timeout := m.Timeout
	if timeout <= 0 {
		timeout = 10 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	session, err := Dial(ctx, SessionConfig{URI: "zk://" + connect,
		Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return migrate.Nodes{}, err
	}
	defer session.Close()
	defer context.AfterFunc(ctx, session.Close)()
	nodes, err := session.migration()
	if err != nil || !forget {
		return nodes, err
	}
	for _, node := range nodes.Deletes() {
		err := session.Conn.Delete(session.Path+node, -1)
		if err != nil && !errors.Is(err, zk.ErrNoNode) {
			return nodes, fmt.Errorf("deleting %s%s in ZooKeeper: %w", session.Path, node, err)
		}
	}
	return session.migration()
}

// migration reads both nodes.
func (s *Session) migration() (migrate.Nodes, error) {
	nodes := migrate.Nodes{Controller: -1, Offset: -1}
	var controller struct {
		ID    *int `json:"brokerid"`
		Epoch *int `json:"kraftControllerEpoch"`
	}
	there, err := s.read(controllerNode, &controller)
	if err != nil {
		return nodes, err
	}
	if there && controller.ID != nil {
		nodes.Controller = *controller.ID
		nodes.KRaft = controller.Epoch != nil && *controller.Epoch >= 0
	}
	var migration struct {
		Offset *int64 `json:"kraft_metadata_offset"`
	}
	if nodes.Migration, err = s.read(migrationNode, &migration); err != nil {
		return nodes, err
	}
	if nodes.Migration && migration.Offset != nil {
		nodes.Offset = *migration.Offset
	}
	return nodes, nil
}

// read reads a node's JSON, and says whether the node is there.
func (s *Session) read(node string, into any) (bool, error) {
	data, _, err := s.Conn.Get(s.Path + node)
	switch {
	case errors.Is(err, zk.ErrNoNode):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading %s%s in ZooKeeper: %w", s.Path, node, err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return true, fmt.Errorf("reading %s%s in ZooKeeper: %w", s.Path, node, err)
	}
	return true, nil
}
