package app

import (
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
)

// place is a file with the number of the journal's entry that webhooks told of last.
type place struct {
	path string
	log  *slog.Logger
}

// Last implements hooks.Place.
func (p *place) Last() (int64, bool) {
	text, err := os.ReadFile(p.path)
	if err != nil {
		return 0, false
	}
	number, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return number, err == nil
}

// Remember implements hooks.Place.
func (p *place) Remember(number int64) {
	err := os.WriteFile(p.path+".tmp", fmt.Appendln(nil, number), 0o644)
	if err == nil {
		err = os.Rename(p.path+".tmp", p.path)
	}
	if err != nil {
		p.log.Warn("what webhooks told is not remembered; they may tell it again", "error", err)
	}
}
