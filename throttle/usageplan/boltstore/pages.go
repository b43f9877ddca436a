package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
)

// image reads a bbolt file without bbolt, which trusts what it reads: it follows any page number
// and any length, and a file that is damaged makes it panic, fault, or call itself until the stack
// is full, which nothing can recover from. So a file is looked through before bbolt opens it. Here
// every number is checked before it is followed, and no page is visited twice. (The format is that
// of bbolt's version 2, which is fixed.)
type image struct {
	file     io.ReaderAt
	pageSize uint64
	root     uint64 // the page of the bucket of buckets
	freelist uint64
	high     uint64 // no page has this number or a higher one
	visited  []uint64
	// lost is told of what can't be read, and says whether to go on with the rest.
	lost func(error) error
}

const (
	branchPage   = 1
	leafPage     = 2
	freelistPage = 0x10

	pageHeader    = 16
	branchElement = 16
	leafElement   = 16
	bucketHeader  = 16
	isBucket      = 1
	magic         = 0xED0CDAED
	version       = 2
	metaLen       = 64
	noFreelist    = math.MaxUint64
	maxDepth      = 64
)

var native = binary.NativeEndian

func newImage(file io.ReaderAt, size int64, lost func(error) error) (*image, error) {
	m := &image{file: file, lost: lost}
	var latest uint64
	found := false
	for _, at := range metaPlaces() {
		var b [pageHeader + metaLen]byte
		if n, _ := file.ReadAt(b[:], at); n < len(b) {
			continue
		}
		meta := b[pageHeader:]
		sum := fnv.New64a()
		_, _ = sum.Write(meta[:metaLen-8])
		if native.Uint32(meta) != magic || native.Uint32(meta[4:]) != version ||
			native.Uint64(meta[56:]) != sum.Sum64() {
			continue
		}
		pageSize, tx := uint64(native.Uint32(meta[8:])), native.Uint64(meta[48:])
		if at != 0 && uint64(at) != pageSize || found && tx <= latest {
			continue
		}
		found, latest = true, tx
		m.pageSize, m.root, m.freelist, m.high = pageSize, native.Uint64(meta[16:]), native.Uint64(meta[32:]),
			native.Uint64(meta[40:])
	}
	if !found {
		return nil, errors.New("neither of its two headers is whole")
	}
	if m.pageSize < 512 || m.high > uint64(size)/m.pageSize {
		return nil, fmt.Errorf("it is cut off: it has %d bytes, and its header tells of %d pages", size, m.high)
	}
	m.visited = make([]uint64, m.high/64+1)
	return m, nil
}

// metaPlaces are where the two headers may be: the second one stands where the first one's page, of
// a size it alone tells of, ends.
func metaPlaces() []int64 {
	places := []int64{0}
	for size := int64(1024); size <= 1<<16; size *= 2 {
		places = append(places, size)
	}
	return places
}

func (m *image) visit(id uint64) error {
	if id < 2 || id >= m.high {
		return fmt.Errorf("page %d is none of the file's", id)
	}
	if m.visited[id/64]&(1<<(id%64)) != 0 {
		return fmt.Errorf("page %d is used twice", id)
	}
	m.visited[id/64] |= 1 << (id % 64)
	return nil
}

// page is a page with its header read, and what it has behind that.
type page struct {
	flags, count int
	data         []byte // with the header
}

func (m *image) page(id uint64) (page, error) {
	if err := m.visit(id); err != nil {
		return page{}, err
	}
	first := make([]byte, m.pageSize)
	if _, err := m.file.ReadAt(first, int64(id*m.pageSize)); err != nil {
		return page{}, fmt.Errorf("page %d: %w", id, err)
	}
	overflow := uint64(native.Uint32(first[12:]))
	if native.Uint64(first) != id || overflow >= m.high-id {
		return page{}, fmt.Errorf("page %d doesn't look like one", id)
	}
	data := first
	if overflow > 0 {
		for next := id + 1; next <= id+overflow; next++ {
			if err := m.visit(next); err != nil {
				return page{}, err
			}
		}
		data = make([]byte, (overflow+1)*m.pageSize)
		if _, err := m.file.ReadAt(data, int64(id*m.pageSize)); err != nil {
			return page{}, fmt.Errorf("page %d: %w", id, err)
		}
	}
	return pageOf(data), nil
}

func pageOf(data []byte) page {
	return page{flags: int(native.Uint16(data[8:])), count: int(native.Uint16(data[10:])), data: data}
}

// cut returns n bytes of the page from at, counted from the element at base.
func (p page) cut(base int, at, n uint32) ([]byte, error) {
	from := uint64(base) + uint64(at)
	to := from + uint64(n)
	if from < pageHeader || to > uint64(len(p.data)) {
		return nil, errors.New("an entry reaches out of its page")
	}
	return p.data[from:to:to], nil
}

// entry is a key with its value, which is a bucket or isn't.
type entry struct {
	key, value []byte
	bucket     bool
}

// tree walks along the entries of the bucket whose root is a page, in order.
func (m *image) tree(root uint64, each func(entry) error) error {
	w := &walk{image: m, each: each}
	return w.node(root, nil, 0)
}

type walk struct {
	*image
	each func(entry) error
	last []byte // the latest key
	any  bool
}

// node walks through a page whose keys begin with least or come after it.
func (w *walk) node(id uint64, least []byte, depth int) error {
	p, err := w.page(id)
	if err == nil && depth > maxDepth {
		err = errors.New("it is deeper than any tree")
	}
	if err != nil {
		return w.lost(err)
	}
	switch p.flags {
	case leafPage:
		return w.leaf(p, least)
	case branchPage:
		return w.branch(p, depth)
	}
	return w.lost(fmt.Errorf("page %d is of no kind that belongs here", id))
}

func (w *walk) branch(p page, depth int) error {
	if p.count == 0 {
		return w.lost(errors.New("a page of branches has none"))
	}
	for i := range p.count {
		at := pageHeader + i*branchElement
		if at+branchElement > len(p.data) {
			return w.lost(errors.New("a page tells of more branches than it has room for"))
		}
		e := p.data[at:]
		key, err := p.cut(at, native.Uint32(e), native.Uint32(e[4:]))
		if err == nil && w.any && bytes.Compare(key, w.last) <= 0 {
			err = errors.New("keys are out of order")
		}
		if err == nil {
			err = w.node(native.Uint64(e[8:]), key, depth+1)
		} else {
			err = w.lost(err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) leaf(p page, least []byte) error {
	for i := range p.count {
		at := pageHeader + i*leafElement
		if at+leafElement > len(p.data) {
			return w.lost(errors.New("a page tells of more entries than it has room for"))
		}
		e := p.data[at:]
		flags, pos, keyLen, valueLen := native.Uint32(e), native.Uint32(e[4:]), native.Uint32(e[8:]),
			native.Uint32(e[12:])
		key, err := p.cut(at, pos, keyLen)
		var value []byte
		if err == nil {
			value, err = p.cut(at, pos+keyLen, valueLen)
		}
		switch {
		case err != nil:
		case flags > isBucket:
			err = errors.New("an entry is of no kind that there is")
		case w.any && bytes.Compare(key, w.last) <= 0 || bytes.Compare(key, least) < 0:
			err = errors.New("keys are out of order")
		default:
			w.last, w.any = key, true
			err = w.each(entry{key, value, flags == isBucket})
			if err == nil {
				continue
			}
			return err
		}
		if err := w.lost(err); err != nil {
			return err
		}
	}
	return nil
}

// bucket walks along the entries of a bucket that is the value of an entry.
func (m *image) bucket(value []byte, each func(entry) error) error {
	if len(value) < bucketHeader {
		return m.lost(errors.New("a bucket is too short"))
	}
	if root := native.Uint64(value); root != 0 {
		return m.tree(root, each)
	}
	inline := value[bucketHeader:]
	if len(inline) < pageHeader || native.Uint16(inline[8:]) != leafPage {
		return m.lost(errors.New("a small bucket is none"))
	}
	w := &walk{image: m, each: each}
	return w.leaf(pageOf(inline), nil)
}

// check looks through the whole file, and returns what is wrong with it first.
func check(file io.ReaderAt, size int64) error {
	m, err := newImage(file, size, func(err error) error { return err })
	if err != nil {
		return err
	}
	err = m.tree(m.root, func(e entry) error {
		if !e.bucket {
			return nil
		}
		return m.bucket(e.value, func(e entry) error {
			if e.bucket {
				return errors.New("a bucket is in another one")
			}
			return nil
		})
	})
	if err != nil || m.freelist == noFreelist {
		return err
	}
	return m.checkFreelist()
}

// checkFreelist makes sure that no page is both free and in use: the next write would go over it.
func (m *image) checkFreelist() error {
	p, err := m.page(m.freelist)
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return errors.New("the list of free pages isn't one")
	}
	ids, n := p.data[pageHeader:], uint64(p.count)
	if n == math.MaxUint16 {
		n, ids = native.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return errors.New("the list of free pages is longer than its page")
	}
	for i := range n {
		if err := m.visit(native.Uint64(ids[8*i:])); err != nil {
			return fmt.Errorf("the list of free pages: %w", err)
		}
	}
	return nil
}
