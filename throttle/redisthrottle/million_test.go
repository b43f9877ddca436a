//go:build million

package redisthrottle

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/redistest"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
	"github.com/gatekit-go/gatekit/throttle/usageplan/usageplantest"
)

// TestMillion is behind a tag as it takes half a minute.
func TestMillion(t *testing.T) {
	server := redistest.Start(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr, ContextTimeoutEnabled: true})
	defer client.Close()
	s, err := NewStore(StoreConfig{Client: client, Name: "million", Timeout: 10 * time.Second})
	require.NoError(t, err)
	usageplantest.Large(t, s, 1_000_000, func(page []usageplan.Record) {
		pipe := client.Pipeline()
		for _, r := range page {
			pipe.EvalSha(t.Context(), putScript.Hash(), []string{s.table(usageplan.Keys)}, r.ID, r.Revision, r.Data)
		}
		if _, err := pipe.Exec(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
