package servicespec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/resource"
	"github.com/kafka-sched/kafka-sched/servicespec/placement"
)

// Encode gives the canonical JSON of a service: equal services have equal bytes, so that they
// can be compared and hashed. The store keeps it, and GET /v1/configurations answers with it.
// Names are those of the spec; times are text, as "5m0s".
func (s Service) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return nil, fmt.Errorf("encoding service %s: %w", s.Name, err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// DecodeService reads what Encode wrote. Keys that it does not know are ignored.
func DecodeService(data []byte) (Service, error) {
	var s Service
	if err := json.Unmarshal(data, &s); err != nil {
		return Service{}, fmt.Errorf("decoding a service: %w", err)
	}
	return s, nil
}

// The plain types have the fields of those that they stand for, without their methods, so that
// their embedding adds what JSON cannot say by itself.
type (
	plainPod   Pod
	plainTask  Task
	plainCheck Check
	plainSet   ResourceSet

	jsonPod struct {
		plainPod
		Placement string `json:"placement,omitempty"`
	}
	jsonTask struct {
		plainTask
		KillGrace duration `json:"kill-grace-period,omitempty"`
	}
	jsonCheck struct {
		plainCheck
		Interval    duration `json:"interval,omitempty"`
		Timeout     duration `json:"timeout,omitempty"`
		Delay       duration `json:"delay,omitempty"`
		GracePeriod duration `json:"grace-period,omitempty"`
	}
	jsonSet struct {
		plainSet
		CPUs decimal `json:"cpus,omitempty"`
		GPUs decimal `json:"gpus,omitempty"`
	}
)

// duration is written as text.
type duration time.Duration

// MarshalText prints the duration, as "5m0s".
func (d duration) MarshalText() ([]byte, error) {
	return []byte(time.Duration(d).String()), nil
}

// UnmarshalText reads what MarshalText printed.
func (d *duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	*d = duration(parsed)
	return err
}

// decimal is a number of thousandths that is written as a decimal number.
type decimal resource.Milli

// MarshalJSON prints the number without needless zeros: 0.5.
func (d decimal) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d)/1000, 'f', -1, 64), nil
}

// UnmarshalJSON reads what MarshalJSON printed.
func (d *decimal) UnmarshalJSON(data []byte) error {
	x, err := strconv.ParseFloat(string(data), 64)
	*d = decimal(math.Round(x * 1000))
	return err
}

// MarshalJSON writes the processors as decimal numbers.
func (s ResourceSet) MarshalJSON() ([]byte, error) {
	return marshal(jsonSet{plainSet(s), decimal(s.CPUs), decimal(s.GPUs)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *ResourceSet) UnmarshalJSON(data []byte) error {
	var j jsonSet
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*s = ResourceSet(j.plainSet)
	s.CPUs, s.GPUs = resource.Milli(j.CPUs), resource.Milli(j.GPUs)
	return nil
}

// MarshalJSON writes the placement rule as its text.
func (p Pod) MarshalJSON() ([]byte, error) {
	rule := p.Placement.String()
	if p.Where != nil {
		rule = p.Where.String()
	}
	return marshal(jsonPod{plainPod(p), rule})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (p *Pod) UnmarshalJSON(data []byte) error {
	var j jsonPod
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	rule, err := placement.ParseExpr(j.Placement)
	if err != nil {
		return fmt.Errorf("reading the placement of pod %s: %w", j.Type, err)
	}
	*p = Pod(j.plainPod)
	p.setPlacement(rule)
	return nil
}

// MarshalJSON writes the kill grace period as text.
func (t Task) MarshalJSON() ([]byte, error) {
	return marshal(jsonTask{plainTask(t), duration(t.KillGrace)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Task) UnmarshalJSON(data []byte) error {
	var j jsonTask
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*t = Task(j.plainTask)
	t.KillGrace = time.Duration(j.KillGrace)
	return nil
}

// MarshalJSON writes the times of a check as text.
func (c Check) MarshalJSON() ([]byte, error) {
	return marshal(jsonCheck{plainCheck(c), duration(c.Interval), duration(c.Timeout),
		duration(c.Delay), duration(c.GracePeriod)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (c *Check) UnmarshalJSON(data []byte) error {
	var j jsonCheck
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	*c = Check(j.plainCheck)
	c.Interval, c.Timeout = time.Duration(j.Interval), time.Duration(j.Timeout)
	c.Delay, c.GracePeriod = time.Duration(j.Delay), time.Duration(j.GracePeriod)
	return nil
}

// marshal is json.Marshal without the escapes for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
