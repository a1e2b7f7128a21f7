package localmesos

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

func ptr[T any](v T) *T { return &v }

// scalarResource makes an unreserved scalar.
func scalarResource(name string, v float64) mesos.Resource {
	return mesos.Resource{Name: name, Type: mesos.SCALAR.Enum(),
		Scalar: &mesos.Value_Scalar{Value: v}}
}

// reservedRole is the role of the innermost reservation, "" if unreserved.
func reservedRole(r *mesos.Resource) string {
	if n := len(r.Reservations); n > 0 {
		return r.Reservations[n-1].GetRole()
	}
	return ""
}

// allocatableTo tells whether a resource may be offered to a role: it is
// unreserved, or reserved to the role or to one of its parents.
func allocatableTo(r *mesos.Resource, role string) bool {
	owner := reservedRole(r)
	return owner == "" || owner == role || strings.HasPrefix(role, owner+"/")
}

func mapResources(rs []mesos.Resource, change func(*mesos.Resource)) []mesos.Resource {
	out := cloneResources(rs)
	for i := range out {
		change(&out[i])
	}
	return out
}

func allocate(rs []mesos.Resource, role string) []mesos.Resource {
	return mapResources(rs, func(r *mesos.Resource) {
		r.AllocationInfo = &mesos.Resource_AllocationInfo{Role: &role}
	})
}

func unallocate(rs []mesos.Resource) []mesos.Resource {
	return mapResources(rs, func(r *mesos.Resource) { r.AllocationInfo = nil })
}

// popReservation takes the innermost reservation off each resource.
func popReservation(rs []mesos.Resource) []mesos.Resource {
	return mapResources(rs, func(r *mesos.Resource) {
		if n := len(r.Reservations); n > 0 {
			r.Reservations = r.Reservations[:n-1]
		}
		if len(r.Reservations) == 0 {
			r.Reservations = nil
		}
	})
}

// withoutVolume turns volumes into the plain disk they were made of.
func withoutVolume(rs []mesos.Resource) []mesos.Resource {
	return mapResources(rs, func(r *mesos.Resource) {
		if r.Disk == nil {
			return
		}
		d := *r.Disk
		d.Persistence, d.Volume = nil, nil
		r.Disk = &d
		if d.Source == nil {
			r.Disk = nil
		}
		r.Shared = nil
	})
}

// stripped is what the resources are made of: no reservation, volume, allocation.
func stripped(rs []mesos.Resource) []mesos.Resource {
	plain := mapResources(withoutVolume(rs), func(r *mesos.Resource) {
		r.Reservations, r.AllocationInfo = nil, nil
	})
	return plus(nil, plain)
}

// withoutDynamic is what resources are without what was made of them at run time:
// volumes, dynamic reservations, allocations.
func withoutDynamic(rs []mesos.Resource) []mesos.Resource {
	plain := mapResources(withoutVolume(rs), func(r *mesos.Resource) {
		r.AllocationInfo = nil
		for notDynamic(r) == nil {
			r.Reservations = r.Reservations[:len(r.Reservations)-1]
		}
		if len(r.Reservations) == 0 {
			r.Reservations = nil
		}
	})
	return plus(nil, plain)
}

// upgrade turns the format from before reservation refinement (role and
// reservation) into the present one (a stack of reservations). It works in place.
func upgrade(rs []mesos.Resource) {
	for i := range rs {
		r := &rs[i]
		role := r.GetRole()
		if len(r.Reservations) == 0 && role != "*" && role != "" {
			kind := mesos.Resource_ReservationInfo_STATIC
			info := mesos.Resource_ReservationInfo{Role: &role}
			if r.Reservation != nil {
				kind = mesos.Resource_ReservationInfo_DYNAMIC
				info.Principal, info.Labels = r.Reservation.Principal, r.Reservation.Labels
			}
			info.Type = &kind
			r.Reservations = []mesos.Resource_ReservationInfo{info}
		}
		if r.Disk != nil && r.Disk.Persistence == nil && r.Disk.Volume == nil &&
			r.Disk.Source == nil {
			r.Disk = nil
		}
		r.Role, r.Reservation = nil, nil
	}
}

// endpointForm is what operator calls show: the present format plus, for simple
// reservations, role and reservation.
func endpointForm(rs []mesos.Resource) []mesos.Resource {
	return mapResources(rs, func(r *mesos.Resource) {
		switch len(r.Reservations) {
		case 0:
			r.Role = ptr("*")
		case 1:
			r.Role = ptr(r.Reservations[0].GetRole())
			if r.Reservations[0].GetType() == mesos.Resource_ReservationInfo_DYNAMIC {
				r.Reservation = &mesos.Resource_ReservationInfo{
					Principal: r.Reservations[0].Principal, Labels: r.Reservations[0].Labels}
			}
		}
	})
}

// downgrade is what frameworks without RESERVATION_REFINEMENT see.
func downgrade(rs []mesos.Resource) []mesos.Resource {
	return mapResources(endpointForm(rs), func(r *mesos.Resource) { r.Reservations = nil })
}

func scalarSum(rs []mesos.Resource, name string) milli {
	var sum milli
	for i := range rs {
		if rs[i].Name == name && rs[i].GetType() == mesos.SCALAR {
			sum += milliOf(rs[i].GetScalar().GetValue())
		}
	}
	return sum
}

func volumesIn(rs []mesos.Resource) []mesos.Resource {
	var out []mesos.Resource
	for i := range rs {
		if isVolume(&rs[i]) {
			out = append(out, rs[i])
		}
	}
	return out
}

// sortForOffer puts resources into the order of the recordings: unreserved
// ports, then what is reserved, then the rest.
func sortForOffer(rs []mesos.Resource) []mesos.Resource {
	rank := func(r *mesos.Resource) int {
		switch {
		case r.Name == "ports" && len(r.Reservations) == 0:
			return 0
		case len(r.Reservations) > 0:
			return 1
		}
		return 2
	}
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(a, b mesos.Resource) int { return rank(&a) - rank(&b) })
	return out
}

// formatResource writes a resource as Mesos does in its messages.
func formatResource(r *mesos.Resource) string {
	var b strings.Builder
	b.WriteString(r.Name)
	if role := r.GetAllocationInfo().GetRole(); role != "" {
		fmt.Fprintf(&b, "(allocated: %s)", role)
	}
	if len(r.Reservations) > 0 {
		var parts []string
		for i := range r.Reservations {
			parts = append(parts, formatReservation(&r.Reservations[i]))
		}
		fmt.Fprintf(&b, "(reservations: [%s])", strings.Join(parts, ","))
	}
	if d := r.Disk; d != nil && (d.Persistence != nil || d.Volume != nil) {
		fmt.Fprintf(&b, "[%s:%s]", d.GetPersistence().GetID(), d.GetVolume().GetContainerPath())
	}
	if r.Revocable != nil {
		b.WriteString("{REV}")
	}
	if r.Shared != nil {
		b.WriteString("<SHARED>")
	}
	b.WriteByte(':')
	switch r.GetType() {
	case mesos.SCALAR:
		v := milliOf(r.GetScalar().GetValue()).float()
		b.WriteString(strconv.FormatFloat(v, 'f', -1, 64))
	case mesos.RANGES:
		var parts []string
		for _, x := range r.GetRanges().GetRange() {
			parts = append(parts, fmt.Sprintf("%d-%d", x.Begin, x.End))
		}
		fmt.Fprintf(&b, "[%s]", strings.Join(parts, ", "))
	case mesos.SET:
		fmt.Fprintf(&b, "{%s}", strings.Join(r.GetSet().GetItem(), ", "))
	}
	return b.String()
}

func formatReservation(v *mesos.Resource_ReservationInfo) string {
	parts := []string{v.GetType().String(), v.GetRole()}
	if p := v.GetPrincipal(); p != "" {
		parts = append(parts, p)
	}
	var labels []string
	for _, l := range v.GetLabels().GetLabels() {
		labels = append(labels, l.Key+": "+l.GetValue())
	}
	if len(labels) > 0 {
		parts = append(parts, "{"+strings.Join(labels, ", ")+"}")
	}
	return "(" + strings.Join(parts, ",") + ")"
}

func formatResources(rs []mesos.Resource) string {
	var parts []string
	for i := range rs {
		parts = append(parts, formatResource(&rs[i]))
	}
	if len(parts) == 0 {
		return "{}"
	}
	return strings.Join(parts, "; ")
}
