package executor

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// What an order that leaves these out gets; those of checks are Mesos' own.
const (
	defaultInterval = 10 * time.Second
	defaultTimeout  = 20 * time.Second
	defaultLogBytes = 10 << 20
	defaultLogFiles = 5
)

// OutFile and ErrFile are the files in the sandbox that hold what the task wrote to its
// standard output and error. Rotated ones have ".1" (the newest), ".2", … behind their names.
func (o Order) OutFile() string { return o.Task + ".out" }

// ErrFile is described at OutFile.
func (o Order) ErrFile() string { return o.Task + ".err" }

// String says what the check asks: "tcp 127.0.0.1:9092".
func (c Check) String() string {
	switch {
	case c.HTTP != nil:
		return "http " + c.HTTP.URL()
	case c.TCP != nil:
		return "tcp " + hostPort(c.TCP.Host, c.TCP.Port)
	default:
		return "command"
	}
}

// URL is the address that the check gets.
func (h HTTPCheck) URL() string {
	scheme := h.Scheme
	if scheme == "" {
		scheme = "http"
	}
	return scheme + "://" + hostPort(h.Host, h.Port) + "/" + strings.TrimPrefix(h.Path, "/")
}

// hostPort joins the two, with brackets around an IPv6 address.
func hostPort(host string, port int) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// withDefaults fills in what the order leaves out.
func (o Order) withDefaults() Order {
	if o.LogBytes == 0 {
		o.LogBytes = defaultLogBytes
	}
	if o.LogFiles == 0 {
		o.LogFiles = defaultLogFiles
	}
	o.Readiness = o.Readiness.withDefaults()
	o.Health = o.Health.withDefaults()
	return o
}

func (c *Check) withDefaults() *Check {
	if c == nil {
		return nil
	}
	full := *c
	if full.Interval == 0 {
		full.Interval = defaultInterval
	}
	if full.Timeout == 0 {
		full.Timeout = defaultTimeout
	}
	return &full
}

// validate says what is wrong with an order, beyond what decoding it finds.
func (o Order) validate() error {
	if o.Task != path.Base(o.Task) || !inside(o.Task) {
		return fmt.Errorf("the order's task name %q cannot be a file name", o.Task)
	}
	if o.KillGrace < 0 || o.LogBytes < 0 || o.LogFiles < 0 {
		return fmt.Errorf("the order of %s has a negative kill grace or log limit", o.Task)
	}
	for _, f := range o.Files {
		if !inside(f.Path) {
			return fmt.Errorf("the order of %s has a file outside of the sandbox: %q",
				o.Task, f.Path)
		}
	}
	for _, p := range o.Ports {
		if p.Number < 1 || p.Number > 65535 {
			return fmt.Errorf("the order of %s has no valid port %s: %d", o.Task, p.Name, p.Number)
		}
	}
	if err := o.Readiness.validate(); err != nil {
		return fmt.Errorf("the readiness check of %s: %w", o.Task, err)
	}
	if err := o.Health.validate(); err != nil {
		return fmt.Errorf("the health check of %s: %w", o.Task, err)
	}
	return nil
}

// inside reports whether name, taken as a path of a file, stays below where it starts. That
// no symbolic link leads out is for the one who opens it to see to.
func inside(name string) bool {
	clean := path.Clean(name)
	return name != "" && !path.IsAbs(name) && !strings.Contains(name, "\x00") &&
		clean != "." && clean != ".." && !strings.HasPrefix(clean, "../")
}

func (c *Check) validate() error {
	if c == nil {
		return nil
	}
	kinds := 0
	for _, set := range []bool{c.Command != nil, c.HTTP != nil, c.TCP != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("it has to have exactly one of command, http and tcp, not %d", kinds)
	}
	if c.Interval < 0 || c.Timeout < 0 || c.Delay < 0 || c.GracePeriod < 0 {
		return fmt.Errorf("its times cannot be negative")
	}
	return nil
}
