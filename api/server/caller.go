package server

import (
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kafka-sched/kafka-sched/api"
)

// caller says who asks: the address, behind the name that was given, if one was. The name is
// only a claim; whoever reaches the port may give any.
func caller(r *http.Request) string {
	name := printable(r.Header.Get(api.HeaderCaller), api.MaxCaller)
	if name == "" {
		return r.RemoteAddr
	}
	return name + " (" + r.RemoteAddr + ")"
}

// nameAndAddress takes apart what caller made; what it did not make is an address, or the name
// of nobody who came from one.
func nameAndAddress(by string) (name, address string) {
	if i := strings.LastIndex(by, " ("); i > 0 && strings.HasSuffix(by, ")") {
		return by[:i], by[i+2 : len(by)-1]
	}
	if strings.Contains(by, ":") && !strings.Contains(by, " ") {
		return "", by
	}
	return by, ""
}

// printable makes one clean line of at most so many bytes of what somebody sent.
func printable(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	for len(text) > most {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return strings.TrimSpace(text)
}
