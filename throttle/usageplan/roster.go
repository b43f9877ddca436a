package usageplan

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"time"
)

// roster is what is known of keys and plans: all that a request is judged by. A change of one
// record costs O(1), and copies nothing but what hangs on that record: a liveKey and a livePlan are
// never modified, but replaced.
//
// Keys are found by the digests of their values, in shards with a lock each, which is held for a
// look into a map. A persistent tree would do without the locks, and pay for it with a kilobyte of
// garbage for each change and four cache misses for each look.
type roster struct {
	secrets [256]secretShard // by a digest's first byte

	mu       sync.Mutex // over what follows, and all writes to secrets
	keys     map[string]*liveKey
	plans    map[string]*planSlot
	seed     maphash.Seed
	versions versions
	pass     int // what is put is of this reading of the store; see sweep
}

type secretShard struct {
	mu   sync.RWMutex
	keys map[digest]*liveKey
}

// versions counts what was put, in stripes by the records' IDs. Whoever reads a record, and finds
// its stripe as it was before the reading, holds what is newer than what is here. Otherwise they
// read again: what they have may be older than what was put meanwhile.
type versions [256]uint64

// liveKey is a key. It is never modified, but for what it notes of its use.
type liveKey struct {
	id      string
	enabled bool
	pass    int
	secrets []liveSecret
	plans   []membership
	touched *atomic.Int64 // when the store was last told of a use, in seconds since 1970
}

type liveSecret struct {
	digest  digest
	expires time.Time // zero: never
}

// membership is a key's place in a plan.
type membership struct {
	slot  *planSlot
	since Date
	lease atomic.Pointer[lease] // nil until it is asked for
}

// planSlot is where the plan of an ID is, or will be: keys hold it, so that a plan that is replaced
// need not be looked for in all of them.
type planSlot struct {
	id   string
	plan atomic.Pointer[livePlan] // nil: there is none
	// Under roster.mu: the keys that are in the plan, so that a page of them is found without a
	// look at all others.
	keys sortedIDs
	pass int
}

func newRoster() *roster {
	r := &roster{keys: map[string]*liveKey{}, plans: map[string]*planSlot{}, seed: maphash.MakeSeed()}
	for i := range r.secrets {
		r.secrets[i].keys = map[digest]*liveKey{}
	}
	return r
}

// lookup returns the key that value is one of, if it may be used now. The search goes by digest:
// how long it takes tells nothing of a value that comes near to one.
func (r *roster) lookup(value string, now time.Time) *liveKey {
	if len(value) < minValue || len(value) > maxValue {
		return nil
	}
	d := digestOf(value)
	s := &r.secrets[d[0]]
	s.mu.RLock()
	k := s.keys[d]
	s.mu.RUnlock()
	if k == nil || !k.enabled {
		return nil
	}
	for i := range k.secrets {
		if s := &k.secrets[i]; s.digest == d {
			if !s.expires.IsZero() && !now.Before(s.expires) {
				return nil
			}
			return k
		}
	}
	return nil
}

// membership returns the one plan by which the key may call the API stage.
func (k *liveKey) membership(apiID, stage string) (*membership, *livePlan) {
	for i := range k.plans {
		p := k.plans[i].slot.plan.Load()
		if p == nil { // one that was deleted covers nothing
			continue
		}
		for _, s := range p.stages {
			if s.covers(apiID, stage) {
				return &k.plans[i], p
			}
		}
	}
	return nil, nil
}

// isIn reports whether the key, which may be nil, is in the plan of a slot.
func (k *liveKey) isIn(s *planSlot) bool {
	for i := 0; k != nil && i < len(k.plans); i++ {
		if k.plans[i].slot == s {
			return true
		}
	}
	return false
}

func (r *roster) stripe(id string) uint8 { return uint8(maphash.String(r.seed, id)) }

// seen returns the versions of now, for a reading that begins.
func (r *roster) seen() versions {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.versions
}

// bump counts what is put of a reading. That isn't to outdo the other records of the same reading.
func (r *roster) bump(stripe uint8, at *versions) {
	r.versions[stripe]++
	at[stripe]++
}

func (r *roster) size() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.keys)
}

// keysOf returns up to limit IDs of a plan's keys that come after the given one, in the order of
// their bytes.
func (r *roster) keysOf(plan, after string, limit int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.plans[plan]
	if s == nil {
		return nil
	}
	var ids []string
	for id := range s.keys.after(after) {
		if len(ids) >= limit {
			break
		}
		ids = append(ids, id)
	}
	return ids
}

// liveRecord is what of a keyRecord decides over requests.
type liveRecord struct {
	Enabled bool `json:"enabled"`
	Secrets []struct {
		Digest  string    `json:"sha256"`
		Expires time.Time `json:"expires"`
	} `json:"secrets"`
	Plans []memberRecord `json:"plans"`
}

// parseKey reads a key's record; what it returns isn't in a plan yet.
func parseKey(rec Record) (*liveKey, []memberRecord, error) {
	var k liveRecord
	if err := json.Unmarshal(rec.Data, &k); err != nil {
		return nil, nil, fmt.Errorf("usageplan: key %s: %w", rec.ID, err)
	}
	made := &liveKey{id: rec.ID, enabled: k.Enabled, secrets: make([]liveSecret, len(k.Secrets))}
	for i, s := range k.Secrets {
		d, err := parseDigest(s.Digest)
		if err != nil {
			return nil, nil, fmt.Errorf("usageplan: key %s: %w", rec.ID, err)
		}
		made.secrets[i] = liveSecret{d, s.Expires}
	}
	return made, k.Plans, nil
}

// outcome is what became of a record that was put.
type outcome int

const (
	done    outcome = iota
	outdone         // something was put meanwhile that may be newer: read the record again
	full            // there are as many keys as there may be
)

// putKey puts in a key that was read when the versions were as at, or takes it out if made is nil.
func (r *roster) putKey(id string, made *liveKey, members []memberRecord, at *versions, maxKeys int) outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.stripe(id)
	if at[v] != r.versions[v] {
		return outdone
	}
	old := r.keys[id]
	if made != nil && old == nil && len(r.keys) >= maxKeys {
		return full
	}
	r.bump(v, at)
	if made == nil {
		r.drop(old)
		return done
	}
	made.pass = r.pass
	made.touched = new(atomic.Int64)
	if old != nil {
		made.touched = old.touched
	}
	made.plans = make([]membership, len(members))
	for i, m := range members {
		made.plans[i].slot, made.plans[i].since = r.slot(m.Plan), m.Since
		made.plans[i].slot.keys.insert(id)
	}
	r.keys[id] = made
	for i := range made.secrets {
		r.point(made.secrets[i].digest, made, nil)
	}
	r.unlink(old, made) // after the new one is in: a key that stays good is found at any moment
	return done
}

// drop takes a key out.
func (r *roster) drop(k *liveKey) {
	if k != nil {
		delete(r.keys, k.id)
		r.unlink(k, nil)
	}
}

// unlink takes out what leads to a key that was dropped, or replaced by another one of the same ID.
func (r *roster) unlink(k, by *liveKey) {
	if k == nil {
		return
	}
	for i := range k.secrets {
		r.point(k.secrets[i].digest, nil, k)
	}
	for i := range k.plans {
		s := k.plans[i].slot
		if !by.isIn(s) {
			s.keys.remove(k.id)
			r.release(s)
		}
	}
}

// point makes a digest lead to k, or, if k is nil, no longer to was.
func (r *roster) point(d digest, k, was *liveKey) {
	s := &r.secrets[d[0]]
	s.mu.Lock()
	defer s.mu.Unlock()
	if k != nil {
		s.keys[d] = k
	} else if s.keys[d] == was {
		delete(s.keys, d)
	}
}

func (r *roster) slot(id string) *planSlot {
	s := r.plans[id]
	if s == nil {
		s = &planSlot{id: id}
		r.plans[id] = s
	}
	return s
}

// release forgets a slot that has no plan and that no key is in.
func (r *roster) release(s *planSlot) {
	if len(s.keys.blocks) == 0 && s.plan.Load() == nil {
		delete(r.plans, s.id)
	}
}

// putPlan puts in the plan that build returns, given the one that is there; nil takes it out. It
// was read when the versions were as at.
func (r *roster) putPlan(id string, at *versions, build func(old *livePlan) (*livePlan, error)) (outcome, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v := r.stripe(id)
	if at[v] != r.versions[v] {
		return outdone, nil
	}
	s := r.slot(id)
	defer r.release(s)
	made, err := build(s.plan.Load())
	if err != nil {
		return done, err
	}
	r.bump(v, at)
	s.pass = r.pass
	s.plan.Store(made)
	return done, nil
}

// begin begins a reading of all that the store has. What isn't put in before its end isn't there
// any more.
func (r *roster) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pass++
}

// sweep ends the reading: it takes out what wasn't put since begin, and returns the IDs of the
// keys.
func (r *roster) sweep() (keys []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, k := range r.keys {
		if k.pass != r.pass {
			r.versions[r.stripe(id)]++
			r.drop(k)
			keys = append(keys, id)
		}
	}
	for id, s := range r.plans {
		if s.plan.Load() != nil && s.pass != r.pass {
			r.versions[r.stripe(id)]++
			s.plan.Store(nil)
			r.release(s)
		}
	}
	return keys
}
