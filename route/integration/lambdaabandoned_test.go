package integration_test

import (
	"context"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

// invokerFunc is a function in this process.
type invokerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// A function whose client went away finishes what it has begun, as on Lambda. Then its context
// ends: nobody waits any longer, and what it has left running is told so, long before the timeout.
func TestAbandonedCallEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var called context.Context
		f := invokerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
			called = ctx
			time.Sleep(10 * time.Second)
			return []byte(`{"statusCode":200}`), nil
		})
		h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{}))
		ctx, cancel := context.WithCancel(t.Context())
		go serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		synctest.Wait()
		cancel()
		time.Sleep(9 * time.Second)
		require.NoError(t, called.Err(), "it goes on")
		time.Sleep(time.Second)
		synctest.Wait()
		require.ErrorIs(t, called.Err(), context.Canceled)
	})
}

// One that takes longer than the timeout is told so, with or without a client.
func TestSlowCallEnds(t *testing.T) {
	for _, gone := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan error, 1)
			f := invokerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
				<-ctx.Done()
				ended <- ctx.Err()
				return nil, ctx.Err()
			})
			h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{}))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if gone {
				time.AfterFunc(time.Second, cancel)
			}
			start := time.Now()
			serve(apiOf(gatekit.HTTP, "", h), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
			require.ErrorIs(t, <-ended, context.DeadlineExceeded)
			require.Equal(t, 30*time.Second, time.Since(start))
		})
	}
}
