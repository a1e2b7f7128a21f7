package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/pflag"

	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
)

// access is how a Mesos lets us in: flags of install, which cluster.json keeps, and of the
// scheduler, which override that. No secret is among them, only where one is.
type access mesoshttp.AccessOptions

func (a *access) flags(f *pflag.FlagSet) {
	f.StringVar(&a.Credential, "credential", "",
		"file with the principal and secret for Mesos (HTTP Basic)")
	f.StringVar(&a.TokenFile, "auth-token-file", "",
		"file with a bearer token for Mesos, read again when it is refused")
	f.StringVar(&a.TokenCommand, "auth-token-command", "",
		"shell command that prints a bearer token for Mesos, run again when it is refused")
	f.StringVar(&a.CA, "mesos-ca", "", "PEM file with the authorities of Mesos' certificates")
	f.StringVar(&a.Cert, "mesos-cert", "", "PEM file with our certificate for Mesos")
	f.StringVar(&a.Key, "mesos-key", "", "PEM file with the key of --mesos-cert")
}

// fileFlag is a flag that names a file.
type fileFlag struct {
	flag string
	path *string // "" when the flag is not given
}

// check refuses a file that is not there, and makes its path one that holds everywhere.
func (f fileFlag) check() error {
	if *f.path == "" {
		return nil
	}
	if !exists(*f.path) {
		return fail(exitUsage, "%s %s: there is no such file", f.flag, *f.path)
	}
	path, err := filepath.Abs(*f.path)
	if err != nil {
		return fmt.Errorf("%s: %w", f.flag, err)
	}
	*f.path = path
	return nil
}

// files are the flags that name files.
func (a *access) files() []fileFlag {
	return []fileFlag{
		{"--credential", &a.Credential}, {"--auth-token-file", &a.TokenFile},
		{"--mesos-ca", &a.CA}, {"--mesos-cert", &a.Cert}, {"--mesos-key", &a.Key},
	}
}

// check says what cannot be used, and makes the files' paths ones that hold everywhere.
func (a *access) check() error {
	for _, f := range a.files() {
		if err := f.check(); err != nil {
			return err
		}
	}
	if _, err := a.open(); err != nil {
		return fail(exitUsage, "%w; see --credential, --auth-token-file, --auth-token-command, "+
			"--mesos-ca, --mesos-cert and --mesos-key", err)
	}
	return nil
}

func (a access) open() (*mesoshttp.Access, error) {
	return mesoshttp.AccessOptions(a).Access()
}

// checkPrincipal refuses the credential of another principal than the service's.
func (a access) checkPrincipal(service string) error {
	principal, err := mesoshttp.AccessOptions(a).Principal()
	if err == nil && principal != "" && principal != service {
		err = fmt.Errorf("it is of principal %q, and the service's is %q: add --set "+
			"service.principal=%s", principal, service, principal)
	}
	if err != nil {
		return fail(exitUsage, "--credential: %w", err)
	}
	return nil
}

// over gives what is said here, and what was said before if nothing is.
func (a access) over(before access) access {
	if a.Credential != "" || a.TokenFile != "" || a.TokenCommand != "" {
		before.Credential, before.TokenFile = a.Credential, a.TokenFile
		before.TokenCommand = a.TokenCommand
	}
	if a.CA != "" {
		before.CA = a.CA
	}
	if a.Cert != "" {
		before.Cert, before.Key = a.Cert, a.Key
	}
	return before
}
