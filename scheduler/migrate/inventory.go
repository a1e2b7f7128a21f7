package migrate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Inventory is what a cluster knows beside the data, by kind and name. It is taken before a
// migration and compared with what is there before that is finalized.
type Inventory map[string]map[string]string

// The kinds of things in an inventory.
const (
	KindTopics  = "topic configurations"
	KindACLs    = "ACLs"
	KindQuotas  = "quotas"
	KindUsers   = "SCRAM users"
	KindOffsets = "consumer offsets"
)

// Add takes something in.
func (i Inventory) Add(kind, name, value string) {
	if i[kind] == nil {
		i[kind] = map[string]string{}
	}
	i[kind][name] = value
}

// most is how large an inventory may be as it is kept: what is kept with an ensemble has bounds.
const most = 256 << 10

// summary is the name of the one entry of a kind of which only a sum is kept.
const summary = "*"

// Encode gives the text to be kept. Of kinds that are too large there is only a sum, and none of
// what changes all the time.
func (i Inventory) Encode() string {
	kept := Inventory{}
	for kind := range i {
		kept[kind] = i[kind]
	}
	for {
		data, err := json.Marshal(kept)
		if err != nil {
			panic("migrate: an inventory that cannot be encoded: " + err.Error())
		}
		if len(data) <= most {
			return string(data)
		}
		large := slices.MaxFunc(slices.Sorted(maps.Keys(kept)), func(a, b string) int {
			return size(kept[a]) - size(kept[b])
		})
		if large == KindOffsets {
			delete(kept, large)
			continue
		}
		kept[large] = sum(kept[large])
	}
}

// DecodeInventory reads what Encode gave.
func DecodeInventory(text string) (Inventory, error) {
	i := Inventory{}
	if err := json.Unmarshal([]byte(text), &i); err != nil {
		return nil, fmt.Errorf("reading what was there before the migration: %w", err)
	}
	return i, nil
}

func size(entries map[string]string) int {
	total := 0
	for name, value := range entries { //tidy:unordered a sum
		total += len(name) + len(value)
	}
	return total
}

// sum gives entries as one.
func sum(entries map[string]string) map[string]string {
	if _, summed := entries[summary]; summed && len(entries) == 1 {
		return entries
	}
	hash := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		fmt.Fprintf(hash, "%q %q\n", name, entries[name])
	}
	return map[string]string{summary: fmt.Sprintf("%d with the sum %s", len(entries),
		hex.EncodeToString(hash.Sum(nil)[:8]))}
}

// Difference is something that is not as it was; "" is that it was not, or is not, there.
type Difference struct{ Kind, Name, Before, Now string }

// Differences are what is not as it was. A group may have got on, and new things may have come:
// offsets differ if they went back or are gone, the rest if it is not the same.
func (i Inventory) Differences(now Inventory) []Difference {
	var list []Difference
	for _, kind := range Kinds() {
		before, present := i[kind], now[kind]
		if _, summed := before[summary]; summed {
			present = sum(present)
		}
		for _, name := range slices.Sorted(maps.Keys(before)) {
			value, there := present[name]
			if !there || kind == KindOffsets && lower(value, before[name]) ||
				kind != KindOffsets && value != before[name] {
				list = append(list, Difference{kind, name, before[name], value})
			}
		}
	}
	return list
}

// Count is how many things of a kind there are.
func (i Inventory) Count(kind string) int {
	if text, summed := i[kind][summary]; summed {
		number, _, _ := strings.Cut(text, " ")
		n, _ := strconv.Atoi(number)
		return n
	}
	return len(i[kind])
}

// lower compares numbers.
func lower(a, b string) bool {
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	return errX != nil || errY != nil || x < y
}

// Kinds are those of an inventory, in the order in which they are shown.
func Kinds() []string { return []string{KindTopics, KindACLs, KindQuotas, KindUsers, KindOffsets} }
