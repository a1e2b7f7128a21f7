package resource

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// unit is how many thousandths make one.
const unit = 1000

// maxWhole is the largest whole number that a Milli holds.
const maxWhole = math.MaxInt64 / unit

// FromFloat gives the nearest number of thousandths, halves away from zero, as Mesos does
// (src/common/values.cpp, convertToFixed). What a Milli cannot hold becomes the largest or
// smallest that it can, and what is not a number becomes 0.
func FromFloat(f float64) Milli {
	scaled := math.Round(f * unit)
	switch {
	case math.IsNaN(scaled):
		return 0
	case scaled >= math.MaxInt64:
		return math.MaxInt64
	case scaled <= math.MinInt64:
		return math.MinInt64
	}
	return Milli(scaled)
}

// ParseMilli reads what String prints of a quantity that is not negative: digits and, after a
// point, up to three decimals.
func ParseMilli(s string) (Milli, error) {
	whole, decimals, point := strings.Cut(s, ".")
	if !digits(whole) || point && !digits(decimals) {
		return 0, fmt.Errorf("parsing %q: not a number such as 2 or 0.5", s)
	}
	if len(decimals) > 3 {
		return 0, fmt.Errorf("parsing %q: more than three decimals", s)
	}
	w, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || w >= maxWhole {
		return 0, fmt.Errorf("parsing %q: too large", s)
	}
	d, err := strconv.ParseInt((decimals + "000")[:3], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("parsing %q: %w", s, err)
	}
	return Milli(w*unit + d), nil
}

// digits says whether s is one or more decimal digits.
func digits(s string) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// Float gives the quantity as Mesos wants it on the wire.
func (m Milli) Float() float64 { return float64(m) / unit }

// MiB gives the whole MiB in a quantity of memory or disk; a fraction is dropped.
func (m Milli) MiB() MiB { return MiB(m / unit) }

// String prints the shortest decimal form: "2", "1.5", "0.001".
func (m Milli) String() string {
	if m%unit == 0 {
		return strconv.FormatInt(int64(m/unit), 10)
	}
	sign, whole, rest := "", m/unit, m%unit
	if m < 0 {
		sign, whole, rest = "-", -whole, -rest
	}
	decimals := strings.TrimRight(fmt.Sprintf("%03d", int64(rest)), "0")
	return sign + strconv.FormatInt(int64(whole), 10) + "." + decimals
}

// Milli gives the amount as a scalar resource holds it.
func (m MiB) Milli() Milli { return Milli(m) * unit }
