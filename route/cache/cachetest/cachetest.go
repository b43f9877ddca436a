// Package cachetest is the test that every store of answers must pass. It imports no test library
// but testing.
package cachetest

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/route/cache"
)

// Run tests the stores that newStore makes, each empty.
func Run(t *testing.T, newStore func(t *testing.T) cache.Store) {
	for _, tt := range []struct {
		name string
		test func(*testing.T, cache.Store)
	}{
		{"keeps-what-is-put", keepsWhatIsPut}, {"replaces", replaces}, {"flush", flush}, {"tags", invalidateTags},
		{"answers-that-come-too-late", tooLate}, {"tags-of-others", othersTags}, {"at-once", atOnce},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, newStore(t)) })
	}
}

func key(name string) cache.Key { return sha256.Sum256([]byte(name)) }

func entry(body string, tags ...string) *cache.Entry {
	now := time.Now().UTC().Round(time.Millisecond)
	return &cache.Entry{
		Status: 201, Header: []cache.Field{{Name: "Content-Type", Values: []string{"text/plain"}}, {Name: "X-Two", Values: []string{"a", "b"}}},
		Body: []byte(body), Tags: tags, Made: now, Expires: now.Add(time.Minute), Stale: now.Add(2 * time.Minute),
	}
}

// latin1 has a header that isn't UTF-8, as old file names aren't.
func latin1() *cache.Entry {
	e := entry("")
	e.Header = []cache.Field{{Name: "Content-Disposition", Values: []string{"attachment; filename=caf\xe9", "<&>\u2028"}}, {Name: "Vary", Values: []string{"Accept"}, Added: true}}
	return e
}

func get(t *testing.T, s cache.Store, name string) (*cache.Entry, cache.Mark) {
	t.Helper()
	e, mark, err := s.Get(t.Context(), key(name))
	if err != nil {
		t.Fatalf("Get(%s): %v", name, err)
	}
	return e, mark
}

func put(t *testing.T, s cache.Store, name string, e *cache.Entry) {
	t.Helper()
	_, mark := get(t, s, name)
	if err := s.Put(t.Context(), key(name), e, mark); err != nil {
		t.Fatalf("Put(%s): %v", name, err)
	}
}

func wants(t *testing.T, s cache.Store, name, body string) {
	t.Helper()
	e, _ := get(t, s, name)
	switch {
	case body == "" && e != nil:
		t.Errorf("Get(%s): got %q, want nothing", name, e.Body)
	case body != "" && e == nil:
		t.Errorf("Get(%s): got nothing, want %q", name, body)
	case body != "" && string(e.Body) != body:
		t.Errorf("Get(%s): got %q, want %q", name, e.Body, body)
	}
}

func keepsWhatIsPut(t *testing.T, s cache.Store) {
	wants(t, s, "a", "")
	for name, e := range map[string]*cache.Entry{
		"whole": entry("body", "t1", "t2"), "binary": entry("\x00\xff\r\n", "t\xe9"), "latin-1": latin1(),
		"signpost": {Vary: []string{"Accept"}, Made: entry("").Made, Expires: entry("").Expires, Stale: entry("").Stale},
		"bare":     {Status: 204, Made: entry("").Made, Expires: entry("").Expires, Stale: entry("").Stale},
	} {
		put(t, s, name, e)
		got, _ := get(t, s, name)
		if got == nil {
			t.Fatalf("%s: got nothing", name)
		}
		if got.Status != e.Status || string(got.Body) != string(e.Body) || !got.Expires.Equal(e.Expires) || !got.Stale.Equal(e.Stale) ||
			len(got.Header)+len(e.Header) > 0 && !reflect.DeepEqual(got.Header, e.Header) || len(got.Vary)+len(e.Vary) > 0 && !reflect.DeepEqual(got.Vary, e.Vary) {
			t.Errorf("%s: got %+v, want %+v", name, got, e)
		}
	}
	wants(t, s, "another", "")
}

func replaces(t *testing.T, s cache.Store) {
	put(t, s, "a", entry("old"))
	put(t, s, "a", entry("new"))
	wants(t, s, "a", "new")
}

func flush(t *testing.T, s cache.Store) {
	put(t, s, "a", entry("1"))
	put(t, s, "b", entry("2", "t"))
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "")
	wants(t, s, "b", "")
	put(t, s, "a", entry("3"))
	wants(t, s, "a", "3")
}

func invalidateTags(t *testing.T, s cache.Store) {
	put(t, s, "a", entry("1", "t1"))
	put(t, s, "b", entry("2", "t1", "t2"))
	put(t, s, "c", entry("3", "t2"))
	put(t, s, "d", entry("4"))
	if err := s.InvalidateTags(t.Context(), "t1", "t9"); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "")
	wants(t, s, "b", "")
	wants(t, s, "c", "3")
	wants(t, s, "d", "4")
	put(t, s, "a", entry("5", "t1"))
	wants(t, s, "a", "5")
	put(t, s, "e", entry("6", "t\xe9"))
	if err := s.InvalidateTags(t.Context(), "t\xe9"); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "e", "")
	if err := s.InvalidateTags(t.Context()); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "5")
}

// An answer that was asked for before something was taken out, and comes after, may be old.
func tooLate(t *testing.T, s cache.Store) {
	_, mark := get(t, s, "a")
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), key("a"), entry("old"), mark); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "")
	_, mark = get(t, s, "a")
	if err := s.InvalidateTags(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), key("a"), entry("old", "t"), mark); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "")
}

// What is invalidated meanwhile, of others, leaves an answer without tags alone.
func othersTags(t *testing.T, s cache.Store) {
	_, mark := get(t, s, "a")
	if err := s.InvalidateTags(t.Context(), "t"); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), key("a"), entry("1"), mark); err != nil {
		t.Fatal(err)
	}
	wants(t, s, "a", "1")
}

func atOnce(t *testing.T, s cache.Store) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				name := fmt.Sprint(j % 5)
				_, mark, err := s.Get(t.Context(), key(name))
				if err == nil {
					err = s.Put(t.Context(), key(name), entry(name, "t"), mark)
				}
				if err == nil && i == 0 && j%10 == 9 {
					err = s.InvalidateTags(t.Context(), "t")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for j := range 5 {
		wants(t, s, fmt.Sprint(j), "")
	}
}
