package cli

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"github.com/kafka-sched/kafka-sched/internal/zk"
)

// stateFlags are the flags that say where a service's state is kept.
type stateFlags struct{ zk.Access }

func (s *stateFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&s.URI, "state", "",
		"keep the state at zk://host:port,…/path, for several schedulers (default: a file)")
	f.StringVar(&s.AuthFile, "state-auth-file", "",
		"file with user:password for the ZooKeeper of --state, or a JAAS file (SASL)")
	f.StringVar(&s.CAFile, "state-ca-file", "",
		"authorities (PEM) of that ZooKeeper's certificates; turns TLS on")
	f.StringVar(&s.CertFile, "state-cert-file", "", "our certificate (PEM) for it")
	f.StringVar(&s.KeyFile, "state-key-file", "", "the key (PEM) of that certificate")
	f.Var((*patience)(&s.SessionTimeout), "state-session-timeout",
		"silence of the leading scheduler after which another takes over (default 10s)")
}

// check says what makes no sense, and makes the files' paths ones that hold everywhere.
func (s *stateFlags) check() error {
	files := []fileFlag{
		{"--state-auth-file", &s.AuthFile}, {"--state-ca-file", &s.CAFile},
		{"--state-cert-file", &s.CertFile}, {"--state-key-file", &s.KeyFile},
	}
	for _, f := range files {
		if *f.path != "" && s.URI == "" {
			return fail(exitUsage, "%s is for a state in ZooKeeper: say where with --state", f.flag)
		}
		if err := f.check(); err != nil {
			return err
		}
	}
	switch {
	case s.URI == "":
		return nil
	case (s.CertFile == "") != (s.KeyFile == ""):
		return fail(exitUsage, "--state-cert-file and --state-key-file need each other")
	case s.CertFile != "" && s.CAFile == "":
		return fail(exitUsage, "--state-cert-file needs --state-ca-file")
	}
	if err := s.Check(); err != nil {
		return fail(exitUsage, "--state: %w", err)
	}
	if _, err := s.Config(); err != nil {
		return fail(exitUsage, "--state: %w", err)
	}
	return nil
}

// reach refuses a ZooKeeper none of whose servers can be connected to.
func (s *stateFlags) reach(ctx context.Context) error {
	if s.URI == "" {
		return nil
	}
	shown := s.String()
	hosts, _, _ := strings.Cut(strings.TrimPrefix(shown, zk.Scheme), "/")
	return checkZooKeeper(ctx, hosts)
}
