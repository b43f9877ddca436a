//go:build unix

package metering

import (
	"syscall"
	"time"
)

// processTime returns how long the process has had processors.
func processTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // the only errors are of wrong arguments
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
