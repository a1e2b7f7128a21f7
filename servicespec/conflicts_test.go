package servicespec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestConflicts finds steps that launch what cannot run at once, in all ways to say them.
func TestConflicts(t *testing.T) {
	const text = `name: web
pods:
  web:
    count: 1
    resource-sets:
      node: {cpus: 1, memory: 64}
    tasks:
      init: {goal: ONCE, cmd: ./init, resource-set: node}
      server: {goal: RUNNING, cmd: ./server, resource-set: node}
      a: {goal: RUNNING, cmd: ./a, cpus: 1, memory: 1, discovery: {prefix: x}}
      b: {goal: RUNNING, cmd: ./b, cpus: 1, memory: 1, discovery: {prefix: x}}
`
	const plans = `plans:
  deploy:
    phases:
      all: {pod: web}
      some:
        pod: web
        steps:
          - 0: [[init], [server, a], [b]]
          - default: [[init, server], [a, b]]
`
	const node = "the tasks init and server share the resource set node, and so cannot run at " +
		"once; launch them in steps of their own"
	for spec, want := range map[string][]string{
		text: {"plan deploy, phase web: " + node},
		text + plans: {"plan deploy, phase all: " + node, "plan deploy, phase some: " + node,
			"plan deploy, phase some: the tasks a and b share the discovery prefix x, and so " +
				"cannot run at once; launch them in steps of their own"},
		text + strings.ReplaceAll(strings.ReplaceAll(plans, "{pod: web}",
			"{pod: web, steps: [default: []]}"), "[init, server], [a, b]", "[init, b]"): nil,
	} {
		s, errs := Parse("f", []byte(spec), nil)
		if errs != nil {
			t.Fatal(errs)
		}
		if diff := cmp.Diff(want, s.Conflicts()); diff != "" {
			t.Error(diff)
		}
	}
}
