package localmesos

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// Beside the disk of its work directory an agent may have others: of a PATH disk each volume is a
// part, a MOUNT disk is one volume. Here both are folders of the agent's own.

// moreDisks are these disks, as resources of an agent whose folder is dir.
func (a *Agent) moreDisks(dir string) []mesos.Resource {
	var out []mesos.Resource
	for _, kind := range []mesos.Resource_DiskInfo_Source_Type{
		mesos.Resource_DiskInfo_Source_PATH, mesos.Resource_DiskInfo_Source_MOUNT,
	} {
		sizes := a.PathDisksMB
		if kind == mesos.Resource_DiskInfo_Source_MOUNT {
			sizes = a.MountDisksMB
		}
		for i, size := range sizes {
			name := fmt.Sprintf("%s-%d", strings.ToLower(kind.String()), i+1)
			r := scalarResource("disk", float64(size))
			r.Disk = &mesos.Resource_DiskInfo{
				Source: diskSource(kind, filepath.Join(dir, "disks", name))}
			out = append(out, r)
		}
	}
	return out
}

func diskSource(
	kind mesos.Resource_DiskInfo_Source_Type, root string,
) *mesos.Resource_DiskInfo_Source {
	s := &mesos.Resource_DiskInfo_Source{Type: kind}
	if kind == mesos.Resource_DiskInfo_Source_MOUNT {
		s.Mount = &mesos.Resource_DiskInfo_Source_Mount{Root: &root}
	} else {
		s.Path = &mesos.Resource_DiskInfo_Source_Path{Root: &root}
	}
	return s
}

// resources are what the agent has before any reservation.
func (a *agentNode) resources() []mesos.Resource {
	return append(a.cfg.resources(), a.cfg.moreDisks(a.dir)...)
}

// isMount tells whether a resource is a MOUNT disk, or the volume on one.
func isMount(r *mesos.Resource) bool {
	s := r.GetDisk().GetSource()
	return s != nil && s.Type == mesos.Resource_DiskInfo_Source_MOUNT
}

// isWhole tells whether a resource can only be used as one piece (Mesos: src/common/resources.cpp,
// addable and subtractable).
func isWhole(r *mesos.Resource) bool { return isVolume(r) || isMount(r) }

// volumeDir is the directory of a persistent volume: the root of its MOUNT disk, else one below
// that of its PATH disk or of the agent. A role's slashes become spaces, as in Mesos, so that
// roles cannot lie within each other.
func (a *agentNode) volumeDir(r *mesos.Resource) string {
	top := a.dir
	if s := r.Disk.Source; isMount(r) {
		return s.Mount.GetRoot()
	} else if s != nil {
		top = s.Path.GetRoot()
	}
	role := strings.ReplaceAll(reservedRole(r), "/", " ")
	return filepath.Join(top, "volumes", "roles", role, r.Disk.Persistence.ID)
}

// hasGPUs tells whether an agent is kept for frameworks that say they can use GPUs (Mesos:
// --filter_gpu_resources, which is on unless an operator turns it off).
func (a *agentNode) hasGPUs() bool { return scalarSum(a.total(), "gpus") > 0 }

// checkDisks says what is wrong with the sizes.
func (a *Agent) checkDisks() error {
	for _, size := range slices.Concat(a.PathDisksMB, a.MountDisksMB) {
		if size < 1 {
			return fmt.Errorf("agent %s: a disk of %d MiB cannot be", a.Name, size)
		}
	}
	return nil
}
