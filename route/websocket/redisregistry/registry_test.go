package redisregistry_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket/redisregistry"
	"github.com/gatekit-go/gatekit/route/websocket/websockettest"
)

func TestRegistry(t *testing.T) {
	websockettest.TestRegistry(t, nil, func(t *testing.T) websockettest.Store {
		return newFleet(t, miniredis.RunT(t).Addr()).store()
	})
}

func TestConfigRefusals(t *testing.T) {
	client := redis.NewClient(&redis.Options{ContextTimeoutEnabled: true})
	defer client.Close()
	deaf := redis.NewClient(&redis.Options{})
	defer deaf.Close()
	for _, tt := range []struct {
		name   string
		config redisregistry.Config
		want   string
	}{
		{"no-client", redisregistry.Config{Name: "a"}, "Client: want a redis.UniversalClient, got nil"},
		{"no-timeouts", redisregistry.Config{Client: deaf, Name: "a"}, "Client: want ContextTimeoutEnabled"},
		{"ring", redisregistry.Config{Client: redis.NewRing(&redis.RingOptions{}), Name: "a"}, "Client: want one Redis"},
		{"no-name", redisregistry.Config{Client: client}, `Name: want 1 to 64 letters, digits, - or _, got ""`},
		{"braces", redisregistry.Config{Client: client, Name: "a{b}"}, "Name: want"},
		{"short-lease", redisregistry.Config{Client: client, Name: "a", Lease: time.Millisecond}, "Lease: want 0s, or 1s to 5m0s, got 1ms"},
		{"margin", redisregistry.Config{Client: client, Name: "a", Margin: time.Hour}, "Margin: want 0s to 1m0s, got 1h0m0s"},
		{"timeout", redisregistry.Config{Client: client, Name: "a", Lease: 3 * time.Second, Timeout: 2 * time.Second}, "Timeout: want 0s to 1s, got 2s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := redisregistry.New(t.Context(), tt.config)
			require.ErrorContains(t, err, "redisregistry: Config."+tt.want)
		})
	}
}
