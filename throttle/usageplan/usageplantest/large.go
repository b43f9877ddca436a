package usageplantest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// LargeKey is the i-th key of [Large], as a Registry stores one.
func LargeKey(i int) usageplan.Record {
	id := fmt.Sprintf("key-%d", i)
	data := fmt.Sprintf(`{"id":%q,"name":"customer %d","enabled":true,"created":"2026-01-02T03:04:05Z","updated":"2026-01-02T03:04:05Z",`+
		`"secrets":[{"sha256":"%064x","prefix":"abcd","created":"2026-01-02T03:04:05Z"}],"plans":[{"plan":"p","since":20500}]}`, id, i, i+1)
	return usageplan.Record{ID: id, Data: []byte(data)}
}

// Large tests a store with n keys, a million perhaps: a machine that follows it refuses a key that
// is disabled on another one within RegistryConfig.Refresh, 5 s, while n/5 more keys come in. put
// puts in new records of Keys, each as a change, as fast as it can. It logs how long a machine
// takes to start.
func Large(t *testing.T, s usageplan.Store, n int, put func([]usageplan.Record)) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	quiet := slog.New(slog.DiscardHandler)
	// This one administers, and never looks what others do.
	here, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: s, Refresh: 24 * time.Hour, Logger: quiet})
	noError(t, err)
	_, err = here.CreatePlan(ctx, usageplan.Plan{ID: "p", Name: "p", APIStages: []usageplan.APIStage{{APIID: "*", Stage: "*"}}})
	noError(t, err)
	_, value, err := here.CreateKey(ctx, usageplan.NewKey{ID: "shop", Enabled: true})
	noError(t, err)
	noError(t, here.AddKey(ctx, "p", "shop"))
	fill := func(from, to int) {
		for ; from < to; from += 1000 {
			page := make([]usageplan.Record, 0, 1000)
			for i := from; i < min(from+1000, to); i++ {
				page = append(page, LargeKey(i))
			}
			put(page)
		}
	}
	fill(0, n)

	began := time.Now()
	const refresh = 5 * time.Second
	there, err := usageplan.NewRegistry(ctx, usageplan.RegistryConfig{Store: s, MaxKeys: 2*n + 10, Refresh: refresh, Logger: quiet})
	noError(t, err)
	t.Logf("a machine starts with %d keys in %v", n, time.Since(began))
	l, err := usageplan.New(usageplan.Config{Registry: there})
	noError(t, err)
	admitted := func() bool {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("X-Api-Key", value)
		_, err := l.Check(r)
		return err == nil
	}
	until := func(want bool) time.Duration {
		from := time.Now()
		for ; admitted() != want; time.Sleep(time.Millisecond) {
			if time.Since(from) > time.Minute {
				t.Fatalf("after a minute a key's state isn't %v", want)
			}
		}
		return time.Since(from)
	}
	until(true)
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		fill(n, n+n/5)
	}()
	for _, on := range []bool{false, true, false} {
		_, err := here.UpdateKey(ctx, "shop", usageplan.KeyChange{Enabled: &on})
		noError(t, err)
		took := until(on)
		t.Logf("enabled=%v elsewhere after %v", on, took)
		if took > refresh {
			t.Errorf("a change took %v, want at most RegistryConfig.Refresh, %v", took, refresh)
		}
	}
	<-filled
}
