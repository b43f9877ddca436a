//go:build !unix

package wsconn

import (
	"errors"
	"syscall"
)

const canTryWrite = false

// tryWrite isn't called: without canTryWrite there is no raw connection.
func tryWrite(syscall.RawConn, []byte) (int, error) { return 0, errors.ErrUnsupported }
