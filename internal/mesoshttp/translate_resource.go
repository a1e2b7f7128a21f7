package mesoshttp

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	wire "github.com/mesos/mesos-go/api/v1/lib"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// resourcesToWire translates resources for a framework that is allocated them in a role. The
// master compares allocation_info, so it must be there on every resource of a call; role stands
// in where a resource does not say itself.
func resourcesToWire(list resource.List, role string) []wire.Resource {
	out := make([]wire.Resource, 0, len(list))
	for _, r := range list {
		out = append(out, resourceToWire(r, role))
	}
	return out
}

func resourceToWire(r resource.Resource, role string) wire.Resource {
	out := wire.Resource{Name: r.Name}
	switch r.Kind {
	case resource.RangesKind:
		out.Type = wire.RANGES.Enum()
		out.Ranges = &wire.Value_Ranges{}
		for _, x := range r.Ranges {
			out.Ranges.Range = append(out.Ranges.Range, wire.Value_Range(x))
		}
	case resource.SetKind:
		out.Type = wire.SET.Enum()
		out.Set = &wire.Value_Set{Item: r.Set}
	default:
		out.Type = wire.SCALAR.Enum()
		out.Scalar = &wire.Value_Scalar{Value: float64(r.Scalar) / 1000}
	}
	if allocated := cmp.Or(r.Role, role); allocated != "" {
		out.AllocationInfo = &wire.Resource_AllocationInfo{Role: &allocated}
	}
	for _, reservation := range r.Reservations {
		out.Reservations = append(out.Reservations, reservationToWire(reservation))
	}
	if r.Disk != nil {
		out.Disk = diskToWire(*r.Disk)
	}
	if r.Revocable {
		out.Revocable = &wire.Resource_RevocableInfo{}
	}
	if r.Shared {
		out.Shared = &wire.Resource_SharedInfo{}
	}
	if r.Provider != "" {
		out.ProviderID = &wire.ResourceProviderID{Value: r.Provider}
	}
	return out
}

func reservationToWire(r resource.Reservation) wire.Resource_ReservationInfo {
	kind := wire.Resource_ReservationInfo_STATIC
	if r.Dynamic {
		kind = wire.Resource_ReservationInfo_DYNAMIC
	}
	return wire.Resource_ReservationInfo{
		Type:      &kind,
		Role:      optional(r.Role),
		Principal: optional(r.Principal),
		Labels:    labelsToWire(r.Labels),
	}
}

func diskToWire(d resource.DiskInfo) *wire.Resource_DiskInfo {
	out := &wire.Resource_DiskInfo{}
	if d.PersistenceID != "" {
		out.Persistence = &wire.Resource_DiskInfo_Persistence{
			ID:        d.PersistenceID,
			Principal: optional(d.Principal),
		}
	}
	if d.ContainerPath != "" {
		out.Volume = &wire.Volume{Mode: wire.RW.Enum(), ContainerPath: d.ContainerPath}
	}
	if d.Source == "" {
		return out
	}
	out.Source = &wire.Resource_DiskInfo_Source{
		Type: wire.Resource_DiskInfo_Source_Type(
			wire.Resource_DiskInfo_Source_Type_value[d.Source]),
		Vendor:  optional(d.Vendor),
		ID:      optional(d.ID),
		Profile: optional(d.Profile),
	}
	switch out.Source.Type {
	case wire.Resource_DiskInfo_Source_PATH:
		out.Source.Path = &wire.Resource_DiskInfo_Source_Path{Root: optional(d.Root)}
	case wire.Resource_DiskInfo_Source_MOUNT:
		out.Source.Mount = &wire.Resource_DiskInfo_Source_Mount{Root: optional(d.Root)}
	}
	return out
}

func resourcesFromWire(list []wire.Resource) resource.List {
	var out resource.List
	for i := range list {
		out = append(out, resourceFromWire(&list[i]))
	}
	return out
}

func resourceFromWire(r *wire.Resource) resource.Resource {
	out := resource.Resource{
		Name:      r.Name,
		Role:      r.GetAllocationInfo().GetRole(),
		Disk:      diskFromWire(r.GetDisk()),
		Revocable: r.Revocable != nil,
		Shared:    r.Shared != nil,
	}
	switch r.GetType() {
	case wire.RANGES:
		out.Kind = resource.RangesKind
		out.Ranges = rangesFromWire(r.GetRanges().GetRange())
	case wire.SET:
		out.Kind = resource.SetKind
		out.Set = r.GetSet().GetItem()
	default:
		if r.Scalar != nil {
			out.Scalar = milli(r.Scalar.Value)
		}
	}
	for i := range r.Reservations {
		in := &r.Reservations[i]
		out.Reservations = append(out.Reservations, resource.Reservation{
			Dynamic:   in.GetType() == wire.Resource_ReservationInfo_DYNAMIC,
			Role:      in.GetRole(),
			Principal: in.GetPrincipal(),
			Labels:    labelsFromWire(in.Labels),
		})
	}
	if r.ProviderID != nil {
		out.Provider = r.ProviderID.Value
	}
	return out
}

func diskFromWire(d *wire.Resource_DiskInfo) *resource.DiskInfo {
	if d == nil {
		return nil
	}
	out := &resource.DiskInfo{}
	if d.Persistence != nil {
		out.PersistenceID = d.Persistence.ID
		out.Principal = d.Persistence.GetPrincipal()
	}
	if d.Volume != nil {
		out.ContainerPath = d.Volume.ContainerPath
	}
	if s := d.Source; s != nil {
		out.Source = s.Type.String()
		out.Root = cmp.Or(s.GetPath().GetRoot(), s.GetMount().GetRoot())
		out.ID, out.Vendor, out.Profile = s.GetID(), s.GetVendor(), s.GetProfile()
	}
	return out
}

// milli rounds as Mesos does. What is no sane amount counts as nothing.
func milli(v float64) resource.Milli {
	const most = 1 << 53 // above it a float64 does not hold every integer
	m := math.Round(v * 1000)
	if !(m > 0 && m <= most) {
		return 0
	}
	return resource.Milli(m)
}

// rangesFromWire gives the normal form.
func rangesFromWire(list []wire.Value_Range) resource.Ranges {
	ranges := make([]resource.Range, len(list))
	for i, r := range list {
		ranges[i] = resource.Range(r)
	}
	return resource.NewRanges(ranges...)
}

func labelsToWire(labels []resource.Label) *wire.Labels {
	if len(labels) == 0 {
		return nil
	}
	out := &wire.Labels{}
	for _, l := range labels {
		out.Labels = append(out.Labels, wire.Label{Key: l.Key, Value: &l.Value})
	}
	return out
}

func labelsFromWire(labels *wire.Labels) []resource.Label {
	var out []resource.Label
	for _, l := range labels.GetLabels() {
		out = append(out, resource.Label{Key: l.Key, Value: l.GetValue()})
	}
	return out
}

// attributeText prints a value as Mesos does: "10", "[1-10, 20-30]", "{a, b}".
func attributeText(a *wire.Attribute) string {
	switch a.Type {
	case wire.SCALAR:
		if a.Scalar == nil {
			return ""
		}
		return strconv.FormatFloat(math.Round(a.Scalar.Value*1000)/1000, 'f', -1, 64)
	case wire.RANGES:
		var parts []string
		for _, r := range a.GetRanges().GetRange() {
			parts = append(parts, strconv.FormatUint(r.Begin, 10)+"-"+
				strconv.FormatUint(r.End, 10))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case wire.SET:
		return "{" + strings.Join(a.GetSet().GetItem(), ", ") + "}"
	default:
		if a.Text == nil {
			return ""
		}
		return a.Text.Value
	}
}

// optional gives nil for "", so that an absent field stays absent.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
