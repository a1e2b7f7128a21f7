package servicespec

import (
	"fmt"
	"maps"
)

// Lenient gives the values of a template with an empty one for every variable that has none, as
// the predecessor had it, and says of each where it stands. A template that is wrong otherwise
// keeps its values; Render says what is wrong.
func Lenient(name string, template []byte, env map[string]string) (map[string]string, []Error) {
	_, _, errs := render(name, template, env)
	if len(errs) == 0 {
		return env, nil
	}
	type place struct{ line, column int }
	variables := map[place]string{}
	for _, t := range tokenize(string(template), &mistakes{file: name}) {
		if t.kind == variableToken {
			variables[place{t.line, t.column}] = t.text
		}
	}
	filled := maps.Clone(env)
	var warnings []Error
	for _, e := range errs {
		variable, ok := variables[place{e.Line, e.Column}]
		if !ok || e.Code != UnknownKey {
			continue
		}
		filled[variable] = ""
		e.Message = fmt.Sprintf("{{%s}} has no value and is left empty", variable)
		warnings = append(warnings, e)
	}
	return filled, warnings
}
