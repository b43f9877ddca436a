package accesslog_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

// batches keeps what each Write gets.
type batches struct {
	mu   sync.Mutex
	all  []string
	fail func(b []byte) (int, error) // nil: takes all
}

func (b *batches) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail(p)
	}
	b.all = append(b.all, string(p))
	return len(p), nil
}

func (b *batches) seen() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all
}

func newWriter(t *testing.T, cfg accesslog.WriterConfig) *accesslog.Writer {
	t.Helper()
	w, err := accesslog.NewWriter(t.Context(), cfg)
	require.NoError(t, err)
	return w
}

func TestRefusedWriterConfigs(t *testing.T) {
	_, err := accesslog.NewWriter(t.Context(), accesslog.WriterConfig{MaxBytes: 1, Wait: -1, Delay: 2 * time.Minute})
	for _, want := range []string{
		"WriterConfig.To: want an io.Writer", "WriterConfig.MaxBytes: want 0, or 1048576 or more, got 1", "WriterConfig.Wait: want 0s to 1m0s", "WriterConfig.Delay: want 0 to 1m0s",
	} {
		require.ErrorContains(t, err, want)
	}
}

// Lines wait for company, and come whole and in order.
func TestBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &batches{}
		w := newWriter(t, accesslog.WriterConfig{To: to})
		write := func(text string) {
			n, err := w.Write([]byte(text))
			require.NoError(t, err)
			require.Equal(t, len(text), n)
		}
		write("a\n")
		write("b")
		write("")
		write("c\nd\n")
		synctest.Wait()
		require.Empty(t, to.seen())
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		require.Equal(t, []string{"a\nb\nc\nd\n"}, to.seen())
		write("e\n")
		require.NoError(t, w.Close(t.Context()))
		require.Equal(t, []string{"a\nb\nc\nd\n", "e\n"}, to.seen())
		_, err := w.Write([]byte("f\ng"))
		require.ErrorIs(t, err, accesslog.ErrDropped)
		require.EqualValues(t, 2, w.Dropped())
		require.NoError(t, w.Close(t.Context()), "again")
	})
}

func TestNoDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &batches{}
		ctx, cancel := context.WithCancel(t.Context())
		w, err := accesslog.NewWriter(ctx, accesslog.WriterConfig{To: to, Delay: gatekit.Off})
		require.NoError(t, err)
		_, _ = w.Write([]byte("a\n"))
		synctest.Wait()
		require.Equal(t, []string{"a\n"}, to.seen())
		_, _ = w.Write([]byte("b\n"))
		cancel()
		synctest.Wait()
		require.Equal(t, []string{"a\n", "b\n"}, to.seen(), "the end of the context writes what is there")
	})
}

// Half a buffer doesn't wait.
func TestUrgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &batches{}
		w := newWriter(t, accesslog.WriterConfig{To: to, Delay: time.Minute, MaxBytes: accesslog.MaxLine})
		line := []byte(strings.Repeat("x", accesslog.MaxLine/2-1) + "\n")
		_, _ = w.Write(line)
		synctest.Wait()
		require.Len(t, to.seen(), 1)
		require.NoError(t, w.Close(t.Context()))
	})
}

// stuck takes nothing until it is let.
type stuck struct {
	batches
	let chan struct{}
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.let
	return s.batches.Write(p)
}

// A writer that can't keep up costs lines, the newest ones, and no request waits.
func TestDropsTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stuck{let: make(chan struct{})}
		w := newWriter(t, accesslog.WriterConfig{To: to, MaxBytes: accesslog.MaxLine, Delay: gatekit.Off})
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait() // it is being written
		big := strings.Repeat("x", accesslog.MaxLine-10) + "\n"
		_, err := w.Write([]byte(big))
		require.NoError(t, err)
		began := time.Now()
		_, err = w.Write([]byte("more than there is room for\n"))
		require.ErrorIs(t, err, accesslog.ErrDropped)
		require.Equal(t, began, time.Now())
		_, err = w.Write([]byte("fits\n"))
		require.NoError(t, err)
		close(to.let)
		require.NoError(t, w.Close(t.Context()))
		require.Equal(t, "first\n"+big+"fits\n", strings.Join(to.seen(), ""))
		require.EqualValues(t, 1, w.Dropped())
	})
}

func TestWaitsForRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stuck{let: make(chan struct{})}
		w := newWriter(t, accesslog.WriterConfig{To: to, MaxBytes: accesslog.MaxLine, Delay: gatekit.Off, Wait: time.Second})
		full := []byte(strings.Repeat("x", accesslog.MaxLine-2) + "\n")
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait()
		_, err := w.Write(full)
		require.NoError(t, err)
		began := time.Now()
		_, err = w.Write([]byte("late\n"))
		require.ErrorIs(t, err, accesslog.ErrDropped)
		require.Equal(t, time.Second, time.Since(began))
		var waiters sync.WaitGroup
		for range 3 {
			waiters.Go(func() {
				_, err := w.Write([]byte("in time\n"))
				if err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		close(to.let)
		waiters.Wait()
		_, err = w.Write(full)
		require.NoError(t, err)
		require.NoError(t, w.Close(t.Context()))
		require.Equal(t, 3, strings.Count(strings.Join(to.seen(), ""), "in time\n"))
		require.EqualValues(t, 1, w.Dropped())
	})
}

// Waiting ends when the writer does.
func TestCloseWithWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &stuck{let: make(chan struct{})}
		w := newWriter(t, accesslog.WriterConfig{To: to, MaxBytes: accesslog.MaxLine, Delay: gatekit.Off, Wait: time.Minute})
		_, _ = w.Write([]byte("first\n"))
		synctest.Wait()
		_, _ = w.Write([]byte(strings.Repeat("x", accesslog.MaxLine-2) + "\n"))
		var waiter sync.WaitGroup
		waiter.Go(func() { _, _ = w.Write([]byte("waits\n")) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Close(ctx), context.DeadlineExceeded)
		close(to.let)
		waiter.Wait()
		require.NoError(t, w.Close(t.Context()))
	})
}

// What fails is told once a minute, counted, and leaves no half of a line in front of another.
func TestFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told bytes.Buffer
		to := &batches{}
		w := newWriter(t, accesslog.WriterConfig{To: to, Delay: gatekit.Off, Logger: slog.New(slog.NewTextHandler(&told, nil))})
		write := func(text string) {
			_, err := w.Write([]byte(text))
			require.NoError(t, err)
			synctest.Wait()
		}
		to.fail = func(b []byte) (int, error) { return 0, errors.New("disk full") }
		write("a\n")
		write("b\n")
		require.Equal(t, 1, strings.Count(told.String(), "disk full"), told.String())
		to.fail = func(b []byte) (int, error) { to.all = append(to.all, string(b[:4])); return 4, nil }
		write("c\ndddd\ne\n")
		require.EqualValues(t, 4, w.Dropped())
		to.fail = func([]byte) (int, error) { return 0, errors.New("still") }
		write("f\n")
		to.fail = nil
		write("g\n")
		require.Equal(t, "c\ndd\ng\n", strings.Join(to.seen(), ""))
		to.fail = func([]byte) (int, error) { panic("a bug") }
		time.Sleep(time.Minute)
		write("h\n")
		require.EqualValues(t, 6, w.Dropped())
		require.Contains(t, told.String(), "lines=5")
		require.Contains(t, told.String(), "a bug")
		require.Equal(t, 2, strings.Count(told.String(), "level=ERROR"))
		to.fail = nil
		require.NoError(t, w.Close(t.Context()))
	})
}

var _ io.Writer = (*accesslog.Writer)(nil)
