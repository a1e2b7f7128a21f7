package upgrade

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func version(t *testing.T, text string) Version {
	t.Helper()
	v, err := ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestParseVersion(t *testing.T) {
	v := version(t, "3.9.1")
	if v != (Version{3, 9, 1}) || v.String() != "3.9.1" || v.Line() != "3.9" {
		t.Errorf("%+v is %s", v, v)
	}
	for _, bad := range []string{"", "4", "4.3", "4.3.1.0", "4.3.x", "4.-3.1"} {
		if v, err := ParseVersion(bad); err == nil {
			t.Errorf("%q is %s", bad, v)
		}
	}
}

// TestPaths has a row for each way, and for each that is none: its phases, or what refuses it.
func TestPaths(t *testing.T) {
	zk := Cluster{ZooKeeper: true}
	old := map[string]string{format: "2.8"}
	for _, c := range []struct {
		name     string
		cluster  Cluster
		from, to string
		want     string
	}{
		{"a patch with ZooKeeper", zk, "3.9.0", "3.9.1", "binaries"},
		{"a line with ZooKeeper", zk, "3.6.2", "3.9.1", "binaries verify protocol!"},
		{"pinned already", Cluster{ZooKeeper: true, Properties: map[string]string{protocol: "3.6"}},
			"3.6.2", "3.9.1", "binaries verify protocol!"},
		{"a format that counts no more", Cluster{ZooKeeper: true, Properties: old},
			"3.0.0", "3.9.1", "binaries verify protocol!"},
		{"a format that counts", Cluster{ZooKeeper: true, Properties: map[string]string{
			protocol: "2.8", format: "2.8"}}, "3.0.0", "3.9.1",
			"binaries verify protocol! format!"},
		{"a protocol of one broker", Cluster{ZooKeeper: true, Single: map[string]string{
			protocol: "3.5"}}, "3.6.2", "3.9.1", "single brokers"},
		{"ZooKeeper and 4", zk, "3.9.1", "4.3.1", "migrate to KRaft"},
		{"very old", zk, "2.8.2", "3.9.1", "too old"},
		{"a patch", Cluster{}, "4.3.0", "4.3.1", "nodes"},
		{"a line", Cluster{}, "4.0.0", "4.3.1", "nodes verify metadata features"},
		{"controllers first", Cluster{Controllers: true}, "3.9.1", "4.3.1",
			"controllers brokers verify metadata features"},
		{"too early for 4", Cluster{}, "3.2.3", "4.3.1", "upgrade to 3.9 first"},
		{"metadata too early", Cluster{Features: map[string]int{Metadata: 6}}, "3.9.1", "4.3.1",
			"raise it first"},
		{"metadata at the limit", Cluster{Features: map[string]int{Metadata: 7}}, "3.9.1", "4.3.1",
			"nodes verify metadata features"},
		{"Java 11", Cluster{Java: 11}, "3.9.1", "4.3.1", "needs 17"},
		{"Java 11 within 3", Cluster{Java: 11}, "3.6.0", "3.9.1", "nodes verify metadata features"},
		{"a property that went", Cluster{Properties: old}, "3.9.1", "4.3.1",
			"no property " + format},
		{"a property that may stay", Cluster{Properties: old}, "3.6.0", "3.9.1",
			"nodes verify metadata features"},
		{"small segments", Cluster{Properties: map[string]string{"log.segment.bytes": "65536"}},
			"3.9.1", "4.3.1", "1048576 at least"},
		{"the same", Cluster{}, "4.3.1", "4.3.1", "already"},
		{"back", Cluster{}, "4.3.1", "4.3.0", "older"},
		{"further back", zk, "3.9.1", "3.8.0", "older"},
	} {
		c.cluster.Version = version(t, c.from)
		p := Make(c.cluster, version(t, c.to))
		got := p.text()
		if got != c.want && (len(p.Refusals) == 0 || !strings.Contains(got, c.want)) {
			t.Errorf("%s: %q, not %q", c.name, got, c.want)
		}
		if (len(p.Refusals) > 0) == (len(p.Phases) > 0) {
			t.Errorf("%s: refusals and phases: %+v", c.name, p)
		}
	}
}

// text prints the names of phases, with a mark on those that there is no way back from.
func (p Plan) text() string {
	if len(p.Refusals) > 0 {
		return strings.Join(p.Refusals, "\n")
	}
	var names []string
	for _, phase := range p.Phases {
		if phase.Undo == "" {
			phase.Name += "!"
		}
		names = append(names, phase.Name)
	}
	return strings.Join(names, " ")
}

// The protocol that brokers speak stays what it was until it is raised, whoever pinned it.
func TestProtocol(t *testing.T) {
	for _, own := range []map[string]string{nil, {protocol: "3.5"}} {
		p := Make(Cluster{ZooKeeper: true, Version: Version{3, 6, 2}, Properties: own},
			Version{3, 9, 1})
		properties := maps.Clone(own)
		for i, want := range []string{"3.5", "", "3.9"} {
			if own == nil {
				want = []string{"3.6", "", ""}[i] // in the end that of the version
			}
			if properties == nil {
				properties = map[string]string{}
			}
			maps.Copy(properties, p.Phases[i].Set)
			for _, name := range p.Phases[i].Unset {
				delete(properties, name)
			}
			if got := properties[protocol]; i != 1 && got != want {
				t.Errorf("with %v, after %s the protocol is %q", own, p.Phases[i].Name, got)
			}
		}
	}
}

// One protocol is pinned for all brokers, so that none may have its own.
func TestProtocolsOfSingleBrokers(t *testing.T) {
	for _, name := range []string{protocol, format} {
		p := Make(Cluster{ZooKeeper: true, Version: Version{3, 8, 1},
			Single: map[string]string{name: "3.7"}}, Version{3, 9, 1})
		want := "single brokers have a " + name + " of their own"
		if text := strings.Join(p.Refusals, "\n"); !strings.Contains(text, want) ||
			len(p.Phases) > 0 {
			t.Errorf("%s: refused %q, and planned %+v", name, text, p.Phases)
		}
	}
}

// Until something is raised there is a way back, and nothing that has none comes before verify.
func TestWaysBack(t *testing.T) {
	for _, c := range []Cluster{{ZooKeeper: true, Version: Version{3, 5, 0}},
		{Version: Version{3, 5, 0}}, {Controllers: true, Version: Version{3, 5, 0}}} {
		p := Make(c, Version{3, 9, 1})
		verify := slices.IndexFunc(p.Phases, func(x Phase) bool { return x.Name == "verify" })
		if verify < 0 {
			t.Fatalf("nobody verifies: %+v", p)
		}
		for _, phase := range p.Phases[:verify+1] {
			if phase.Undo == "" {
				t.Errorf("%s cannot be undone", phase.Name)
			}
		}
	}
}

func TestWarnings(t *testing.T) {
	p := Make(Cluster{Version: Version{3, 9, 1}}, Version{4, 3, 1})
	if text := strings.Join(p.Warnings, "\n"); !strings.Contains(text, "older than 2.1") ||
		!strings.Contains(text, "which Java") || !strings.Contains(text, "not checked") {
		t.Errorf("the warnings are %q", text)
	}
	p = Make(Cluster{Version: Version{4, 0, 0}, Features: map[string]int{Metadata: 25}, Java: 21},
		Version{4, 3, 1})
	if len(p.Warnings) > 0 {
		t.Errorf("the warnings are %q", p.Warnings)
	}
}
