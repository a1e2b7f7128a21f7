package servicespec

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// defaultFailures is how many health checks in a row must fail before a task is killed.
const defaultFailures = 3

var (
	readinessLanguage = languageOf(taskPath + ".readiness-check")
	healthLanguage    = languageOf(taskPath + ".health-check")
	httpLanguage      = languageOf(taskPath + ".health-check.http")
	tcpLanguage       = languageOf(taskPath + ".health-check.tcp")
)

func (p *parser) readiness(f fields, set ResourceSet) *Check {
	v, ok := f.get("readiness-check")
	if !ok {
		return nil
	}
	return p.check(v, join(f.path, "readiness-check"), readinessLanguage, set)
}

func (p *parser) health(f fields, set ResourceSet) *Check {
	v, ok := f.get("health-check")
	if !ok {
		return nil
	}
	path := join(f.path, "health-check")
	check := p.check(v, path, healthLanguage, set)
	if check == nil {
		return nil
	}
	h := fields{p.mistakes, v, path}
	check.GracePeriod, _ = h.seconds("grace-period", 0, maxSeconds)
	check.MaxConsecutiveFailures = defaultFailures
	if n, ok := h.whole("max-consecutive-failures", 1, 1_000_000); ok {
		check.MaxConsecutiveFailures = int(n)
	}
	return check
}

func (p *parser) check(v value, path string, lang language, set ResourceSet) *Check {
	f, ok := p.fieldsOf(v, path, lang)
	if !ok {
		return nil
	}
	c := &Check{}
	ways := 0
	for _, key := range []string{"cmd", "http", "tcp"} {
		if way, there := f.get(key); there {
			ways++
			p.way(f, way, key, c, set)
		}
	}
	if ways != 1 {
		f.at("", Missing, fmt.Sprintf("there are %d of cmd, http and tcp", ways),
			"give exactly one of them")
	}
	c.Interval = f.requiredSeconds("interval")
	c.Timeout = f.requiredSeconds("timeout")
	c.Delay, _ = f.seconds("delay", 0, maxSeconds)
	return c
}

// way reads how a check asks.
func (p *parser) way(f fields, v value, key string, c *Check, set ResourceSet) {
	path := join(f.path, key)
	switch key {
	case "cmd":
		c.Command, _ = f.required("cmd")
	case "tcp":
		if t, ok := p.fieldsOf(v, path, tcpLanguage); ok {
			c.TCP = &TCPCheck{Port: p.portName(t, set)}
		}
	case "http":
		t, ok := p.fieldsOf(v, path, httpLanguage)
		if !ok {
			return
		}
		c.HTTP = &HTTPCheck{Scheme: "http", Port: p.portName(t, set), Path: "/"}
		if scheme, ok := t.oneOf("scheme", "http", "https"); ok {
			c.HTTP.Scheme = scheme
		}
		if where, ok := t.text("path"); ok {
			c.HTTP.Path = where
			if where[0] != '/' || strings.ContainsAny(where, " \t\r\n") {
				t.at("path", BadValue, fmt.Sprintf("%s is not a path", quote(where)),
					"begin it with /")
			}
		}
	}
}

// portName reads the name of a port of the task.
func (p *parser) portName(f fields, set ResourceSet) string {
	name, ok := f.required("port")
	if !ok {
		return ""
	}
	var names []string
	for _, port := range set.Ports {
		names = append(names, port.Name)
	}
	if !slices.Contains(names, name) {
		f.at("port", Dangling, fmt.Sprintf("the task has no port %s", quote(name)),
			didYouMean(name, names))
	}
	return name
}

func (f fields) requiredSeconds(key string) time.Duration {
	d, _ := f.seconds(key, 1, maxSeconds)
	f.missing(key)
	return d
}
