package resource_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kafka-sched/kafka-sched/internal/resource"
)

func TestFromFloatRoundsAsMesosDoes(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want resource.Milli
		text string
	}{
		{0, 0, "0"},
		{0.001, 1, "0.001"},
		{0.01, 10, "0.01"},
		{0.1, 100, "0.1"},
		{0.1 + 0.2, 300, "0.3"},
		{10, 10000, "10"},
		{1.0004, 1000, "1"},
		{1.0005, 1001, "1.001"},
		{-0.0015, -2, "-0.002"},
		{-2.5, -2500, "-2.5"},
		{16384, 16384000, "16384"},
		{math.NaN(), 0, "0"},
		{math.Inf(1), math.MaxInt64, "9223372036854775.807"},
		{math.Inf(-1), math.MinInt64, "-9223372036854775.808"},
	} {
		got := resource.FromFloat(c.in)
		if got != c.want || got.String() != c.text {
			t.Errorf("FromFloat(%v) = %d, printed %s; want %d, %s", c.in, got, got, c.want, c.text)
		}
	}
}

func TestParseMilliRefusesWhatIsNoQuantity(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "not a number",
		"-1":                  "not a number",
		"1.":                  "not a number",
		".5":                  "not a number",
		"1e3":                 "not a number",
		"one":                 "not a number",
		"0.0001":              "more than three decimals",
		"9223372036854775807": "too large",
	} {
		if _, err := resource.ParseMilli(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseMilli(%q) gave the error %v, want one with %q", in, err, want)
		}
	}
}

func TestMiBAndMilli(t *testing.T) {
	if got := resource.MiB(2048).Milli(); got != 2048000 {
		t.Errorf("2048 MiB are %d thousandths", got)
	}
	if got := resource.Milli(2048999).MiB(); got != 2048 {
		t.Errorf("2048.999 are %d whole MiB", got)
	}
	if got := resource.Milli(1500).Float(); got != 1.5 {
		t.Errorf("1500 thousandths are %v", got)
	}
}

func TestRangesAreNormal(t *testing.T) {
	for in, want := range map[string]string{
		"[]":                         "[]",
		"[9092]":                     "[9092-9092]",
		"[5-7,1-2]":                  "[1-2,5-7]",
		"[1-5,3-9]":                  "[1-9]",
		"[1-2,3-4]":                  "[1-4]",
		"[1-9,3-4]":                  "[1-9]",
		"[18446744073709551615,0-1]": "[0-1,18446744073709551615-18446744073709551615]",
		"[0-18446744073709551615,7]": "[0-18446744073709551615]",
	} {
		got, err := resource.ParseRanges(in)
		if err != nil || got.String() != want {
			t.Errorf("ParseRanges(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "1-2", "[1-2", "[a-2]", "[2-b]", "[-2]", "[5-4]", "[1,,2]"} {
		if got, err := resource.ParseRanges(bad); err == nil {
			t.Errorf("ParseRanges(%q) = %v, want an error", bad, got)
		}
	}
}

func TestRangesCountSaturates(t *testing.T) {
	for in, want := range map[string]uint64{
		"[]": 0, "[7]": 1, "[1-2,5-7]": 5, "[0-18446744073709551615]": math.MaxUint64,
	} {
		if got := mustRanges(t, in).Count(); got != want {
			t.Errorf("%s counts %d, want %d", in, got, want)
		}
	}
}

func TestPickGivesTheLowestWithin(t *testing.T) {
	for _, c := range []struct {
		have, within string
		want         uint64
		ok           bool
	}{
		{"[31000-32000]", "[1024-65535]", 31000, true},
		{"[9092,31000-32000]", "[31005-31010]", 31005, true},
		{"[9092]", "[31005-31010]", 0, false},
		{"[]", "[0-100]", 0, false},
	} {
		got, ok := mustRanges(t, c.have).Pick(mustRanges(t, c.within))
		if got != c.want || ok != c.ok {
			t.Errorf("%s within %s: %d, %v", c.have, c.within, got, ok)
		}
	}
}

func TestAddableNeedsTheSameIdentity(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"cpus:1", "cpus:2", true},
		{"cpus:1", "mem:1", false},
		{"cpus:1", "cpus:[1-2]", false},
		{"cpus:1", "cpus:1(r)", false},
		{"cpus:1(r)", "cpus:1(r:)", false},
		{"cpus:1(r:a)", "cpus:1(r:b)", false},
		{"cpus:1(r:a,k=v)", "cpus:1(r:k=v,a)", true},
		{"cpus:1(r:a,a,b)", "cpus:1(r:a,b,b)", false},
		{"cpus:1(r)(r/s:a)", "cpus:1(r/s:a)", false},
		{"cpus:1", "cpus:1{revocable}", false},
		{"cpus:1", "cpus:1{provider=p}", false},
		{"disk:1<:>", "disk:1", true},
		{"disk:1<PATH:/a>", "disk:1<PATH:/a>", true},
		{"disk:1<PATH:/a>", "disk:1<PATH:/b>", false},
		{"disk:1<MOUNT:/a>", "disk:1<MOUNT:/a>", false},
		{"disk:1<RAW:>", "disk:1<RAW:>", true},
		{"disk:1<RAW:,id=x>", "disk:1<RAW:,id=x>", false},
		{"disk:1[v:p]", "disk:1[v:p]", false},
		{"disk:1{shared}", "disk:1{shared}", false},
	} {
		a, b := mustList(t, c.a)[0], mustList(t, c.b)[0]
		if a.Addable(b) != c.want || b.Addable(a) != c.want {
			t.Errorf("%s addable to %s: %v, want %v", a, b, !c.want, c.want)
		}
	}
}

func TestSubComparesSums(t *testing.T) {
	for _, c := range []struct{ have, take, want, refused string }{
		{"cpus:2;mem:10", "cpus:0.5;cpus:0.5", "cpus:1;mem:10", ""},
		{"cpus:1;cpus:1", "cpus:2", "", ""},
		{"ports:[1-10]", "ports:[3-4];ports:[6]", "ports:[1-2,5-5,7-10]", ""},
		{"os:{a,b,c}", "os:{b}", "os:{a,c}", ""},
		{"cpus:2", "cpus:2.001", "", "subtracting cpus:2.001: it is not contained"},
		{"cpus:2", "gpus:1", "", "subtracting gpus:1: it is not contained"},
		{"ports:[1-10]", "ports:[10-11]", "", "subtracting ports:[10-11]"},
		{"os:{a}", "os:{b}", "", "subtracting os:{b}"},
		{"disk:5[v:p]", "disk:5[v:p]", "", ""},
		{"disk:5[v:p]", "disk:4[v:p]", "", "not contained"},
		{"disk:9<MOUNT:/a>", "disk:5<MOUNT:/a>", "", "not contained"},
		{"disk:5<MOUNT:/a>;disk:9<MOUNT:/a>", "disk:9<MOUNT:/a>", "disk:5<MOUNT:/a>", ""},
		{"disk:5", "disk:5[v:p]", "", "not contained"},
	} {
		have := mustList(t, c.have)
		got, err := have.Sub(mustList(t, c.take))
		switch {
		case c.refused != "":
			if err == nil || !strings.Contains(err.Error(), c.refused) {
				t.Errorf("%s less %s: error %v, want %q", c.have, c.take, err, c.refused)
			}
		case err != nil || got.String() != c.want:
			t.Errorf("%s less %s = %s, %v; want %s", c.have, c.take, got, err, c.want)
		}
		if have.String() != c.have {
			t.Errorf("%s was changed to %s", c.have, have)
		}
	}
}

func TestReservationStack(t *testing.T) {
	list := mustList(t, "cpus:1;mem:5(static)").WithRole("kafka-role")
	pushed := list.PushReservation(resource.Reservation{
		Dynamic: true, Role: "kafka-role", Principal: "p",
		Labels: []resource.Label{{Key: resource.ResourceID, Value: "res-1"}},
	})
	want := "cpus:1(kafka-role:res-1);mem:5(static)(kafka-role:res-1)"
	if got := pushed.String(); got != want {
		t.Errorf("reserved: %s, want %s", got, want)
	}
	if pushed[1].Role != "kafka-role" || pushed[1].Reservations[1].Principal != "p" {
		t.Errorf("the role or the principal was lost: %+v", pushed[1])
	}
	if got := pushed.Labelled(resource.ResourceID, "res-1"); len(got) != 2 {
		t.Errorf("found by label: %s", got)
	}
	if diff := cmp.Diff(list, pushed.PopReservation()); diff != "" {
		t.Errorf("popping what was pushed (-want +got):\n%s", diff)
	}
	if got := pushed.PopReservation().PopReservation(); !got.Equal(mustList(t, "cpus:1;mem:5").
		WithRole("kafka-role")) {
		t.Errorf("popped twice: %s", got)
	}
	if got := list.Unreserved("kafka-role").String(); got != "cpus:1" {
		t.Errorf("unreserved: %s", got)
	}
	if got := list.Unreserved("other"); got != nil {
		t.Errorf("unreserved of another role: %s", got)
	}
}

func TestEqual(t *testing.T) {
	ports := resource.NewPorts(mustRanges(t, "[1-3]"))
	for _, c := range []struct {
		a, b resource.Resource
		want bool
	}{
		{resource.NewScalar("cpus", 1500), mustList(t, "cpus:1.5")[0], true},
		{resource.NewScalar("cpus", 1500), mustList(t, "cpus:1.501")[0], false},
		{ports, mustList(t, "ports:[1,2,3]")[0], true},
		{ports, mustList(t, "ports:[1-2]")[0], false},
		{mustList(t, "os:{a,b}")[0], mustList(t, "os:{b,a}")[0], true},
		{mustList(t, "disk:5[v:p]")[0], mustList(t, "disk:5[v:p]")[0], true},
		{mustList(t, "disk:5[v:p]")[0], mustList(t, "disk:5")[0], false},
	} {
		if c.a.Equal(c.b) != c.want || c.b.Equal(c.a) != c.want {
			t.Errorf("%s equal to %s: want %v", c.a, c.b, c.want)
		}
	}
	if got := mustList(t, "cpus:1").WithRole("r").WithoutRole(); got[0].Role != "" {
		t.Errorf("a role is left: %+v", got)
	}
}

func TestFinders(t *testing.T) {
	list := mustList(t, "cpus:1;cpus:2(r:a);disk:5(r:a)[v:p];disk:7;ports:[1-3]")
	if got := list.Total(resource.CPUs); got != 3000 {
		t.Errorf("total of cpus: %s", got)
	}
	if got := list.Total(resource.Ports); got != 0 {
		t.Errorf("total of ports: %s", got)
	}
	if got := list.Volumes().String(); got != "disk:5(r:a)[v:p]" {
		t.Errorf("volumes: %s", got)
	}
	if got := list.Labelled(resource.ResourceID, ""); got != nil {
		t.Errorf("found by an empty label: %s", got)
	}
	named := list.WithPrincipal("me")
	if named[1].Reservations[0].Principal != "me" || named[2].Disk.Principal != "me" {
		t.Errorf("with a principal: %+v", named)
	}
	if list[1].Reservations[0].Principal != "" || list[2].Disk.Principal != "" {
		t.Errorf("the original was changed: %+v", list)
	}
}

func TestParseListNamesWhatIsWrong(t *testing.T) {
	for in, want := range map[string]string{
		"cpus":                 `want ':'`,
		":1":                   "want the name of a resource",
		"cpus:x":               "not a number",
		"cpus:1 mem:2":         "want a semicolon",
		"ports:[1":             "want the end of the ranges",
		"os:{a":                "want a comma or the end of the set",
		"os:{a,,b}":            "want an item of the set",
		"disk:1(r":             `want ')'`,
		"disk:1(r:a":           `want ')'`,
		"disk:1<DISC:>":        "no type of disk",
		"disk:1<MOUNT>":        `want ':'`,
		"disk:1<MOUNT:/a":      `want '>'`,
		"disk:1<MOUNT:/a,x=1>": "want profile, id or vendor",
		"disk:1[v":             `want ']'`,
		"disk:1{x}":            "want revocable, shared or provider",
	} {
		got, err := resource.ParseList(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseList(%q) = %v, error %v; want one with %q", in, got, err, want)
		}
	}
}

func mustRanges(t testing.TB, s string) resource.Ranges {
	t.Helper()
	rs, err := resource.ParseRanges(s)
	if err != nil {
		t.Fatal(err)
	}
	return rs
}

func mustList(t testing.TB, s string) resource.List {
	t.Helper()
	l, err := resource.ParseList(s)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
