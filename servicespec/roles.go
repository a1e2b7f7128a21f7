package servicespec

import "slices"

// RoleOf is the role whose offers a pod gets its resources of. A pod with a pre-reserved role has
// one below that: what agents reserve statically for "slave_public" is offered to
// "slave_public/kafka-role" too, where its reservation is refined.
func (s Service) RoleOf(p Pod) string {
	if p.PreReservedRole == "" || p.PreReservedRole == preReservedByNone {
		return s.Role
	}
	return p.PreReservedRole + "/" + s.Role
}

// Roles are those of all pods, the service's own first.
func (s Service) Roles() []string {
	roles := []string{s.Role}
	for _, p := range s.Pods {
		if role := s.RoleOf(p); !slices.Contains(roles, role) {
			roles = append(roles, role)
		}
	}
	return roles
}

// WantsGPUs says whether any task is to have GPUs.
func (s Service) WantsGPUs() bool {
	return slices.ContainsFunc(s.Pods, func(p Pod) bool {
		return slices.ContainsFunc(p.Tasks, func(t Task) bool { return t.Resources.GPUs > 0 })
	})
}
