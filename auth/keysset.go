package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/MicahParks/jwkset"
)

// keySet is the keys of one issuer: a jwkset.Storage that is read without a lock, as every new
// token reads it, and replaced whole. Sets of two issuers are never merged, so that one can't sign
// for the other under an equal kid.
//
// A key that isn't there may be new at the issuer: KeyRead then asks for a fresh set, once.
type keySet struct {
	keys atomic.Pointer[map[string]jwkset.JWK] // by kid; nil until there were keys
	// asks the issuer, and reports whether found says so then; nil: never
	refetch   func(ctx context.Context, found func() bool) bool
	onReplace func() // forgets what was verified with the keys before
	writing   sync.Mutex
}

var _ jwkset.Storage = (*keySet)(nil)

func (s *keySet) lookup(kid string) (jwkset.JWK, bool) {
	keys := s.keys.Load()
	if keys == nil {
		return jwkset.JWK{}, false
	}
	jwk, ok := (*keys)[kid]
	return jwk, ok
}

// replace makes keys the set. If that changes it, what was verified with the old ones is forgotten,
// in this order: so whoever verified with an old key kept the result where it is forgotten. It
// returns how many there were before.
func (s *keySet) replace(keys map[string]jwkset.JWK) (before int) {
	s.writing.Lock()
	defer s.writing.Unlock()
	old := s.keys.Swap(&keys)
	if old == nil || !maps.EqualFunc(*old, keys, sameKey) {
		s.onReplace()
	}
	if old != nil {
		before = len(*old)
	}
	return before
}

func (s *keySet) size() int {
	if keys := s.keys.Load(); keys != nil {
		return len(*keys)
	}
	return 0
}

func sameKey(a, b jwkset.JWK) bool {
	x, y := a.Marshal(), b.Marshal()
	return x.KTY == y.KTY && x.ALG == y.ALG && x.USE == y.USE && x.CRV == y.CRV &&
		x.N == y.N && x.E == y.E && x.X == y.X && x.Y == y.Y
}

// KeyRead returns the key called kid, from a fresh set if it isn't in the one at hand and the
// issuer may be asked.
func (s *keySet) KeyRead(ctx context.Context, kid string) (jwkset.JWK, error) {
	if jwk, ok := s.lookup(kid); ok {
		return jwk, nil
	}
	if s.refetch != nil && s.refetch(ctx, func() bool { _, ok := s.lookup(kid); return ok }) {
		if jwk, ok := s.lookup(kid); ok {
			return jwk, nil
		}
	}
	return jwkset.JWK{}, fmt.Errorf("auth: %w", jwkset.ErrKeyNotFound) // without the kid, which a client chose
}

// KeyReadAll returns every key.
func (s *keySet) KeyReadAll(context.Context) ([]jwkset.JWK, error) {
	if keys := s.keys.Load(); keys != nil {
		return slices.Collect(maps.Values(*keys)), nil
	}
	return nil, nil
}

// KeyReplaceAll makes given the set.
func (s *keySet) KeyReplaceAll(_ context.Context, given []jwkset.JWK) error {
	keys := make(map[string]jwkset.JWK, len(given))
	for _, jwk := range given {
		keys[jwk.Marshal().KID] = jwk
	}
	s.replace(keys)
	return nil
}

// KeyWrite adds a key, or replaces the one of its kid.
func (s *keySet) KeyWrite(ctx context.Context, jwk jwkset.JWK) error {
	all, _ := s.KeyReadAll(ctx)
	return s.KeyReplaceAll(ctx, append(all, jwk))
}

// KeyDelete removes a key and reports whether it was there.
func (s *keySet) KeyDelete(ctx context.Context, kid string) (bool, error) {
	all, _ := s.KeyReadAll(ctx)
	left := slices.DeleteFunc(slices.Clone(all), func(jwk jwkset.JWK) bool { return jwk.Marshal().KID == kid })
	return len(left) < len(all), s.KeyReplaceAll(ctx, left)
}

// memory is the set as jwkset's own storage, which knows how to write itself as JSON.
func (s *keySet) memory(ctx context.Context) jwkset.Storage {
	m := jwkset.NewMemoryStorage()
	all, _ := s.KeyReadAll(ctx)
	_ = m.KeyReplaceAll(ctx, all) // it has no way to fail
	return m
}

// JSON, JSONPublic, JSONPrivate, JSONWithOptions, Marshal and MarshalWithOptions write the set as
// jwkset does.
func (s *keySet) JSON(ctx context.Context) (json.RawMessage, error) { return s.memory(ctx).JSON(ctx) }

func (s *keySet) JSONPublic(ctx context.Context) (json.RawMessage, error) {
	return s.memory(ctx).JSONPublic(ctx)
}

func (s *keySet) JSONPrivate(ctx context.Context) (json.RawMessage, error) {
	return s.memory(ctx).JSONPrivate(ctx)
}

func (s *keySet) JSONWithOptions(ctx context.Context, m jwkset.JWKMarshalOptions,
	v jwkset.JWKValidateOptions) (json.RawMessage, error) {
	return s.memory(ctx).JSONWithOptions(ctx, m, v)
}

func (s *keySet) Marshal(ctx context.Context) (jwkset.JWKSMarshal, error) {
	return s.memory(ctx).Marshal(ctx)
}

func (s *keySet) MarshalWithOptions(ctx context.Context, m jwkset.JWKMarshalOptions,
	v jwkset.JWKValidateOptions) (jwkset.JWKSMarshal, error) {
	return s.memory(ctx).MarshalWithOptions(ctx, m, v)
}
