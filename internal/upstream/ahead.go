package upstream

import (
	"bytes"
	"io"
	"slices"
	"time"
)

const (
	// aheadBytes is the longest body that is read before a place at a server is taken. What a
	// client has sent half of then holds nothing but its own connection.
	aheadBytes = 64 << 10
	// firstBytes are what is read of a longer one: there is something to send, then.
	firstBytes = 4 << 10
)

// readAhead reads what is to be there before a place at a server is taken: a short body as a whole,
// the first bytes of a longer one. A body that doesn't say how long it is may be one half of a
// conversation, in which the client waits for the upstream's words before it says its own, so that
// nothing of it may be waited for here; Pool.slow keeps these from holding places that others need.
func (x *Exchange) readAhead() error {
	if x.body != nil && x.body.length > 0 {
		if err := x.readFirst(); err != nil {
			return err
		}
	}
	timeout := x.timeout
	x.sendFrom = time.Now()
	defer x.watch.Reset(timeout)
	return x.begin(forHeaders, timeout)
}

func (x *Exchange) readFirst() error {
	n := x.body.length
	want, whole := n, n <= aheadBytes && len(x.Out.Trailer) == 0
	if !whole {
		want = firstBytes
	}
	// The room grows with what has come, not with what was announced: that costs a client nothing.
	read := make([]byte, 0, min(want, firstBytes))
	for int64(len(read)) < want {
		read = slices.Grow(read, 1)
		got, err := x.body.Read(read[len(read):min(int64(cap(read)), want)])
		read = read[:len(read)+got]
		if err == io.EOF && int64(len(read)) < n {
			err = x.body.broken(io.ErrUnexpectedEOF)
		}
		if err != nil && err != io.EOF {
			return x.cause(x.ctx, err)
		}
		if !whole {
			break
		}
	}
	body := inMemory(read, x.mayKeep(n))
	if !whole {
		body = &clientBody{
			in: io.MultiReader(bytes.NewReader(read), x.In.Body), length: n, limit: x.body.limit,
			kept: x.body.kept[:0], trail: x.body.trail,
		}
	}
	x.mu.Lock()
	x.body = body
	x.mu.Unlock()
	x.Out.Body = body
	return nil
}

// mayKeep reports whether a body of n bytes is kept so that it can be sent again.
func (x *Exchange) mayKeep(n int64) bool {
	return n <= x.pool.retries.BodyBytes && isIdempotent(x.Out.Method)
}
