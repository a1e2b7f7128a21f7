package resource

import (
	"fmt"
	"slices"
)

// Add gives a list with the resources added: each is merged with the first one that it is
// addable to, as the master does, or appended. Empty ones vanish. The receiver stays as it is.
func (l List) Add(resources ...Resource) List {
	if len(resources) == 0 {
		return slices.Clone(l)
	}
	out := append(make(List, 0, len(l)+len(resources)), l...)
	for _, r := range resources {
		if r.Empty() {
			continue
		}
		if i := slices.IndexFunc(out, r.Addable); i >= 0 {
			out[i] = out[i].plus(r)
		} else {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return l
	}
	return out
}

// Merged gives the list with all addable resources added up.
func (l List) Merged() List { return List{}.Add(l...) }

// Sub takes o away from l, comparing sums, not entries; the result is merged. It is refused
// with an error that names the first resource of o that l does not hold.
func (l List) Sub(o List) (List, error) {
	out := l.Merged()
	for _, r := range o {
		if r.Empty() {
			continue
		}
		i := out.holder(r)
		if i < 0 {
			return nil, fmt.Errorf("subtracting %s: it is not contained", r)
		}
		if out[i] = out[i].minus(r); out[i].Empty() {
			out = slices.Delete(out, i, i+1)
		}
	}
	return out, nil
}

// holder is the index of the entry of a merged list that contains r, -1 when none does. A
// resource that is used as a whole is contained only in its equal.
func (l List) holder(r Resource) int {
	return slices.IndexFunc(l, func(x Resource) bool {
		return x.Same(r) && x.contains(r) && (!r.Whole() || r.contains(x))
	})
}

// Contains says whether all of o is in l, comparing sums.
func (l List) Contains(o List) bool {
	_, err := l.Sub(o)
	return err == nil
}

// Equal says whether both lists come to the same, however they are ordered or split.
func (l List) Equal(o List) bool { return l.Contains(o) && o.Contains(l) }

// Filter gives the resources for which keep is true, in their order.
func (l List) Filter(keep func(Resource) bool) List {
	var out List
	for _, r := range l {
		if keep(r) {
			out = append(out, r)
		}
	}
	return out
}

// Unreserved gives the resources allocated to role that nobody has reserved.
func (l List) Unreserved(role string) List {
	return l.Filter(func(r Resource) bool { return r.Role == role && len(r.Reservations) == 0 })
}

// Labelled gives the resources whose last reservation carries the label key with this value.
func (l List) Labelled(key, value string) List {
	return l.Filter(func(r Resource) bool { return value != "" && r.Label(key) == value })
}

// Volumes gives the persistent volumes.
func (l List) Volumes() List {
	return l.Filter(func(r Resource) bool { return r.DiskInfo().PersistenceID != "" })
}

// WithoutVolumes gives what the list comes to once the volumes in it are destroyed.
func (l List) WithoutVolumes() List {
	plain := make(List, 0, len(l))
	for _, r := range l {
		if r.DiskInfo().PersistenceID != "" {
			disk := *r.Disk
			disk.PersistenceID, disk.Principal, disk.ContainerPath = "", "", ""
			r.Disk = &disk
			if disk == (DiskInfo{}) {
				r.Disk = nil
			}
		}
		plain = plain.Add(r)
	}
	return plain
}

// Total adds up the scalars of that name, whoever has reserved them.
func (l List) Total(name string) Milli {
	var sum Milli
	for _, r := range l {
		if r.Name == name && r.Kind == Scalar {
			sum += r.Scalar
		}
	}
	return sum
}

// PushReservation gives the resources with one more reservation at the end of each stack.
func (l List) PushReservation(res Reservation) List {
	return l.each(func(r *Resource) {
		r.Reservations = append(slices.Clip(r.Reservations), res)
	})
}

// PopReservation gives the resources without the last reservation of each stack, as UNRESERVE
// does. A resource that nobody has reserved stays as it is.
func (l List) PopReservation() List {
	return l.each(func(r *Resource) {
		switch n := len(r.Reservations); n {
		case 0:
		case 1:
			r.Reservations = nil
		default:
			r.Reservations = slices.Clip(r.Reservations[:n-1])
		}
	})
}

// WithRole gives the resources as allocated to role.
func (l List) WithRole(role string) List {
	return l.each(func(r *Resource) { r.Role = role })
}

// WithoutRole gives the resources as they are outside of offers, allocated to nobody.
func (l List) WithoutRole() List { return l.WithRole("") }

// WithPrincipal gives the resources with the principal on every dynamic reservation and every
// volume: what the text form leaves out.
func (l List) WithPrincipal(principal string) List {
	return l.each(func(r *Resource) {
		r.Reservations = slices.Clone(r.Reservations)
		for i := range r.Reservations {
			if r.Reservations[i].Dynamic {
				r.Reservations[i].Principal = principal
			}
		}
		if info := r.DiskInfo(); info.PersistenceID != "" {
			info.Principal = principal
			r.Disk = &info
		}
	})
}

// each gives a copy of the list with change applied to each resource.
func (l List) each(change func(*Resource)) List {
	out := slices.Clone(l)
	for i := range out {
		change(&out[i])
	}
	return out
}
