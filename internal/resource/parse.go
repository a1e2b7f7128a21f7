package resource

import (
	"fmt"
	"slices"
	"strings"
)

// ParseList reads the text form that List.String prints and says there what it leaves out.
// White space around a resource is skipped. The result is as written, not merged; numbers of
// ranges come in normal order.
func ParseList(s string) (List, error) {
	p := parser{text: s}
	var out List
	for p.skipSpace(); !p.end(); p.skipSpace() {
		r, err := p.resource()
		if err != nil {
			return nil, fmt.Errorf("parsing resources at %q: %w", p.text[p.at:], err)
		}
		out = append(out, r)
		if p.skipSpace(); !p.end() && !p.take(';') {
			return nil, fmt.Errorf("parsing resources at %q: want a semicolon", p.text[p.at:])
		}
	}
	return out, nil
}

// parser reads the text form from left to right.
type parser struct {
	text string
	at   int
}

func (p *parser) end() bool { return p.at >= len(p.text) }

func (p *parser) skipSpace() {
	for !p.end() && strings.IndexByte(" \t\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take goes past c if it comes next.
func (p *parser) take(c byte) bool {
	if p.end() || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// want goes past c, which must come next.
func (p *parser) want(c byte) error {
	if !p.take(c) {
		return fmt.Errorf("want %q", c)
	}
	return nil
}

// word reads up to the next special character that is not escaped.
func (p *parser) word() string {
	var b strings.Builder
	for ; !p.end(); p.at++ {
		c := p.text[p.at]
		if c == '\\' && p.at+1 < len(p.text) {
			p.at++
			c = p.text[p.at]
		} else if strings.IndexByte(special, c) >= 0 {
			break
		}
		b.WriteByte(c)
	}
	return b.String()
}

func (p *parser) resource() (Resource, error) {
	r := Resource{Name: p.word()}
	if r.Name == "" {
		return r, fmt.Errorf("want the name of a resource")
	}
	if err := p.want(':'); err != nil {
		return r, err
	}
	if err := p.value(&r); err != nil {
		return r, err
	}
	for {
		var err error
		switch {
		case p.take('('):
			err = p.reservation(&r)
		case p.take('<'):
			err = p.source(&r)
		case p.take('['):
			err = p.volume(&r)
		case p.take('{'):
			err = p.flags(&r)
		default:
			return r, nil
		}
		if err != nil {
			return r, err
		}
	}
}

func (p *parser) value(r *Resource) (err error) {
	switch {
	case p.take('{'):
		r.Kind = SetKind
		for !p.take('}') {
			if len(r.Set) > 0 && !p.take(',') {
				return fmt.Errorf("want a comma or the end of the set")
			}
			item := p.word()
			if item == "" {
				return fmt.Errorf("want an item of the set")
			}
			r.Set = append(r.Set, item)
		}
	case !p.end() && p.text[p.at] == '[':
		r.Kind = RangesKind
		size := strings.IndexByte(p.text[p.at:], ']') + 1
		if size == 0 {
			return fmt.Errorf("want the end of the ranges")
		}
		r.Ranges, err = ParseRanges(p.text[p.at : p.at+size])
		p.at += size
	default:
		r.Scalar, err = ParseMilli(p.word())
	}
	return err
}

// pairs reads words and key=value pairs, separated by commas, up to the closing character.
func (p *parser) pairs(closing byte, found func(key, value string, pair bool) error) error {
	if p.take(closing) {
		return nil
	}
	for {
		key, value, pair := p.word(), "", p.take('=')
		if pair {
			value = p.word()
		}
		if err := found(key, value, pair); err != nil {
			return err
		}
		if !p.take(',') {
			return p.want(closing)
		}
	}
}

func (p *parser) reservation(r *Resource) error {
	res := Reservation{Role: p.word()}
	if res.Dynamic = p.take(':'); !res.Dynamic {
		r.Reservations = append(r.Reservations, res)
		return p.want(')')
	}
	err := p.pairs(')', func(key, value string, pair bool) error {
		if !pair {
			key, value = ResourceID, key
		}
		res.Labels = append(res.Labels, Label{Key: key, Value: value})
		return nil
	})
	r.Reservations = append(r.Reservations, res)
	return err
}

// disk gives the disk information of r to fill in.
func (r *Resource) disk() *DiskInfo {
	if r.Disk == nil {
		r.Disk = &DiskInfo{}
	}
	return r.Disk
}

func (p *parser) source(r *Resource) error {
	d := r.disk()
	d.Source = p.word()
	if known := []string{"", "PATH", "MOUNT", "BLOCK", "RAW"}; !slices.Contains(known, d.Source) {
		return fmt.Errorf("%q is no type of disk: want PATH, MOUNT, BLOCK or RAW", d.Source)
	}
	if err := p.want(':'); err != nil {
		return err
	}
	if d.Root = p.word(); !p.take(',') {
		return p.want('>')
	}
	return p.pairs('>', func(key, value string, _ bool) error {
		switch key {
		case "profile":
			d.Profile = value
		case "id":
			d.ID = value
		case "vendor":
			d.Vendor = value
		default:
			return fmt.Errorf("%q of a disk is unknown: want profile, id or vendor", key)
		}
		return nil
	})
}

func (p *parser) volume(r *Resource) error {
	d := r.disk()
	d.PersistenceID = p.word()
	if p.take(':') {
		d.ContainerPath = p.word()
	}
	return p.want(']')
}

func (p *parser) flags(r *Resource) error {
	return p.pairs('}', func(key, value string, _ bool) error {
		switch key {
		case "revocable":
			r.Revocable = true
		case "shared":
			r.Shared = true
		case "provider":
			r.Provider = value
		default:
			return fmt.Errorf("%q is unknown: want revocable, shared or provider", key)
		}
		return nil
	})
}
