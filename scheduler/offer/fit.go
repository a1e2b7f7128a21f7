package offer

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// The types of a volume that wants a disk of its own, and of one that wants a part of a disk that
// the agent has beside its root disk; any other is ROOT. Mesos calls the disks the same.
const (
	mountType = "MOUNT"
	pathType  = "PATH"
)

// ofRoot says whether a volume is a part of the agent's root disk.
func (n *VolumeNeed) ofRoot() bool {
	return n.Volume.Type != mountType && n.Volume.Type != pathType
}

// usable says whether a resource may be reserved for a new place of a role: it is allocated to
// it, is the agent's own, cannot be taken away, and nobody has reserved it, unless for a role
// above, whose reservations are refined.
func usable(r *resource.Resource, role string) bool {
	if r.Role != role || r.Revocable || r.Shared || r.Provider != "" {
		return false
	}
	for i := range r.Reservations {
		if !above(r.Reservations[i].Role, role) {
			return false
		}
	}
	return r.Disk == nil || r.Disk.PersistenceID == ""
}

// above says whether role is an ancestor of child, as "a" is of "a/b".
func above(role, child string) bool {
	rest, under := strings.CutPrefix(child, role)
	return under && strings.HasPrefix(rest, "/")
}

// plain says whether a resource is a scalar of which any part can be used: of disks only the
// agent's root disk is.
func plain(r *resource.Resource) bool {
	return r.Kind == resource.Scalar && (r.Disk == nil || r.Disk.Source == "")
}

// pool is what is still free of one offer while an instance is fitted into it.
type pool struct {
	free    resource.List
	taken   resource.Ranges // ports that are offered and in use all the same
	reasons []Reason
}

// newPool gives what there is of some resources for a new place at an agent. What is reserved for
// a role above ours comes first and is used up first: it was set aside for the likes of us.
func newPool(req *Requirement, a *agent, resources resource.List) *pool {
	free := make(resource.List, 0, len(resources))
	for _, reserved := range []bool{true, false} {
		for i := range resources {
			r := &resources[i]
			if len(r.Reservations) > 0 == reserved && usable(r, req.Role) {
				free = append(free, *r)
			}
		}
	}
	return &pool{free: free, taken: a.ports}
}

// refuse notes a reason; the instance does not fit.
func (p *pool) refuse(r Reason) { p.reasons = append(p.reasons, r) }

// holding is what the executor or a set gets, as the offer has it.
type holding struct {
	kept    resource.List // it has this already, and keeps it
	wanted  amounts       // what it is to get of each scalar
	volumes []VolumeNeed  // and those that are to be created for it
	pieces  []piece
	disks   []takenDisk // in the order of volumes
	ports   []PortUse
}

// piece is a part of what the offer has, and what it is for: the name of its scalar, or a port.
type piece struct {
	resource.Resource
	of string
}

// takenDisk is a disk on which a volume is to be created.
type takenDisk struct {
	need *VolumeNeed
	disk resource.Resource
}

// place fits the instance into what one agent offers or tells all that is missing there.
func (req *Requirement) place(
	parts []SetNeed, wants []portWant, a *agent,
) (Match, []Reason) {
	holdings := make([]holding, len(parts))
	for i := range parts {
		holdings[i].wanted, holdings[i].volumes = parts[i].Scalars.amounts(), parts[i].Volumes
	}
	p := newPool(req, a, a.Resources)
	if p.fill(holdings, wants, ""); len(p.reasons) > 0 {
		return Match{}, p.reasons
	}
	m := a.match()
	m.hold(req, parts, holdings)
	m.settle(req, &a.Offer, nil)
	return m, nil
}

// fill takes what the holdings want, or notes all that is missing; detail goes with scalars.
func (p *pool) fill(holdings []holding, wants []portWant, detail string) {
	var need, have amounts
	for i := range holdings {
		need = need.plus(holdings[i].wanted).plus(rootDisk(holdings[i].volumes))
	}
	for i := range p.free {
		have.count(&p.free[i])
	}
	for i, name := range scalarNames {
		if have[i] < need[i] {
			p.refuse(Reason{
				Code: Insufficient, Name: name, Need: need[i], Have: have[i], Detail: detail,
			})
		}
	}
	// Volumes come before all other disk because they must be of one piece.
	for i := range holdings {
		p.takeVolumes(&holdings[i], have[diskAt] < need[diskAt])
	}
	p.takePorts(holdings, wants)
	if len(p.reasons) > 0 {
		return
	}
	for i := range holdings {
		p.takeScalars(&holdings[i])
	}
}

// takeScalars takes amounts that are known to be there, of several resources if need be.
func (p *pool) takeScalars(h *holding) {
	var pieces []piece
	for i, amount := range h.wanted {
		for k := range p.free {
			r := &p.free[k]
			if r.Name != scalarNames[i] || !plain(r) || amount <= 0 || r.Scalar <= 0 {
				continue
			}
			part := piece{*r, r.Name}
			part.Scalar = min(amount, r.Scalar)
			amount -= part.Scalar
			r.Scalar -= part.Scalar
			pieces = append(pieces, part)
		}
	}
	h.pieces = append(pieces, h.pieces...)
}

// takeVolumes takes a disk for each of the volumes. When the agent is known to be short of root
// disk there is no need to say it again for each volume.
func (p *pool) takeVolumes(h *holding, diskShort bool) {
	for i := range h.volumes {
		n := &h.volumes[i]
		take := p.takeRoot
		switch n.Volume.Type {
		case mountType:
			take = p.takeMount
		case pathType:
			take = p.takePath
		}
		disk, largest := take(n)
		if disk.Empty() && (!n.ofRoot() || !diskShort) {
			p.refuse(Reason{
				Code: NoVolume, Name: n.Volume.Path, Need: n.Volume.Size.Milli(),
				Have: largest, Detail: n.kind(),
			})
		}
		h.disks = append(h.disks, takenDisk{need: n, disk: disk})
	}
}

// kind names the disk wanted: "MOUNT disk with profile fast or faster".
func (n *VolumeNeed) kind() string {
	if n.ofRoot() {
		return "ROOT disk"
	}
	if len(n.Volume.Profiles) == 0 {
		return n.Volume.Type + " disk"
	}
	return n.Volume.Type + " disk with profile " + strings.Join(n.Volume.Profiles, " or ")
}

// takeRoot takes a part of the agent's root disk, as one piece; when there is none as large, it
// tells how large the largest is.
func (p *pool) takeRoot(n *VolumeNeed) (disk resource.Resource, largest resource.Milli) {
	size := n.Volume.Size.Milli()
	for i := range p.free {
		r := &p.free[i]
		if r.Name != resource.Disk || !plain(r) {
			continue
		}
		if r.Scalar >= size {
			disk = *r
			disk.Scalar = size
			r.Scalar -= size
			return disk, size
		}
		largest = max(largest, r.Scalar)
	}
	return disk, largest
}

// takeMount takes a whole MOUNT disk.
func (p *pool) takeMount(n *VolumeNeed) (disk resource.Resource, largest resource.Milli) {
	best, largest := p.diskFor(n)
	if best < 0 {
		return disk, largest
	}
	disk = p.free[best]
	p.free = slices.Delete(p.free, best, best+1)
	return disk, disk.Scalar
}

// takePath takes a part of a PATH disk, as one piece; others may have the rest.
func (p *pool) takePath(n *VolumeNeed) (disk resource.Resource, largest resource.Milli) {
	best, largest := p.diskFor(n)
	if best < 0 {
		return disk, largest
	}
	disk = p.free[best]
	disk.Scalar = n.Volume.Size.Milli()
	p.free[best].Scalar -= disk.Scalar
	return disk, disk.Scalar
}

// diskFor finds the disk for a volume that is not of the root disk: the smallest that is large
// enough, -1 when none is, and how large the largest is. Without profiles only a disk without one
// will do, else one that has any of them.
func (p *pool) diskFor(n *VolumeNeed) (best int, largest resource.Milli) {
	best = -1
	for i := range p.free {
		r := &p.free[i]
		if r.Name != resource.Disk || r.Disk == nil || r.Disk.Source != n.Volume.Type ||
			r.Scalar <= 0 || !n.fitsProfile(r.Disk.Profile) {
			continue
		}
		largest = max(largest, r.Scalar)
		if r.Scalar >= n.Volume.Size.Milli() && (best < 0 || smaller(r, &p.free[best])) {
			best = i
		}
	}
	return best, largest
}

func (n *VolumeNeed) fitsProfile(profile string) bool {
	if len(n.Volume.Profiles) == 0 {
		return profile == ""
	}
	return slices.Contains(n.Volume.Profiles, profile)
}

// smaller orders disks by size, then by where they are.
func smaller(a, b *resource.Resource) bool {
	return a.Scalar < b.Scalar || a.Scalar == b.Scalar && a.Disk.Root < b.Disk.Root
}

// hold adds to the match what the holdings have and take, that of the executor first.
func (m *Match) hold(req *Requirement, parts []SetNeed, holdings []holding) {
	m.Executor = m.reserve(req, "", &holdings[0])
	for i := 1; i < len(parts); i++ {
		name, h := parts[i].Name, &holdings[i]
		m.Sets = append(m.Sets, SetResources{name, m.reserve(req, name, h), h.ports})
	}
}

// reserve adds to the match what one holding has and takes, and gives what that comes to,
// without the allocation role.
func (m *Match) reserve(req *Requirement, set string, h *holding) resource.List {
	all := h.kept
	m.Used = m.Used.Add(h.kept...)
	for _, part := range h.pieces {
		reserved := resource.List{part.Resource}.PushReservation(req.reservation(set, part.of))
		m.Used = m.Used.Add(part.Resource)
		m.Reserve = m.Reserve.Add(reserved...)
		all = all.Add(reserved...)
	}
	for _, d := range h.disks {
		disk := resource.List{d.disk}
		reserved := disk.PushReservation(req.reservation(set, d.need.Volume.Path))
		m.Used = m.Used.Add(disk...)
		m.Reserve = m.Reserve.Add(reserved...)
		volume := req.volume(reserved[0], d.need)
		m.Create = append(m.Create, volume)
		all = append(all, volume)
	}
	return all.WithoutRole()
}

// settle tells what the match uses of the offer besides what it gives back, and what it leaves.
// What it takes of the resources that it frees itself is no use of the offer: in there they are
// still reserved.
func (m *Match) settle(req *Requirement, o *mesos.Offer, given resource.List) {
	if len(given) > 0 {
		m.Used = less(m.Used, m.Unreserve.PopReservation()).Add(given...)
	}
	var err error
	if m.Remaining, err = o.Resources.Sub(m.Used); err != nil {
		panic(fmt.Sprintf("fitting %s took more than offer %s holds: %v", req.Pod, o.ID, err))
	}
}

// less takes away from a list what there is in it of another.
func less(list, other resource.List) resource.List {
	out := list.Merged()
	for _, r := range other {
		i := slices.IndexFunc(out, r.Same)
		if i < 0 {
			continue
		}
		if r.Kind == resource.RangesKind {
			r.Ranges = r.Ranges.Intersect(out[i].Ranges)
		} else {
			r.Scalar = min(r.Scalar, out[i].Scalar)
		}
		out, _ = out.Sub(resource.List{r})
	}
	return out
}

// reservation is what one resource of a set is reserved with.
func (req *Requirement) reservation(set, name string) resource.Reservation {
	id := resource.Label{
		Key: resource.ResourceID, Value: ResourceID(req.Reservation, set, name)}
	return resource.Reservation{
		Dynamic: true, Role: req.Role, Principal: req.Principal,
		Labels: append([]resource.Label{id}, req.Labels...),
	}
}

// PortID is what a port's resource goes by in ResourceID: each has an id of its own.
func PortID(port string) string { return resource.Ports + "/" + port }

// ResourceID is the id of what a reservation holds of one resource (by its name, PortID of a
// port, or a volume's path) for one of its sets, "" being the executor's: a UUID of version 5
// (RFC 9562).
func ResourceID(reservation mesos.ReservationID, set, name string) string {
	sum := sha1.Sum([]byte(string(reservation) + "\x00" + set + "\x00" + name))
	sum[6], sum[8] = sum[6]&0x0f|0x50, sum[8]&0x3f|0x80
	text := hex.EncodeToString(sum[:16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// volume makes a persistent volume of a reserved disk, whose source is kept.
func (req *Requirement) volume(disk resource.Resource, n *VolumeNeed) resource.Resource {
	info := disk.DiskInfo()
	info.PersistenceID = string(n.ID)
	info.Principal = req.Principal
	info.ContainerPath = n.Volume.Path
	disk.Disk = &info
	return disk
}
