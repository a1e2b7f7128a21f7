package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// otherNames are what keys are called elsewhere: in Mesos, Marathon, Kubernetes and Compose.
var otherNames = map[string]string{
	"mem": "memory", "mem_limit": "memory", "cpu": "cpus", "gpu": "gpus", "command": "cmd",
	"args": "cmd", "environment": "env", "instances": "count", "replicas": "count",
	"constraints": "placement", "affinity": "placement", "fetch": "uris", "uri": "uris",
	"artifacts": "uris", "ulimits": "rlimits", "disk": "volume", "storage": "volume",
	"healthcheck": "health-check", "livenessprobe": "health-check",
	"readinessprobe": "readiness-check", "readiness": "readiness-check",
	"killgraceperiod": "kill-grace-period", "stop_grace_period": "kill-grace-period",
	"terminationgraceperiodseconds": "kill-grace-period", "vips": "vip",
}

// advise adds what to do to mistakes whose messages do not say it: the right name of a key, an
// example of a value, or where to look further.
func advise(errs []servicespec.Error) []servicespec.Error {
	if len(errs) == 0 {
		return nil
	}
	advised := slices.Clone(errs)
	root := knownKeys()
	for i := range advised {
		e := &advised[i]
		if e.Hint == "" || strings.HasPrefix(e.Hint, "known are ") {
			e.Hint = cmp.Or(advice(*e, root), e.Hint)
		}
	}
	return advised
}

func advice(e servicespec.Error, root *keyNode) string {
	switch e.Code {
	case servicespec.UnknownKey:
		return unknownAdvice(e, root)
	case servicespec.Missing:
		key, ok := strings.CutSuffix(e.Message, " is missing")
		if !ok {
			return ""
		}
		return exampleOf(root.at(joined(e.Path, key)), "add it, for example ")
	case servicespec.WrongType:
		if strings.HasSuffix(e.Message, "not nothing") {
			return "indent what belongs to it below it"
		}
		if e.Path == "" {
			return "a spec begins with name: and pods:; kafka-sched spec init writes one"
		}
		const words = "write for example "
		return cmp.Or(exampleOf(root.at(e.Path), words), exampleOf(around(e.Path, root), words))
	case servicespec.BadValue:
		if strings.Contains(e.Message, " number, not ") {
			return exampleOf(root.at(e.Path), "write for example ")
		}
	}
	return ""
}

// around gives what a path is in, as the names under ports have no example of their own.
func around(path string, root *keyNode) *keyNode {
	return root.at(path[:max(0, strings.LastIndex(path, "."))])
}

func joined(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

// unknownAdvice names the key that was meant, or says where the known ones are listed.
func unknownAdvice(e servicespec.Error, root *keyNode) string {
	cut := strings.LastIndex(e.Path, ".")
	if cut < 0 {
		return ""
	}
	parent, name := root.at(e.Path[:cut]), e.Path[cut+1:]
	if parent == nil {
		return ""
	}
	meant := otherNames[strings.ToLower(name)]
	for _, c := range parent.children {
		if c.segment == meant {
			return "did you mean " + meant + "?"
		}
	}
	const most = 12
	if e.Hint != "" && len(parent.children) <= most {
		return ""
	}
	return fmt.Sprintf("kafka-sched spec explain %s lists the known keys", quote(e.Path[:cut]))
}

// exampleOf prints how a key is written, after some words; "" when that is not known.
func exampleOf(n *keyNode, words string) string {
	if n == nil || n.key == nil || n.key.Example == "" {
		return ""
	}
	return words + n.segment + ": " + n.key.Example
}

// at gives the place of a path as messages have it, nil when the language does not know it.
func (n *keyNode) at(path string) *keyNode {
	for _, word := range segments(path) {
		if strings.HasPrefix(word, "[") {
			n = n.item()
		} else {
			n = n.child(word)
		}
	}
	return n
}
