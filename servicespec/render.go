package servicespec

import (
	"bytes"
	"fmt"
	"strings"
)

// Render fills a mustache template with the values of env.
//
// It knows variables ({{X}}, {{{X}}} and {{&X}}, none of which is escaped for HTML), sections
// ({{#X}}…{{/X}}), inverted sections ({{^X}}…{{/X}}) and comments ({{! … }}). A value that is
// true or false in any case is a boolean; any other text but the empty one is true. A section
// of a name without a value is false; a variable without one is an error. Partials and changes
// of the delimiters are refused.
func Render(name string, template []byte, env map[string]string) ([]byte, []Error) {
	r, errs := render(&mistakes{file: name}, template, env)
	return r.out.Bytes(), errs
}

// RenderLenient renders as the predecessor does: a variable without a value becomes nothing.
// Each is a warning with its place; errs are those mistakes that no template may have.
func RenderLenient(
	name string, template []byte, env map[string]string,
) (out []byte, warnings, errs []Error) {
	r, errs := render(&mistakes{file: name, lenient: true}, template, env)
	return r.out.Bytes(), r.absent.sorted(), errs
}

// Load renders a template and parses what comes out. Mistakes are reported at their place in
// the template, as far as whole lines can be told; where a line was made by a variable, the
// column is that of the rendered text.
func Load(
	name string, template []byte, env map[string]string, files map[string]string,
) (Service, []Error) {
	s, _, errs := load(&mistakes{file: name}, template, env, files)
	return s.Service, errs
}

// LoadSpec renders and parses in the whole language, as Load does for the scheduler.
func LoadSpec(
	name string, template []byte, env map[string]string, files map[string]string,
) (Spec, []Error) {
	s, _, errs := load(&mistakes{file: name, entire: true}, template, env, files)
	return s, errs
}

// LoadLenient is LoadSpec with the rendering of RenderLenient.
func LoadLenient(
	name string, template []byte, env map[string]string, files map[string]string,
) (s Spec, warnings, errs []Error) {
	return load(&mistakes{file: name, entire: true, lenient: true}, template, env, files)
}

func load(
	m *mistakes, template []byte, env, files map[string]string,
) (s Spec, warnings, errs []Error) {
	r, errs := render(m, template, env)
	warnings = r.absent.sorted()
	if len(errs) > 0 {
		return Spec{}, warnings, errs
	}
	s, errs = readSpec(m, r.out.Bytes(), files)
	for i := range errs {
		if line := errs[i].Line; line > 0 && line <= len(r.lines) {
			errs[i].Line = r.lines[line-1]
		}
	}
	return s, warnings, errs
}

// render gives the renderer that has done its work, empty when there are errors.
func render(m *mistakes, template []byte, env map[string]string) (renderer, []Error) {
	none := renderer{mistakes: m, absent: mistakes{file: m.file}}
	if !readable(template, m) {
		return none, m.sorted()
	}
	tokens := tokenize(string(template), m)
	matchSections(tokens, m)
	if len(m.list) > 0 {
		return none, m.sorted()
	}
	r := none
	r.env, r.names, r.lines = env, sortedNames(env), []int{1}
	r.run(tokens)
	if len(m.list) > 0 {
		none.absent = r.absent
		return none, m.sorted()
	}
	return r, nil
}

// renderer writes the tokens out.
type renderer struct {
	*mistakes
	absent  mistakes // of lenient rendering: the variables without values
	env     map[string]string
	names   []string
	out     bytes.Buffer
	lines   []int // of the template, by line of the output
	atStart bool  // the output's last line has nothing in it yet
}

func (r *renderer) run(tokens []token) {
	r.atStart = true
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch t.kind {
		case textToken:
			r.write(t.text, t.line, true)
		case variableToken:
			r.variable(t)
		case sectionToken, invertedToken:
			if r.truth(t.text) != (t.kind == sectionToken) {
				i = t.end
			}
		}
		if r.out.Len() > maxFileBytes {
			r.add(Error{Line: t.line, Column: t.column, Code: TooLarge,
				Message: fmt.Sprintf("the rendered text has more than %d bytes", maxFileBytes)})
			return
		}
	}
}

// write appends text that begins in a line of the template; advance says that its newlines are
// the template's own.
func (r *renderer) write(text string, line int, advance bool) {
	for text != "" {
		if r.atStart {
			r.lines[len(r.lines)-1] = line
			r.atStart = false
		}
		end := strings.IndexByte(text, '\n')
		if end < 0 {
			r.out.WriteString(text)
			return
		}
		r.out.WriteString(text[:end+1])
		text = text[end+1:]
		if advance {
			line++
		}
		r.lines = append(r.lines, line)
		r.atStart = true
	}
}

func (r *renderer) variable(t token) {
	text, ok := r.env[t.text]
	if !ok {
		r.without(t)
		return
	}
	if strings.EqualFold(text, "true") || strings.EqualFold(text, "false") {
		text = strings.ToLower(text)
	}
	r.write(text, t.line, false)
}

// without reports a variable that has no value.
func (r *renderer) without(t token) {
	list, message := r.mistakes, fmt.Sprintf("{{%s}} has no value", t.text)
	if r.lenient {
		list, message = &r.absent, message+" and becomes nothing"
	}
	if !list.full() {
		list.add(Error{Line: t.line, Column: t.column, Code: UnknownKey, Message: message,
			Hint: r.hint(t.text)})
	}
}

func (r *renderer) hint(name string) string {
	if n := Nearest(name, r.names); n != "" {
		return "did you mean " + n + "?"
	}
	return "set " + name
}

func (r *renderer) truth(name string) bool {
	text := r.env[name]
	return text != "" && !strings.EqualFold(text, "false")
}
