package servicespec

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

var (
	taskLanguage      = languageOf(taskPath)
	taskKeys          = taskLanguage.keys
	configLanguage    = languageOf(taskPath + ".configs.<name>")
	discoveryLanguage = languageOf(taskPath + ".discovery")
)

const maxKillGrace = 3600

func (p *parser) tasks(pod fields, sets map[string]parsedSet) ([]Task, []TaskMore) {
	entries := pod.named("tasks")
	if v, there := pod.get("tasks"); !there || v.kind == mapKind && len(entries) == 0 {
		pod.at("tasks", Missing, "the pod has no tasks", "declare at least one under tasks:")
	}
	var tasks []Task
	var all []TaskMore
	for _, e := range entries {
		path := join(join(pod.path, "tasks"), e.key)
		p.checkName(e, path, "task")
		if f, ok := p.fieldsOf(e.value, path, taskLanguage); ok {
			task, more := p.task(f, e.key, sets)
			tasks = append(tasks, task)
			if len(more.beyond("")) > 0 {
				all = append(all, more)
			}
		}
	}
	return tasks, all
}

func (p *parser) task(f fields, name string, sets map[string]parsedSet) (Task, TaskMore) {
	t := Task{Name: name, Goal: p.goal(f)}
	t.Essential = f.boolean("essential", true)
	t.Command, _ = f.text("cmd")
	t.Env = p.env(f)
	t.Configs = p.configs(f)
	set := p.resources(f, name, sets)
	t.Resources = set.ResourceSet
	t.Readiness = p.readiness(f, t.Resources)
	t.Health = p.health(f, t.Resources)
	t.KillGrace, _ = f.seconds("kill-grace-period", 0, maxKillGrace)
	t.Discovery = p.discovery(f)
	t.Labels = p.labels(f)
	more := set.more
	more.Name = name
	if p.entire {
		p.moreTask(f, &more)
	}
	return t, more
}

func (p *parser) goal(f fields) Goal {
	if _, ok := f.text("kind"); ok {
		return p.kind(f)
	}
	f.required("goal")
	word, _ := f.oneOf("goal", "RUNNING", "FINISH", "FINISHED", "ONCE")
	if word == "FINISHED" {
		return GoalFinish
	}
	return Goal(word)
}

// kinds are the clearer names of goals.
var kinds = map[string]Goal{"service": GoalRunning, "init": GoalOnce, "job": GoalFinish}

// kind reads the clearer name of a goal, which may stand next to the same goal only.
func (p *parser) kind(f fields) Goal {
	word, ok := f.oneOf("kind", "service", "init", "job")
	goal := kinds[word]
	if text, there := f.text("goal"); ok && there && !strings.EqualFold(text, string(goal)) {
		f.at("goal", BadValue, fmt.Sprintf("kind %s has the goal %s", word, goal),
			"remove one of goal and kind")
	}
	return goal
}

// resources gives the named resource set of a task, or the anonymous one of its own keys.
func (p *parser) resources(f fields, task string, sets map[string]parsedSet) parsedSet {
	name, ok := f.text("resource-set")
	if !ok {
		return p.resourceSet(f, task+"-resource-set")
	}
	for _, key := range resourceKeys {
		if _, there := f.get(key); there {
			f.at(key, BadValue, "a task with a resource-set has no resources of its own",
				"move it into the resource set "+name)
		}
	}
	set, ok := sets[name]
	if !ok {
		f.at("resource-set", Dangling, fmt.Sprintf("the pod has no resource set %s", quote(name)),
			didYouMean(name, sortedNames(sets)))
	}
	return set
}

func (p *parser) env(f fields) []EnvVar {
	var env []EnvVar
	for _, e := range f.named("env") {
		path := join(join(f.path, "env"), e.key)
		if e.key == "" || strings.ContainsAny(e.key, "= \t\n") {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: BadValue,
				Message: fmt.Sprintf("%s is not the name of an environment variable",
					quote(e.key))})
			continue
		}
		if e.value.kind != scalarKind && e.value.kind != nullKind {
			f.wrong(e.value, "env."+e.key, fmt.Sprintf("must be text, not %s", describe(e.value)))
			continue
		}
		env = append(env, EnvVar{e.key, e.value.text})
	}
	return env
}

func (p *parser) configs(f fields) []Config {
	var configs []Config
	for _, e := range f.named("configs") {
		path := join(join(f.path, "configs"), e.key)
		p.checkName(e, path, "config")
		cf, ok := p.fieldsOf(e.value, path, configLanguage)
		if !ok {
			continue
		}
		c := Config{Name: e.key}
		if c.Template, ok = cf.required("template"); ok {
			c.Text = p.template(cf, c.Template)
		}
		if c.Dest, ok = cf.required("dest"); ok {
			p.checkDest(cf, c.Dest, configs)
		}
		configs = append(configs, c)
	}
	return configs
}

func (p *parser) template(f fields, path string) string {
	text, ok := p.files[path]
	switch {
	case !ok:
		f.at("template", Dangling, fmt.Sprintf("there is no template %s", quote(path)),
			didYouMean(path, sortedNames(p.files)))
	case text == "":
		f.at("template", BadValue, fmt.Sprintf("the template %s is empty", quote(path)), "")
	case len(text) > maxFileBytes:
		f.at("template", TooLarge, fmt.Sprintf("the template %s has %d bytes", quote(path),
			len(text)), fmt.Sprintf("at most %d are read", maxFileBytes))
	}
	return text
}

// checkDest refuses destinations that leave the sandbox or are taken.
func (p *parser) checkDest(f fields, dest string, configs []Config) {
	parts := strings.Split(dest, "/")
	if parts[0] == "" || parts[len(parts)-1] == "" || slices.Contains(parts, "..") {
		f.at("dest", BadValue, fmt.Sprintf("%s is not a file in the sandbox", quote(dest)),
			"give a relative path without ..")
	}
	for _, other := range configs {
		if other.Dest == dest {
			f.at("dest", Duplicate, fmt.Sprintf("config %s is written to %s too", other.Name,
				quote(dest)), "")
		}
	}
}

func (p *parser) discovery(f fields) *Discovery {
	v, ok := f.get("discovery")
	if !ok {
		return nil
	}
	df, ok := p.fieldsOf(v, join(f.path, "discovery"), discoveryLanguage)
	if !ok {
		return nil
	}
	d := &Discovery{Visibility: "CLUSTER"}
	if d.Prefix, ok = df.text("prefix"); ok {
		p.checkPrefix(df, d.Prefix)
	}
	if visibility, ok := df.oneOf("visibility", "FRAMEWORK", "CLUSTER", "EXTERNAL"); ok {
		d.Visibility = visibility
	}
	return d
}

// checkPrefix refuses a discovery prefix that another pod type uses: instances of both would
// be announced under one name.
func (p *parser) checkPrefix(f fields, prefix string) {
	if !plainName.MatchString(prefix) {
		f.at("prefix", BadValue, fmt.Sprintf("%s is not a host name", quote(prefix)),
			"use letters, digits and dashes")
	}
	pod := strings.Split(f.path, ".")[1]
	owner, taken := p.prefixes[prefix]
	if taken && owner != pod {
		f.at("prefix", Duplicate, fmt.Sprintf("pod %s has the discovery prefix %s too", owner,
			prefix), "use one prefix for each pod type")
		return
	}
	p.prefixes[prefix] = pod
}

// labels reads "key:value,key:value"; values may contain colons.
func (p *parser) labels(f fields) []resource.Label {
	text, ok := f.text("labels")
	if !ok {
		return nil
	}
	var labels []resource.Label
	seen := map[string]bool{}
	for piece := range strings.SplitSeq(text, ",") {
		key, val, ok := strings.Cut(piece, ":")
		key = strings.TrimSpace(key)
		if !ok || key == "" {
			f.at("labels", BadValue, fmt.Sprintf("%s is not key:value", quote(piece)),
				"write key:value,key:value")
			continue
		}
		if seen[key] {
			f.at("labels", Duplicate, fmt.Sprintf("the label %s is there twice", quote(key)), "")
			continue
		}
		seen[key] = true
		labels = append(labels, resource.Label{Key: key, Value: strings.TrimSpace(val)})
	}
	return labels
}
