//go:build soak && linux

package wssoak

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/websocket"
)

// crowdEnv makes the test program the crowd: its descriptors aren't the server's.
const crowdEnv = "GATEKIT_CROWD"

const (
	crowd  = 10_000
	places = 8000
)

func TestMain(m *testing.M) {
	if addr := os.Getenv(crowdEnv); addr != "" {
		if err := rush(addr); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// Ten thousand clients connect at once to a process that takes eight thousand: each is let in and
// served, or told 503, and none is left waiting. When they have gone, nothing of them is left.
func TestTenThousandAtOnce(t *testing.T) {
	s := newServer(t, websocket.Config{MaxConnections: places})
	before := measure(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crowdEnv+"="+s.addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	require.Equal(t, fmt.Sprintf("%d served, %d refused", places, crowd-places), strings.TrimSpace(string(out)))
	s.quiet(t)
	require.EqualValues(t, places, s.connects.Load())
	require.Eventually(t, func() bool {
		now := measure(t)
		return now.goroutines <= before.goroutines+20 && now.descriptors <= before.descriptors+20
	}, patience, patience/100, "of the crowd something is left")
	c, err := dial(s.addr)
	require.NoError(t, err)
	require.NoError(t, c.echo("there is room again"))
	require.NoError(t, c.Close())
}

// rush opens all connections at once, holds those that it gets until all have been answered, has each
// served, and ends.
func rush(addr string) error {
	var served, refused atomic.Int64
	var answered, all sync.WaitGroup
	var failed atomic.Pointer[error]
	answered.Add(crowd)
	for range crowd {
		all.Go(func() {
			c, err := dial(addr)
			answered.Done()
			answered.Wait()
			switch {
			case err == nil:
				if err = c.echo("hello"); err == nil {
					served.Add(1)
				}
				_ = c.Close()
			case errors.Is(err, errRefused) && strings.HasSuffix(err.Error(), "503"):
				refused.Add(1)
				return
			}
			if err != nil && !errors.Is(err, io.EOF) {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	all.Wait()
	fmt.Printf("%d served, %d refused\n", served.Load(), refused.Load())
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
