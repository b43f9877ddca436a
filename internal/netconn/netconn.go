// Package netconn looks through connections that are wrapped in one another, as the parts of a
// server's front door wrap them: tls.Conn, limits, the PROXY protocol.
package netconn

import "net"

// deepest bounds the search: a connection that stands below itself has no end.
const deepest = 16

// Find returns the first connection of type T: c itself, or one that its NetConn leads to. A
// wrapper without that method, such as that of netutil.LimitListener, ends the search.
func Find[T any](c net.Conn) (found T, ok bool) {
	for range deepest {
		if found, ok = c.(T); ok {
			return found, true
		}
		over, wraps := c.(interface{ NetConn() net.Conn })
		if !wraps {
			break
		}
		c = over.NetConn()
	}
	return found, false
}

// Unchanged is a connection that passes what is written on as it is, at least from now on.
type Unchanged interface {
	// WritesTo returns the connection that gets what is written, or nil while this one still looks
	// at it.
	WritesTo() net.Conn
}

// WritesTo returns where writes to c arrive unchanged: below all that say so, or c itself.
func WritesTo(c net.Conn) net.Conn {
	for range deepest {
		over, ok := c.(Unchanged)
		if !ok {
			break
		}
		to := over.WritesTo()
		if to == nil {
			break
		}
		c = to
	}
	return c
}
