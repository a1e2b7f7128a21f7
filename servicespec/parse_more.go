package servicespec

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// What the predecessor's language says of containers. Parse refuses these keys but for secrets;
// ParseSpec reads them into PodMore and TaskMore.

var (
	networkLanguage  = languageOf(podPath + ".networks.<name>")
	secretLanguage   = languageOf(podPath + ".secrets.<name>")
	hostLanguage     = languageOf(podPath + ".host-volumes.<name>")
	externalLanguage = languageOf(podPath + ".external-volumes.<name>")
	limitsLanguage   = languageOf(taskPath + ".resource-limits")
	tlsLanguage      = languageOf(taskPath + ".transport-encryption[]")
)

// mappingNetwork is the one network that maps ports of the agent to those of the container.
const mappingNetwork = "mesos-bridge"

func (p *parser) morePod(f fields, m *PodMore) {
	m.Networks = p.networks(f)
	m.SharePIDNamespace = f.boolean("share-pid-namespace", false)
	m.HostVolumes = p.hostVolumes(f)
	m.ExternalVolumes = p.externalVolumes(f)
	m.SeccompUnconfined = f.boolean("seccomp-unconfined", false)
	m.SeccompProfile, _ = f.text("seccomp-profile-name")
	if m.SeccompUnconfined && m.SeccompProfile != "" {
		f.at("seccomp-profile-name", BadValue, "an unconfined pod has no profile",
			"remove one of seccomp-unconfined and seccomp-profile-name")
	}
	m.IPCMode, _ = f.oneOf("ipc-mode", "PRIVATE")
	m.ShmSize = f.sharedMemory(m.IPCMode)
	if user, ok := f.text("user"); ok {
		m.User = user
		if !userName.MatchString(user) {
			f.at("user", BadValue, fmt.Sprintf("%s is not the name of a user", quote(user)), "")
		}
	}
}

func (f fields) sharedMemory(mode string) resource.MiB {
	size, ok := f.amount("shm-size")
	if ok && mode != "PRIVATE" {
		f.at("shm-size", BadValue, "only private shared memory has a size",
			"add ipc-mode: PRIVATE, or remove shm-size")
	}
	return size
}

func (p *parser) networks(f fields) []Network {
	var networks []Network
	for _, e := range f.named("networks") {
		at := join(join(f.path, "networks"), e.key)
		p.checkName(e, at, "network")
		n := Network{Name: e.key}
		if e.value.kind != nullKind {
			nf, ok := p.fieldsOf(e.value, at, networkLanguage)
			if !ok {
				continue
			}
			n.HostPorts = nf.portNumbers("host-ports")
			n.ContainerPorts = nf.portNumbers("container-ports")
			n.Labels = p.labels(nf)
			nf.checkMapping(n)
		}
		networks = append(networks, n)
	}
	return networks
}

func (f fields) checkMapping(n Network) {
	hosts, containers := len(f.list("host-ports")), len(f.list("container-ports"))
	switch {
	case hosts != containers:
		f.at("", BadValue, fmt.Sprintf("there are %d host-ports and %d container-ports", hosts,
			containers), "give one container port for each host port")
	case hosts > 0 && n.Name != mappingNetwork:
		f.at("host-ports", BadValue, fmt.Sprintf("the network %s does not map ports", n.Name),
			"only "+mappingNetwork+" does")
	}
}

func (f fields) portNumbers(key string) []int {
	var numbers []int
	for i, v := range f.list(key) {
		at := fmt.Sprintf("%s[%d]", key, i)
		n, ok := f.wholeValue(v, at, 1, maxPort)
		if !ok {
			continue
		}
		if slices.Contains(numbers, int(n)) {
			f.report(v, at, Duplicate, fmt.Sprintf("the port %d is listed twice", n), "")
		}
		numbers = append(numbers, int(n))
	}
	return numbers
}

func (p *parser) secrets(f fields) []Secret {
	var secrets []Secret
	for _, e := range f.named("secrets") {
		at := join(join(f.path, "secrets"), e.key)
		sf, ok := p.fieldsOf(e.value, at, secretLanguage)
		if !ok {
			continue
		}
		s := Secret{Name: e.key}
		s.Secret, _ = sf.required("secret")
		if s.EnvKey, ok = sf.text("env-key"); ok {
			sf.checkVariable("env-key", s.EnvKey)
		}
		if s.File, ok = sf.text("file"); ok {
			sf.checkInside("file", s.File)
		}
		if s.EnvKey == "" && s.File == "" && s.Secret != "" {
			s.File = s.Secret
			sf.checkInside("secret", s.File)
		}
		sf.checkTaken(s, secrets)
		secrets = append(secrets, s)
	}
	return secrets
}

// checkTaken refuses a secret whose variable or file is that of another.
func (f fields) checkTaken(s Secret, others []Secret) {
	for _, other := range others {
		if s.EnvKey != "" && other.EnvKey == s.EnvKey {
			f.at("env-key", Duplicate, fmt.Sprintf("secret %s is in the variable %s too",
				other.Name, s.EnvKey), "")
		}
		if s.File != "" && other.File == s.File {
			f.at("file", Duplicate, fmt.Sprintf("secret %s is in the file %s too", other.Name,
				quote(s.File)), "")
		}
	}
}

func (f fields) checkVariable(key, name string) {
	if !environmentName.MatchString(name) {
		f.at(key, BadValue, fmt.Sprintf("%s is not the name of an environment variable",
			quote(name)), "use letters, digits and underscores")
	}
}

// checkInside refuses paths that leave the sandbox.
func (f fields) checkInside(key, where string) {
	if !inside(where) {
		f.at(key, BadValue, fmt.Sprintf("%s is not a path in the sandbox", quote(where)),
			"give a relative path without ..")
	}
}

func inside(where string) bool {
	return where != "." && !strings.HasPrefix(where, "/") && path.Clean(where) == where &&
		!strings.HasPrefix(where, "..")
}

var hostPath = regexp.MustCompile(`^/[A-Za-z0-9_./-]*$`)

func (p *parser) hostVolumes(f fields) []HostVolume {
	var volumes []HostVolume
	for _, e := range f.named("host-volumes") {
		hf, ok := p.fieldsOf(e.value, join(join(f.path, "host-volumes"), e.key), hostLanguage)
		if !ok {
			continue
		}
		v := HostVolume{Name: e.key, Mode: "RW"}
		if v.HostPath, ok = hf.required("host-path"); ok && !hostPath.MatchString(v.HostPath) {
			hf.at("host-path", BadValue, fmt.Sprintf("%s is not an absolute path",
				quote(v.HostPath)), "begin it with /, and use letters, digits, dots and dashes")
		}
		if v.ContainerPath, ok = hf.required("container-path"); ok {
			hf.checkInside("container-path", v.ContainerPath)
		}
		if mode, ok := hf.oneOf("mode", "RW", "RO"); ok {
			v.Mode = mode
		}
		volumes = append(volumes, v)
	}
	return volumes
}

func (p *parser) externalVolumes(f fields) []ExternalVolume {
	var volumes []ExternalVolume
	for _, e := range f.named("external-volumes") {
		at := join(join(f.path, "external-volumes"), e.key)
		xf, ok := p.fieldsOf(e.value, at, externalLanguage)
		if !ok {
			continue
		}
		v := ExternalVolume{Name: e.key, Mode: "RW"}
		xf.required("type")
		v.Type, _ = xf.oneOf("type", "DOCKER")
		v.ContainerPath, _ = xf.required("container-path")
		v.Driver, _ = xf.required("driver-name")
		v.Options = xf.driverOptions()
		v.Volume, _ = xf.text("volume-name")
		if mode, ok := xf.oneOf("volume-mode", "RW", "RO"); ok {
			v.Mode = mode
		}
		volumes = append(volumes, v)
	}
	return volumes
}

// driverOptions reads "k=v;k=v", which may end with a semicolon.
func (f fields) driverOptions() []EnvVar {
	text, ok := f.text("driver-options")
	if !ok {
		return nil
	}
	var options []EnvVar
	for piece := range strings.SplitSeq(strings.TrimSuffix(text, ";"), ";") {
		key, value, ok := strings.Cut(piece, "=")
		key = strings.TrimSpace(key)
		same := func(o EnvVar) bool { return o.Name == key }
		switch {
		case !ok || key == "" || strings.Contains(value, "="):
			hint := "write k=v;k=v"
			if strings.Contains(text, "&#") {
				hint = "it was HTML-escaped: write {{{NAME}}} with three braces"
			}
			f.at("driver-options", BadValue, fmt.Sprintf("%s is not k=v", quote(piece)), hint)
		case key == "name":
			f.at("driver-options", BadValue, "the option name is made by the scheduler",
				"say it with volume-name")
		case slices.ContainsFunc(options, same):
			f.at("driver-options", Duplicate, fmt.Sprintf("the option %s is there twice",
				quote(key)), "")
		default:
			options = append(options, EnvVar{key, strings.TrimSpace(value)})
		}
	}
	return options
}

// moreTask reads what a task says of its container.
func (p *parser) moreTask(f fields, m *TaskMore) {
	for i, v := range f.list("transport-encryption") {
		at := fmt.Sprintf("%s.transport-encryption[%d]", f.path, i)
		cf, ok := p.fieldsOf(v, at, tlsLanguage)
		if !ok {
			continue
		}
		var c Certificate
		if c.Name, ok = cf.required("name"); ok && strings.TrimSpace(c.Name) == "" {
			cf.at("name", BadValue, "must not be blank", "")
		}
		same := func(o Certificate) bool { return o.Name == c.Name }
		if slices.ContainsFunc(m.Certificates, same) {
			cf.at("name", Duplicate, fmt.Sprintf("another has the name %s too", quote(c.Name)), "")
		}
		cf.required("type")
		c.Type, _ = cf.oneOf("type", "TLS", "KEYSTORE")
		m.Certificates = append(m.Certificates, c)
	}
	m.IPCMode, _ = f.oneOf("ipc-mode", "PRIVATE", "SHARE_PARENT")
	m.ShmSize = f.sharedMemory(m.IPCMode)
}

// limits reads the limits of a resource set, which may not be below what it has.
func (p *parser) limits(f fields, set ResourceSet) *Limits {
	v, ok := f.get("resource-limits")
	if !ok {
		return nil
	}
	lf, ok := p.fieldsOf(v, join(f.path, "resource-limits"), limitsLanguage)
	if !ok {
		return nil
	}
	var l Limits
	switch lf.limitWord("cpus") {
	case "":
	case "unlimited":
		l.CPUs = Unlimited
	default:
		l.CPUs, _ = lf.milli("cpus")
	}
	switch lf.limitWord("memory") {
	case "":
	case "unlimited":
		l.Memory = Unlimited
	default:
		l.Memory, _ = lf.amount("memory")
	}
	if l.CPUs > 0 && l.CPUs < set.CPUs {
		lf.at("cpus", BadValue, "the limit is less than the task's cpus", "")
	}
	if l.Memory > 0 && l.Memory < set.Memory {
		lf.at("memory", BadValue, fmt.Sprintf("the limit is less than the task's memory, %d",
			set.Memory), "")
	}
	if l == (Limits{}) {
		return nil
	}
	return &l
}

// limitWord gives what is said of a limit without the blanks around it, in lower case; blanks
// alone say nothing.
func (f fields) limitWord(key string) string {
	v, ok := f.get(key)
	if ok && v.kind != scalarKind {
		return "?"
	}
	return strings.ToLower(strings.TrimSpace(v.text))
}
