package resource

import "strings"

// ResourceID is the label that tells reservations of one role apart; the text form prints its
// value alone.
const ResourceID = "resource_id"

// String prints the list on one line, resources separated by semicolons:
//
//	cpus:1;mem:2048;disk:5000(kafka-role:res-1)[vol-1:kafka-data];ports:[31000-31001]
//
// A resource is its name and quantity (scalar, [ranges] or {set}), followed by what it has of
//
//	(role)              a static reservation
//	(role:res-1,a=b)    a dynamic one with its labels; a bare value is the label resource_id
//	<MOUNT:/mnt/1,profile=fast>   the source of a disk: type, root, profile=, id=, vendor=
//	[vol-1:kafka-data]  a persistent volume with its container path
//	{revocable,shared,provider=p}
//
// where special characters in a word are escaped by a backslash. ParseList is its inverse
// but for what is alike in all resources of a framework and would only be noise: the role
// that they are allocated to, and the principals of dynamic reservations and volumes. What
// Mesos does not have is not read back either: negative scalars, empty names, disk types other
// than its own, labels or a principal on a static reservation.
func (l List) String() string {
	var b strings.Builder
	for i, r := range l {
		if i > 0 {
			b.WriteByte(';')
		}
		r.print(&b)
	}
	return b.String()
}

// String prints the resource as List.String does.
func (r Resource) String() string {
	var b strings.Builder
	r.print(&b)
	return b.String()
}

func (r Resource) print(b *strings.Builder) {
	escape(b, r.Name)
	b.WriteByte(':')
	switch r.Kind {
	case RangesKind:
		b.WriteString(r.Ranges.String())
	case SetKind:
		b.WriteByte('{')
		for i, item := range r.Set {
			comma(b, i > 0)
			escape(b, item)
		}
		b.WriteByte('}')
	default:
		b.WriteString(r.Scalar.String())
	}
	for _, res := range r.Reservations {
		res.print(b)
	}
	if r.Disk != nil {
		r.Disk.print(b)
	}
	r.printFlags(b)
}

func (r Reservation) print(b *strings.Builder) {
	b.WriteByte('(')
	escape(b, r.Role)
	if r.Dynamic {
		b.WriteByte(':')
		for i, l := range r.Labels {
			comma(b, i > 0)
			if l.Key != ResourceID || l.Value == "" {
				escape(b, l.Key)
				b.WriteByte('=')
			}
			escape(b, l.Value)
		}
	}
	b.WriteByte(')')
}

func (d DiskInfo) print(b *strings.Builder) {
	volume := d.PersistenceID != "" || d.ContainerPath != ""
	if source := d.source(); source != (DiskInfo{}) {
		b.WriteByte('<')
		escape(b, d.Source)
		b.WriteByte(':')
		escape(b, d.Root)
		printPair(b, "profile", d.Profile)
		printPair(b, "id", d.ID)
		printPair(b, "vendor", d.Vendor)
		b.WriteByte('>')
	} else if !volume {
		b.WriteString("<:>")
	}
	if volume {
		b.WriteByte('[')
		escape(b, d.PersistenceID)
		b.WriteByte(':')
		escape(b, d.ContainerPath)
		b.WriteByte(']')
	}
}

// source gives what is left of the information without the volume.
func (d DiskInfo) source() DiskInfo {
	d.PersistenceID, d.Principal, d.ContainerPath = "", "", ""
	return d
}

func printPair(b *strings.Builder, key, value string) {
	if value != "" {
		b.WriteByte(',')
		b.WriteString(key)
		b.WriteByte('=')
		escape(b, value)
	}
}

func (r Resource) printFlags(b *strings.Builder) {
	if !r.Revocable && !r.Shared && r.Provider == "" {
		return
	}
	b.WriteByte('{')
	if r.Revocable {
		b.WriteString("revocable")
	}
	if r.Shared {
		comma(b, r.Revocable)
		b.WriteString("shared")
	}
	if r.Provider != "" {
		comma(b, r.Revocable || r.Shared)
		b.WriteString("provider=")
		escape(b, r.Provider)
	}
	b.WriteByte('}')
}

func comma(b *strings.Builder, wanted bool) {
	if wanted {
		b.WriteByte(',')
	}
}

// special are the characters that end a word in the text form.
const special = "\\:;,()[]{}<>= \t\n"

// escape writes a word with a backslash before each special character.
func escape(b *strings.Builder, word string) {
	for i := range len(word) {
		if strings.IndexByte(special, word[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(word[i])
	}
}
