package resource

// Milli is a quantity in thousandths: of a CPU, of a GPU, of a MiB of memory or disk.
type Milli int64

// MiB is an amount of memory or disk in units of 1,048,576 bytes; Mesos calls it "MB".
type MiB int64

// Names of the resources that the scheduler itself understands. An agent may offer others.
const (
	CPUs  = "cpus"
	GPUs  = "gpus"
	Mem   = "mem"
	Disk  = "disk"
	Ports = "ports"
)

// Resource is one Mesos resource: a named quantity with its kind of ownership.
//
// Exactly one of Scalar, Ranges and Set carries the quantity, told by Kind.
type Resource struct {
	Name   string
	Kind   Kind
	Scalar Milli
	Ranges Ranges
	Set    []string

	// Role is the role that the resource is allocated to in an offer; "" outside of offers.
	Role string
	// Reservations is the stack of reservations, the outermost (static) first; empty means
	// unreserved. Only the last one can be undone by the framework that made it.
	Reservations []Reservation
	// Disk is set for persistent volumes and for disks with a source.
	Disk *DiskInfo
	// Revocable resources may be taken away at any time; the scheduler leaves them alone.
	Revocable bool
	// Shared resources (shared persistent volumes) are left alone as well.
	Shared bool
	// Provider is the id of the resource provider, "" for the agent's own resources.
	Provider string
}

// Kind is the type of a resource's value, as in Mesos' Value.Type.
type Kind int

// The kinds of value. The zero Kind is a scalar.
const (
	Scalar Kind = iota
	RangesKind
	SetKind
)

// Reservation is one entry of a reservation stack.
type Reservation struct {
	Dynamic   bool // dynamic (by a framework or operator), not static (by an agent's flag)
	Role      string
	Principal string
	Labels    []Label
}

// Label is a key with a value; keys may repeat. Order does not matter to Mesos' comparison.
type Label struct{ Key, Value string }

// DiskInfo says what kind of disk a disk resource is and which volume lies on it.
type DiskInfo struct {
	// PersistenceID names the volume; "" means raw disk.
	PersistenceID string
	// Principal is who created the volume.
	Principal string
	// ContainerPath is where the volume appears in the sandbox, relative to it.
	ContainerPath string
	// Source is "" for the agent's root disk, else "PATH", "MOUNT", "BLOCK" or "RAW".
	Source string
	// Root is the host path of a PATH or MOUNT source.
	Root string
	// ID, Vendor, Metadata and Profile identify a disk of a resource provider.
	ID, Vendor, Profile string
}

// Range is an inclusive interval of unsigned numbers, such as ports.
type Range struct{ Begin, End uint64 }

// Ranges is a normal list of ranges: sorted, disjoint, none adjacent to the next.
type Ranges []Range

// List is an ordered collection of resources, such as an offer's.
type List []Resource
