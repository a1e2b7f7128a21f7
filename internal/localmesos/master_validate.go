package localmesos

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// validateFramework applies the rules for a FrameworkInfo; the errors are the
// texts of ERROR events.
func validateFramework(info *mesos.FrameworkInfo, suppressed []string) error {
	if hasCapability(info, mesos.FrameworkInfo_Capability_MULTI_ROLE) {
		if info.Role != nil {
			return fmt.Errorf("'FrameworkInfo.role' must not be set " +
				"when the framework is MULTI_ROLE capable")
		}
	} else if len(info.Roles) > 0 {
		return fmt.Errorf("'FrameworkInfo.roles' must not be set " +
			"when the framework is not MULTI_ROLE capable")
	}
	var twice []string
	for i, r := range info.Roles {
		if slices.Contains(info.Roles[:i], r) && !slices.Contains(twice, r) {
			twice = append(twice, r)
		}
	}
	if len(twice) > 0 {
		return fmt.Errorf("'FrameworkInfo.roles' contains duplicate items: { %s }",
			strings.Join(twice, ", "))
	}
	for _, r := range info.Roles {
		if err := validateRole(r); err != nil {
			return fmt.Errorf("'FrameworkInfo.roles' contains invalid role: %w", err)
		}
	}
	if info.Role != nil {
		if err := validateRole(info.GetRole()); err != nil {
			return fmt.Errorf("'FrameworkInfo.role' is not a valid role: %w", err)
		}
	}
	if id := info.ID.GetValue(); id != "" {
		if err := checkID(id); err != nil {
			return err
		}
	}
	if t := info.GetFailoverTimeout(); math.IsNaN(t) || t*1e9 >= math.MaxInt64 {
		return fmt.Errorf("The framework failover_timeout (%s) is invalid",
			strconv.FormatFloat(t, 'g', 6, 64))
	}
	return validateSuppressed(info, suppressed)
}

func validateSuppressed(info *mesos.FrameworkInfo, suppressed []string) error {
	var strange []string
	for _, r := range suppressed {
		if !slices.Contains(rolesOf(info), r) {
			strange = append(strange, r)
		}
	}
	if len(strange) > 0 {
		return fmt.Errorf("Suppressed roles { %s } are not contained in the set of roles",
			strings.Join(strange, ", "))
	}
	return nil
}

func validateRole(role string) error {
	switch {
	case role == "*":
		return nil
	case role == "":
		return fmt.Errorf("Empty role name is invalid")
	case strings.HasPrefix(role, "/"):
		return fmt.Errorf("Role '%s' cannot start with a slash", role)
	case strings.HasSuffix(role, "/"):
		return fmt.Errorf("Role '%s' cannot end with a slash", role)
	}
	for part := range strings.SplitSeq(role, "/") {
		switch {
		case part == "":
			return fmt.Errorf("Role '%s' cannot contain two adjacent slashes", role)
		case part == "." || part == ".." || part == "*":
			return fmt.Errorf("Role '%s' cannot include '%s' as a component", role, part)
		case strings.HasPrefix(part, "-"):
			return fmt.Errorf("Role component '%s' is invalid because it starts with a dash", part)
		case strings.ContainsFunc(part, unicode.IsSpace) || strings.ContainsRune(part, 0x08):
			return fmt.Errorf("Role component '%s' is invalid "+
				"because it contains backspace or whitespace", part)
		case strings.ContainsRune(part, 0):
			return fmt.Errorf("Role component '%s' is invalid because it contains NUL", part)
		}
	}
	return nil
}

// validateUpdateFramework checks an UPDATE_FRAMEWORK call.
func validateUpdateFramework(f *framework, info *mesos.FrameworkInfo, suppressed []string) error {
	old := &f.Info.V
	if err := validateFramework(info, suppressed); err != nil {
		return err
	}
	unsupported := func(field string, from, to any) error {
		return fmt.Errorf("Updating 'FrameworkInfo.%s' is unsupported; "+
			"attempted to update from '%v' to '%v'", field, from, to)
	}
	switch {
	case old.GetPrincipal() != info.GetPrincipal():
		return fmt.Errorf("Changing framework's principal is not allowed.")
	case old.User != info.User:
		return unsupported("user", old.User, info.User)
	case old.GetCheckpoint() != info.GetCheckpoint():
		return unsupported("checkpoint", old.GetCheckpoint(), info.GetCheckpoint())
	}
	return nil
}

// validateResources checks the form of resources.
func validateResources(rs []mesos.Resource) error {
	for i := range rs {
		if err := validateResource(&rs[i]); err != nil {
			return fmt.Errorf("Invalid resources: %w", err)
		}
	}
	return nil
}

func validateResource(r *mesos.Resource) error {
	bad := func(why string) error {
		return fmt.Errorf("Resource '%s' is invalid: %s", formatResource(r), why)
	}
	switch {
	case r.Name == "":
		return fmt.Errorf("Empty resource name")
	case r.GetType() == mesos.SCALAR:
		v := r.GetScalar().GetValue()
		if r.Scalar == nil || r.Ranges != nil || r.Set != nil {
			return bad("it must have a scalar and nothing else")
		}
		if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 || v > 1e12 {
			return bad("the scalar is negative or no usable number")
		}
	case r.GetType() == mesos.RANGES:
		if r.Ranges == nil || r.Scalar != nil || r.Set != nil {
			return bad("it must have ranges and nothing else")
		}
		for _, x := range r.Ranges.Range {
			if x.End < x.Begin {
				return bad("a range ends before it begins")
			}
		}
	case r.GetType() == mesos.SET:
		if r.Set == nil || r.Scalar != nil || r.Ranges != nil {
			return bad("it must have a set and nothing else")
		}
	default:
		return bad("unsupported type")
	}
	for i := range r.Reservations {
		if role := r.Reservations[i].GetRole(); role == "*" || validateRole(role) != nil {
			return bad("Invalid reservation: role '" + role + "' cannot be reserved for")
		}
		if i > 0 && !strings.HasPrefix(r.Reservations[i].GetRole(),
			r.Reservations[i-1].GetRole()+"/") {
			return bad("Invalid refined reservation: its role is not below the one it refines")
		}
	}
	return validateDiskInfo(r)
}

func validateDiskInfo(r *mesos.Resource) error {
	if r.Disk == nil {
		return nil
	}
	p, v := r.Disk.Persistence, r.Disk.Volume
	var err error
	switch {
	case r.Name != "disk":
		err = fmt.Errorf("DiskInfo should not be set for %s resource", r.Name)
	case r.Disk.Source != nil && r.Disk.Source.Mount == nil && r.Disk.Source.Path == nil:
		err = fmt.Errorf("disks of type %s are not supported here", r.Disk.Source.Type)
	case r.Disk.Source != nil && p == nil && v == nil: // a disk without a volume
	case p == nil:
		err = fmt.Errorf("Volume specified, but no Persistence")
	case len(r.Reservations) == 0:
		err = fmt.Errorf("Persistent volumes cannot be created from unreserved resources")
	case v == nil:
		err = fmt.Errorf("Expecting 'volume' to be set for persistent volume")
	case v.GetMode() == mesos.RO:
		err = fmt.Errorf("Read-only persistent volume not supported")
	case v.HostPath != nil:
		err = fmt.Errorf("Expecting 'host_path' to be unset for persistent volume")
	case r.Shared != nil:
		err = fmt.Errorf("Shared volumes are not supported here")
	default:
		if err = checkContainerPath(v.ContainerPath); err == nil {
			if err = checkID(p.ID); err != nil {
				err = fmt.Errorf("Persistence ID %w", err)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("Invalid DiskInfo: %w", err)
	}
	return nil
}

// masterStatus is a status of the master's own making; it is not acknowledged.
func (c *Cluster) masterStatus(
	id mesos.TaskID, agentID mesos.AgentID, state mesos.TaskState,
	reason mesos.TaskStatus_Reason, message string,
) mesos.TaskStatus {
	s := mesos.TaskStatus{TaskID: id, State: &state, Message: &message,
		Source: mesos.SOURCE_MASTER.Enum(), Reason: &reason,
		Timestamp: ptr(seconds(time.Now()))}
	if agentID.Value != "" {
		s.AgentID = &agentID
	}
	return s
}
