package servicespec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWholeGood holds what specs in the whole language become, and what is beyond Service.
func TestWholeGood(t *testing.T) {
	for _, path := range specs(t, "whole-good", 30) {
		name := strings.TrimSuffix(path, ".yml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			s, errs := ParseSpec(filepath.Base(path), read(t, path), templates)
			if errs != nil {
				t.Fatal(errs)
			}
			data, err := s.Encode()
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := json.Indent(&out, data, "", "  "); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "\n\n%s\n", strings.Join(s.Beyond(), "\n"))
			golden(t, name+".json", out.String())
			roundTripSpec(t, s)
			demandRefusal(t, path, s)
		})
	}
}

// demandRefusal demands that Parse takes a file if, and only if, nothing is beyond Service.
func demandRefusal(t *testing.T, path string, s Spec) {
	t.Helper()
	service, errs := Parse(path, read(t, path), templates)
	if (len(errs) > 0) != (len(s.Beyond()) > 0) {
		explicit := strings.Contains(lines(errs), "unsupported") // a key with its default
		if !explicit {
			t.Errorf("Parse says %v, and beyond are %q", errs, s.Beyond())
		}
	}
	if errs == nil {
		if diff := cmp.Diff(s.Service, service); diff != "" {
			t.Errorf("Parse and ParseSpec differ:\n%s", diff)
		}
	}
	for _, e := range errs {
		if e.Code != Unsupported {
			t.Errorf("Parse says %v", e)
		}
	}
}

func roundTripSpec(t *testing.T, s Spec) {
	t.Helper()
	data, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := DecodeSpec(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back); diff != "" {
		t.Errorf("changed by encoding (-before +after):\n%s", diff)
	}
}

// TestWholeBad holds the exact messages for bad specs in the whole language.
func TestWholeBad(t *testing.T) {
	for _, path := range specs(t, "whole-bad", 40) {
		name := strings.TrimSuffix(path, ".yml")
		t.Run(filepath.Base(name), func(t *testing.T) {
			_, errs := ParseSpec(filepath.Base(path), read(t, path), templates)
			if len(errs) == 0 {
				t.Fatal("there are no errors")
			}
			golden(t, name+".txt", lines(errs))
		})
	}
}

// TestWholeTakesAll demands that what Parse takes, ParseSpec takes to the same Service.
func TestWholeTakesAll(t *testing.T) {
	for _, path := range specs(t, "good", 130) {
		s, errs := ParseSpec(path, read(t, path), templates)
		if errs != nil {
			t.Errorf("%s: %v", path, errs)
			continue
		}
		demandRefusal(t, path, s)
	}
}
