package localmesos

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// milli is a scalar in thousandths, as Mesos compares scalars.
type milli int64

func milliOf(f float64) milli { return milli(math.Round(f * 1000)) }

func (m milli) float() float64 { return float64(m) / 1000 }

// identity tells which resources may be added to and taken from each other:
// everything of a resource except its amount.
func identity(r *mesos.Resource) string {
	b := make([]byte, 0, 256)
	b = append(append(b, r.Name...), '|', '0'+byte(r.GetType()), '|')
	b = append(append(b, r.GetAllocationInfo().GetRole()...), '|')
	b = append(b, r.GetProviderID().GetValue()...)
	for i := range r.Reservations {
		v := &r.Reservations[i]
		b = append(b, '|', 'r', '0'+byte(v.GetType()), ',')
		b = appendSized(b, v.GetRole())
		b = appendSized(b, v.GetPrincipal())
		b = appendLabels(b, v.GetLabels().GetLabels())
	}
	if d := r.Disk; d != nil {
		if p := d.Persistence; p != nil {
			b = fmt.Appendf(b, "|p%q,%q", p.ID, p.GetPrincipal())
		}
		if v := d.Volume; v != nil {
			b = fmt.Appendf(b, "|v%q,%d,%q", v.ContainerPath, v.GetMode(), v.GetHostPath())
		}
		if d.Source != nil {
			b = append(append(b, "|s"...), d.Source.String()...)
		}
	}
	if r.Revocable != nil {
		b = append(b, "|revocable"...)
	}
	if r.Shared != nil {
		b = append(b, "|shared"...)
	}
	return string(b)
}

// appendLabels adds labels, whose order does not matter.
func appendLabels(b []byte, list []mesos.Label) []byte {
	before := func(x, y mesos.Label) int {
		return cmp.Or(strings.Compare(x.Key, y.Key), strings.Compare(x.GetValue(), y.GetValue()))
	}
	if !slices.IsSortedFunc(list, before) {
		list = slices.Clone(list)
		slices.SortFunc(list, before)
	}
	for _, l := range list {
		b = appendSized(b, l.Key)
		b = appendSized(b, l.GetValue())
	}
	return b
}

// appendSized adds a text with its length, so that no other texts look like it.
func appendSized(b []byte, text string) []byte {
	b = strconv.AppendInt(append(b, ','), int64(len(text)), 10)
	return append(append(b, ':'), text...)
}

func isVolume(r *mesos.Resource) bool { return r.GetDisk().GetPersistence() != nil }

func isEmptyResource(r *mesos.Resource) bool {
	switch r.GetType() {
	case mesos.SCALAR:
		return milliOf(r.GetScalar().GetValue()) == 0
	case mesos.RANGES:
		return len(r.GetRanges().GetRange()) == 0
	case mesos.SET:
		return len(r.GetSet().GetItem()) == 0
	}
	return true
}

// cloneResource copies a resource as deep as this package ever changes it.
func cloneResource(r mesos.Resource) mesos.Resource {
	if r.Scalar != nil {
		r.Scalar = &mesos.Value_Scalar{Value: r.Scalar.Value}
	}
	if r.Ranges != nil {
		r.Ranges = &mesos.Value_Ranges{Range: slices.Clone(r.Ranges.Range)}
	}
	if r.Set != nil {
		r.Set = &mesos.Value_Set{Item: slices.Clone(r.Set.Item)}
	}
	r.Reservations = slices.Clone(r.Reservations)
	return r
}

func cloneResources(rs []mesos.Resource) []mesos.Resource {
	out := make([]mesos.Resource, 0, len(rs))
	for _, r := range rs {
		out = append(out, cloneResource(r))
	}
	return out
}

// plus returns the sum of two lists; neither argument is changed.
func plus(rs, more []mesos.Resource) []mesos.Resource {
	out := cloneResources(rs)
	places := map[string]int{}
	for i := range slices.Backward(out) {
		places[identity(&out[i])] = i
	}
	for _, r := range more {
		if isEmptyResource(&r) {
			continue
		}
		id := identity(&r)
		i, found := places[id]
		if found && !isWhole(&r) {
			addValue(&out[i], &r)
			continue
		}
		if !found {
			places[id] = len(out)
		}
		out = append(out, cloneResource(r))
	}
	return out
}

// addValue adds the amount of r to dst, which is of the same kind.
func addValue(dst, r *mesos.Resource) {
	switch r.GetType() {
	case mesos.SCALAR:
		sum := milliOf(dst.Scalar.GetValue()) + milliOf(r.Scalar.GetValue())
		dst.Scalar = &mesos.Value_Scalar{Value: sum.float()}
	case mesos.RANGES:
		dst.Ranges = &mesos.Value_Ranges{
			Range: unionRanges(dst.Ranges.GetRange(), r.Ranges.GetRange())}
	case mesos.SET:
		items := append(slices.Clone(dst.Set.GetItem()), r.Set.GetItem()...)
		slices.Sort(items)
		dst.Set = &mesos.Value_Set{Item: slices.Compact(items)}
	}
}

// minus returns rs without less. It reports false, and no list, when rs does not
// contain less: amounts can never become negative.
func minus(rs, less []mesos.Resource) ([]mesos.Resource, bool) {
	out := cloneResources(rs)
	for i := range less {
		r := &less[i]
		if isEmptyResource(r) {
			continue
		}
		var ok bool
		if out, ok = subtractOne(out, r); !ok {
			return nil, false
		}
	}
	return out, true
}

func subtractOne(out []mesos.Resource, r *mesos.Resource) ([]mesos.Resource, bool) {
	id := identity(r)
	for i := range out {
		if out[i].Name != r.Name || identity(&out[i]) != id || !subtractValue(&out[i], r) {
			continue
		}
		if isEmptyResource(&out[i]) {
			out = slices.Delete(out, i, i+1)
		}
		return out, true
	}
	return out, false
}

// subtractValue takes r off dst if dst has that much, and says so.
func subtractValue(dst, r *mesos.Resource) bool {
	switch r.GetType() {
	case mesos.SCALAR:
		have, want := milliOf(dst.Scalar.GetValue()), milliOf(r.Scalar.GetValue())
		if want > have || want < 0 || isWhole(r) && want != have {
			return false
		}
		dst.Scalar = &mesos.Value_Scalar{Value: (have - want).float()}
		return true
	case mesos.RANGES:
		rest, ok := differenceRanges(dst.Ranges.GetRange(), r.Ranges.GetRange())
		if ok {
			dst.Ranges = &mesos.Value_Ranges{Range: rest}
		}
		return ok
	case mesos.SET:
		rest := slices.Clone(dst.Set.GetItem())
		for _, item := range r.Set.GetItem() {
			i := slices.Index(rest, item)
			if i < 0 {
				return false
			}
			rest = slices.Delete(rest, i, i+1)
		}
		dst.Set = &mesos.Value_Set{Item: rest}
		return true
	}
	return false
}

func containsAll(rs, part []mesos.Resource) bool {
	_, ok := minus(rs, part)
	return ok
}

// unionRanges merges two lists into sorted ranges that neither touch nor overlap.
func unionRanges(a, b []mesos.Value_Range) []mesos.Value_Range {
	all := append(slices.Clone(a), b...)
	slices.SortFunc(all, func(x, y mesos.Value_Range) int {
		if x.Begin != y.Begin {
			return compareUint(x.Begin, y.Begin)
		}
		return compareUint(x.End, y.End)
	})
	var out []mesos.Value_Range
	for _, r := range all {
		if r.End < r.Begin {
			continue
		}
		if n := len(out); n > 0 && (r.Begin <= out[n-1].End ||
			out[n-1].End != math.MaxUint64 && r.Begin == out[n-1].End+1) {
			out[n-1].End = max(out[n-1].End, r.End)
			continue
		}
		out = append(out, r)
	}
	return out
}

func compareUint(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// differenceRanges returns have without want, and false unless have holds all of it.
func differenceRanges(have, want []mesos.Value_Range) ([]mesos.Value_Range, bool) {
	out := unionRanges(have, nil)
	for _, w := range unionRanges(want, nil) {
		i := slices.IndexFunc(out, func(h mesos.Value_Range) bool {
			return h.Begin <= w.Begin && w.End <= h.End
		})
		if i < 0 {
			return nil, false
		}
		h := out[i]
		var parts []mesos.Value_Range
		if h.Begin < w.Begin {
			parts = append(parts, mesos.Value_Range{Begin: h.Begin, End: w.Begin - 1})
		}
		if w.End < h.End {
			parts = append(parts, mesos.Value_Range{Begin: w.End + 1, End: h.End})
		}
		out = slices.Replace(out, i, i+1, parts...)
	}
	return out, true
}
