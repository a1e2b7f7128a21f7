package store

import (
	"fmt"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// The rows of resources, of which places and leftovers consist.

// resourceRow is a resource; the quantity stands under the name of its kind, and exactly one
// must be there.
type resourceRow struct {
	Name         string          `json:"name"`
	Scalar       *resource.Milli `json:"milli,omitempty"`
	Ranges       *[]rangeRow     `json:"ranges,omitempty"`
	Set          *[]string       `json:"set,omitempty"`
	Role         string          `json:"role,omitempty"`
	Reservations []reservation   `json:"reservations,omitempty"`
	Disk         *disk           `json:"disk,omitempty"`
	Revocable    bool            `json:"revocable,omitempty"`
	Shared       bool            `json:"shared,omitempty"`
	Provider     string          `json:"provider,omitempty"`
}

type rangeRow struct {
	Begin uint64 `json:"begin"`
	End   uint64 `json:"end"`
}

type reservation struct {
	Dynamic   bool    `json:"dynamic"`
	Role      string  `json:"role"`
	Principal string  `json:"principal,omitempty"`
	Labels    []label `json:"labels,omitempty"`
}

type label struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type disk struct {
	PersistenceID string `json:"persistence_id,omitempty"`
	Principal     string `json:"principal,omitempty"`
	ContainerPath string `json:"container_path,omitempty"`
	Source        string `json:"source,omitempty"`
	Root          string `json:"root,omitempty"`
	ID            string `json:"id,omitempty"`
	Vendor        string `json:"vendor,omitempty"`
	Profile       string `json:"profile,omitempty"`
}

func resourceToRow(r resource.Resource) resourceRow {
	out := resourceRow{
		Name:         r.Name,
		Role:         r.Role,
		Reservations: each(r.Reservations, reservationToRow),
		Disk:         maybe(r.Disk, func(d resource.DiskInfo) disk { return disk(d) }),
		Revocable:    r.Revocable,
		Shared:       r.Shared,
		Provider:     r.Provider,
	}
	switch r.Kind {
	case resource.RangesKind:
		ranges := make([]rangeRow, 0, len(r.Ranges)) // never null: it tells the kind
		for _, x := range r.Ranges {
			ranges = append(ranges, rangeRow(x))
		}
		out.Ranges = &ranges
	case resource.SetKind:
		set := append([]string{}, r.Set...)
		out.Set = &set
	default:
		out.Scalar = &r.Scalar
	}
	return out
}

func reservationToRow(r resource.Reservation) reservation {
	return reservation{r.Dynamic, r.Role, r.Principal, labelsToRows(r.Labels)}
}

func labelsToRows(labels []resource.Label) []label {
	return each(labels, func(l resource.Label) label { return label(l) })
}

func labelsToDomain(labels []label) []resource.Label {
	return each(labels, func(l label) resource.Label { return resource.Label(l) })
}

func resourcesToDomain(rows []resourceRow) (resource.List, error) {
	return tried(rows, resourceRow.domain)
}

func (r resourceRow) domain() (resource.Resource, error) {
	out := resource.Resource{
		Name: r.Name,
		Role: r.Role,
		Reservations: each(r.Reservations, func(v reservation) resource.Reservation {
			return resource.Reservation{Dynamic: v.Dynamic, Role: v.Role,
				Principal: v.Principal, Labels: labelsToDomain(v.Labels)}
		}),
		Disk:      maybe(r.Disk, func(d disk) resource.DiskInfo { return resource.DiskInfo(d) }),
		Revocable: r.Revocable,
		Shared:    r.Shared,
		Provider:  r.Provider,
	}
	kinds := 0
	if r.Scalar != nil {
		out.Kind, out.Scalar = resource.Scalar, *r.Scalar
		kinds++
	}
	if r.Ranges != nil {
		out.Kind = resource.RangesKind
		out.Ranges = each(*r.Ranges, func(x rangeRow) resource.Range { return resource.Range(x) })
		kinds++
	}
	if r.Set != nil {
		out.Kind, out.Set = resource.SetKind, *r.Set
		kinds++
	}
	if kinds != 1 {
		return out, fmt.Errorf("the resource %q has %d quantities", r.Name, kinds)
	}
	return out, nil
}
