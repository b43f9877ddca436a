package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
)

const pageSize = 4096

// kept is a file with all that there is: trees of two levels, entries longer than a page,
// deletions, counts, and free pages.
func kept(t *testing.T) (file []byte, keys map[string]string) {
	path := filepath.Join(t.TempDir(), "keys.db")
	s, err := boltstore.Open(t.Context(), path, boltstore.Config{FlushEvery: time.Minute})
	require.NoError(t, err)
	keys = map[string]string{}
	put := func(table usageplan.Table, id string, n int) {
		data := strings.Repeat(id+" ", n)
		require.NoError(t, s.Put(t.Context(), table, usageplan.Record{ID: id, Data: []byte(data)}))
		if table == usageplan.Keys {
			keys[id] = data
		}
	}
	for i := range 60 {
		put(usageplan.Keys, fmt.Sprint("key-", i), 60)
		_, err := s.Add(t.Context(), usageplan.Counter{Plan: "p", Key: fmt.Sprint("key-", i), From: today, To: today + 31}, today, int64(i+1))
		require.NoError(t, err)
	}
	put(usageplan.Keys, "long", 3000)
	put(usageplan.Plans, "p", 10)
	put(usageplan.Secrets, "s", 10)
	for _, id := range []string{"key-7", "key-8"} {
		require.NoError(t, s.Delete(t.Context(), usageplan.Keys, id))
		delete(keys, id)
	}
	require.NoError(t, s.Close())
	file, err = os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, uint32(pageSize), binary.NativeEndian.Uint32(file[16+8:]), "the pages of this machine are of another size")
	return file, keys
}

// damages are what a bad disk, a copy that was cut off, or a hand makes of a file.
func damages(file []byte) map[string]func() []byte {
	list := map[string]func() []byte{}
	add := func(name string, f func(b []byte, rnd *rand.Rand) []byte) {
		list[name] = func() []byte { return f(bytes.Clone(file), rand.New(rand.NewPCG(1, uint64(len(name))))) }
	}
	for at := 0; at < len(file); at += pageSize {
		page := func(b []byte) []byte { return b[at : at+pageSize] }
		n := at / pageSize
		add(fmt.Sprintf("zero-%d", n), func(b []byte, _ *rand.Rand) []byte { clear(page(b)); return b })
		add(fmt.Sprintf("ones-behind-the-header-%d", n), func(b []byte, _ *rand.Rand) []byte {
			copy(page(b)[16:], bytes.Repeat([]byte{0xff}, pageSize))
			return b
		})
		add(fmt.Sprintf("count-%d", n), func(b []byte, _ *rand.Rand) []byte {
			binary.NativeEndian.PutUint16(page(b)[10:], 0xfffe)
			return b
		})
		add(fmt.Sprintf("kind-%d", n), func(b []byte, _ *rand.Rand) []byte { page(b)[8] ^= 3; return b })
		add(fmt.Sprintf("length-%d", n), func(b []byte, _ *rand.Rand) []byte { page(b)[16+12+3] = 0x7f; return b })
		add(fmt.Sprintf("long-%d", n), func(b []byte, _ *rand.Rand) []byte { page(b)[12+2] = 1; return b })
		add(fmt.Sprintf("elsewhere-%d", n), func(b []byte, rnd *rand.Rand) []byte {
			other := rnd.IntN(len(b) / pageSize)
			copy(page(b), b[other*pageSize:(other+1)*pageSize])
			return b
		})
		add(fmt.Sprintf("loop-%d", n), func(b []byte, _ *rand.Rand) []byte { // a page that is its own branch
			binary.NativeEndian.PutUint16(page(b)[8:], 1)
			for i := 16; i+16 <= pageSize; i += 16 {
				binary.NativeEndian.PutUint64(page(b)[i+8:], uint64(n))
			}
			return b
		})
		for i := range 4 {
			add(fmt.Sprintf("bits-%d-%d", n, i), func(b []byte, _ *rand.Rand) []byte {
				rnd := rand.New(rand.NewPCG(uint64(at), uint64(i)))
				for range 1 + i*4 {
					page(b)[rnd.IntN([]int{16, 64, 256, pageSize}[i])] ^= 1 << rnd.IntN(8)
				}
				return b
			})
		}
		add(fmt.Sprintf("cut-off-%d", n), func(b []byte, _ *rand.Rand) []byte { return b[:at+pageSize/2] })
	}
	return list
}

// A file that is damaged in whatever way is an error that says so and what to do, or works as far
// as it goes; nothing panics or hangs, then or later. What is recovered of it is what was there.
//
// A synced write takes a hundred times as long as all the rest, so that only some of the files are
// written to, and parts of the list wait for the disk at the same time.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	file, keys := kept(t)
	all := damages(file)
	names := slices.Sorted(maps.Keys(all))
	var tried, recovered atomic.Int64
	t.Cleanup(func() { // after all parts
		require.Greater(t, recovered.Load(), tried.Load()/2)
	})
	const parts = 8
	for part := range parts {
		t.Run(fmt.Sprint("part-", part), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for i, name := range names {
				if i%parts != part {
					continue
				}
				damage, writes := all[name], i%17 == 0
				path, saved := filepath.Join(dir, "damaged.db"), filepath.Join(dir, "saved.db")
				require.NoError(t, os.WriteFile(path, damage(), 0o600))
				_ = os.Remove(saved)
				use(t, path, name, true, writes)
				if !writes {
					continue
				}
				require.NoError(t, os.WriteFile(path, damage(), 0o600))
				tried.Add(1)
				if recoverAs(t, name, path, saved, keys) {
					recovered.Add(1)
				}
			}
		})
	}
}

// recoverAs reports whether a damaged file could be recovered, and checks that what was recovered
// is what was there.
func recoverAs(t *testing.T, name, path, saved string, keys map[string]string) bool {
	r, err := boltstore.Recover(path, saved)
	if err != nil {
		require.ErrorIs(t, err, boltstore.ErrDamaged, name)
		return false
	}
	for id, data := range use(t, saved, name, false, true) {
		// A bit of what is kept is nobody's to see; and the long key's pages but the first have
		// nothing but that.
		if !strings.HasPrefix(name, "bits") && id != "long" {
			require.True(t, keys[id] == data, "%s: %s is %.100q", name, id, data)
		}
	}
	require.True(t, len(r.Lost) > 0 || r.Keys >= len(keys)-1 || strings.HasPrefix(name, "bits"), "%s: %+v", name, r)
	return true
}

// use opens a file, does everything with it, and returns its keys, or nil if it doesn't open.
func use(t *testing.T, path, name string, mayFail, writes bool) map[string]string {
	s, err := boltstore.Open(t.Context(), path, boltstore.Config{FlushEvery: time.Minute, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		require.True(t, mayFail, "%s: %v", name, err)
		require.ErrorIs(t, err, boltstore.ErrDamaged, name)
		require.ErrorContains(t, err, "boltstore.Recover", name)
		require.NotContains(t, err.Error(), "another process", name)
		return nil
	}
	ctx := t.Context()
	found := map[string]string{}
	list, err := s.List(ctx, usageplan.Keys, "", 1000)
	for _, r := range list {
		found[r.ID] = string(r.Data)
	}
	errs := []error{err}
	for _, r := range list {
		if !writes {
			break
		}
		errs = append(errs, s.Put(ctx, usageplan.Keys, r), s.Delete(ctx, usageplan.Keys, r.ID))
		if len(errs) > 6 {
			break
		}
	}
	_, err = s.Changes(ctx, usageplan.Span{Table: usageplan.Keys}, 1000)
	errs = append(errs, err)
	_, err = s.Changes(ctx, usageplan.Span{Table: usageplan.Keys, New: true}, 1000)
	errs = append(errs, err)
	_, err = s.LastUsed(ctx, "key-1")
	errs = append(errs, err, s.Flush(ctx), s.Close())
	for _, err := range errs {
		require.True(t, err == nil || mayFail && errors.Is(err, boltstore.ErrDamaged), "%s: %v", name, err)
	}
	return found
}

// A file that is whole is recovered whole, and anything but keys is, too.
func TestRecover(t *testing.T) {
	t.Parallel() // as it waits for the lock of a file that is in use
	file, keys := kept(t)
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src.db"), filepath.Join(dir, "dst.db")
	require.NoError(t, os.WriteFile(src, file, 0o600))
	r, err := boltstore.Recover(src, dst)
	require.NoError(t, err)
	require.Equal(t, boltstore.Recovery{Keys: len(keys), Plans: 1, Counts: 60}, r)
	s := open(t, dst, boltstore.Config{})
	now, _, err := s.Days(t.Context(), usageplan.Counter{Plan: "p", Key: "key-5", From: today, To: today + 31})
	require.NoError(t, err)
	require.EqualValues(t, 6, now.Used)
	secret, err := s.Get(t.Context(), usageplan.Secrets, "s")
	require.NoError(t, err)
	require.EqualValues(t, 1, secret.Revision)
	made, err := s.Changes(t.Context(), usageplan.Span{Table: usageplan.Keys, New: true, Since: -1}, 1000)
	require.NoError(t, err)
	require.Len(t, made, len(keys), "who follows the new file finds all")

	_, err = boltstore.Recover(src, dst)
	require.ErrorContains(t, err, "is there already")
	_, err = boltstore.Recover(filepath.Join(dir, "none"), filepath.Join(dir, "new"))
	require.ErrorIs(t, err, os.ErrNotExist)
	busy := open(t, src, boltstore.Config{})
	_, err = boltstore.Recover(src, filepath.Join(dir, "new"))
	require.ErrorContains(t, err, "another process may have it")
	require.NoError(t, busy.Close())
}

// A file that is damaged while it is in use is an error from then on, and the store still closes.
func TestDamagedWhileOpen(t *testing.T) {
	t.Parallel()
	file, _ := kept(t)
	for name, damage := range map[string]func(f *os.File) error{
		"cut-off": func(f *os.File) error { return f.Truncate(2 * pageSize) },
		"zeroed": func(f *os.File) error {
			_, err := f.WriteAt(make([]byte, len(file)-2*pageSize), 2*pageSize)
			return err
		},
		"ones": func(f *os.File) error {
			_, err := f.WriteAt(bytes.Repeat([]byte{0xff}, len(file)-2*pageSize), 2*pageSize)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys.db")
			require.NoError(t, os.WriteFile(path, file, 0o600))
			s, err := boltstore.Open(t.Context(), path, boltstore.Config{FlushEvery: time.Minute, Logger: slog.New(slog.DiscardHandler)})
			require.NoError(t, err)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			require.NoError(t, err)
			require.NoError(t, damage(f))
			require.NoError(t, f.Close())
			require.ErrorIs(t, s.Put(t.Context(), usageplan.Keys, usageplan.Record{ID: "new"}), boltstore.ErrDamaged)
			_, err = s.Get(t.Context(), usageplan.Keys, "key-1")
			require.ErrorIs(t, err, boltstore.ErrDamaged)
			_, err = s.List(t.Context(), usageplan.Keys, "", 10)
			require.ErrorIs(t, err, boltstore.ErrDamaged)
			_, err = s.Add(t.Context(), counter, today, 1)
			require.NoError(t, err, "counts are in memory")
			require.ErrorIs(t, s.Flush(t.Context()), boltstore.ErrDamaged)
			_, _, err = s.Reserve(t.Context(), counter, today, 1, 1, 10)
			require.ErrorIs(t, err, boltstore.ErrDamaged, "they can't be written any more")
			require.Error(t, s.Close())
		})
	}
}
