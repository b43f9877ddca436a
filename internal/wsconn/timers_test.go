package wsconn_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/wsconn"
)

// answering reads frames in the background, answers what keeps a connection alive, and tells each
// frame with the time since the start.
func answering(p *pipe, answer bool) <-chan string {
	start := time.Now()
	frames := make(chan string, 10000)
	go func() {
		defer close(frames)
		for {
			f, err := readFrame(p.client.br)
			if err != nil {
				return
			}
			frames <- fmt.Sprintf("%v %v", time.Since(start), f)
			if !answer {
				continue
			}
			switch f.first {
			case fin | ping:
				_, _ = p.client.Write([]byte(masked(fin|pong, string(f.payload))))
			case fin | closeOp:
				_, _ = p.client.Write([]byte(masked(fin|closeOp, string(f.payload))))
			}
		}
	}()
	return frames
}

func collect(frames <-chan string) (all []string) {
	for f := range frames {
		all = append(all, f)
	}
	return all
}

// Section 17, rows 34 and 35 of the sheet: silence closes after 10 minutes, pushes hold it off,
// nothing holds off the 2 hours.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		require.Equal(t, []string{"10m0s close 1001"}, collect(answering(p, true)))
		require.Equal(t, wsconn.End{Code: 1001, Reason: "Going away", By: wsconn.Local}, h.end(t))
	})
}

func TestPushesAndMessagesHoldOffIdle(t *testing.T) {
	for name, active := range map[string]func(p *pipe){
		"push":     func(p *pipe) { _ = p.conn.TrySend(wsconn.Text, []byte("x")) },
		"message":  func(p *pipe) { _, _ = p.client.Write([]byte(masked(fin|text, "x"))) },
		"prepared": func(p *pipe) { _ = p.conn.TrySendPrepared((&wsconn.Engine{}).Prepare(wsconn.Text, nil)) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newRecorder(nil)
				p := openPipe(t, wsconn.Config{}, h)
				frames := answering(p, true)
				for range 12 {
					time.Sleep(9*time.Minute + 30*time.Second)
					active(p)
				}
				all := collect(frames)
				require.Equal(t, "2h0m0s close 1001", all[len(all)-1])
				require.Equal(t, 1001, h.end(t).Code)
			})
		})
	}
}

// Half a frame, an open message, pings and pongs are no activity.
func TestWhatIsNoActivity(t *testing.T) {
	for name, send := range map[string]string{
		"ping": masked(fin|ping, ""), "pong": masked(fin|pong, ""), "open-message": masked(text, "x"), "half-a-frame": masked(fin|text, "hello")[:7],
		"half-a-header": "\x81",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newRecorder(nil)
				p := openPipe(t, wsconn.Config{}, h)
				frames := answering(p, false)
				time.Sleep(9 * time.Minute)
				p.client.send(send)
				all := collect(frames)
				require.Equal(t, "10m0s close 1001", all[len(all)-1])
				require.Equal(t, 1001, h.end(t).Code)
			})
		})
	}
}

// Fragments that never end: the message can't grow beyond its limit, and by time it is bounded like
// silence.
func TestNeverEndingFragments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		frames := answering(p, false)
		p.client.send(masked(text, "x"))
		for range 10*60 - 1 {
			time.Sleep(time.Second)
			p.client.send(masked(cont, "x"))
		}
		require.Equal(t, []string{"10m0s close 1001"}, collect(frames))
		require.Empty(t, h.all())
		h.end(t)
	})
}

func TestTimersOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(echo)
		p := openPipe(t, wsconn.Config{IdleTimeout: wsconn.Off, Lifetime: wsconn.Off}, h)
		time.Sleep(1000 * time.Hour)
		p.client.send(masked(fin|text, "still here"))
		f, err := readFrame(p.client.br)
		require.NoError(t, err)
		require.Equal(t, `81 "still here"`, f.String())
		require.Equal(t, p.conn.Started().Add(1000*time.Hour), p.conn.LastActive())
		p.conn.Abort()
		require.Equal(t, wsconn.End{Code: 1006, By: wsconn.Local}, h.end(t))
	})
}

func TestLifetimeWithoutIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{IdleTimeout: wsconn.Off, Lifetime: time.Hour}, h)
		require.Equal(t, []string{"1h0m0s close 1001"}, collect(answering(p, true)))
		require.Equal(t, "Going away", h.end(t).Reason)
	})
}

func TestKeepalive(t *testing.T) {
	cfg := wsconn.Config{PingInterval: 25 * time.Second, PongTimeout: 10 * time.Second, IdleTimeout: wsconn.Off, Lifetime: 2 * time.Minute}
	t.Run("alive", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder(nil)
			p := openPipe(t, cfg, h)
			require.Equal(t, []string{`25s 89 ""`, `50s 89 ""`, `1m15s 89 ""`, `1m40s 89 ""`, "2m0s close 1001"}, collect(answering(p, true)))
			require.Equal(t, 1001, h.end(t).Code)
		})
	})
	t.Run("dead", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder(nil)
			p := openPipe(t, cfg, h)
			start := time.Now()
			require.Equal(t, []string{`25s 89 ""`}, collect(answering(p, false)))
			end := h.end(t)
			require.Equal(t, 35*time.Second, time.Since(start))
			require.Equal(t, 1006, end.Code)
			require.Equal(t, wsconn.Lost, end.By)
			require.ErrorContains(t, end.Err, "no sign of life")
		})
	})
	t.Run("anything-received-is-life", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder(nil)
			p := openPipe(t, cfg, h)
			frames := answering(p, false)
			for range 11 {
				time.Sleep(10 * time.Second)
				p.client.send(masked(fin|pong, ""))
			}
			require.Equal(t, []string{"2m0s close 1001"}, collect(frames))
			h.end(t)
		})
	})
	// While a handler runs nobody reads, so nobody could have seen the pong.
	t.Run("busy-handler", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := newRecorder(func(c *wsconn.Conn, op wsconn.Opcode, payload []byte) {
				time.Sleep(100 * time.Second)
				_ = c.TrySend(op, payload)
			})
			p := openPipe(t, cfg, h)
			frames := answering(p, false)
			p.client.send(masked(fin|text, "slow"))
			var all []string
			for f := range frames {
				all = append(all, f)
				if strings.Contains(f, "slow") {
					p.client.send(masked(fin|pong, ""))
				}
			}
			require.Contains(t, all, `1m40s 81 "slow"`)
			require.Equal(t, "2m0s close 1001", all[len(all)-1])
			require.Equal(t, 1001, h.end(t).Code)
		})
	})
}

// A peer that doesn't answer our close frame is cut off after CloseTimeout; the end is what was
// decided.
func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{}, h)
		frames := answering(p, false)
		start := time.Now()
		require.NoError(t, p.conn.Close(1012, "restart"))
		require.ErrorIs(t, p.conn.Close(1000, ""), wsconn.ErrClosed)
		require.ErrorIs(t, p.conn.TrySend(wsconn.Text, nil), wsconn.ErrClosed)
		require.Equal(t, wsconn.End{Code: 1012, Reason: "restart", By: wsconn.Local}, h.end(t))
		require.Equal(t, 5*time.Second, time.Since(start))
		require.Equal(t, []string{"0s close 1012"}, collect(frames))
	})
}

// A peer that takes nothing for WriteTimeout is reported as 1008, and what was queued behind is let
// go.
func TestWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newRecorder(nil)
		p := openPipe(t, wsconn.Config{IdleTimeout: wsconn.Off}, h)
		start := time.Now()
		require.NoError(t, p.conn.TrySend(wsconn.Text, []byte("nobody reads this")))
		require.NoError(t, p.conn.TrySend(wsconn.Text, []byte("nor this")))
		end := h.end(t)
		require.Equal(t, 10*time.Second, time.Since(start))
		require.Equal(t, 1008, end.Code)
		require.Equal(t, wsconn.Local, end.By)
		require.ErrorIs(t, p.conn.TrySend(wsconn.Text, nil), wsconn.ErrClosed)
	})
}

func TestControlFlood(t *testing.T) {
	for name, send := range map[string]string{"pongs": masked(fin|pong, ""), "empty-fragments": masked(cont, "")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newRecorder(nil)
				p := openPipe(t, wsconn.Config{MaxControlFrames: 100}, h)
				frames := answering(p, false)
				if name == "empty-fragments" {
					p.client.send(masked(text, "x"))
				}
				for range 5 { // as many as are allowed, again and again
					for range 100 {
						p.client.send(send)
					}
					time.Sleep(10*time.Second + 1)
				}
				require.Empty(t, frames)
				for range 101 {
					_, _ = p.client.Write([]byte(send))
				}
				require.Equal(t, []string{"50.000000005s close 1008"}, collect(frames))
				require.Equal(t, 1008, h.end(t).Code)
			})
		})
	}
}
