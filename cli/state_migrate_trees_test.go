package cli

import (
	"errors"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	zookeeper "github.com/go-zookeeper/zk"

	"github.com/kafka-sched/kafka-sched/internal/zk"
	"github.com/kafka-sched/kafka-sched/internal/zktest"
)

// treeAt is what is below a node, by path.
func treeAt(t *testing.T, session *zk.Session, at string) map[string]string {
	t.Helper()
	data, _, err := session.Conn.Get(at)
	if errors.Is(err, zookeeper.ErrNoNode) {
		return nil
	}
	names, _, listing := session.Conn.Children(at)
	if err = errors.Join(err, listing); err != nil {
		t.Fatal(at, err)
	}
	tree := map[string]string{at: string(data)}
	for _, name := range names {
		maps.Copy(tree, treeAt(t, session, path.Join(at, name)))
	}
	return tree
}

// Each recorded state of the predecessor is looked at without a change to it, and what is said is
// what a takeover would do, or why there is none.
func TestStateMigrateTrees(t *testing.T) {
	address := zktest.Start(t).Address
	for _, x := range []struct {
		tree, service, says string
		code                int
	}{
		{"kafka", "kafka", "kafka-2  host-3.example  broker: RUNNING", exitOK},
		{"kafka-mid-deploy", "kafka", "kafka-1  host-2.example  broker: STAGING", exitOK},
		{"kafka-mid-update", "kafka", "is to have 2 from its next launch on", exitOK},
		{"kafka-pausing", "kafka", "broker: RUNNING, paused", exitOK},
		{"kafka-uninstalling", "kafka", "it is being uninstalled", exitFailed},
		{"kafka-uninstalled", "kafka", "there is no framework id", exitFailed},
		{"mixed", "folder__mixed", "backup: never launched, init: FINISHED", exitOK},
	} {
		session := plant(t, address, x.tree)
		root := "/dcos-service-" + x.service
		before := treeAt(t, session, root)
		code, printed := command("state", "migrate-from-dcos", "--dry-run", "--from",
			"zk://"+address+root)
		if code != x.code || !strings.Contains(printed, x.says) {
			t.Errorf("%s: exit %d without %q:\n%s", x.tree, code, x.says, printed)
		}
		after := treeAt(t, session, root)
		if len(before) < 2 || !maps.Equal(before, after) {
			t.Errorf("%s: %d nodes are not as they were", x.tree, len(before))
		}
		for _, node := range slices.Backward(slices.Sorted(maps.Keys(after))) {
			if err := session.Conn.Delete(node, -1); err != nil {
				t.Fatal(node, err)
			}
		}
		session.Close()
	}
}
