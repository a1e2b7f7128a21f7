package placement

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Parse reads a rule in any of the forms that specs use:
//
//	hostname:MAX_PER:1,rack:LIKE:r.*                     rows with commas, fields with colons
//	["hostname", "MAX_PER", "1"]                         one row as JSON
//	[["hostname", "MAX_PER", "1"], ["rack", "UNIQUE"]]   rows as JSON
//
// In the comma form a backslash before a comma or a colon makes it part of the field, and any
// other backslash stands for itself, as regular expressions want it. Nothing, white space and
// "[]" are the rule that allows every agent. Operators may be written in lower case.
func Parse(text string) (Rule, error) {
	rule, err := parseAny(strings.TrimSpace(text))
	if err == nil {
		err = checkSize(rule.Constraints)
	}
	if err != nil {
		return Rule{}, fmt.Errorf("parsing placement %q: %w%s", text, err, escapingHint(text))
	}
	return rule, nil
}

func parseAny(text string) (Rule, error) {
	if !utf8.ValidString(text) {
		return Rule{}, errors.New("it is not UTF-8")
	}
	rows := splitRows
	if strings.HasPrefix(text, "[") {
		rows = jsonRows
	}
	fields, err := rows(text)
	if err != nil {
		return Rule{}, err
	}
	var rule Rule
	for i, row := range fields {
		c, err := newConstraint(row)
		if err != nil && len(fields) > 1 {
			return Rule{}, fmt.Errorf("row %d: %w", i+1, err)
		}
		if err != nil {
			return Rule{}, err
		}
		rule.Constraints = append(rule.Constraints, c)
	}
	return rule, nil
}

// escapingHint recognises the mistake of rendering a rule with double braces, which replaces
// quotes by HTML entities.
func escapingHint(text string) string {
	for _, entity := range []string{"&quot;", "&#34;", "&#39;", "&amp;", "&lt;", "&gt;"} {
		if strings.Contains(text, entity) {
			return " (it was HTML-escaped: write {{{NAME}}} with three braces in the spec)"
		}
	}
	return ""
}

// jsonRows reads a row, or a list of rows, in JSON.
func jsonRows(text string) ([][]string, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var items []any
	if err := d.Decode(&items); err != nil {
		return nil, fmt.Errorf("it begins as JSON but is none: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON list")
	}
	if len(items) == 0 {
		return nil, nil
	}
	if _, nested := items[0].([]any); !nested {
		row, err := jsonRow(items)
		return [][]string{row}, err
	}
	var rows [][]string
	for i, item := range items {
		list, ok := item.([]any)
		if !ok {
			return nil, fmt.Errorf("row %d is not a list, but the first is", i+1)
		}
		row, err := jsonRow(list)
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", i+1, err)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func jsonRow(items []any) ([]string, error) {
	var row []string
	for _, item := range items {
		switch v := item.(type) {
		case string:
			row = append(row, v)
		case json.Number:
			row = append(row, v.String())
		default:
			return nil, fmt.Errorf("%v is neither a string nor a number", v)
		}
	}
	return row, nil
}

// splitRows reads the comma form.
func splitRows(text string) ([][]string, error) {
	if text == "" {
		return nil, nil
	}
	var rows [][]string
	var row []string
	var field strings.Builder
	endField := func() {
		row = append(row, strings.TrimSpace(field.String()))
		field.Reset()
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text) && (text[i+1] == ',' || text[i+1] == ':'):
			i++
			field.WriteByte(text[i])
		case c == ':':
			endField()
		case c == ',':
			endField()
			rows, row = append(rows, row), nil
		default:
			field.WriteByte(c)
		}
	}
	endField()
	return append(rows, row), nil
}

// newConstraint checks the fields of one row and brings them to their one canonical form.
func newConstraint(row []string) (Constraint, error) {
	if len(row) < 2 || len(row) > 3 {
		return Constraint{}, fmt.Errorf(
			"%q has %d fields: want field, operator and perhaps a parameter, as in "+
				"hostname:MAX_PER:1 (write \\: for a colon and \\, for a comma in a parameter)",
			strings.Join(row, ":"), len(row))
	}
	field, err := parseField(strings.TrimSpace(row[0]))
	if err != nil {
		return Constraint{}, err
	}
	c := Constraint{Field: field, Operator: Operator(strings.ToUpper(strings.TrimSpace(row[1])))}
	if len(row) == 3 {
		c.Param = row[2]
	}
	if !slices.Contains(operators, c.Operator) {
		return Constraint{}, fmt.Errorf("operator %q is unknown: %s", row[1], nearest(c.Operator))
	}
	c.Param, err = c.checkParam()
	return c, err
}

func parseField(field string) (string, error) {
	switch {
	case field == "":
		return "", errors.New("the field is empty: want hostname, @region, @zone or an attribute")
	case field == "@hostname":
		return fieldHostname, nil
	case field[0] == '@' && field != fieldRegion && field != fieldZone:
		return "", fmt.Errorf("field %q is unknown: want @hostname, @region or @zone", field)
	case calls(field):
		return "", fmt.Errorf("%q is no field: combinations are written in JSON, as in %s", field,
			`{"not": "rack:IS:r1"} or {"any": ["rack:IS:r1", "rack:IS:r2"]}`)
	case strings.ContainsAny(field, "(){}[]\"' \t\r\n"):
		return "", fmt.Errorf("%q is not the name of an attribute: those have no blanks, quotes "+
			"and brackets", field)
	}
	return field, nil
}

// calls says that a field is the beginning of not(…), any(…) or all(…), or of a word before
// the field.
func calls(field string) bool {
	end := strings.IndexAny(field, "( ")
	if end < 0 {
		return false
	}
	word := strings.ToLower(field[:end])
	return slices.Contains([]string{"not", "any", "all", "or", "and"}, word)
}

// checkParam gives the parameter in its canonical form.
func (c Constraint) checkParam() (string, error) {
	switch c.Operator {
	case Unique:
		return "", nil
	case GroupBy:
		if c.Param == "" {
			return "", nil
		}
		return c.checkCount("the number of different values, as in " + c.Field + ":GROUP_BY:3")
	case MaxPer:
		return c.checkCount("how many may share a value, as in " + c.Field + ":MAX_PER:1")
	case Like, Unlike:
		if c.Param == "" {
			return "", fmt.Errorf("%s has no parameter: want a regular expression", c)
		}
		if _, err := syntax.Parse(c.Param, syntax.Perl); err != nil {
			return "", fmt.Errorf("%s: %w", c, err)
		}
		return c.Param, nil
	default:
		if c.Param == "" {
			return "", fmt.Errorf("%s has no parameter: want the value to compare with", c)
		}
		return c.Param, nil
	}
}

func (c Constraint) checkCount(want string) (string, error) {
	if c.Param == "" {
		return "", fmt.Errorf("%s has no parameter: want %s", c, want)
	}
	n, err := strconv.Atoi(strings.TrimSpace(c.Param))
	if err != nil || n < 1 {
		return "", fmt.Errorf("%s: %q is not a whole number from 1: want %s", c, c.Param, want)
	}
	return strconv.Itoa(n), nil
}

// operators in the order in which they are listed to a reader.
var operators = []Operator{Unique, MaxPer, Cluster, Is, IsNot, Like, Unlike, GroupBy}

// nearest names the operator that was probably meant, or all of them.
func nearest(unknown Operator) string {
	best, distance := Operator(""), 3
	for _, o := range operators {
		if d := editDistance(string(unknown), string(o)); d < distance {
			best, distance = o, d
		}
	}
	if best != "" {
		return fmt.Sprintf("did you mean %s?", best)
	}
	names := make([]string, len(operators))
	for i, o := range operators {
		names[i] = string(o)
	}
	return "want one of " + strings.Join(names, ", ")
}

// editDistance counts the bytes to insert, remove or replace to make b of a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}

// String prints the rule as a JSON list of rows, which Parse reads back to the same rule; the
// zero Rule is "".
func (r Rule) String() string {
	if len(r.Constraints) == 0 {
		return ""
	}
	rows := make([][]string, len(r.Constraints))
	for i, c := range r.Constraints {
		rows[i] = c.fields()
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(rows); err != nil {
		panic(fmt.Sprintf("a list of strings does not encode: %v", err))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String prints the constraint for people: "hostname MAX_PER 1".
func (c Constraint) String() string { return strings.Join(c.fields(), " ") }

func (c Constraint) fields() []string {
	if c.Param == "" {
		return []string{c.Field, string(c.Operator)}
	}
	return []string{c.Field, string(c.Operator), c.Param}
}
