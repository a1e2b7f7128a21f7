package localmesos

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// The forms that Mesos's own flags have: "cpus:4;mem(role):512;ports:[1-9,20-30]".

var flagItem = regexp.MustCompile(`^([^(:]+)(?:\(([^)]*)\))?:(.+)$`)

// flagValue is one item of such a flag. One of the values is set.
type flagValue struct {
	name, role string
	scalar     *float64
	ranges     []mesos.Value_Range
	set        []string
	text       string
}

func parseFlag(flag string) ([]flagValue, error) {
	var out []flagValue
	for item := range strings.SplitSeq(flag, ";") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		m := flagItem.FindStringSubmatch(item)
		if m == nil {
			return nil, fmt.Errorf("%q is not of the form name:value or name(role):value", item)
		}
		v := flagValue{name: m[1], role: m[2]}
		if err := v.parse(strings.TrimSpace(m[3])); err != nil {
			return nil, fmt.Errorf("%q: %w", item, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func (v *flagValue) parse(text string) error {
	switch {
	case strings.HasPrefix(text, "[") && strings.HasSuffix(text, "]"):
		for part := range strings.SplitSeq(text[1:len(text)-1], ",") {
			from, to, _ := strings.Cut(strings.TrimSpace(part), "-")
			begin, err := strconv.ParseUint(from, 10, 64)
			if err != nil {
				return err
			}
			end, err := strconv.ParseUint(to, 10, 64)
			if err != nil {
				return err
			}
			v.ranges = append(v.ranges, mesos.Value_Range{Begin: begin, End: end})
		}
	case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
		for part := range strings.SplitSeq(text[1:len(text)-1], ",") {
			v.set = append(v.set, strings.TrimSpace(part))
		}
	default:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			v.scalar = &f
		}
		v.text = text
	}
	return nil
}

// flagResources makes the resources that a flag lists.
func flagResources(flag string) ([]mesos.Resource, error) {
	values, err := parseFlag(flag)
	if err != nil {
		return nil, err
	}
	var out []mesos.Resource
	for _, v := range values {
		r := mesos.Resource{Name: v.name}
		switch {
		case v.scalar != nil:
			r.Type, r.Scalar = mesos.SCALAR.Enum(), &mesos.Value_Scalar{Value: *v.scalar}
		case v.ranges != nil:
			r.Type = mesos.RANGES.Enum()
			r.Ranges = &mesos.Value_Ranges{Range: unionRanges(v.ranges, nil)}
		case v.set != nil:
			r.Type, r.Set = mesos.SET.Enum(), &mesos.Value_Set{Item: v.set}
		default:
			return nil, fmt.Errorf("the resource %s has no number, ranges or set", v.name)
		}
		if v.role != "" && v.role != "*" {
			kind := mesos.Resource_ReservationInfo_STATIC
			r.Reservations = []mesos.Resource_ReservationInfo{{Type: &kind, Role: &v.role}}
		}
		out = append(out, r)
	}
	ports := func(v flagValue) bool { return v.name == "ports" }
	if flag != "" && !slices.ContainsFunc(values, ports) {
		out = append(out, mesos.Resource{Name: "ports", Type: mesos.RANGES.Enum(),
			Ranges: &mesos.Value_Ranges{Range: []mesos.Value_Range{{Begin: 31000, End: 32000}}}})
	}
	return out, nil
}

// flagAttributes makes the attributes that a flag lists.
func flagAttributes(flag string) ([]mesos.Attribute, error) {
	values, err := parseFlag(flag)
	if err != nil {
		return nil, err
	}
	var out []mesos.Attribute
	for _, v := range values {
		a := mesos.Attribute{Name: v.name, Type: mesos.TEXT, Text: &mesos.Value_Text{Value: v.text}}
		switch {
		case v.set != nil:
			return nil, fmt.Errorf("the attribute %s is a set, which no attribute can be", v.name)
		case v.scalar != nil:
			a.Type, a.Text, a.Scalar = mesos.SCALAR, nil, &mesos.Value_Scalar{Value: *v.scalar}
		case v.ranges != nil:
			a.Type, a.Text = mesos.RANGES, nil
			a.Ranges = &mesos.Value_Ranges{Range: unionRanges(v.ranges, nil)}
		}
		out = append(out, a)
	}
	return out, nil
}
