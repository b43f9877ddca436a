package websocket_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// Whoever asks, in whatever order, the deadline behaves as context.WithDeadline does.
func TestDeadlineIsAContext(t *testing.T) {
	type key struct{}
	for _, tt := range []struct {
		name string
		end  func(cancelParent, end func())
		want error
	}{
		{"deadline", func(_, _ func()) { time.Sleep(time.Second) }, context.DeadlineExceeded},
		{"parent", func(cancelParent, _ func()) { cancelParent() }, context.Canceled},
		{"end", func(_, end func()) { end() }, context.Canceled},
	} {
		for _, waits := range []string{"nobody", "itself", "a-child", "after-it"} {
			t.Run(tt.name+"-"+waits, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					parent, cancelParent := context.WithCancel(context.WithValue(context.Background(), key{}, "v"))
					defer cancelParent()
					ctx, end := websocket.NewDeadline(parent, time.Second)
					defer end()
					require.NoError(t, ctx.Err())
					at, ok := ctx.Deadline()
					require.True(t, ok)
					require.Equal(t, time.Second, time.Until(at))
					var done <-chan struct{}
					switch waits {
					case "itself":
						done = ctx.Done()
					case "a-child":
						child, cancel := context.WithCancel(ctx)
						defer cancel()
						done = child.Done()
					}
					tt.end(cancelParent, end)
					if waits == "after-it" {
						done = ctx.Done()
					}
					if done != nil {
						<-done
					}
					require.ErrorIs(t, ctx.Err(), tt.want)
					require.Equal(t, "v", ctx.Value(key{}))
				})
			})
		}
	}
}
