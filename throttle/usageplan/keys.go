package usageplan

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

func parseDigest(text string) (d digest, err error) {
	n, err := hex.Decode(d[:], []byte(text)[:min(len(text), 2*len(d))])
	if err != nil || n != len(d) || len(text) != 2*len(d) {
		return d, errors.New("usageplan: a stored digest isn't one")
	}
	return d, nil
}

// CreateKey makes a key and returns it with its value, which can't be read again. A value or an ID
// that is in use is ErrConflict.
func (g *Registry) CreateKey(ctx context.Context, k NewKey) (Key, string, error) {
	if err := k.Validate(); err != nil {
		return Key{}, "", err
	}
	if g.Room() <= 0 {
		return Key{}, "", invalid(fmt.Errorf("usageplan: there are %d keys already: see RegistryConfig.MaxKeys",
			g.maxKeys))
	}
	if k.ID == "" {
		k.ID = randomText(generatedID, lowerAndDigits)
	}
	if k.Value == "" {
		k.Value = randomText(generatedValue, alphanumerics)
	}
	now := time.Now().UTC().Truncate(time.Second)
	r := keyRecord{
		ID: k.ID, Name: k.Name, Description: k.Description, CustomerID: k.CustomerID, Enabled: k.Enabled,
		Created: now, Updated: now,
		Secrets: []secretRecord{newSecret(k.Value, now)}, ManagedBy: k.ManagedBy,
	}
	if err := g.claim(ctx, r.Secrets[0], k.ID); err != nil {
		return Key{}, "", err
	}
	if err := g.put(ctx, Keys, k.ID, 0, &r); err != nil {
		if has, readErr := g.HasValue(ctx, k.ID, k.Value); readErr == nil && !has {
			g.unclaim(ctx, r.Secrets[0]) // else it is the key's that is there
		}
		return Key{}, "", err
	}
	_, err := g.reload(ctx, Keys, k.ID)
	return r.shown(), k.Value, err
}

// Room returns how many more keys there may be, as far as this process knows:
// RegistryConfig.MaxKeys without those that there are.
func (g *Registry) Room() int { return max(g.maxKeys-g.roster.size(), 0) }

// claim makes sure that a value is one key's alone. A crash between this and the key's own record
// leaves a value that nobody but a key of the same ID can use, which is the safe side.
func (g *Registry) claim(ctx context.Context, s secretRecord, key string) error {
	err := g.store.Put(ctx, Secrets, Record{ID: s.Digest, Data: []byte(key)})
	if errors.Is(err, ErrConflict) {
		if has, err := g.store.Get(ctx, Secrets, s.Digest); err == nil && string(has.Data) == key {
			return nil
		}
		return fmt.Errorf("%w: API Key already exists", ErrConflict)
	}
	return err
}

func (g *Registry) unclaim(ctx context.Context, s secretRecord) {
	_ = g.store.Delete(ctx, Secrets, s.Digest) // at worst the value can't be used again
}

func (g *Registry) put(ctx context.Context, t Table, id string, revision int64, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("usageplan: %w", err)
	}
	if len(data) > maxRecord {
		return invalid(fmt.Errorf("usageplan: %s: want at most %d bytes of JSON, got %d",
			strings.TrimSuffix(string(t), "s"), maxRecord, len(data)))
	}
	return g.store.Put(ctx, t, Record{ID: id, Revision: revision, Data: data})
}

// KeyChange is what UpdateKey changes: fields that are nil stay.
type KeyChange struct {
	// Name, Description and CustomerID are what the key is called, what it is for and whose it is
	// from then on, each as in [Key].
	Name, Description, CustomerID *string
	// Enabled says whether the key is let through.
	Enabled *bool
	// ManagedBy is whose it is from then on, as in [NewKey].
	ManagedBy *string
}

// UpdateKey changes a key. One that is disabled is refused from then on: at once here, within
// RegistryConfig.Refresh elsewhere.
func (g *Registry) UpdateKey(ctx context.Context, id string, c KeyChange) (Key, error) {
	return g.changeKey(ctx, id, func(k *keyRecord, _ time.Time) error {
		for _, field := range []struct{ to, from *string }{{&k.Name, c.Name}, {&k.Description, c.Description},
			{&k.CustomerID, c.CustomerID}, {&k.ManagedBy, c.ManagedBy}} {
			if field.from != nil {
				*field.to = *field.from
			}
		}
		if c.Enabled != nil {
			k.Enabled = *c.Enabled
		}
		return checkNames(k.Name, k.Description, k.CustomerID, k.ManagedBy)
	})
}

// changeKey reads a key, changes it and writes it, again if somebody else did so at the same time.
func (g *Registry) changeKey(
	ctx context.Context, id string, change func(k *keyRecord, now time.Time) error,
) (Key, error) {
	for try := 0; ; try++ {
		r, k, err := g.readKey(ctx, id)
		if err != nil {
			return Key{}, err
		}
		k.Updated = time.Now().UTC().Truncate(time.Second)
		if err := change(&k, k.Updated); err != nil {
			return Key{}, err
		}
		err = g.put(ctx, Keys, id, r.Revision, &k)
		if errors.Is(err, ErrConflict) && try < 10 {
			continue
		}
		if err != nil {
			return Key{}, err
		}
		_, err = g.reload(ctx, Keys, id)
		return k.shown(), err
	}
}

// get returns a record, or ErrNotFound. A store isn't asked for what can't be an ID.
func (g *Registry) get(ctx context.Context, t Table, id string) (Record, error) {
	if !isID(id) {
		return Record{}, ErrNotFound
	}
	return g.store.Get(ctx, t, id)
}

func (g *Registry) readKey(ctx context.Context, id string) (Record, keyRecord, error) {
	var k keyRecord
	r, err := g.get(ctx, Keys, id)
	if errors.Is(err, ErrNotFound) {
		return r, k, fmt.Errorf("%w: Invalid API Key identifier specified", ErrNotFound)
	}
	if err != nil {
		return r, k, err
	}
	if err := json.Unmarshal(r.Data, &k); err != nil {
		return r, k, fmt.Errorf("usageplan: key %s: %w", id, err)
	}
	return r, k, nil
}

// RotateKey gives a key a new value and returns it. The value that it had goes on to count for
// overlap, or, if that is 0, until RetireKey or the next rotation. An older one stops to count now:
// there are never more than two.
func (g *Registry) RotateKey(ctx context.Context, id string, overlap time.Duration) (Key, string, error) {
	if overlap < 0 {
		return Key{}, "", invalid(fmt.Errorf("usageplan: RotateKey: overlap: want 0 or more, got %v", overlap))
	}
	value := randomText(generatedValue, alphanumerics)
	fresh := newSecret(value, time.Now().UTC().Truncate(time.Second))
	if err := g.claim(ctx, fresh, id); err != nil {
		return Key{}, "", err
	}
	var dropped []secretRecord
	shown, err := g.changeKey(ctx, id, func(k *keyRecord, now time.Time) error {
		previous := k.Secrets[0]
		if overlap > 0 {
			previous.Expires = now.Add(overlap)
		}
		dropped = slices.Clone(k.Secrets[1:])
		k.Secrets = []secretRecord{fresh, previous}
		return nil
	})
	if err != nil {
		g.unclaim(ctx, fresh)
		return Key{}, "", err
	}
	for _, s := range dropped {
		g.unclaim(ctx, s)
	}
	return shown, value, nil
}

// RetireKey ends a rotation: only the newest value counts.
func (g *Registry) RetireKey(ctx context.Context, id string) (Key, error) {
	var dropped []secretRecord
	shown, err := g.changeKey(ctx, id, func(k *keyRecord, _ time.Time) error {
		dropped = slices.Clone(k.Secrets[1:])
		k.Secrets = k.Secrets[:1]
		return nil
	})
	if err != nil {
		return Key{}, err
	}
	for _, s := range dropped {
		g.unclaim(ctx, s)
	}
	return shown, nil
}

// DeleteKey removes a key. Its usage is no longer reported.
func (g *Registry) DeleteKey(ctx context.Context, id string) error {
	_, k, err := g.readKey(ctx, id)
	if err != nil {
		return err
	}
	if err := g.store.Delete(ctx, Keys, id); err != nil {
		return err
	}
	for _, s := range k.Secrets {
		g.unclaim(ctx, s)
	}
	_, err = g.reload(ctx, Keys, id)
	return err
}

// Key returns a key, or ErrNotFound.
func (g *Registry) Key(ctx context.Context, id string) (Key, error) {
	_, k, err := g.readKey(ctx, id)
	if err != nil {
		return Key{}, err
	}
	list, err := g.withLastUse(ctx, []keyRecord{k})
	if err != nil {
		return Key{}, err
	}
	return list[0], nil
}

// Owner returns the ID of the key that a value is taken by, also if it counts no more, or
// ErrNotFound.
func (g *Registry) Owner(ctx context.Context, value string) (string, error) {
	d := digestOf(value)
	r, err := g.store.Get(ctx, Secrets, hex.EncodeToString(d[:]))
	if errors.Is(err, ErrNotFound) || checkValue(value) != nil {
		return "", fmt.Errorf("%w: no API Key has the value", ErrNotFound)
	}
	return string(r.Data), err
}

// HasValue reports whether a value is one of those by which a key is known now. A key that isn't
// there has none.
func (g *Registry) HasValue(ctx context.Context, id, value string) (bool, error) {
	_, k, err := g.readKey(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	now, d := time.Now(), digestOf(value)
	want := hex.EncodeToString(d[:])
	return err == nil && checkValue(value) == nil && slices.ContainsFunc(k.Secrets, func(s secretRecord) bool {
		return s.Digest == want && (s.Expires.IsZero() || s.Expires.After(now))
	}), err
}

// ListKeys returns up to limit keys whose IDs come after the given one, in the order of IDs.
func (g *Registry) ListKeys(ctx context.Context, after string, limit int) ([]Key, error) {
	page, err := g.store.List(ctx, Keys, after, limit)
	if err != nil {
		return nil, err
	}
	records := make([]keyRecord, len(page))
	for i, r := range page {
		if err := json.Unmarshal(r.Data, &records[i]); err != nil {
			return nil, fmt.Errorf("usageplan: key %s: %w", r.ID, err)
		}
	}
	return g.withLastUse(ctx, records)
}

// withLastUse returns keys as they are shown. The store is asked once for all of them when they
// were last used.
func (g *Registry) withLastUse(ctx context.Context, records []keyRecord) ([]Key, error) {
	ids, list := make([]string, len(records)), make([]Key, len(records))
	for i := range records {
		ids[i], list[i] = records[i].ID, records[i].shown()
	}
	used, err := g.store.LastUsed(ctx, ids...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].LastUsed = used[i]
	}
	return list, nil
}
