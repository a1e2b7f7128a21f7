package servicespec

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

var (
	resourceSetLanguage = languageOf(setPath)

	portLanguage   = languageOf(setPath + ".ports.<name>")
	vipLanguage    = languageOf(setPath + ".ports.<name>.vip")
	rangeLanguage  = languageOf(setPath + ".ports.<name>.ranges[]")
	volumeLanguage = languageOf(setPath + ".volume")

	// resourceKeys are the keys of a resource set; a task may have them too.
	resourceKeys = slices.Concat(resourceSetLanguage.keys, resourceSetLanguage.later)
)

const maxPort = 65535

// parsedSet is a resource set with what is said beyond it.
type parsedSet struct {
	ResourceSet
	more TaskMore
}

func (p *parser) resourceSets(pod fields) map[string]parsedSet {
	sets := map[string]parsedSet{}
	for _, e := range pod.named("resource-sets") {
		path := join(join(pod.path, "resource-sets"), e.key)
		p.checkName(e, path, "resource set")
		if f, ok := p.fieldsOf(e.value, path, resourceSetLanguage); ok {
			sets[e.key] = p.resourceSet(f, e.key)
		}
	}
	return sets
}

// resourceSet reads the keys of a resource set, out of one of its own or out of a task.
func (p *parser) resourceSet(f fields, name string) parsedSet {
	var set parsedSet
	set.Name = name
	set.CPUs, _ = f.milli("cpus")
	set.GPUs, _ = f.milli("gpus")
	set.Memory, _ = f.amount("memory")
	set.Ports, set.more.Ports = p.ports(f)
	set.Volumes = p.volumes(f, false)
	if p.entire {
		set.more.Limits = p.limits(f, set.ResourceSet)
	}
	any := false
	for _, key := range []string{"cpus", "gpus", "memory", "ports"} {
		v, there := f.get(key)
		any = any || there && (v.kind != mapKind || len(v.entries) > 0)
	}
	if !any {
		f.at("", Missing, "there are no resources", "give cpus and memory")
	}
	return set
}

func (p *parser) ports(f fields) ([]Port, []PortMore) {
	entries := f.named("ports")
	var ports []Port
	var more []PortMore
	numbers, keys := map[int]string{}, map[string]string{}
	for _, e := range entries {
		path := join(join(f.path, "ports"), e.key)
		p.checkName(e, path, "port")
		pf, ok := p.fieldsOf(e.value, path, portLanguage)
		if !ok {
			continue
		}
		port := p.port(pf, e.key, entries)
		if first, twice := numbers[port.Port]; twice && port.Port != 0 {
			pf.at("port", Duplicate, fmt.Sprintf("port %s has the number %d too", first,
				port.Port), "")
		}
		if first, twice := keys[port.EnvKey]; twice && port.EnvKey != "" {
			pf.at("env-key", Duplicate, fmt.Sprintf("port %s has the env-key %s too", first,
				port.EnvKey), "")
		}
		numbers[port.Port], keys[port.EnvKey] = e.key, e.key
		ports = append(ports, port)
		if !p.entire {
			continue
		}
		if labels := p.labels(pf); labels != nil {
			more = append(more, PortMore{Name: e.key, Labels: labels})
		}
	}
	return ports, more
}

var environmentName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (p *parser) port(f fields, name string, all []entry) Port {
	port := Port{Name: name}
	if n, ok := f.whole("port", 0, maxPort); ok {
		port.Port = int(n)
	} else {
		f.missing("port")
	}
	if key, ok := f.text("env-key"); ok {
		port.EnvKey = key
		if !environmentName.MatchString(key) {
			f.at("env-key", BadValue, fmt.Sprintf("%s is not the name of an environment variable",
				quote(key)), "use letters, digits and underscores")
		}
	}
	port.Advertise = f.boolean("advertise", false)
	if port.Advertise {
		p.unique(f, "advertise", "advertised port", name,
			"advertised names are those of endpoints, unique in the service")
	}
	port.VIP = p.vip(f, name, all)
	port.Ranges = p.ranges(f, port.Port)
	return port
}

func (p *parser) vip(port fields, name string, all []entry) *VIP {
	v, ok := port.get("vip")
	if !ok {
		return nil
	}
	f, ok := p.fieldsOf(v, join(port.path, "vip"), vipLanguage)
	if !ok {
		return nil
	}
	vip := &VIP{Prefix: name}
	if n, ok := f.whole("port", 1, maxPort); ok {
		vip.Port = int(n)
	} else {
		f.missing("port")
	}
	if prefix, ok := f.text("prefix"); ok {
		vip.Prefix = prefix
		if !plainName.MatchString(prefix) {
			f.at("prefix", BadValue, fmt.Sprintf("%s is not a host name", quote(prefix)),
				"use letters, digits and dashes")
		}
	}
	for _, other := range all {
		if other.key == vip.Prefix && other.key != name {
			f.at("prefix", BadValue, fmt.Sprintf("%s is the name of another port", vip.Prefix),
				"choose another prefix")
		}
	}
	return vip
}

func (p *parser) ranges(port fields, number int) []resource.Range {
	items := port.list("ranges")
	if len(items) > 0 && number != 0 {
		port.at("ranges", BadValue, "only dynamic ports have ranges", "set port: 0")
	}
	var ranges []resource.Range
	for i, v := range items {
		f, ok := p.fieldsOf(v, fmt.Sprintf("%s.ranges[%d]", port.path, i), rangeLanguage)
		if !ok {
			continue
		}
		begin, _ := f.whole("begin", 0, maxPort)
		end, _ := f.whole("end", 0, maxPort)
		if end == 0 {
			end = maxPort
		}
		if begin > end {
			f.at("begin", BadValue, fmt.Sprintf("must not be more than end, %d", end), "")
		}
		ranges = append(ranges, resource.Range{Begin: uint64(begin), End: uint64(end)})
	}
	return ranges
}

// volumes reads volume and volumes; only a pod may have both.
func (p *parser) volumes(f fields, both bool) []Volume {
	var volumes []Volume
	single, one := f.get("volume")
	if one {
		volumes = p.volume(volumes, single, join(f.path, "volume"))
	}
	if _, many := f.get("volumes"); one && many && !both {
		f.at("volume", BadValue, "volume and volumes exclude each other", "put all into volumes")
	}
	for _, e := range f.named("volumes") {
		volumes = p.volume(volumes, e.value, join(join(f.path, "volumes"), e.key))
	}
	return volumes
}

var (
	volumePath    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	volumeProfile = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,128}$`)
)

// volume appends one volume to the list, in which its path must be new.
func (p *parser) volume(list []Volume, v value, path string) []Volume {
	f, ok := p.fieldsOf(v, path, volumeLanguage)
	if !ok {
		return list
	}
	var volume Volume
	if volume.Path, ok = f.required("path"); ok {
		if !volumePath.MatchString(volume.Path) {
			f.at("path", BadValue, fmt.Sprintf("%s is not a folder name", quote(volume.Path)),
				"use letters, digits, dashes and underscores")
		}
		same := func(other Volume) bool { return other.Path == volume.Path }
		if slices.ContainsFunc(list, same) {
			f.at("path", Duplicate, fmt.Sprintf("another volume is at %s too", volume.Path), "")
		}
	}
	if volume.Type, ok = f.oneOf("type", "ROOT", "MOUNT", "PATH"); !ok {
		if _, there := f.get("type"); !there {
			f.missing("type")
		}
	}
	if volume.Size, ok = f.amount("size"); !ok {
		f.missing("size")
	}
	volume.Profiles = p.profiles(f, volume.Type)
	return append(list, volume)
}

func (p *parser) profiles(f fields, kind string) []string {
	var profiles []string
	items := f.list("profiles")
	if len(items) > 0 && kind == "ROOT" {
		f.at("profiles", BadValue, "only MOUNT and PATH volumes have profiles", "")
	}
	for i, v := range items {
		key := fmt.Sprintf("profiles[%d]", i)
		if !volumeProfile.MatchString(v.text) {
			f.bad(v, key, fmt.Sprintf("%s is not the name of a profile", describe(v)), "")
			continue
		}
		if slices.Contains(profiles, v.text) {
			f.report(v, key, Duplicate, fmt.Sprintf("%s is listed twice", v.text), "")
		}
		profiles = append(profiles, v.text)
	}
	return profiles
}
