package cli

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kafka-sched/kafka-sched/scheduler"
	"github.com/kafka-sched/kafka-sched/servicespec"
)

// values are the variables of a template: the environment, the options and --env, of which the
// later are stronger.
func (e *env) values(in specInput) (map[string]string, error) {
	options, err := in.merge(nil)
	if err != nil {
		return nil, err
	}
	if err := e.nameOption(options); err != nil {
		return nil, err
	}
	if errs := options.Check(); len(errs) > 0 {
		return nil, mistakes(errs)
	}
	vars := e.templateVariables(options, true)
	for _, pair := range in.variables {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || name == "" {
			return nil, fail(exitUsage, "--env %s: it is not NAME=VALUE", pair)
		}
		vars[name] = value
	}
	return vars, nil
}

// read reads a spec, finds all that is wrong with it and says what to do.
func (e *env) read(file string, vars map[string]string, lenient bool) (draft, error) {
	d, err := e.readDraft(file, vars, lenient)
	d.problems = advise(d.problems)
	return d, err
}

// readDraft reads a spec and finds all that is wrong with it. The error is for what is not the
// spec's fault.
func (e *env) readDraft(file string, vars map[string]string, lenient bool) (draft, error) {
	name, template, err := e.readFile(file)
	if err != nil {
		return draft{}, err
	}
	d := draft{file: name}
	if lenient {
		d.text, d.warnings, d.problems = servicespec.RenderLenient(name, template, vars)
	} else {
		d.text, d.problems = servicespec.Render(name, template, vars)
	}
	if len(d.problems) > 0 {
		return d, nil
	}
	dir := "."
	if file != "-" {
		dir = filepath.Dir(file)
	}
	files, err := templateFiles(d.text, dir)
	if err != nil {
		d.problems = []servicespec.Error{{File: name, Code: servicespec.BadValue,
			Message: err.Error()}}
		return d, nil
	}
	d.files = files
	if lenient {
		d.spec, _, d.problems = servicespec.LoadLenient(name, template, vars, files)
	} else {
		d.spec, d.problems = servicespec.LoadSpec(name, template, vars, files)
	}
	if len(d.problems) == 0 {
		d.warnings = append(d.warnings, d.spec.Service.CheckTaskConfig(vars)...)
		for _, message := range d.spec.Service.Conflicts() {
			d.warnings = append(d.warnings, servicespec.Error{File: name,
				Code: servicespec.BadValue, Message: message})
		}
		messages := append(scheduler.Unsupported(d.spec.Service), d.spec.Beyond()...)
		slices.Sort(messages)
		for _, message := range slices.Compact(messages) {
			d.warnings = append(d.warnings, servicespec.Error{File: name,
				Code: servicespec.Unsupported, Message: message})
		}
	}
	return d, nil
}

// readAll reads several specs with the same variables; only one of them can be the standard
// input.
func (e *env) readAll(files []string, in specInput) ([]draft, error) {
	if stdins := occurrences(files, "-"); stdins > 1 {
		return nil, fail(exitUsage, "the standard input can be read once, and - is there %d times",
			stdins)
	}
	vars, err := e.values(in)
	if err != nil {
		return nil, err
	}
	var drafts []draft
	for _, file := range files {
		d, err := e.read(file, maps.Clone(vars), in.lenient)
		if err != nil {
			return nil, err
		}
		drafts = append(drafts, d)
	}
	return drafts, nil
}

func occurrences(words []string, word string) int {
	n := 0
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

// problem is one mistake as JSON shows it.
type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Path    string `json:"path,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

func problemsOf(errs []servicespec.Error) []problem {
	list := []problem{}
	for _, e := range errs {
		list = append(list, problem{File: e.File, Line: e.Line, Column: e.Column, Path: e.Path,
			Code: string(e.Code), Message: e.Message, Hint: e.Hint})
	}
	return list
}

// complain prints what is wrong with drafts and what is worth a warning, one a line; ok says
// that nothing is wrong.
func (e *env) complain(drafts ...draft) (ok bool) {
	ok = true
	for _, d := range drafts {
		for _, problem := range d.problems {
			ok = false
			fmt.Fprintln(e.stderr, oneText(problem.Error()))
		}
		for _, warning := range d.warnings {
			fmt.Fprintln(e.stderr, "warning: "+oneText(warning.Error()))
		}
	}
	if !ok {
		e.exitCode = exitFailed
	}
	return ok
}

// oneText makes one line of a text that may quote several.
func oneText(text string) string { return strings.Join(strings.Fields(text), " ") }

// checked is what JSON says of one file.
type checked struct {
	File     string    `json:"file"`
	Valid    bool      `json:"valid"`
	Service  string    `json:"service,omitempty"`
	Problems []problem `json:"problems"`
	Warnings []problem `json:"warnings"`
}

// complainJSON prints what is wrong with drafts as JSON, for commands whose result is then not
// there.
func (e *env) complainJSON(drafts ...draft) error {
	all := struct {
		Valid bool      `json:"valid"`
		Files []checked `json:"files"`
	}{Valid: true, Files: []checked{}}
	for _, d := range drafts {
		c := checked{File: d.file, Valid: len(d.problems) == 0, Service: d.spec.Service.Name,
			Problems: problemsOf(d.problems), Warnings: problemsOf(d.warnings)}
		if all.Files = append(all.Files, c); !c.Valid {
			all.Valid = false
			e.exitCode = exitFailed
		}
	}
	return e.printJSON(all)
}

// valid reports the mistakes of drafts in the form that was asked for.
func (e *env) valid(drafts ...draft) (bool, error) {
	if !e.json {
		return e.complain(drafts...), nil
	}
	for _, d := range drafts {
		if len(d.problems) > 0 {
			return false, e.complainJSON(drafts...)
		}
	}
	return true, nil
}
