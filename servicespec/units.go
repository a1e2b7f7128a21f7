package servicespec

import (
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"
)

// Numbers in specs have no units. What follows reads those that people write nevertheless, so
// that a message can say the number that is meant.

var withUnit = regexp.MustCompile(`^([0-9]{1,9}(?:\.[0-9]{1,9})?) ?([A-Za-z]{1,9})$`)

// bytesOf are units of size in bytes, by the first letter.
var bytesOf = map[string]int64{"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}

// megabytesHint says how many megabytes a text such as 2GB is.
func megabytesHint(text string) string {
	found := withUnit.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	letter, rest := strings.ToLower(found[2][:1]), strings.ToLower(found[2][1:])
	factor, known := bytesOf[letter]
	if !known || rest != "" && rest != "b" && rest != "ib" && rest != "i" {
		return ""
	}
	return inUnits(found[1], big.NewRat(factor, 1<<20), "megabytes")
}

// secondsHint says how many seconds a text such as 5m is.
func secondsHint(text string) string {
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil || !strings.ContainsAny(text, "hmsuµn") {
		return ""
	}
	return inUnits("1", big.NewRat(int64(d), int64(time.Second)), "seconds")
}

// thousandthsHint says what a number of thousandths such as 500m is.
func thousandthsHint(text string) string {
	found := withUnit.FindStringSubmatch(text)
	if found == nil || found[2] != "m" {
		return ""
	}
	number, ok := new(big.Rat).SetString(found[1])
	if !ok {
		return ""
	}
	decimal := number.Quo(number, big.NewRat(1000, 1)).FloatString(3)
	return "write " + strings.TrimRight(strings.TrimRight(decimal, "0"), ".")
}

// inUnits prints a number of units, if it is a whole one.
func inUnits(number string, factor *big.Rat, units string) string {
	amount, ok := new(big.Rat).SetString(number)
	if !ok || !amount.Mul(amount, factor).IsInt() {
		return "write a number of " + units
	}
	return fmt.Sprintf("write %s: the number is of %s", amount.Num(), units)
}
