package apiconform

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

// floor is the percentage of the copied recordings that conforms at least. It is never lowered.
const floor = 90.3

var (
	files = flag.String("files", "",
		"recordings to replay, separated by blanks, instead of the copied ones")
	strict = flag.Bool("strict", false,
		"fail on every difference that docs/api.md does not declare")
	reportTo  = flag.String("report", "", "write the report to this file")
	summaryTo = flag.String("summary", "", "write the last line to this file")
	filter    = flag.String("filter", "", "report only groups whose head contains this text")
	show      = flag.String("show", "",
		"print both answers of FILE:LINE, or of requests that contain this text")
)

// TestConformance replays the recordings and compares every answer.
func TestConformance(t *testing.T) {
	paths, err := copiedRecordings()
	if *files != "" {
		paths = strings.Fields(*files)
	}
	if err != nil || len(paths) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	list, err := readSeries(paths)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := readDeviations()
	if err != nil {
		t.Fatal(err)
	}
	r := report{all: testing.Verbose(), filter: *filter, rules: rules}
	for _, s := range list {
		played, err := play(s)
		if err != nil {
			t.Fatal(err)
		}
		r.outcomes = append(r.outcomes, played.outcomes...)
		r.strays = append(r.strays, played.strays...)
		r.breaches = append(r.breaches, played.process.cluster.breaches...)
	}
	declare(r.outcomes, rules)
	judge(t, r)
}

// judge fails the test for what is not as it should be, and writes what was asked for.
func judge(t *testing.T, r report) {
	sum := count(r.outcomes)
	percent := 100 * float64(sum.conform) / float64(max(1, sum.exchanges))
	write(t, *reportTo, r.String()+"\n"+sum.String()+"\n")
	write(t, *summaryTo, sum.String()+"\n")
	if *show != "" {
		for _, o := range r.outcomes {
			if o.line.place() == *show ||
				strings.Contains(o.line.Request.Method+" "+o.line.Request.Path, *show) {
				fmt.Println(full(o))
			}
		}
	}
	t.Logf("%s, %.2f %% conform", sum, percent)
	if *files == "" {
		if percent < floor {
			t.Errorf("%.2f %% conform, the floor is %.2f %%", percent, floor)
		}
		for _, d := range r.rules {
			if d.used == 0 {
				t.Errorf("the deviation %s concerns no exchange: take it out of %s",
					d.id, deviationsFile)
			} else if d.used != d.count && *strict {
				t.Errorf("the deviation %s concerns %d exchanges, %s says %d", d.id, d.used,
					deviationsFile, d.count)
			}
		}
	}
	if undeclared := sum.exchanges - sum.conform - sum.declared; *strict && undeclared > 0 {
		fmt.Print(r)
		t.Errorf("%d exchanges differ and %s does not say so", undeclared, deviationsFile)
	}
	fmt.Println(sum)
}

func write(t *testing.T, path, text string) {
	if path == "" {
		return
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// indented gives JSON on many lines, and anything else as it is.
func indented(text []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return string(text)
	}
	return out.String()
}
