package waf

import (
	"crypto/sha256"
	"encoding/binary"
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

// rateKey appends a value that is counted by, and reports whether the request has one.
type rateKey interface {
	appendTo(s *state, key []byte) ([]byte, bool)
	record(s *state) RateValueRecord
}

// maxRateKey bounds the text of a key. A longer one, which a client has written, is counted by its
// digest.
const maxRateKey = 64

func (e *rateBased) eval(s *state) bool {
	if e.scope != nil && !e.scope.eval(s) {
		return false
	}
	key := append(s.key[:0], e.place...)
	counted := true
	for _, k := range e.keys {
		// Each value is led by its length, so that no two tuples make one key.
		at := len(key)
		key = append(key, 0, 0, 0, 0)
		if key, counted = k.appendTo(s, key); !counted {
			break
		}
		binary.BigEndian.PutUint32(key[at:], uint32(len(key)-at-4))
	}
	s.key = key
	if !counted {
		return false
	}
	if len(key)-len(e.place) > maxRateKey {
		digest := sha256.Sum256(key[len(e.place):])
		key = append(key[:len(e.place)], digest[:]...)
	}
	var count int64
	var err error
	if s.acl.memory != nil { // which keeps no key, and so needs no string
		count, err = s.acl.memory.CountBytes(key, e.window)
	} else {
		count, err = s.acl.counter.Count(s.r.Context(), string(key), e.window)
	}
	if err != nil {
		s.fail(err)
		return false
	}
	return count > e.limit
}

// keyAddress is the client's address, or a forwarded one.
type keyAddress struct{ from *forwarded }

func (k keyAddress) appendTo(s *state, key []byte) ([]byte, bool) {
	addr, is := s.address(k.from)
	switch {
	case is == absent:
		return key, s.skipRule()
	case is == invalid:
		return key, k.from.fallback == matches // all of these are one
	}
	b := addr.As16()
	return append(key, b[:]...), true
}

// keyASN is whose the address is.
type keyASN struct{ from *forwarded }

func (k keyASN) appendTo(s *state, key []byte) ([]byte, bool) {
	addr, is := s.address(k.from)
	if is == absent {
		return key, s.skipRule()
	}
	if is == invalid && k.from.fallback != matches {
		return key, false
	}
	return binary.BigEndian.AppendUint32(key, uint32(s.asn(addr))), true
}

// keyText is the texts of a source: a header's values, an argument's. All of them count, so that
// sending two isn't another client than sending one of them.
type keyText struct {
	source     *source
	kind, name string // for the log
}

func (k keyText) appendTo(s *state, key []byte) ([]byte, bool) {
	texts := s.texts(k.source)
	if texts.verdict == fails {
		return key, false
	}
	for i, at := range s.spans[texts.from:texts.to] {
		if i > 0 {
			key = append(key, ',')
		}
		key = append(key, s.arena[at.from:at.to]...)
	}
	return key, true
}

// keyLabels is the labels within a namespace, in the order in which they were set.
type keyLabels struct{ match labelMatch }

func (k *keyLabels) appendTo(s *state, key []byte) ([]byte, bool) {
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
