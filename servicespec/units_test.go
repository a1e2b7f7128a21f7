package servicespec

import "testing"

// TestUnits tells the number that is meant by one with a unit.
func TestUnits(t *testing.T) {
	const sizes, times = ": the number is of megabytes", ": the number is of seconds"
	for _, test := range []struct {
		hint       func(string) string
		text, want string
	}{
		{megabytesHint, "2GB", "write 2048" + sizes},
		{megabytesHint, "1.5 GiB", "write 1536" + sizes},
		{megabytesHint, "512m", "write 512" + sizes},
		{megabytesHint, "3T", "write 3145728" + sizes},
		{megabytesHint, "1024k", "write 1" + sizes},
		{megabytesHint, "1KB", "write a number of megabytes"},
		{megabytesHint, "2 parsecs", ""},
		{megabytesHint, "two GB", ""},
		{megabytesHint, "1.5", ""},
		{megabytesHint, "", ""},
		{secondsHint, "30s", "write 30" + times},
		{secondsHint, "1h30m", "write 5400" + times},
		{secondsHint, "5 m", "write 300" + times},
		{secondsHint, "1500ms", "write a number of seconds"},
		{secondsHint, "soon", ""},
		{secondsHint, "-1", ""},
		{secondsHint, "9999999999999h", ""},
		{thousandthsHint, "500m", "write 0.5"},
		{thousandthsHint, "2000m", "write 2"},
		{thousandthsHint, "1 cpu", ""},
	} {
		if got := test.hint(test.text); got != test.want {
			t.Errorf("%s: %q, not %q", test.text, got, test.want)
		}
	}
}

// TestSyntaxErrorsHaveAPlace finds where a file stops being YAML.
func TestSyntaxErrorsHaveAPlace(t *testing.T) {
	for text, want := range map[string][2]int{
		"a: [1\nb: 2\n":             {1, 4},
		"a: b\nc: \"d\n\ne: f\n":    {2, 4},
		"a: b: c\n":                 {1, 5},
		"a:\n   b: 1\n  c: 2\n":     {3, 3},
		"é: ü\nö: 'don't'\n":        {2, 9},
		"a: 1\nb: @c\n":             {2, 4},
		"a: 1\n\tb: 2\n":            {2, 1},
		"a: *b\n":                   {1, 4},
		"- a\nb: 1\n":               {2, 1},
		"a: |\n  b\n c\nd: 1\n":     {3, 2},
		"a: 1\r\nb: {c: 1\r\nd: 2}": {2, 4},
	} {
		_, errs := Parse("f", []byte(text), nil)
		if len(errs) != 1 || errs[0].Code != Malformed && errs[0].Code != Dangling ||
			errs[0].Line != want[0] || errs[0].Column != want[1] {
			t.Errorf("%q: %v, not at %v", text, errs, want)
		}
	}
}
