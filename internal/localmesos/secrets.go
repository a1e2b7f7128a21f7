package localmesos

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	mesos "github.com/mesos/mesos-go/api/v1/lib"
)

// Secrets are given to executors as Mesos' isolators environment_secret and volume/secret do:
// as variables, and as files that can only be read. A reference names a file below
// Config.Secrets; a value is in the ExecutorInfo itself, and is taken out of it before anything
// is stored or shown.
//
// The files lie outside of the sandbox, which the files API serves, and are linked into it; they
// go when the executor ends.

// mostSecret bounds a secret; Mesos has no bound of its own.
const mostSecret = 1 << 20

// secretValues are the values that were taken out of an ExecutorInfo, by what they are for.
type secretValues map[string][]byte

func variableKey(name string) string { return "variable " + name }
func fileKey(path string) string     { return "file " + path }

// takenValue stands in an ExecutorInfo for a value that was taken out.
var takenValue = []byte("<redacted>")

// takeSecretValues takes the values out of an ExecutorInfo of whose secrets nobody else has a
// copy but by their pointers.
func takeSecretValues(e *mesos.ExecutorInfo) secretValues {
	values := secretValues{}
	take := func(key string, secret *mesos.Secret) *mesos.Secret {
		if secret.GetValue() == nil {
			return secret
		}
		values[key] = secret.Value.Data
		taken := *secret
		taken.Value = &mesos.Secret_Value{Data: takenValue}
		return &taken
	}
	vars := e.GetCommand().GetEnvironment().GetVariables()
	for i := range vars {
		vars[i].Secret = take(variableKey(vars[i].Name), vars[i].Secret)
	}
	volumes := e.Container.GetVolumes()
	for i := range volumes {
		source := *volumes[i].Source
		source.Secret = take(fileKey(volumes[i].ContainerPath), source.Secret)
		volumes[i].Source = &source
	}
	return values
}

// onlySecrets tells whether a container has nothing but volumes, all of secrets; nil has nothing.
func onlySecrets(c *mesos.ContainerInfo) bool {
	if c == nil {
		return true
	}
	rest := *c
	rest.Volumes = nil
	if !rest.Equal(&mesos.ContainerInfo{Type: mesos.ContainerInfo_MESOS.Enum()}) {
		return false
	}
	for _, v := range c.Volumes {
		if v.GetSource().GetType() != mesos.Volume_Source_SECRET || v.HostPath != nil ||
			v.Image != nil {
			return false
		}
	}
	return true
}

// validateSecrets checks the form of an executor's secrets.
func validateSecrets(e *mesos.ExecutorInfo) error {
	for _, v := range e.GetCommand().GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			continue
		}
		if v.Secret == nil || v.Value != nil {
			return fmt.Errorf("Environment variable '%s' of type 'SECRET' must have a secret set "+
				"and no value", v.Name)
		}
		if err := validateSecret(v.Secret); err != nil {
			return fmt.Errorf("Environment variable '%s' specifies an invalid secret: %w",
				v.Name, err)
		}
	}
	for _, v := range e.Container.GetVolumes() {
		if err := checkContainerPath(v.ContainerPath); err != nil {
			return err
		}
		if err := validateSecret(v.Source.Secret); err != nil {
			return fmt.Errorf("Volume '%s' specifies an invalid secret: %w", v.ContainerPath, err)
		}
	}
	return nil
}

func validateSecret(s *mesos.Secret) error {
	switch {
	case s == nil:
		return errors.New("it is not set")
	case s.Type == mesos.Secret_REFERENCE && s.Reference != nil && s.Value == nil:
		if !filepath.IsLocal(s.Reference.Name) {
			return fmt.Errorf("'%s' is no path of a secret", s.Reference.Name)
		}
		return nil
	case s.Type == mesos.Secret_VALUE && s.Value != nil && s.Reference == nil:
		return nil
	}
	return errors.New("it must be of type REFERENCE and have a reference, or VALUE and a value")
}

// secretStore knows what is in secrets.
type secretStore struct {
	dir    string
	values secretValues
}

// read gives what is in a secret. Errors tell its path and never a part of it.
func (s secretStore) read(key string, secret *mesos.Secret) ([]byte, error) {
	if secret.Type == mesos.Secret_VALUE {
		return s.values[key], nil
	}
	name := secret.GetReference().GetName()
	if s.dir == "" {
		return nil, fmt.Errorf("Secret '%s' is not known: there is no folder of secrets", name)
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return nil, fmt.Errorf("Secret '%s' cannot be read: %w", name, err)
	}
	defer root.Close()
	f, err := root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("Secret '%s' is not known: there is no file %s", name,
			filepath.Join(s.dir, name))
	}
	if err != nil {
		return nil, fmt.Errorf("Secret '%s' cannot be read: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, mostSecret+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("Secret '%s' cannot be read: %w", name, err)
	case len(data) > mostSecret:
		return nil, fmt.Errorf("Secret '%s' has more than %d bytes", name, mostSecret)
	}
	return data, nil
}

// variables gives the variables of a command that are secrets, as NAME=value. A line break at the
// end of a file is not meant.
func (s secretStore) variables(command *mesos.CommandInfo) ([]string, error) {
	var vars []string
	for _, v := range command.GetEnvironment().GetVariables() {
		if v.GetType() != mesos.Environment_Variable_SECRET {
			continue
		}
		data, err := s.read(variableKey(v.Name), v.Secret)
		if err != nil {
			return nil, err
		}
		if bytes.IndexByte(data, 0) >= 0 {
			return nil, fmt.Errorf("The secret of variable '%s' has a byte 0, which no variable "+
				"can hold", v.Name)
		}
		vars = append(vars, v.Name+"="+strings.TrimSuffix(string(data), "\n"))
	}
	return vars, nil
}

// secretsDir is where the files of an executor's secrets lie.
func (e *executorRun) secretsDir() string {
	return filepath.Join(e.agent.dir, "secrets", e.Container)
}

// makeFiles makes the files of a container's secrets and links them into the sandbox.
func (s secretStore) makeFiles(
	dir, sandbox string, container *mesos.ContainerInfo, own *owner,
) error {
	volumes := container.GetVolumes()
	if len(volumes) == 0 {
		return nil
	}
	// Others may pass through the folder, as they must when the executor is another user, but
	// not look into it.
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return fmt.Errorf("making the folder of secrets: %w", err)
	}
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return err
	}
	defer root.Close()
	for i, v := range volumes {
		data, err := s.read(fileKey(v.ContainerPath), v.Source.Secret)
		if err != nil {
			return err
		}
		file := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(file, data, 0o400); err != nil {
			return fmt.Errorf("making the file of a secret: %w", err)
		}
		if err := own.chown(file); err != nil {
			return err
		}
		path := filepath.Clean(v.ContainerPath)
		if err := linkInto(root, file, path); err != nil {
			return fmt.Errorf("linking the secret at %s: %w", v.ContainerPath, err)
		}
	}
	return nil
}

// linkInto makes a link in a sandbox, and the folders that lead to it.
func linkInto(sandbox *os.Root, target, path string) error {
	if parent := filepath.Dir(path); parent != "." {
		if err := sandbox.MkdirAll(parent, 0o755); err != nil {
			return err
		}
	}
	return sandbox.Symlink(target, path)
}

// forgetSecrets removes the files of an executor that has ended.
func (c *Cluster) forgetSecrets(e *executorRun) {
	if err := os.RemoveAll(e.secretsDir()); err != nil {
		c.log.Warn("the files of secrets cannot be removed", "executor", e.id, "error", err)
	}
}
