package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"syscall"
	"time"
)

// The layout of a bbolt file (its internal/common package): pages of one size, the first two of
// which are metas of alternating transactions; all numbers in the machine's byte order.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader    = 16 // id, flags, count, overflow
	elementHeader = 16
	metaLength    = 64
	metaSummed    = 56

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketLeaf   = 0x01
	manyFree     = 0xFFFF // the count of a freelist whose real one is its first entry
)

var order = binary.NativeEndian

// inspect reads a bbolt file as it is and says what of it bbolt must not be trusted with: bbolt
// follows what pages say without checking, out of the mapped file if they say so.
func inspect(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := lockShared(file); err != nil {
		return err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	m, err := newestMeta(data)
	if err != nil {
		return err
	}
	w := walker{data: data, meta: m, seen: make([]bool, m.pages)}
	if err := w.all(); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// lockShared takes the lock that bbolt's own readers take; closing the file frees it.
func lockShared(file *os.File) error {
	deadline := time.Now().Add(lockPatience)
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_SH|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return fmt.Errorf("locking it: %w", err)
		case time.Now().After(deadline):
			return ErrInUse
		}
		time.Sleep(20 * time.Millisecond)
	}
}

type boltMeta struct {
	pageSize             uint64
	root, freelist       uint64
	pages, transactionID uint64
}

// newestMeta gives the valid meta of the latest transaction. That one of the two is not valid
// is what a crash in the middle of its write leaves, and no damage.
func newestMeta(data []byte) (boltMeta, error) {
	var newest boltMeta
	found, magic := false, false
	for offset := uint64(0); offset+pageHeader+metaLength <= uint64(len(data)); {
		page := data[offset+pageHeader:]
		magic = magic || order.Uint32(page) == boltMagic
		if m, ok := readMeta(page[:metaLength]); ok && (offset == 0 || offset == m.pageSize) {
			if !found || m.transactionID > newest.transactionID {
				newest, found = m, true
			}
		}
		if offset *= 2; offset == 0 {
			offset = 1 << 10
		}
		if offset > 1<<16 {
			break
		}
	}
	switch {
	case !found && !magic:
		return newest, ErrForeign
	case !found:
		return newest, fmt.Errorf("%w: both of its first pages are", ErrDamaged)
	case newest.pages > uint64(len(data))/newest.pageSize:
		return newest, fmt.Errorf("%w: it is cut off: %d bytes of %d are there",
			ErrDamaged, len(data), newest.pages*newest.pageSize)
	}
	return newest, nil
}

func readMeta(b []byte) (boltMeta, bool) {
	sum := fnv.New64a()
	sum.Write(b[:metaSummed])
	m := boltMeta{
		pageSize:      uint64(order.Uint32(b[8:])),
		root:          order.Uint64(b[16:]),
		freelist:      order.Uint64(b[32:]),
		pages:         order.Uint64(b[40:]),
		transactionID: order.Uint64(b[48:]),
	}
	valid := order.Uint32(b) == boltMagic && order.Uint32(b[4:]) == boltVersion &&
		order.Uint64(b[metaSummed:]) == sum.Sum64() && m.pageSize >= 1<<10
	return m, valid
}

// walker visits every page once.
type walker struct {
	data []byte
	meta boltMeta
	seen []bool
}

func (w *walker) all() error {
	if len(w.seen) < 4 {
		return fmt.Errorf("it has %d pages", len(w.seen))
	}
	w.seen[0], w.seen[1] = true, true
	if err := w.tree(w.meta.root); err != nil {
		return err
	}
	if err := w.free(); err != nil {
		return err
	}
	for id, seen := range w.seen {
		if !seen {
			return fmt.Errorf("page %d is neither used nor free", id)
		}
	}
	return nil
}

// page gives a page with its overflow pages and marks them all as seen.
func (w *walker) page(id uint64) ([]byte, error) {
	if id < 2 || id >= w.meta.pages {
		return nil, fmt.Errorf("page %d is outside of the file", id)
	}
	start := id * w.meta.pageSize
	header := w.data[start : start+pageHeader]
	if at := order.Uint64(header); at != id {
		return nil, fmt.Errorf("page %d says that it is page %d", id, at)
	}
	after := id + 1 + uint64(order.Uint32(header[12:]))
	if after > w.meta.pages {
		return nil, fmt.Errorf("page %d ends outside of the file", id)
	}
	for i := id; i < after; i++ {
		if err := w.see(i); err != nil {
			return nil, err
		}
	}
	return w.data[start : after*w.meta.pageSize], nil
}

func (w *walker) see(id uint64) error {
	if w.seen[id] {
		return fmt.Errorf("page %d is used twice", id)
	}
	w.seen[id] = true
	return nil
}

func (w *walker) tree(id uint64) error {
	page, err := w.page(id)
	if err != nil {
		return err
	}
	if err := w.elements(page); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	return nil
}

// elements checks that all keys and values of a tree's page lie within it, and goes on to the
// pages below.
func (w *walker) elements(page []byte) error {
	flags, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	if flags != leafPage && flags != branchPage {
		return fmt.Errorf("its kind is %#x", flags)
	}
	if pageHeader+count*elementHeader > len(page) {
		return fmt.Errorf("it cannot hold %d elements", count)
	}
	for i := range count {
		element := page[pageHeader+i*elementHeader:]
		if flags == branchPage {
			_, err := within(element, order.Uint32(element), order.Uint32(element[4:]))
			if err != nil {
				return err
			}
			if err := w.tree(order.Uint64(element[8:])); err != nil {
				return err
			}
			continue
		}
		key, value := order.Uint32(element[8:]), order.Uint32(element[12:])
		both, err := within(element, order.Uint32(element[4:]), key, value)
		if err != nil {
			return err
		}
		switch order.Uint32(element) {
		case 0:
		case bucketLeaf:
			if err := w.bucket(both[key:]); err != nil {
				return err
			}
		default:
			return errors.New("an element is neither a value nor a bucket")
		}
	}
	return nil
}

// within gives what lies behind an element's header at a distance, of the lengths given.
func within(element []byte, distance uint32, lengths ...uint32) ([]byte, error) {
	end := uint64(distance)
	for _, n := range lengths {
		end += uint64(n)
	}
	if distance < elementHeader || end > uint64(len(element)) {
		return nil, errors.New("an element lies outside of it")
	}
	return element[distance:end], nil
}

// bucket goes on to a bucket's own tree; a small one is a page within its value.
func (w *walker) bucket(value []byte) error {
	const header = 16 // root, sequence
	if len(value) < header {
		return errors.New("a bucket has no header")
	}
	if root := order.Uint64(value); root != 0 {
		return w.tree(root)
	}
	if len(value) < header+pageHeader {
		return errors.New("a bucket has no page")
	}
	return w.elements(value[header:])
}

func (w *walker) free() error {
	page, err := w.page(w.meta.freelist)
	if err != nil {
		return fmt.Errorf("the list of free pages: %w", err)
	}
	flags, count := order.Uint16(page[8:]), uint64(order.Uint16(page[10:]))
	if flags != freelistPage {
		return fmt.Errorf("the list of free pages: its kind is %#x", flags)
	}
	ids := page[pageHeader:]
	if count == manyFree {
		count, ids = order.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids))/8 {
		return fmt.Errorf("the list of free pages cannot hold %d", count)
	}
	for i := range count {
		id := order.Uint64(ids[i*8:])
		if id < 2 || id >= w.meta.pages {
			return fmt.Errorf("the free page %d is outside of the file", id)
		}
		if err := w.see(id); err != nil {
			return err
		}
	}
	return nil
}
