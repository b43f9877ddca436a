// Package rediscache keeps the answers of a cache in Redis or Valkey, which the machines of a fleet
// share.
//
// Each command is of one key, or of two in one slot, so a Cluster will do. Every key expires: an
// answer when it is no longer served, what tells of a flush or of tags that were invalidated a
// little later than the last answer that it is about. Keys are digests. What Redis evicts for want
// of memory is a miss; but a policy that evicts keys before they expire (allkeys-…) may take out
// the word of an invalidation before the answers that it is about, so use noeviction or a volatile
// policy with room.
//
// # How much Redis holds
//
// The answers of one Name take at most [Config.MaxBytes], whoever asks for whatever: what a client
// puts into a query makes no more. Counted are an answer's headers and body as they are kept and a
// quarter more, its key, and 512 bytes: what Redis and the index need beside them is less. Beside
// that there are two words, and one of some 150 bytes for each tag that was invalidated in the last
// two hours. What is dropped to make room is what would expire first. An answer that is larger than
// an eighth of the bound isn't kept. All machines of a fleet should say the same bound. An answer
// that was flushed counts until it is dropped or expires.
//
// Where Redis is away, or slower than [Config.Timeout], requests go on to the integration; after
// some failures in a row it isn't asked for about a second.
package rediscache

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/circuit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/route/cache"
)

// Config configures a [Store].
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Client is a connection to Redis, which stays the caller's to close. Required. Its options
	// want ContextTimeoutEnabled.
	Client redis.UniversalClient
	// Name tells this cache from others in the same Redis: 1 to 64 letters, digits, "-" or "_".
	// Required.
	Name string
	// MaxBytes is how much the answers may take in Redis, those of all machines with this Name
	// together. 0 means 256 MiB; at least 64 KiB.
	MaxBytes int64
	// Timeout is how long a call waits for Redis. 0 means 50 ms; 1 ms to 10 s.
	Timeout time.Duration
	// Logger gets that Redis is away, and that it is back. nil means slog.Default().
	Logger *slog.Logger
}

// Store is a [cache.Store] in Redis. It is safe for concurrent use.
type Store struct {
	client   redis.UniversalClient
	prefix   string
	timeout  time.Duration
	maxBytes int64
	circuit  circuit.Circuit
}

var _ cache.Store = (*Store)(nil)

var nameForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// minBytes is the least bound in which an answer finds room: none takes more than an eighth of it.
const minBytes = 64 << 10

// New returns a Store, or one error that names every field it refuses. It asks Redis nothing yet.
func New(cfg Config) (*Store, error) {
	m := mistakes.In("rediscache: Config")
	m.Require(cfg.Client != nil, "Client", "want a connection to Redis, got nil")
	m.Require(nameForm.MatchString(cfg.Name), "Name", "want 1 to 64 letters, digits, - or _, got %.70q", cfg.Name)
	mistakes.RangeOrZero(m, "Timeout", cfg.Timeout, time.Millisecond, 10*time.Second)
	m.Require(cfg.MaxBytes == 0 || cfg.MaxBytes >= minBytes,
		"MaxBytes", "want 0 or at least %d, got %d", minBytes, cfg.MaxBytes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Store{
		client: cfg.Client, prefix: "gatekit:c:" + cfg.Name + ":",
		timeout: cmp.Or(cfg.Timeout, 50*time.Millisecond), maxBytes: cmp.Or(cfg.MaxBytes, 256<<20),
		circuit: circuit.Circuit{Logger: cmp.Or(cfg.Logger, slog.Default()), Package: "rediscache", Name: cfg.Name},
	}, nil
}

// An answer is kept together with what flush and its tags were when it was asked for. Each is a
// random word, written anew by Flush and InvalidateTags: an answer with another word than today's
// is one that was taken out. epoch is the word of the last invalidation of any tags, as nobody
// knows an answer's tags when it is asked for.
func (s *Store) answer(key cache.Key) string {
	return s.prefix + "a:" + base64.RawURLEncoding.EncodeToString(key[:])
}
func (s *Store) flush() string { return s.prefix + "flush" }
func (s *Store) epoch() string { return s.prefix + "epoch" }
func (s *Store) tag(tag string) string {
	return s.prefix + "t:" + base64.RawURLEncoding.EncodeToString([]byte(tag))
}

// lasts is longer than any answer does: the longest TTL, the longest time that a stale one is
// served, and room for clocks.
const lasts = 2*gatekit.MaxCacheTTL + 10*time.Minute

// kept is an answer as Redis has it, but for its body, which follows. What the backend says is kept
// as bytes: JSON would replace what isn't UTF-8.
type kept struct {
	Vary                 []string `json:"v,omitempty"`
	Status               int      `json:"s,omitempty"`
	Header               []field  `json:"h,omitempty"`
	Tags                 [][]byte `json:"t,omitempty"`
	Made, Expires, Stale int64    // Unix milliseconds
	Flush                string   `json:"f,omitempty"`
	TagWords             []string `json:"w,omitempty"`
}

// field is a cache.Field.
type field struct {
	Name   string   `json:"n"`
	Values [][]byte `json:"v"`
	Added  bool     `json:"a,omitempty"`
}

func keptHeader(header []cache.Field) []field {
	out := make([]field, len(header))
	for i, f := range header {
		out[i] = field{f.Name, bytesOf(f.Values), f.Added}
	}
	return out
}

func headerOf(kept []field) []cache.Field {
	out := make([]cache.Field, len(kept))
	for i, f := range kept {
		out[i] = cache.Field{Name: f.Name, Values: textsOf(f.Values), Added: f.Added}
	}
	return out
}

func bytesOf(texts []string) [][]byte {
	out := make([][]byte, len(texts))
	for i, s := range texts {
		out[i] = []byte(s)
	}
	return out
}

func textsOf(list [][]byte) []string {
	out := make([]string, len(list))
	for i, b := range list {
		out[i] = string(b)
	}
	return out
}

var errForm = errors.New("rediscache: Redis holds something that is no answer")

func encode(k kept, body []byte) ([]byte, error) {
	meta, err := json.Marshal(k)
	if err != nil {
		return nil, err
	}
	b := binary.AppendUvarint(make([]byte, 0, len(meta)+len(body)+4), uint64(len(meta)))
	return append(append(b, meta...), body...), nil
}

func decode(b []byte) (k kept, body []byte, err error) {
	n, at := binary.Uvarint(b)
	if at <= 0 || n > uint64(len(b)-at) {
		return kept{}, nil, errForm
	}
	meta, body := b[at:at+int(n)], b[at+int(n):]
	if json.Unmarshal(meta, &k) != nil || !k.isWhole() {
		return kept{}, nil, errForm
	}
	return k, body, nil
}

// isWhole reports whether k may be one that was kept here: a signpost, which has Vary and no
// status, or an answer, and a word for each tag.
func (k *kept) isWhole() bool {
	signpost := k.Status == 0
	return signpost == (k.Vary != nil) && (signpost || k.Status >= 200 && k.Status <= 999) &&
		len(k.Tags) == len(k.TagWords)
}

// Get implements [cache.Store]. It takes one round trip, and one more for an answer with tags.
func (s *Store) Get(ctx context.Context, key cache.Key) (*cache.Entry, cache.Mark, error) {
	var k kept
	var body []byte
	var mark cache.Mark
	found := false
	err := s.ask(ctx, func(ctx context.Context) error {
		pipe := s.client.Pipeline()
		answer, flush, epoch := pipe.Get(ctx, s.answer(key)), pipe.Get(ctx, s.flush()), pipe.Get(ctx, s.epoch())
		if err := exec(ctx, pipe); err != nil {
			return err
		}
		mark.Epoch = flush.Val() + " " + epoch.Val()
		raw, err := answer.Bytes()
		if err != nil { // not there
			return nil
		}
		if k, body, err = decode(raw); err != nil {
			return err
		}
		if k.Flush != flush.Val() {
			return nil
		}
		words, err := s.words(ctx, textsOf(k.Tags))
		found = err == nil && slices.Equal(words, k.TagWords)
		return err
	})
	if err != nil || !found {
		return nil, mark, err
	}
	return &cache.Entry{
		Vary: k.Vary, Status: k.Status, Header: headerOf(k.Header), Body: body, Tags: textsOf(k.Tags),
		Made: time.UnixMilli(k.Made), Expires: time.UnixMilli(k.Expires), Stale: time.UnixMilli(k.Stale),
	}, mark, nil
}

// exec returns the first error of a command that isn't only that its key isn't there. Exec's own
// may hide one behind that.
func exec(ctx context.Context, pipe redis.Pipeliner) error {
	cmds, _ := pipe.Exec(ctx)
	for _, cmd := range cmds {
		if err := cmd.Err(); err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
	}
	return nil
}

// words returns the tags' words of now; nil for none.
func (s *Store) words(ctx context.Context, tags []string) ([]string, error) {
	if len(tags) == 0 {
		return nil, nil
	}
	pipe := s.client.Pipeline()
	got := make([]*redis.StringCmd, len(tags))
	for i, tag := range tags {
		got[i] = pipe.Get(ctx, s.tag(tag))
	}
	if err := exec(ctx, pipe); err != nil {
		return nil, err
	}
	words := make([]string, len(tags))
	for i := range got {
		words[i] = got[i].Val()
	}
	return words, nil
}

// Put implements [cache.Store]. An answer with tags is kept with the words that they have now, if
// no tag was invalidated since mark: epoch is read after them, so the words of now are then those
// of mark.
func (s *Store) Put(ctx context.Context, key cache.Key, e *cache.Entry, mark cache.Mark) error {
	left := time.Until(e.Stale)
	if left <= 0 {
		return nil
	}
	flush, epoch, asked := strings.Cut(mark.Epoch, " ")
	if !asked {
		return nil // it was asked for while Redis was away
	}
	return s.ask(ctx, func(ctx context.Context) error {
		words, err := s.words(ctx, e.Tags)
		if err != nil {
			return err
		}
		if len(e.Tags) > 0 {
			if now, err := s.client.Get(ctx, s.epoch()).Result(); err != nil && !errors.Is(err, redis.Nil) {
				return err
			} else if now != epoch {
				return nil
			}
		}
		b, err := encode(kept{
			Vary: e.Vary, Status: e.Status, Header: keptHeader(e.Header), Tags: bytesOf(e.Tags),
			Flush: flush, TagWords: words,
			Made: e.Made.UnixMilli(), Expires: e.Expires.UnixMilli(), Stale: e.Stale.UnixMilli(),
		}, e.Body)
		if err != nil {
			return err
		}
		if ok, err := s.admit(ctx, s.answer(key), len(b), e.Stale); !ok || err != nil {
			return err
		}
		return s.client.Set(ctx, s.answer(key), b, left).Err()
	})
}

// Flush implements [cache.Store]. What was there is taken out by Redis when it expires.
func (s *Store) Flush(ctx context.Context) error {
	return s.ask(ctx, func(ctx context.Context) error {
		return s.client.Set(ctx, s.flush(), rand.Text(), lasts).Err()
	})
}

// InvalidateTags implements [cache.Store].
func (s *Store) InvalidateTags(ctx context.Context, tags ...string) error {
	if len(tags) == 0 {
		return nil
	}
	return s.ask(ctx, func(ctx context.Context) error {
		// Epoch first: who reads it as it was before reads the tags' words as they were before,
		// too.
		if err := s.client.Set(ctx, s.epoch(), rand.Text(), lasts).Err(); err != nil {
			return err
		}
		pipe := s.client.Pipeline()
		for _, tag := range tags {
			pipe.Set(ctx, s.tag(tag), rand.Text(), lasts)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
}

// ask runs f with the deadline, unless Redis has failed too often.
func (s *Store) ask(ctx context.Context, f func(context.Context) error) error {
	probe, err := s.circuit.Enter(time.Now())
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err = f(asking)
	s.circuit.Leave(probe, err, ctx, time.Now())
	return err
}
