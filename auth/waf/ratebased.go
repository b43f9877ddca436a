package waf

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"time"
)

// rateBased counts requests, and matches while there are more than the limit.
type rateBased struct {
	place  string // of the rule and its settings: what keys begin with
	limit  int64
	window time.Duration
	kind   string // AggregateKeyType
	scope  evaluator
	from   *forwarded
	keys   []rateKey
}

// rateKey is a value that requests are counted by.
type rateKey interface {
	// appendTo appends the value, of several the first or the last, and reports whether the request
	// has one.
	appendTo(s *state, key []byte, last bool) ([]byte, bool)
	// two reports whether the first and the last differ.
	two(s *state) bool
	record(s *state) RateValueRecord
}

// single is a key that has one value.
type single struct{}

func (single) two(*state) bool { return false }

// maxRateKey bounds the text of a key. A longer one, which a client has written, is counted by its
// digest.
const maxRateKey = 64

// eval counts by the first and by the last of values that came several times: which of them a
// backend goes by isn't known here, and neither makes a client another one. The highest count
// decides. So a request is counted up to 32 times, for five keys that came twice each.
func (e *rateBased) eval(s *state) truth {
	if e.scope != nil && e.scope.eval(s) != yes {
		return no
	}
	twice := uint(0) // a bit for each key with two values
	for i, k := range e.keys {
		if k.two(s) {
			twice |= 1 << i
		}
	}
	most := int64(0)
	for last := twice; ; last = (last - 1) & twice { // each subset
		key, ok := e.appendKey(s, last)
		s.key = key
		if !ok {
			return no
		}
		count, err := e.count(s, key)
		if err != nil {
			s.fail(err)
			return no
		}
		most = max(most, count)
		if last == 0 {
			return truthOf(most > e.limit)
		}
	}
}

// appendKey makes the key of a tuple of values, those of the keys in last being their last ones.
func (e *rateBased) appendKey(s *state, last uint) (key []byte, ok bool) {
	key = append(s.key[:0], e.place...)
	for i, k := range e.keys {
		// Each value is led by its length, so that no two tuples make one key.
		at := len(key)
		key = append(key, 0, 0, 0, 0)
		if key, ok = k.appendTo(s, key, last&(1<<i) != 0); !ok {
			return key, false
		}
		binary.BigEndian.PutUint32(key[at:], uint32(len(key)-at-4))
	}
	return key, true
}

func (e *rateBased) count(s *state, key []byte) (int64, error) {
	if len(key)-len(e.place) > maxRateKey {
		digest := sha256.Sum256(key[len(e.place):])
		key = append(key[:len(e.place)], digest[:]...)
	}
	if s.acl.memory != nil { // which keeps no key, and so needs no string
		return s.acl.memory.CountBytes(key, e.window)
	}
	return s.acl.counter.Count(s.r.Context(), string(key), e.window)
}

// keyAddress is the client's address, or a forwarded one.
type keyAddress struct {
	from *forwarded
	single
}

func (k keyAddress) appendTo(s *state, key []byte, _ bool) ([]byte, bool) {
	addr, is := s.address(k.from)
	if is != known {
		return key, is == invalid && k.from.fallback == matches // all of these are one
	}
	b := addr.As16()
	if bits := s.acl.cfg.RateIPv6Prefix; bits != 0 && addr.Is6() {
		b = network(addr, bits).Addr().As16()
	}
	return append(key, b[:]...), true
}

// network is what an address of IPv6 is counted with.
func network(addr netip.Addr, bits int) netip.Prefix {
	return netip.PrefixFrom(addr.WithZone(""), bits).Masked()
}

// keyASN is whose the address is.
type keyASN struct {
	from *forwarded
	single
}

func (k keyASN) appendTo(s *state, key []byte, _ bool) ([]byte, bool) {
	addr, is := s.address(k.from)
	if is == absent || is == invalid && k.from.fallback != matches {
		return key, false
	}
	return binary.BigEndian.AppendUint32(key, uint32(s.asn(addr))), true
}

// keyText is the texts of a source: a header's values, an argument's.
type keyText struct {
	source     *source
	kind, name string // for the log
}

func (k keyText) appendTo(s *state, key []byte, last bool) ([]byte, bool) {
	first, end, verdict := k.values(s)
	if last {
		first = end
	}
	return append(key, first...), verdict != fails
}

func (k keyText) two(s *state) bool {
	first, last, _ := k.values(s)
	return !bytes.Equal(first, last)
}

// values are the first and the last of the texts.
func (k keyText) values(s *state) (first, last []byte, v verdict) {
	texts := s.texts(k.source)
	if spans := s.spans[texts.from:texts.to]; len(spans) > 0 {
		at, end := spans[0], spans[len(spans)-1]
		first, last = s.arena[at.from:at.to], s.arena[end.from:end.to]
	}
	return first, last, texts.verdict
}

// keyLabels is the labels within a namespace, in the order in which they were set.
type keyLabels struct {
	match labelMatch
	single
}

func (k *keyLabels) appendTo(s *state, key []byte, _ bool) ([]byte, bool) {
	found := false
	for _, label := range s.labels {
		if k.match.matches(label) {
			if found {
				key = append(key, ',')
			}
			key, found = append(key, label...), true
		}
	}
	return key, found
}
