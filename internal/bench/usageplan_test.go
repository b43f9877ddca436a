package bench

import (
	"encoding/binary"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/boltstore"
)

const planKey = "shop-shop-shop-shop-shop-shop-shop-shop-"

// planned is an API stage whose callers have a plan with all that a plan can have.
func planned(tb testing.TB, store usageplan.Store, mode usageplan.Mode) (http.Handler, *http.Request) {
	ctx := tb.Context()
	g := must[*usageplan.Registry](tb)(usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: store}))
	wide := usageplan.Throttle{RateLimit: 1e9, BurstLimit: aLot}
	must[usageplan.Plan](tb)(g.CreatePlan(ctx, usageplan.Plan{
		ID: "gold", Name: "gold", APIStages: []usageplan.APIStage{{APIID: "a1b2c3", Stage: "prod", Throttle: map[string]usageplan.Throttle{"/pets/GET": wide}}},
		Throttle: &wide, Quota: &usageplan.Quota{Limit: 1 << 49, Period: usageplan.Month, Mode: mode},
	}))
	for i := range 1000 { // it isn't the only key
		value := planKey
		if i > 0 {
			value = ""
		}
		if _, _, err := g.CreateKey(ctx, usageplan.NewKey{Value: value, ID: "k" + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676)), Enabled: true}); err != nil {
			tb.Fatal(err)
		}
		if benchtimeIsOnce() {
			break
		}
	}
	if err := g.AddKey(ctx, "gold", "kaaa"); err != nil {
		tb.Fatal(err)
	}
	rc, r := gatekit.Attach(request("GET", "/pets", "X-Api-Key", planKey))
	rc.API, rc.Route = &gatekit.API{APIID: "a1b2c3", Stage: "prod"}, &gatekit.Route{Key: "GET /pets"}
	l := must[*usageplan.Limiter](tb)(usageplan.New(usageplan.Config{Registry: g}))
	return l.Middleware(nothing), r
}

func BenchmarkUsagePlan(b *testing.B) {
	for name, mode := range map[string]usageplan.Mode{"exact": usageplan.Exact, "fast": usageplan.Fast} {
		h, r := planned(b, must[*usageplan.Memory](b)(usageplan.NewMemory(0)), mode)
		b.Run("store=memory/quota="+name, func(b *testing.B) { measure(b, h, r, 200) })
	}
	h, r := planned(b, must[*usageplan.Memory](b)(usageplan.NewMemory(0)), usageplan.Exact)
	b.Run("store=memory/request=unknown-key", func(b *testing.B) {
		r := r.Clone(r.Context())
		r.Header.Set("X-Api-Key", "nobody-nobody-nobody-nobody-nobody-nobod")
		measure(b, h, r, 403)
	})
}

// BenchmarkQuotaFile counts requests in a file: by boltstore, whose counts are durable a tenth of a second later, and by one transaction each,
// whose counts are so at once.
func BenchmarkQuotaFile(b *testing.B) {
	store, err := boltstore.Open(b.Context(), filepath.Join(b.TempDir(), "keys.db"), boltstore.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	h, r := planned(b, store, usageplan.Exact)
	b.Run("by=gatekit", func(b *testing.B) {
		measure(b, h, r, 200)
		if err := store.Flush(b.Context()); err != nil { // the last of them, too
			b.Fatal(err)
		}
	})
	b.Run("by=one-durable-update-each", func(b *testing.B) {
		db, err := bbolt.Open(filepath.Join(b.TempDir(), "counts.db"), 0o600, nil)
		if err != nil {
			b.Fatal(err)
		}
		defer db.Close()
		var counted atomic.Uint64
		for b.Loop() {
			err := db.Update(func(tx *bbolt.Tx) error {
				counts, err := tx.CreateBucketIfNotExists([]byte("counts"))
				if err != nil {
					return err
				}
				return counts.Put([]byte("gold/kaaa"), binary.BigEndian.AppendUint64(nil, counted.Add(1)))
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
