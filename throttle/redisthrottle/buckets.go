package redisthrottle

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/bucket"
	"github.com/gatekit-go/gatekit/internal/circuit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/throttle"
)

// Mode says who decides.
type Mode uint8

const (
	// Exact asks Redis for each request.
	Exact Mode = iota
	// Leased takes tokens from Redis in advance.
	Leased
)

// Away says what becomes of requests while Redis can't be asked.
type Away uint8

const (
	// FailClosed refuses them: 503.
	FailClosed Away = iota
	// FailOpen lets them through.
	FailOpen
	// LocalShare limits them on this machine, to an equal share of the limit.
	LocalShare
)

// BucketsConfig configures [Buckets].
type BucketsConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Client is a connection to Redis, which stays the caller's to close. Required. Its options
	// want ContextTimeoutEnabled, as Timeout would mean nothing otherwise.
	Client redis.UniversalClient
	// Name tells these buckets from others in the same Redis: 1 to 64 letters, digits, "-" or "_".
	// Machines that share buckets share the name. Required.
	Name string
	// Mode is Exact or Leased.
	Mode Mode
	// Lease is how many tokens are taken in advance at the most, for one key on one machine. 0
	// means a tenth of what the limit gives in a second, and at most a tenth of its burst. Leased
	// only.
	Lease int
	// Away says what becomes of requests while Redis can't be asked.
	Away Away
	// Machines is among how many the limit is divided, for LocalShare only.
	Machines int
	// Timeout is how long a decision waits for Redis. 0 means 100 ms; 1 ms to 10 s.
	Timeout time.Duration
	// Secret, if any, is hashed together with keys, so that who sees Redis' memory can't find out
	// addresses and other keys of few possibilities by trying them all. All machines have the same.
	Secret []byte
	// MaxKeys is for how many keys this machine holds leases, or local shares, at the most. 0 means
	// 65,536.
	MaxKeys int
	// Logger is told when Redis goes away and comes back. nil means slog.Default.
	Logger *slog.Logger
}

// Buckets is token buckets in Redis. It starts no goroutine, and is safe for concurrent use.
type Buckets struct {
	client   redis.UniversalClient
	prefix   string
	mode     Mode
	lease    int
	away     Away
	machines int
	timeout  time.Duration
	secret   []byte
	maxKeys  int
	circuit  circuit.Circuit
	shares   *shares

	local  sync.Mutex
	tables map[throttle.Limit]*bucket.Table // of LocalShare
}

const (
	defaultTimeout = 100 * time.Millisecond
	minTimeout     = time.Millisecond
	maxTimeout     = 10 * time.Second
	defaultMaxKeys = 1 << 16
	maxLocalLimits = 1000
)

// NewBuckets returns Buckets, or one error that names every field it refuses. It asks Redis nothing
// yet.
func NewBuckets(c BucketsConfig) (*Buckets, error) {
	m := mistakes.In("redisthrottle: BucketsConfig")
	checkClient(m, c.Client)
	m.Require(isName(c.Name), "Name", wantName, c.Name)
	m.Require(c.Mode <= Leased, "Mode", "want Exact or Leased, got %d", c.Mode)
	m.Require(c.Lease == 0 || c.Lease > 0 && c.Mode == Leased,
		"Lease", "want 0, or a number of tokens with Leased, got %d", c.Lease)
	m.Require(c.Away <= LocalShare, "Away", "want FailClosed, FailOpen or LocalShare, got %d", c.Away)
	m.Require((c.Away == LocalShare) == (c.Machines > 0),
		"Machines", "want a number of machines with LocalShare, and 0 without, got %d", c.Machines)
	mistakes.RangeOrZero(m, "Timeout", c.Timeout, minTimeout, maxTimeout)
	mistakes.AtLeast(m, "MaxKeys", c.MaxKeys, 0)
	if err := m.Err(); err != nil {
		return nil, err
	}
	b := &Buckets{
		client: c.Client, prefix: "gatekit:b:" + c.Name + ":", mode: c.Mode, lease: c.Lease, away: c.Away,
		machines: c.Machines, timeout: cmp.Or(c.Timeout, defaultTimeout), maxKeys: cmp.Or(c.MaxKeys, defaultMaxKeys),
		secret: slices.Clone(c.Secret), circuit: newCircuit(c.Logger, c.Name),
		tables: map[throttle.Limit]*bucket.Table{},
	}
	if c.Mode == Leased {
		b.shares = newShares(b.maxKeys)
	}
	return b, nil
}

func newCircuit(log *slog.Logger, name string) circuit.Circuit {
	return circuit.Circuit{Logger: cmp.Or(log, slog.Default()), Package: "redisthrottle", Name: name}
}

// checkClient refuses a client that would wait for Redis however long it takes.
func checkClient(m *mistakes.Mistakes, c redis.UniversalClient) {
	enabled := true
	switch c := c.(type) {
	case nil:
		m.Add("Client", "want a redis.UniversalClient, got nil")
	case *redis.Client:
		enabled = c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		enabled = c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		enabled = c.Options().ContextTimeoutEnabled
	}
	m.Require(enabled, "Client",
		"want ContextTimeoutEnabled in its options, so that a slow Redis is waited for no longer than it may be")
}

const wantName = "want 1 to 64 letters, digits, - or _, got %.64q"

func isName(name string) bool {
	return name != "" && len(name) <= 64 && !strings.ContainsFunc(name, func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
	})
}

// ErrAway is what Take returns, with the cause, where Redis can't be asked and Away is FailClosed.
var ErrAway = errors.New("redisthrottle: Redis can't be asked")

// errOpen is ErrAway of all requests for which Redis wasn't even asked: through an outage, that is
// nearly every one.
var errOpen = fmt.Errorf("%w: %w", ErrAway, circuit.ErrOpen)

// Take takes a token from the bucket of key, whose size is l. Where there is none, it returns how
// long it takes until there is one; a limit with a 0 never has one. left is how many tokens there
// are then, as far as this machine knows. It implements usageplan.Buckets.
func (b *Buckets) Take(
	ctx context.Context, key string, l throttle.Limit,
) (ok bool, wait time.Duration, left int, err error) {
	v, err := b.take(ctx, key, l)
	return v.OK, v.Wait, v.Left, err
}

func (b *Buckets) take(ctx context.Context, key string, l throttle.Limit) (bucket.Verdict, error) {
	if err := l.Validate("Limit"); err != nil {
		return bucket.Verdict{}, err
	}
	if l.Rate == 0 || l.Burst == 0 {
		return bucket.Verdict{Wait: bucket.Never, Full: bucket.Never}, nil
	}
	if err := bucket.Check(l.Rate, l.Burst); err != nil { // the script would fail, and pass for a Redis that does
		return bucket.Verdict{}, fmt.Errorf("redisthrottle: Limit: %w", err)
	}
	d := b.digest(key)
	var v bucket.Verdict
	var err error
	if b.mode == Leased {
		v, err = b.spend(ctx, d, l)
	} else {
		var n int
		n, v, err = b.ask(ctx, d, l, 1, 1)
		v.OK = n == 1
	}
	if err == nil {
		return v, nil
	}
	if ctx.Err() != nil {
		return bucket.Verdict{}, ctx.Err() // the client has gone, whatever Redis does
	}
	if rc := gatekit.From(ctx); rc.Keeps(gatekit.KeepOutcomes) {
		rc.Note(gatekit.Note{Phase: gatekit.PhaseThrottle, Verdict: gatekit.Failed, Rule: ruleRedis, Err: err,
			Reason: awayReasons[b.away]})
	}
	return b.without(d, l, err)
}

// ask takes atLeast to atMost tokens in Redis.
func (b *Buckets) ask(
	ctx context.Context, d digest, l throttle.Limit, atLeast, atMost int,
) (int, bucket.Verdict, error) {
	probe, err := b.circuit.Enter(time.Now())
	if err != nil {
		return 0, bucket.Verdict{}, err
	}
	asking, cancel := context.WithTimeout(ctx, b.timeout)
	defer cancel()
	granted, v, err := runTake(asking, b.client, b.name(d), l, atLeast, atMost)
	b.circuit.Leave(probe, err, ctx, time.Now())
	return granted, v, err
}

// Give puts back a token that Take took. Where Redis can't be asked it is put back into this
// machine's share, or nowhere: one that is lost comes back by itself.
func (b *Buckets) Give(ctx context.Context, key string, l throttle.Limit) error {
	if l.Rate == 0 || l.Burst == 0 {
		return nil
	}
	d := b.digest(key)
	if b.circuit.IsOpen() {
		if b.away == LocalShare {
			table, err := b.table(l)
			if err == nil {
				table.Give(d.hash())
			}
			return err
		}
		return nil
	}
	if b.mode == Leased {
		b.shares.of(d).give()
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.timeout)
	defer cancel()
	return runGive(ctx, b.client, b.name(d), l)
}

// without decides while Redis is away.
func (b *Buckets) without(d digest, l throttle.Limit, cause error) (bucket.Verdict, error) {
	switch b.away {
	case FailOpen:
		return bucket.Verdict{OK: true}, nil
	case LocalShare:
		table, err := b.table(l)
		if err != nil {
			return bucket.Verdict{}, err
		}
		return table.Take(d.hash()), nil
	}
	if cause == circuit.ErrOpen { // as Enter returns it
		return bucket.Verdict{}, errOpen
	}
	return bucket.Verdict{}, fmt.Errorf("%w: %v", ErrAway, cause)
}

// table returns the buckets of this machine's share of l.
func (b *Buckets) table(l throttle.Limit) (*bucket.Table, error) {
	b.local.Lock()
	defer b.local.Unlock()
	if t := b.tables[l]; t != nil {
		return t, nil
	}
	if len(b.tables) >= maxLocalLimits {
		clear(b.tables) // limits that come and go: their callers start anew
	}
	t, err := bucket.New(l.Rate/float64(b.machines), max(l.Burst/b.machines, 1), b.maxKeys)
	if err != nil {
		return nil, fmt.Errorf("redisthrottle: Limit: %w", err)
	}
	b.tables[l] = t
	return t, nil
}

// digest names a bucket. Half of SHA-256 is enough for names that nobody can make equal.
type digest [16]byte

func (b *Buckets) digest(key string) digest { return digestOf(b.secret, key) }

func digestOf(secret []byte, key string) (d digest) {
	if len(secret) > 0 {
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(key))
		copy(d[:], mac.Sum(nil))
		return d
	}
	sum := sha256.Sum256([]byte(key))
	copy(d[:], sum[:])
	return d
}

func (d digest) hash() uint64 {
	var h uint64
	for _, c := range d[:8] {
		h = h<<8 | uint64(c)
	}
	return max(h, 1)
}

func (d digest) text() string { return base64.RawURLEncoding.EncodeToString(d[:]) }

func (b *Buckets) name(d digest) string { return b.prefix + d.text() }
