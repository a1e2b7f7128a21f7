package commons

import (
	"context"
	"errors"
	"fmt"
	"strings"

	zookeeper "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// Tree is what one service has in ZooKeeper: nodes by their paths below its root.
type Tree struct {
	Root  string // "/dcos-service-kafka"
	Nodes map[string]Node
}

// Node is one node of a tree.
type Node struct {
	Data []byte
	// Ephemeral nodes vanish with who made them.
	Ephemeral bool
}

// mostNodes bounds how much is read; the largest services have some ten thousand nodes.
const mostNodes = 200_000

// ErrNone says that there is no tree.
var ErrNone = errors.New("there is no state of DC/OS Commons")

// Read reads the tree at the session's path.
func Read(ctx context.Context, session *zk.Session) (Tree, error) {
	t := Tree{Root: session.Path, Nodes: map[string]Node{}}
	err := t.read(ctx, session, "")
	if errors.Is(err, zookeeper.ErrNoNode) {
		return t, fmt.Errorf("%w at %s in ZooKeeper at %s; it is at /dcos-service-NAME", ErrNone,
			t.Root, session.Servers())
	}
	if err != nil {
		return t, fmt.Errorf("reading %s in ZooKeeper at %s: %w", t.Root, session.Servers(), err)
	}
	return t, nil
}

func (t *Tree) read(ctx context.Context, session *zk.Session, at string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, stat, err := session.Conn.Get(t.Root + at)
	if err != nil {
		return err
	}
	if len(t.Nodes) == mostNodes {
		return fmt.Errorf("it has more than %d nodes", mostNodes)
	}
	if at != "" {
		t.Nodes[strings.TrimPrefix(at, "/")] = Node{data, stat.EphemeralOwner != 0}
	}
	if stat.NumChildren == 0 {
		return nil
	}
	children, _, err := session.Conn.Children(t.Root + at)
	if err != nil {
		return err
	}
	for _, name := range children {
		err := t.read(ctx, session, at+"/"+name)
		if errors.Is(err, zookeeper.ErrNoNode) {
			return fmt.Errorf("%s/%s went while it was read: its scheduler runs", at, name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// text is what a leaf holds, "" if there is none.
func (t Tree) text(path string) string { return string(t.Nodes[path].Data) }

// below lists the names of the children of a node.
func (t Tree) below(path string) map[string]bool {
	names := map[string]bool{}
	for at := range t.Nodes {
		if rest, is := strings.CutPrefix(at, path+"/"); is {
			name, _, _ := strings.Cut(rest, "/")
			names[name] = true
		}
	}
	return names
}
