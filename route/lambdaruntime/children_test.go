//go:build unix

package lambdaruntime_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

// What a function has started ends with it, however it ends.
func TestChildren(t *testing.T) {
	for _, end := range []string{"close", "exit", "kill", "reload"} {
		t.Run(end, func(t *testing.T) {
			dir := copied(t, built)
			f := start(t, lambdaruntime.Config{Dir: dir, Reload: end == "reload"})
			pid, err := strconv.Atoi(f.call("child", ""))
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(pid, 0), "it is there")
			switch end {
			case "close":
				require.NoError(t, f.Close())
			case "reload":
				require.NoError(t, os.WriteFile(filepath.Join(dir, "new"), nil, 0o600))
			default:
				f.fails(end, "")
			}
			require.Eventually(t, func() bool {
				if end == "reload" {
					f.call("", "")
				}
				return !lives(pid)
			}, time.Minute, time.Millisecond)
		})
	}
}

// lives reports whether there is a process that isn't dead. One that is and whose parent doesn't
// ask is a zombie.
func lives(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		_, state, _ := strings.Cut(string(stat), ") ")
		return !strings.HasPrefix(state, "Z") && !strings.HasPrefix(state, "X")
	}
	return syscall.Kill(pid, 0) == nil && runtime.GOOS != "linux"
}
