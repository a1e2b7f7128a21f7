package cli

import (
	"cmp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// keyNode is one place in a spec: the keys that can stand there, in the order of keyOrder.
type keyNode struct {
	segment  string // "cpus", "<name>" for names that the operator chooses, "[]" for list items
	path     string
	key      *servicespec.Key
	children []*keyNode
}

// knownKeys makes a tree of the language's keys.
func knownKeys() *keyNode {
	root := &keyNode{}
	keys := servicespec.Keys()
	for i := range keys {
		n := root
		for _, segment := range segments(keys[i].Path) {
			n = n.grow(segment)
		}
		n.key = &keys[i]
	}
	root.sort()
	return root
}

// keyOrder is the order in which keys are written, from what a thing is to what is within it;
// keys that are not here follow in the order of the alphabet.
var keyOrder = strings.Fields(`
	name web-url scheduler principal
	strategy pod process version count allow-decommission image
	user zookeeper
	kind goal essential cmd env failures within metric above below plan cooldown steps phases
	placement prefer weight fault-policy update pre-reserved-role uris
	networks share-pid-namespace ipc-mode shm-size seccomp-unconfined seccomp-profile-name
	rlimits soft hard secrets secret kafka task heap jvm-flags properties instances
	tls certificate authority jaas
	resource-set cpus gpus memory resource-limits
	http tcp prefix port scheme path env-key advertise vip ranges begin end
	type size profiles host-path container-path mode
	ports client-port controller-port volume volumes host-volumes external-volumes
	configs template dest file
	resource-sets readiness-check health-check interval timeout delay grace-period
	max-consecutive-failures kill-grace-period transport-encryption
	discovery visibility labels tasks pods plans actions`)

// sort puts all below a node in order.
func (n *keyNode) sort() {
	slices.SortStableFunc(n.children, func(a, b *keyNode) int {
		return cmp.Or(rank(a.segment)-rank(b.segment), strings.Compare(a.segment, b.segment))
	})
	for _, c := range n.children {
		c.sort()
	}
}

func rank(key string) int {
	if i := slices.Index(keyOrder, key); i >= 0 {
		return i
	}
	return len(keyOrder)
}

// segments cuts a path: "pods.<name>.uris[]" is pods, <name>, uris and [].
func segments(path string) []string {
	path = strings.ReplaceAll(path, "[", ".[")
	return strings.Split(path, ".")
}

// chosen says that a place stands for names or items, not for a key.
func (n *keyNode) chosen() bool { return n.segment == "[]" || strings.HasPrefix(n.segment, "<") }

func (n *keyNode) grow(segment string) *keyNode {
	for _, c := range n.children {
		if c.segment == segment {
			return c
		}
	}
	c := &keyNode{segment: segment, path: strings.TrimPrefix(n.path+"."+segment, ".")}
	c.path = strings.ReplaceAll(c.path, ".[", "[")
	n.children = append(n.children, c)
	return c
}

// child finds where a key leads, nil when the language does not know it.
func (n *keyNode) child(key string) *keyNode {
	if n == nil {
		return nil
	}
	var named *keyNode
	for _, c := range n.children {
		if c.segment == key {
			return c
		}
		if strings.HasPrefix(c.segment, "<") {
			named = c
		}
	}
	return named
}

// item finds where the items of a list lead.
func (n *keyNode) item() *keyNode {
	if c := n.child("[]"); c != nil && c.segment == "[]" {
		return c
	}
	return nil
}

// place is the rank of a key among its siblings; names have no ranks of their own.
func (n *keyNode) place(key string) int {
	if n == nil {
		return 0
	}
	for i, c := range n.children {
		if c.segment == key {
			return i
		}
	}
	return len(n.children)
}
