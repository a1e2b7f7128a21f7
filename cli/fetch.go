package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/kafka-sched/kafka-sched/internal/kafkadist"
	"github.com/kafka-sched/kafka-sched/internal/mesoshttp"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// source is where Kafka comes from. A distribution that is named without a version may have
// any; the published artifacts are those of the spec's version.
func (in *installing) source() (kafkadist.Source, error) {
	version := in.kafkaVersion
	if in.kafkaDist == "" {
		version = in.wanted.version
	}
	s, err := kafkadist.ParseSource(in.kafkaDist, version)
	if err != nil {
		return s, fail(exitUsage, "--kafka-dist: %w", err)
	}
	if s.Kind != kafkadist.Maven {
		in.kafkaDist = s.Location // the same from every working folder
	}
	return s, nil
}

// fetch gets Kafka into the cache, and sees to it that the spec has the version that came.
func (in *installing) fetch(ctx context.Context, source kafkadist.Source) error {
	d, err := fetchKafka(ctx, source, in.progress)
	if err != nil {
		return err
	}
	in.cluster.Kafka.Version, in.cluster.Kafka.Digest = d.Version, d.Digest
	in.cluster.Kafka.Archive = d.Path
	if d.Version == in.wanted.version {
		return nil
	}
	return in.useVersion(d.Version)
}

// javaSource is where the Java runtime for the agents comes from, the zero source for none. What is
// local is named in the same way from every working folder.
func (in *installing) javaSource() (kafkadist.Source, error) {
	if in.jre == "" {
		return kafkadist.Source{}, nil
	}
	s, err := kafkadist.ParseJRE(in.jre)
	if err != nil {
		return s, fail(exitUsage, "--jre: %w", err)
	}
	in.jre = s.Location
	return s, nil
}

// fetchJRE gets a Java runtime into the cache if agents are to fetch one.
func (in *installing) fetchJRE(ctx context.Context) error {
	source, err := in.javaSource()
	if err != nil || in.jre == "" {
		return err
	}
	d, err := fetchKafka(ctx, source, in.progress)
	if err != nil {
		return err
	}
	in.cluster.JRE = dist{Asked: in.jre, Version: d.Version, Digest: d.Digest, Archive: d.Path}
	return nil
}

// useVersion makes the service one of another Kafka version than the default.
func (in *installing) useVersion(version string) error {
	base := servicespec.Options{}
	if err := base.Set("service.kafka_version=" + version); err != nil {
		return fail(exitUsage, "the distribution's version: %w", err)
	}
	w, err := in.env.want(in.specFlags, base)
	if err != nil {
		return err
	}
	if w.version != version {
		return fail(exitUsage, "the distribution is Kafka %s, and the spec wants %s",
			version, w.version)
	}
	in.wanted = w
	if in.cluster.Options != nil {
		in.cluster.Options = w.options
	}
	return nil
}

// fetchKafka gets a distribution, from the cache when it is there.
func fetchKafka(
	ctx context.Context, source kafkadist.Source, p progress,
) (kafkadist.Dist, error) {
	return fetchInto(ctx, kafkadist.DefaultCacheDir(), source, p)
}

// fetchInto is fetchKafka with a cache in some folder.
func fetchInto(
	ctx context.Context, dir string, source kafkadist.Source, p progress,
) (kafkadist.Dist, error) {
	cache, err := kafkadist.Open(dir, func(n kafkadist.Progress) {
		if n.Text == "" {
			return
		}
		l := line{key: source.What(), name: source.What(), status: string(n.Stage), reason: n.Text}
		if n.Total > 0 {
			l.age = fmt.Sprintf("%d%%", 100*n.Done/n.Total)
		}
		p.show([]line{l})
	})
	if err != nil {
		return kafkadist.Dist{}, fmt.Errorf("opening the cache of distributions: %w", err)
	}
	d, err := cache.Fetch(ctx, source)
	p.end()
	if err != nil && ctx.Err() != nil {
		return d, ctx.Err()
	}
	if lacksRoom(err) {
		return d, err
	}
	if err != nil {
		code := exitPrecheck
		if source.Kind != kafkadist.Maven {
			code = exitUsage // what the operator named is not a Kafka
		}
		return d, &exitError{code, fmt.Errorf("%w%s", err, otherSources(source))}
	}
	return d, nil
}

// otherSources says what can be done about a distribution that is none.
func otherSources(source kafkadist.Source) string {
	if source.Java {
		return "\n--jre takes a Java runtime: a folder such as JAVA_HOME, a .tgz of one, or its URL"
	}
	if source.Kind == kafkadist.Maven {
		return ""
	}
	return "\n--kafka-dist takes a Kafka as it is published, a .tgz or the folder in it; without " +
		"the flag Kafka " + kafkadist.DefaultVersion + " is fetched"
}

// masterTimeout is how long a Mesos master may take to answer.
const masterTimeout = 5 * time.Second

// masterForm refuses what cannot be the address of a Mesos. Masters may be a list.
func masterForm(master string) error {
	if strings.HasPrefix(master, "file:///") {
		return nil
	}
	if rest, ok := strings.CutPrefix(master, "zk://"); ok {
		if hosts, path, _ := strings.Cut(rest, "/"); path == "" || hosts == "" {
			return fail(exitUsage, "--master must be zk://host:port,…/path, as "+
				"zk://zk-1:2181/mesos")
		}
		return nil
	}
	for one := range strings.SplitSeq(master, ",") {
		if !strings.Contains(one, "://") && isAddress(one) {
			continue
		}
		u, err := url.Parse(one)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
			strings.Trim(u.Path, "/") != "" {
			return fail(exitUsage, "--master %s: it must be host:port, http://host:port, a list "+
				"of such, or zk://host:port,…/path", master)
		}
	}
	return nil
}

// checkMesos refuses a Mesos that cannot be reached. Of several masters one is enough.
func checkMesos(ctx context.Context, a access, masters string) error {
	if path, is := strings.CutPrefix(masters, "file://"); is {
		text, err := os.ReadFile(path)
		if err != nil {
			return fail(exitUsage, "--master %s: %w", masters, plain(err))
		}
		masters = strings.TrimSpace(string(text))
		if strings.HasPrefix(masters, "file:") || masterForm(masters) != nil {
			return fail(exitUsage, "--master file://%s: the file does not hold a host:port, URL, "+
				"list of such, or zk://host:port,…/path", path)
		}
	}
	if rest, ok := strings.CutPrefix(masters, "zk://"); ok {
		hosts, _, _ := strings.Cut(rest, "/")
		return checkZooKeeper(ctx, hosts)
	}
	opened, err := a.open()
	if err != nil {
		return fail(exitUsage, "%w", err)
	}
	var first error
	for master := range strings.SplitSeq(masters, ",") {
		err := checkMaster(ctx, opened, master)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func checkMaster(ctx context.Context, a *mesoshttp.Access, master string) error {
	ctx, cancel := context.WithTimeout(ctx, masterTimeout)
	defer cancel()
	_, err := a.Version(ctx, master)
	if other, is := errors.AsType[*mesoshttp.StatusError](err); is {
		return fail(exitPrecheck, "what answers at %s is no Mesos master: %d %s", master,
			other.Status, http.StatusText(other.Status))
	}
	if err != nil {
		return fail(exitPrecheck, "no Mesos master answers at %s: %w; check the address, and "+
			"that the master runs, or leave --master away for an embedded Mesos", master,
			plain(err))
	}
	return nil
}

// checkZooKeeper refuses ZooKeeper servers none of which can be connected to.
func checkZooKeeper(ctx context.Context, hosts string) error {
	if at := strings.LastIndex(hosts, "@"); at >= 0 {
		hosts = hosts[at+1:] // before it are the credentials
	}
	dialer := net.Dialer{Timeout: masterTimeout}
	var all []string
	for host := range strings.SplitSeq(hosts, ",") {
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(host, "2181")
		}
		conn, err := dialer.DialContext(ctx, "tcp", host)
		if err == nil {
			return conn.Close()
		}
		all = append(all, fmt.Sprintf("%s: %v", host, plain(err)))
	}
	return fail(exitPrecheck, "no ZooKeeper answers at %s (%s); check the addresses, and that it "+
		"runs", hosts, strings.Join(all, ", "))
}
