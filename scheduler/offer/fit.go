package offer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/internal/mesos"
	"github.com/kafka-sched/kafka-sched/internal/resource"
)

// mountType is the type of a volume that wants a disk of its own; any other is ROOT.
const mountType = "MOUNT"

// usable says whether a resource may be reserved for a new place: it is allocated to our role,
// is the agent's own, cannot be taken away, and nobody has reserved it, unless for a role
// above ours, whose reservations are refined.
func (req *Requirement) usable(r *resource.Resource) bool {
	if r.Role != req.Role || r.Revocable || r.Shared || r.Provider != "" {
		return false
	}
	for i := range r.Reservations {
		if !above(r.Reservations[i].Role, req.Role) {
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

// newPool gives what the offer has for a new place. What is reserved for a role above ours
// comes first and is used up first: it was set aside for the likes of us.
func newPool(req *Requirement, o *mesos.Offer) *pool {
	free := make(resource.List, 0, len(o.Resources))
	for _, reserved := range []bool{true, false} {
		for i := range o.Resources {
			r := &o.Resources[i]
			if len(r.Reservations) > 0 == reserved && req.usable(r) {
				free = append(free, *r)
			}
		}
	}
	return &pool{free: free, taken: req.taken(o)}
}

// refuse notes a reason; the instance does not fit.
func (p *pool) refuse(r Reason) { p.reasons = append(p.reasons, r) }

// holding is what the executor or a task gets, as the offer has it.
type holding struct {
	pieces  resource.List
	volumes []takenVolume
	ports   []PortUse
}

// takenVolume is a disk on which a volume is to be created.
type takenVolume struct {
	need *VolumeNeed
	disk resource.Resource
}

// place fits the instance into one offer or tells all that is missing there.
func (req *Requirement) place(need amounts, o *mesos.Offer) (Match, []Reason) {
	p := newPool(req, o)
	have := req.offered(o)
	for i, name := range scalarNames {
		if have[i] < need[i] {
			p.refuse(Reason{Code: Insufficient, Name: name, Need: need[i], Have: have[i]})
		}
	}
	diskShort := have[diskAt] < need[diskAt]
	// The first holding is the executor's, the others are those of the tasks. Volumes come
	// before all other disk because they must be of one piece.
	holdings := make([]holding, 1+len(req.Tasks))
	p.takeVolumes(&holdings[0], req.Volumes, diskShort)
	for i := range req.Tasks {
		p.takeVolumes(&holdings[i+1], req.Tasks[i].Volumes, diskShort)
	}
	p.takePorts(holdings[1:], req.Tasks)
	if len(p.reasons) > 0 {
		return Match{}, p.reasons
	}
	p.takeScalars(&holdings[0], req.Executor)
	for i := range req.Tasks {
		p.takeScalars(&holdings[i+1], req.Tasks[i].Scalars)
	}
	return req.match(o, holdings), nil
}

// takeScalars takes amounts that are known to be there, of several resources if need be.
func (p *pool) takeScalars(h *holding, s Scalars) {
	var pieces resource.List
	for i, amount := range s.amounts() {
		for k := range p.free {
			r := &p.free[k]
			if r.Name != scalarNames[i] || !plain(r) || amount <= 0 || r.Scalar <= 0 {
				continue
			}
			piece := *r
			piece.Scalar = min(amount, r.Scalar)
			amount -= piece.Scalar
			r.Scalar -= piece.Scalar
			pieces = append(pieces, piece)
		}
	}
	h.pieces = append(pieces, h.pieces...)
}

// takeVolumes takes a disk for each of the volumes. When the agent is known to be short of root
// disk there is no need to say it again for each volume.
func (p *pool) takeVolumes(h *holding, needs []VolumeNeed, diskShort bool) {
	for i := range needs {
		n := &needs[i]
		take := p.takeRoot
		if n.Volume.Type == mountType {
			take = p.takeMount
		}
		disk, largest := take(n)
		if disk.Empty() && (n.Volume.Type == mountType || !diskShort) {
			p.refuse(Reason{
				Code: NoVolume, Name: n.Volume.Path, Need: n.Volume.Size.Milli(),
				Have: largest, Detail: n.kind(),
			})
		}
		h.volumes = append(h.volumes, takenVolume{need: n, disk: disk})
	}
}

// kind names the disk wanted: "MOUNT disk with profile fast or faster".
func (n *VolumeNeed) kind() string {
	if n.Volume.Type != mountType {
		return "ROOT disk"
	}
	if len(n.Volume.Profiles) == 0 {
		return "MOUNT disk"
	}
	return "MOUNT disk with profile " + strings.Join(n.Volume.Profiles, " or ")
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

// takeMount takes a whole MOUNT disk, the smallest that is large enough. Without profiles only
// a disk without one will do, else one that has any of them.
func (p *pool) takeMount(n *VolumeNeed) (disk resource.Resource, largest resource.Milli) {
	best := -1
	for i := range p.free {
		r := &p.free[i]
		if r.Name != resource.Disk || r.Disk == nil || r.Disk.Source != mountType ||
			r.Scalar <= 0 || !n.fitsProfile(r.Disk.Profile) {
			continue
		}
		largest = max(largest, r.Scalar)
		if r.Scalar >= n.Volume.Size.Milli() && (best < 0 || smaller(r, &p.free[best])) {
			best = i
		}
	}
	if best < 0 {
		return disk, largest
	}
	disk = p.free[best]
	p.free = slices.Delete(p.free, best, best+1)
	return disk, disk.Scalar
}

func (n *VolumeNeed) fitsProfile(profile string) bool {
	if len(n.Volume.Profiles) == 0 {
		return profile == ""
	}
	return slices.Contains(n.Volume.Profiles, profile)
}

// smaller orders disks by size, then by their mount point.
func smaller(a, b *resource.Resource) bool {
	return a.Scalar < b.Scalar || a.Scalar == b.Scalar && a.Disk.Root < b.Disk.Root
}

// match turns what was taken into the answer.
func (req *Requirement) match(o *mesos.Offer, holdings []holding) Match {
	m := Match{Offer: o.ID, Agent: o.Agent}
	reservation := resource.Reservation{
		Dynamic: true, Role: req.Role, Principal: req.Principal, Labels: req.Labels,
	}
	for i := range holdings {
		h := &holdings[i]
		reserved := h.pieces.PushReservation(reservation)
		m.Used = m.Used.Add(h.pieces...)
		m.Reserve = m.Reserve.Add(reserved...)
		for _, v := range h.volumes {
			disk := resource.List{v.disk}
			volume := disk.PushReservation(reservation)
			m.Used = m.Used.Add(disk...)
			m.Reserve = m.Reserve.Add(volume...)
			volume = resource.List{req.volume(volume[0], v.need)}
			m.Create = append(m.Create, volume...)
			reserved = append(reserved, volume...)
		}
		if reserved = reserved.WithoutRole(); i == 0 {
			m.Executor = reserved
		} else {
			m.Tasks = append(m.Tasks, TaskResources{
				Name: req.Tasks[i-1].Name, Resources: reserved, Ports: h.ports,
			})
		}
	}
	var err error
	if m.Remaining, err = o.Resources.Sub(m.Used); err != nil {
		panic(fmt.Sprintf("placing %s took more than offer %s holds: %v", req.Pod, o.ID, err))
	}
	return m
}

// volume makes a persistent volume of a reserved disk; of a MOUNT disk the source is kept.
func (req *Requirement) volume(disk resource.Resource, n *VolumeNeed) resource.Resource {
	info := disk.DiskInfo()
	info.PersistenceID = string(n.ID)
	info.Principal = req.Principal
	info.ContainerPath = n.Volume.Path
	disk.Disk = &info
	return disk
}
