package resource

import (
	"cmp"
	"slices"
)

// NewScalar is an unreserved scalar resource.
func NewScalar(name string, quantity Milli) Resource {
	return Resource{Name: name, Scalar: quantity}
}

// NewPorts is an unreserved ports resource.
func NewPorts(ports Ranges) Resource {
	return Resource{Name: Ports, Kind: RangesKind, Ranges: ports}
}

// Same says whether r and o are the same but for their quantity.
func (r Resource) Same(o Resource) bool {
	return r.Name == o.Name && r.Kind == o.Kind && r.Role == o.Role &&
		r.Revocable == o.Revocable && r.Shared == o.Shared && r.Provider == o.Provider &&
		r.DiskInfo() == o.DiskInfo() &&
		slices.EqualFunc(r.Reservations, o.Reservations, Reservation.Equal)
}

// Addable says whether r and o can be added up to one resource. That needs more than Same: a
// persistent volume and a disk that is used as a whole remain what they are.
func (r Resource) Addable(o Resource) bool { return !r.Whole() && r.Same(o) }

// Whole says whether the resource can only be used as one piece: a persistent volume, a shared
// resource, a MOUNT or BLOCK disk, or a RAW disk with an id (Mesos: src/common/resources.cpp,
// addable and subtractable).
func (r Resource) Whole() bool {
	if r.Shared {
		return true
	}
	if r.Disk == nil {
		return false
	}
	switch r.Disk.Source {
	case "MOUNT", "BLOCK":
		return true
	case "RAW":
		return r.Disk.ID != ""
	}
	return r.Disk.PersistenceID != ""
}

// DiskInfo gives the disk information by value; without any it is the agent's root disk.
func (r Resource) DiskInfo() DiskInfo {
	if r.Disk == nil {
		return DiskInfo{}
	}
	return *r.Disk
}

// Equal says whether two resources are the same in quantity too.
func (r Resource) Equal(o Resource) bool { return r.Same(o) && r.contains(o) && o.contains(r) }

// Empty says whether the quantity is nothing.
func (r Resource) Empty() bool {
	switch r.Kind {
	case RangesKind:
		return len(r.Ranges) == 0
	case SetKind:
		return len(r.Set) == 0
	default:
		return r.Scalar <= 0
	}
}

// Label gives the value of a label on the reservation that can be undone, the last one; ""
// when there is no reservation or no such label.
func (r Resource) Label(key string) string {
	if len(r.Reservations) == 0 {
		return ""
	}
	for _, l := range r.Reservations[len(r.Reservations)-1].Labels {
		if l.Key == key {
			return l.Value
		}
	}
	return ""
}

// Equal compares two reservations, their labels without regard to order.
func (r Reservation) Equal(o Reservation) bool {
	return r.Dynamic == o.Dynamic && r.Role == o.Role && r.Principal == o.Principal &&
		equalLabels(r.Labels, o.Labels)
}

// equalLabels compares labels as multisets.
func equalLabels(a, b []Label) bool {
	if len(a) != len(b) {
		return false
	}
	for _, l := range a {
		if !slices.Contains(b, l) {
			return false // as nearly always, without sorting
		}
	}
	return slices.Equal(a, b) || slices.Equal(sortedLabels(a), sortedLabels(b))
}

func sortedLabels(labels []Label) []Label {
	return slices.SortedFunc(slices.Values(labels), func(a, b Label) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
}

// contains says whether the quantity of o is within that of r; both are of one kind.
func (r Resource) contains(o Resource) bool {
	switch r.Kind {
	case RangesKind:
		return r.Ranges.Contains(o.Ranges)
	case SetKind:
		return len(setMinus(o.Set, r.Set)) == 0
	default:
		return o.Scalar <= r.Scalar
	}
}

// plus adds the quantity of o, which is addable.
func (r Resource) plus(o Resource) Resource {
	switch r.Kind {
	case RangesKind:
		r.Ranges = r.Ranges.Add(o.Ranges)
	case SetKind:
		r.Set = slices.Concat(r.Set, setMinus(o.Set, r.Set))
	default:
		r.Scalar += o.Scalar
	}
	return r
}

// minus takes the quantity of o away, which is contained.
func (r Resource) minus(o Resource) Resource {
	switch r.Kind {
	case RangesKind:
		r.Ranges = r.Ranges.minus(o.Ranges)
	case SetKind:
		r.Set = setMinus(r.Set, o.Set)
	default:
		r.Scalar -= o.Scalar
	}
	return r
}

// setMinus gives the items of a that are not in b, in their order.
func setMinus(a, b []string) []string {
	var out []string
	for _, item := range a {
		if !slices.Contains(b, item) {
			out = append(out, item)
		}
	}
	return out
}
