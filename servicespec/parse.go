package servicespec

import (
	"fmt"
	"regexp"
	"strings"
)

// Bounds of what one service may ask for; they keep plans and answers of a sensible size.
const (
	maxCount     = 10_000
	maxInstances = 50_000  // of all pods
	maxTasks     = 100_000 // of all instances
	maxSteps     = 100_000
	maxMegabytes = 1 << 40
	maxCPUs      = 1_000_000
	maxSeconds   = 7 * 24 * 3600
	maxNameBytes = 63
)

// The defaults of the scheduler section.
const (
	defaultUser       = "root"
	preReservedByNone = "*"
)

var (
	rootLanguage      = languageOf("")
	schedulerLanguage = languageOf("scheduler")
)

// parser turns the tree of one document into a Service.
type parser struct {
	*mistakes
	files map[string]string
	pods  map[string]*Pod
	// seen remembers the line of names that must be unique in the whole service, by what they
	// are and their text.
	seen map[string]int
	// prefixes holds the pod type of each discovery prefix.
	prefixes map[string]string
	// more is what is said beyond the Service.
	more Spec
}

// Parse reads a rendered spec for the scheduler: what the scheduler of this release does not
// act on is an error. files holds the templates of config files by the path that the spec names
// them with. When there are errors, the Service means nothing.
func Parse(name string, yaml []byte, files map[string]string) (Service, []Error) {
	s, errs := readSpec(&mistakes{file: name}, yaml, files)
	return s.Service, errs
}

// ParseSpec reads a rendered spec in the whole language, as Parse does; Spec.Beyond says what
// the scheduler would refuse of it.
func ParseSpec(name string, yaml []byte, files map[string]string) (Spec, []Error) {
	return readSpec(&mistakes{file: name, entire: true}, yaml, files)
}

func readSpec(m *mistakes, yaml []byte, files map[string]string) (Spec, []Error) {
	root, ok := readDocument(yaml, m)
	if !ok {
		return Spec{}, m.sorted()
	}
	p := &parser{mistakes: m, files: files, pods: map[string]*Pod{}, seen: map[string]int{},
		prefixes: map[string]string{}}
	s := p.service(root)
	if len(m.list) > 0 {
		return Spec{}, m.sorted()
	}
	p.more.Service = s
	return p.more, nil
}

func (p *parser) service(root value) Service {
	var s Service
	f, ok := p.fieldsOf(root, "", rootLanguage)
	if !ok {
		return s
	}
	if name, ok := f.required("name"); ok {
		s.Name = strings.TrimPrefix(name, "/")
		if wrong := serviceNameProblem(s.Name); wrong != "" {
			f.at("name", BadValue, wrong, "")
		}
	}
	s.WebURL, _ = f.text("web-url")
	s.Role = strings.ReplaceAll(s.Name, "/", "__") + "-role"
	s.Principal = s.Name + "-principal"
	s.User = defaultUser
	p.scheduler(f, &s)
	s.Pods = p.allPods(f)
	checkSize(f, s.Pods)
	s.Plans = p.allPlans(f, s.Pods)
	s.Actions = p.actions(f, s.Plans)
	return s
}

// checkSize refuses more instances, and more tasks of them, than one scheduler looks after.
func checkSize(f fields, pods []Pod) {
	instances, tasks := 0, 0
	for _, pod := range pods {
		instances += pod.Count
		tasks += pod.Count * len(pod.Tasks)
	}
	if instances > maxInstances {
		f.at("pods", TooLarge, fmt.Sprintf("the pods have %d instances together", instances),
			fmt.Sprintf("at most %d are allowed", maxInstances))
	} else if tasks > maxTasks {
		f.at("pods", TooLarge, fmt.Sprintf("all instances have %d tasks together", tasks),
			fmt.Sprintf("at most %d are allowed", maxTasks))
	}
}

var serviceNamePart = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`)

// serviceNameProblem says what is wrong with a service's name, "" when nothing is.
func serviceNameProblem(name string) string {
	parts := strings.Split(name, "/")
	for _, part := range parts {
		if !serviceNamePart.MatchString(part) {
			return fmt.Sprintf("%s is not a service name: letters, digits, dots and dashes, "+
				"beginning and ending with a letter or digit, in folders separated by /",
				quote(name))
		}
	}
	if strings.Contains(name, "__") {
		return fmt.Sprintf("%s must not contain __, which stands for / in roles", quote(name))
	}
	if bytes := len(strings.Join(parts, "")); bytes > maxNameBytes {
		return fmt.Sprintf("the name has %d characters without slashes, at most %d fit DNS",
			bytes, maxNameBytes)
	}
	return ""
}

// leastFailover is the shortest failover-timeout, in seconds: a scheduler that is updated, or moves
// to another machine, must be back by then, or Mesos ends all tasks and forgets the framework.
const leastFailover = 60

// mostFailover is a year.
const mostFailover = 365 * 24 * 60 * 60

func (p *parser) scheduler(root fields, s *Service) {
	v, ok := root.get("scheduler")
	if !ok {
		return
	}
	f, ok := p.fieldsOf(v, "scheduler", schedulerLanguage)
	if !ok {
		return
	}
	if principal, ok := f.text("principal"); ok {
		s.Principal = principal
	}
	if user, ok := f.text("user"); ok {
		s.User = user
	}
	s.Zookeeper, _ = f.text("zookeeper")
	n, ok := f.measured("failover-timeout", leastFailover, mostFailover, secondsHint)
	if ok && Seconds(n) != DefaultFailoverTimeout { // a default that is said stays the default
		s.FailoverTimeout = Seconds(n)
	}
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?$`)

// checkName reports a name of a pod, task, port and so on that cannot be used in task names.
func (p *parser) checkName(e entry, path, what string) {
	if plainName.MatchString(e.key) && len(e.key) <= maxNameBytes {
		return
	}
	if strings.ContainsRune("aeiou", rune(what[0])) {
		what = "an " + what
	} else {
		what = "a " + what
	}
	p.add(Error{Line: e.line, Column: e.column, Path: path, Code: BadValue,
		Message: fmt.Sprintf("%s is not a name for %s", quote(e.key), what),
		Hint:    "use at most 63 letters, digits, dashes and underscores"})
}

// unique reports a name that was used before for the same sort of thing.
func (p *parser) unique(f fields, key, sort, name, hint string) {
	line := f.line
	if v, ok := f.get(key); ok {
		line = v.line
	}
	id := sort + " " + name
	if first, twice := p.seen[id]; twice {
		f.at(key, Duplicate, fmt.Sprintf("the %s is used in line %d too", id, first), hint)
		return
	}
	p.seen[id] = line
}
