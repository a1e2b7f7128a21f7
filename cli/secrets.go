package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/servicespec"
)

// checkSecrets looks whether the folder of secrets is for the embedded Mesos and has all that
// the spec names, and makes its path one that holds everywhere. What is in them is not read.
func (in *installing) checkSecrets() error {
	wanted := secretsOf(in.wanted.service)
	switch {
	case in.master != "" && in.secrets != "":
		return fail(exitUsage, "--secrets is for the embedded Mesos; the agents of %s have a "+
			"store of their own", in.master)
	case in.master != "":
		return nil
	case in.secrets == "" && len(wanted) > 0:
		return fail(exitUsage, "the spec wants the secrets %s; say with --secrets in which folder "+
			"they lie, a file each", strings.Join(wanted, ", "))
	case in.secrets == "":
		return nil
	}
	info, err := os.Stat(in.secrets)
	if err != nil || !info.IsDir() {
		return fail(exitUsage, "--secrets %s: there is no such folder", in.secrets)
	}
	var missing []string
	for _, name := range wanted {
		if !filepath.IsLocal(name) || !exists(filepath.Join(in.secrets, name)) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		return fail(exitUsage, "--secrets %s: it has no file %s", in.secrets,
			strings.Join(missing, ", "))
	}
	if in.secrets, err = filepath.Abs(in.secrets); err != nil {
		return fmt.Errorf("--secrets: %w", err)
	}
	return nil
}

// secretsOf are the paths of all secrets of a service, sorted.
func secretsOf(s servicespec.Service) []string {
	var paths []string
	for _, pod := range s.Pods {
		for _, secret := range pod.Secrets {
			paths = append(paths, secret.Secret)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}
