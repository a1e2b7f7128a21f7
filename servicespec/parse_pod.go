package servicespec

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	podLanguage    = languageOf(podPath)
	rlimitLanguage = languageOf(podPath + ".rlimits.<name>")

	rlimitNames = []string{"RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA",
		"RLIMIT_FSIZE", "RLIMIT_LOCKS", "RLIMIT_MEMLOCK", "RLIMIT_MSGQUEUE", "RLIMIT_NICE",
		"RLIMIT_NOFILE", "RLIMIT_NPROC", "RLIMIT_RSS", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
		"RLIMIT_SIGPENDING", "RLIMIT_STACK"}
)

func (p *parser) allPods(root fields) []Pod {
	entries := root.named("pods")
	if v, there := root.get("pods"); !there || v.kind == mapKind && len(entries) == 0 {
		root.at("pods", Missing, "the service has no pods", "declare at least one under pods:")
	}
	var pods []Pod
	known := namesakes{map[string]bool{}, map[string]string{}}
	for _, e := range entries {
		path := join("pods", e.key)
		if misplaced(e) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: WrongType,
				Message: e.key + " is a key of a pod, and stands where pods are named",
				Hint:    "indent it below the name of its pod"})
			continue
		}
		p.checkName(e, path, "pod")
		p.checkDistinct(e, path, known)
		pod, ok := p.pod(e, path)
		if !ok {
			p.pods[e.key] = nil // known by name, so that plans may speak of it
			continue
		}
		p.checkKafka(e, pod, pods)
		pods = append(pods, pod)
	}
	p.checkQuorum(root, pods)
	p.checkTopics(root, pods)
	p.checkZooKeeper(root, pods)
	for i := range pods {
		p.pods[pods[i].Type] = &pods[i]
	}
	return pods
}

// misplaced says that an entry among the pods belongs into one.
func misplaced(e entry) bool {
	_, count := e.value.get("count")
	_, tasks := e.value.get("tasks")
	return slices.Contains(podLanguage.keys, e.key) && !count && !tasks
}

var indexed = regexp.MustCompile(`^-[0-9]+(-|$)`)

// namesakes finds pod types like kafka and kafka-0, whose task names ("kafka-0-…") could not be
// told apart.
type namesakes struct {
	kinds map[string]bool
	longs map[string]string // by what a type would continue with a number
}

// add takes one more type, and gives two that are alike; short is "" when none are.
func (n namesakes) add(kind string) (short, long string) {
	if long, ok := n.longs[kind]; ok {
		n.kinds[kind] = true
		return kind, long
	}
	for at := range kind {
		if !indexed.MatchString(kind[at:]) {
			continue
		}
		stem := kind[:at]
		if n.kinds[stem] {
			short = stem
		}
		n.longs[stem] = kind
	}
	n.kinds[kind] = true
	return short, kind
}

// checkDistinct refuses pod types that are alike.
func (p *parser) checkDistinct(e entry, path string, known namesakes) {
	short, long := known.add(e.key)
	if short == "" {
		return
	}
	p.add(Error{Line: e.line, Column: e.column, Path: path, Code: BadValue,
		Message: fmt.Sprintf("the pods %s and %s have task names that cannot be told apart",
			short, long),
		Hint: "choose names that do not continue with a number"})
}

func (p *parser) pod(e entry, path string) (Pod, bool) {
	pod := Pod{Type: e.key, PreReservedRole: preReservedByNone}
	f, ok := p.fieldsOf(e.value, path, podLanguage)
	if !ok {
		return pod, false
	}
	least := int64(0)
	for _, key := range []string{"kafka", "zookeeper"} {
		if _, ok := f.get(key); ok {
			least = 1
		}
	}
	if count, ok := f.whole("count", least, maxCount); ok {
		pod.Count = int(count)
	} else {
		f.missing("count")
	}
	more := PodMore{Type: e.key}
	p.placement(f, &pod)
	pod.URIs = p.uris(f)
	pod.RLimits = p.rlimits(f)
	pod.Volumes = p.volumes(f, true)
	pod.AllowDecommission = f.boolean("allow-decommission", false)
	if role, ok := f.text("pre-reserved-role"); ok {
		pod.PreReservedRole = role
	}
	sets := p.resourceSets(f)
	pod.Tasks, more.Tasks = p.tasks(f, sets)
	p.checkVolumePaths(f, pod)
	if v, ok := f.get("kafka"); ok {
		pod.Kafka = p.kafka(v, join(path, "kafka"), &pod)
	}
	if v, ok := f.get("zookeeper"); ok {
		pod.ZooKeeper = p.zooKeeper(v, join(path, "zookeeper"), &pod)
	}
	p.checkCommands(f, pod)
	p.policies(f, &pod)
	pod.Secrets = p.secrets(f)
	if p.entire {
		pod.Image, _ = f.filled("image")
		p.morePod(f, &more)
		if len(more.beyond()) > 0 {
			p.more.Pods = append(p.more.Pods, more)
		}
	}
	return pod, true
}

func (p *parser) uris(f fields) []string {
	var uris []string
	for i, v := range f.list("uris") {
		key := fmt.Sprintf("uris[%d]", i)
		if v.kind != scalarKind || v.text == "" {
			f.wrong(v, key, fmt.Sprintf("must be a URI, not %s", describe(v)))
			continue
		}
		if _, err := url.Parse(v.text); err != nil || strings.ContainsAny(v.text, " \t\n") {
			f.bad(v, key, fmt.Sprintf("%s is not a URI", quote(v.text)), "")
		}
		uris = append(uris, v.text)
	}
	return uris
}

func (p *parser) rlimits(f fields) []RLimit {
	var limits []RLimit
	for _, e := range f.named("rlimits") {
		path := join(join(f.path, "rlimits"), e.key)
		if !slices.Contains(rlimitNames, e.key) {
			p.add(Error{Line: e.line, Column: e.column, Path: path, Code: UnknownKey,
				Message: "no such limit", Hint: limitHint(e.key)})
			continue
		}
		limit := RLimit{Name: "RLMT_" + strings.TrimPrefix(e.key, "RLIMIT_")}
		if e.value.kind != nullKind {
			r, ok := p.fieldsOf(e.value, path, rlimitLanguage)
			if !ok {
				continue
			}
			limit.Soft, limit.Hard = r.limit("soft"), r.limit("hard")
			r.checkLimits(limit)
		}
		limits = append(limits, limit)
	}
	return limits
}

func limitHint(name string) string {
	if full := "RLIMIT_" + strings.ToUpper(name); slices.Contains(rlimitNames, full) {
		return "did you mean " + full + "?"
	}
	return didYouMean(name, rlimitNames)
}

// limit reads one side of a limit; -1 and absence mean unlimited.
func (f fields) limit(key string) *uint64 {
	n, ok := f.whole(key, -1, 1<<62)
	if !ok || n < 0 {
		return nil
	}
	limit := uint64(n)
	return &limit
}

func (f fields) unlimited(key string) bool {
	v, _ := f.get(key)
	return withoutZeros(v.text) == "-1"
}

func (f fields) checkLimits(limit RLimit) {
	_, soft := f.get("soft")
	_, hard := f.get("hard")
	switch {
	case soft != hard:
		f.at("", Missing, "soft and hard go together", "give both, or neither for no limit")
	case limit.Hard != nil && f.unlimited("soft"):
		f.at("soft", BadValue, "must not be unlimited while hard has a limit", "")
	case limit.Soft != nil && limit.Hard != nil && *limit.Soft > *limit.Hard:
		f.at("soft", BadValue, fmt.Sprintf("must not be more than hard, %d", *limit.Hard), "")
	}
}

// checkVolumePaths refuses a path in a resource set that a volume of the pod has already.
func (p *parser) checkVolumePaths(f fields, pod Pod) {
	for _, task := range pod.Tasks {
		for _, v := range task.Resources.Volumes {
			for _, shared := range pod.Volumes {
				if v.Path == shared.Path {
					f.at("tasks", Duplicate, fmt.Sprintf(
						"task %s and the pod both have a volume at %s", task.Name, v.Path), "")
				}
			}
		}
	}
}

// checkCommands reports tasks without cmd; only the task of a pod that runs Kafka or ZooKeeper may
// leave it out, and while it is not known which that is, each of them may.
func (p *parser) checkCommands(f fields, pod Pod) {
	tasks, _ := f.get("tasks")
	for _, e := range tasks.entries {
		made := pod.Kafka != nil && (pod.Kafka.Task == e.key || pod.Kafka.Task == "") ||
			pod.ZooKeeper != nil && (pod.ZooKeeper.Task == e.key || pod.ZooKeeper.Task == "")
		if e.value.kind != mapKind || made {
			continue
		}
		t := fields{p.mistakes, e.value, join(join(f.path, "tasks"), e.key)}
		t.required("cmd")
	}
}
