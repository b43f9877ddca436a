package usageplantest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// LargeKey is the i-th key of [Large], as a Registry stores one.
func LargeKey(i int) usageplan.Record {
	id := fmt.Sprintf("key-%d", i)
	const then = "2026-01-02T03:04:05Z"
	data := fmt.Sprintf(`{"id":%q,"name":"customer %d","enabled":true,"created":%q,"updated":%q,`+
		`"secrets":[{"sha256":"%064x","prefix":"abcd","created":%q}],"plans":[{"plan":"p","since":20500}]}`,
		id, i, then, then, i+1, then)
	return usageplan.Record{ID: id, Data: []byte(data)}
}

// Large tests a store with n keys, a million perhaps: a machine that follows it refuses a key that
// is disabled on another one within RegistryConfig.Refresh, 5 s, while n/5 more keys come in. put
// puts in new records of Keys, each as a change, as fast as it can. It logs how long a machine
// takes to start.
func Large(t *testing.T, s usageplan.Store, n int, put func([]usageplan.Record)) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// This one administers, and never looks what others do.
	here, _ := machine(ctx, t, usageplan.RegistryConfig{Store: s, Refresh: 24 * time.Hour})
	createPlan(ctx, t, here)
	value := createKey(ctx, t, here, "shop")
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
	_, admits := machine(ctx, t, usageplan.RegistryConfig{Store: s, MaxKeys: 2*n + 10, Refresh: refresh})
	t.Logf("a machine starts with %d keys in %v", n, time.Since(began))
	until(t, "the key is admitted", func() bool { return admits(value) })
	filled := make(chan struct{})
	go func() {
		defer close(filled)
		fill(n, n+n/5)
	}()
	for _, on := range []bool{false, true, false} {
		_, err := here.UpdateKey(ctx, "shop", usageplan.KeyChange{Enabled: &on})
		noError(t, err)
		took := until(t, fmt.Sprint("the key's state is ", on), func() bool { return admits(value) == on })
		t.Logf("enabled=%v elsewhere after %v", on, took)
		if took > refresh {
			t.Errorf("a change took %v, want at most RegistryConfig.Refresh, %v", took, refresh)
		}
	}
	<-filled
}
