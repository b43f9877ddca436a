package flight_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/flight"
)

func TestManyWaitForOneCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, int]
		var calls, joined atomic.Int32
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				v, shared, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (int, error) {
					time.Sleep(time.Second)
					return int(calls.Add(1)), nil
				})
				if v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
				if shared {
					joined.Add(1)
				}
			})
		}
		all.Wait()
		require.EqualValues(t, 1, calls.Load())
		require.EqualValues(t, 49, joined.Load())

		v, shared, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (int, error) { return int(calls.Add(1)), nil })
		require.NoError(t, err)
		require.False(t, shared)
		require.Equal(t, 2, v, "a result is kept by nobody")
	})
}

func TestKeysAreApart(t *testing.T) {
	var g flight.Group[int, int]
	for i := range 3 {
		v, joined, err := g.Do(t.Context(), i, 0, nil, func(context.Context) (int, error) { return i, nil })
		require.NoError(t, err)
		require.False(t, joined)
		require.Equal(t, i, v)
	}
}

func TestWhoGivesUpLeavesTheOthersTheirCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, string]
		call := func(ctx context.Context) (string, error) {
			select {
			case <-time.After(time.Minute):
				return "done", nil
			case <-ctx.Done():
				return "", context.Cause(ctx)
			}
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var all sync.WaitGroup
		all.Go(func() { // the one that makes the call is the one that gives up
			_, _, err := g.Do(impatient, "a", 0, nil, call)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v", err)
			}
		})
		synctest.Wait()
		v, joined, err := g.Do(t.Context(), "a", 0, nil, call)
		require.NoError(t, err)
		require.True(t, joined)
		require.Equal(t, "done", v)
		all.Wait()
	})
}

func TestCallThatNobodyWaitsForIsCanceledAndForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, string]
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				_, _, _ = g.Do(ctx, "a", 0, nil, func(ctx context.Context) (string, error) {
					<-ctx.Done()
					ended <- ctx.Err()
					time.Sleep(time.Second) // and takes its time to end
					return "late", nil
				})
			})
		}
		synctest.Wait()
		cancel()
		all.Wait()
		require.ErrorIs(t, <-ended, context.Canceled)
		v, joined, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (string, error) { return "new", nil })
		require.NoError(t, err)
		require.False(t, joined, "the canceled call is nobody's any longer")
		require.Equal(t, "new", v)
		time.Sleep(time.Minute) // the canceled call ends by now
	})
}

func TestTimeout(t *testing.T) {
	for _, heeds := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var g flight.Group[string, string]
			release := make(chan struct{})
			defer close(release)
			began := time.Now()
			_, _, err := g.Do(t.Context(), "a", 5*time.Second, nil, func(ctx context.Context) (string, error) {
				if heeds {
					<-ctx.Done()
					return "", ctx.Err()
				}
				<-release
				return "", nil
			})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 5*time.Second, time.Since(began))
			_, joined, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (string, error) { return "", nil })
			require.NoError(t, err)
			require.False(t, joined)
		})
	}
}

// The call has the values of who made it, and not its deadline.
func TestCallsContext(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, "v"), time.Hour)
	defer cancel()
	c := flight.Start(ctx, 0, func(ctx context.Context) (any, error) {
		if _, ok := ctx.Deadline(); ok {
			return nil, errors.New("has a deadline")
		}
		return ctx.Value(key{}), nil
	})
	v, err := c.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, "v", v)
}

func TestPanicIsAnErrorOfEverybodyAndTellsNoValue(t *testing.T) {
	for _, tt := range []struct {
		name string
		call func()
		want string
	}{
		{"string", func() { panic("secret") }, "the call panicked with a string"},
		{"goexit", runtime.Goexit, "the call panicked with a <nil>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := flight.Start(t.Context(), 0, func(context.Context) (int, error) { tt.call(); return 7, nil })
			for range 2 {
				v, err := c.Wait(t.Context())
				var p *flight.PanicError
				require.ErrorAs(t, err, &p)
				require.EqualError(t, err, tt.want)
				require.Zero(t, v)
			}
		})
	}
}

func TestFoundMakesNoCall(t *testing.T) {
	var g flight.Group[string, int]
	v, joined, err := g.Do(t.Context(), "a", 0, func() (int, bool) { return 7, true },
		func(context.Context) (int, error) { return 0, errors.New("was made") })
	require.NoError(t, err)
	require.True(t, joined)
	require.Equal(t, 7, v)

	v, joined, err = g.Do(t.Context(), "a", 0, func() (int, bool) { return 7, false }, func(context.Context) (int, error) { return 8, nil })
	require.NoError(t, err)
	require.False(t, joined)
	require.Equal(t, 8, v)
}

func TestForgottenCallIsNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[string, string]
		old := func(context.Context) (string, error) { time.Sleep(time.Minute); return "old", nil }
		var all sync.WaitGroup
		all.Go(func() {
			v, _, err := g.Do(t.Context(), "a", 0, nil, old)
			if v != "old" || err != nil {
				t.Errorf("got %q, %v", v, err)
			}
		})
		synctest.Wait()
		g.Forget()
		var inner sync.WaitGroup
		inner.Go(func() {
			v, joined, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (string, error) { time.Sleep(2 * time.Minute); return "new", nil })
			if v != "new" || joined || err != nil {
				t.Errorf("got %q, %v, %v", v, joined, err)
			}
		})
		all.Wait()
		// The old call has ended and must not have taken the new one's place along.
		v, joined, err := g.Do(t.Context(), "a", 0, nil, func(context.Context) (string, error) { return "third", nil })
		require.NoError(t, err)
		require.True(t, joined)
		require.Equal(t, "new", v)
		inner.Wait()
	})
}

func TestCallThatIsMadeByHand(t *testing.T) {
	c := flight.New[int]()
	select {
	case <-c.Done():
		t.Fatal("done before it ended")
	default:
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Wait(ctx)
	require.ErrorIs(t, err, context.Canceled)

	require.True(t, c.End(1, nil))
	require.False(t, c.End(2, errors.New("late")))
	<-c.Done()
	v, err := c.Result()
	require.NoError(t, err)
	require.Equal(t, 1, v)
	v, err = c.Wait(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, v)
}

func ExampleGroup_Do() {
	var g flight.Group[string, string]
	v, joined, err := g.Do(context.Background(), "issuer", time.Second, nil, func(context.Context) (string, error) {
		return "keys", nil
	})
	fmt.Println(v, joined, err)
	// Output: keys false <nil>
}
