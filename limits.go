package gatekit

import (
	"errors"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// Limits are the bounds that a managed API has. Take a flavor's with [Flavor.Limits], raise what
// should be raised, and put them to use: HTTPServer for what net/http can bound itself, Middleware
// for what is answered in the flavor's form. (Developer guide, "Amazon API Gateway quotas".)
type Limits struct {
	// IntegrationTimeout is how long a backend may take to answer: 30 seconds for HTTP APIs, 29 for
	// the others.
	IntegrationTimeout time.Duration
	// PayloadBytes is the longest request or response body: 10 MiB. 0 or less means no limit.
	PayloadBytes int64
	// HeaderBytes is the most that the headers' names and values, and four bytes a line, take
	// together, on HTTP APIs along with the request line's target: 10,240. 0 or less means no
	// limit.
	HeaderBytes int
	// URLBytes is the longest request target: 10,240 for HTTP APIs and Regional REST APIs; edge and
	// private REST APIs have 8,192. 0 or less means no limit.
	URLBytes int
}

// Limits returns the flavor's limits.
func (f Flavor) Limits() Limits {
	l := Limits{IntegrationTimeout: 29 * time.Second, PayloadBytes: 10 << 20, HeaderBytes: 10_240, URLBytes: 10_240}
	if f == HTTP {
		l.IntegrationTimeout = 30 * time.Second
	}
	return l
}

// What HTTPServer gives a client to send a request.
const (
	readHeaderTimeout = 10 * time.Second
	slowestUpload     = 128 << 10 // bytes a second
	longestUpload     = 5 * time.Minute
)

// What an HTTP/2 connection is given. RFC 9113 recommends no fewer than 100 streams (section
// 6.5.2); net/http's own default is 250, and each takes a handler's goroutine.
const (
	streamsAtOnce = 100
	pingAfter     = 30 * time.Second
	pingWithin    = 15 * time.Second
	writeWithin   = 30 * time.Second
)

// HTTPServer returns a server for h with these limits, whose fields may be changed before it is
// started. Headers that are a few kilobytes too long get the flavor's answer from Middleware;
// longer ones net/http's own 431, before h is called. A request must have come within ReadTimeout:
// ten seconds, and a second for each 128 KiB that PayloadBytes allows, 90 seconds in all for 10
// MiB, and five minutes at the most, also without a limit. Raise it for clients that go on sending
// while they are answered. There is no WriteTimeout, as it would cut streams: a backend's answer is
// bounded by IntegrationTimeout, where h does so. The peer's address is parsed once a connection
// ([ConnContext]).
//
// In HTTP/2 a client has 100 requests in flight at the most, is sent a PING after 30 seconds of
// silence, and loses its connection if it doesn't answer that within 15, or takes no byte for 30.
//
// What net/http has no limit for is throttle.Connections' business, which guards the same server:
// how many connections there are and from whom, bodies that trickle in within ReadTimeout, answers
// that nobody reads in HTTP/1, and floods on one connection.
func (l Limits) HTTPServer(h http.Handler) *http.Server {
	s := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       longestUpload,
		IdleTimeout:       time.Minute,
		ConnContext:       ConnContext,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: streamsAtOnce,
			SendPingTimeout:      pingAfter,
			PingTimeout:          pingWithin,
			WriteByteTimeout:     writeWithin,
		},
	}
	if seconds := l.PayloadBytes / slowestUpload; l.PayloadBytes > 0 && seconds < int64(longestUpload/time.Second) {
		s.ReadTimeout = min(readHeaderTimeout+time.Duration(seconds)*time.Second, longestUpload)
	}
	if l.HeaderBytes > 0 {
		s.MaxHeaderBytes = l.HeaderBytes // net/http reads 4 KiB more before it answers 431
	}
	return s
}

// Middleware refuses requests that pass the limits, in the flavor's form: a target that is too long
// with 414, headers that are with 431, a body that says so with 413. A body that doesn't say how
// long it is fails with a *http.MaxBytesError when it is read too far; who reads it answers. It
// stands behind what says which API a request is for.
func (l Limits) Middleware(next http.Handler) http.Handler {
	return &bounded{limits: l, next: next}
}

type bounded struct {
	limits Limits
	next   http.Handler
}

// What requests beyond the limits get. The managed gateway's answers to long headers and targets
// aren't known.
var (
	bodyTooLong = &Rejection{Type: RequestTooLarge,
		Cause: errors.New("gatekit: the request's body is longer than Limits.PayloadBytes")}
	headersTooLong = &Rejection{Type: Default4XX, Status: http.StatusRequestHeaderFieldsTooLarge,
		Message: "Request Header Fields Too Large"}
	targetTooLong = &Rejection{Type: Default4XX, Status: http.StatusRequestURITooLong, Message: "Request URI too long"}
)

func (h *bounded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := h.limits.check(r); why != nil {
		if r.ContentLength > 0 {
			w.Header()["Connection"] = []string{"close"} // the rest of the body isn't worth reading
		}
		Reject(w, r, why)
		return
	}
	if h.limits.PayloadBytes > 0 && r.ContentLength < 0 && r.Body != nil {
		hopbyhop.KeepTrailer(r)
		c := new(http.Request)
		*c = *r
		c.Body = http.MaxBytesReader(w, r.Body, h.limits.PayloadBytes)
		r = c
	}
	h.next.ServeHTTP(w, r)
}

// check returns why r is refused, or nil.
func (l Limits) check(r *http.Request) error {
	target := len(r.RequestURI)
	if target == 0 { // a request that no server has read
		target = len(r.URL.EscapedPath()) + len(r.URL.RawQuery)
	}
	if l.URLBytes > 0 && target > l.URLBytes {
		return targetTooLong
	}
	if l.HeaderBytes > 0 {
		size := len("Host: \r\n") + len(r.Host)
		if rc := From(r.Context()); rc == nil || rc.API.Flavor != REST {
			size += target
		}
		for name, values := range r.Header {
			for _, v := range values {
				size += len(name) + len(": \r\n") + len(v)
			}
		}
		if size > l.HeaderBytes {
			return headersTooLong
		}
	}
	if l.PayloadBytes > 0 && r.ContentLength > l.PayloadBytes {
		return bodyTooLong
	}
	return nil
}

// Station implements [Station].
func (h *bounded) Station() (kind string, next http.Handler) { return "limits", h.next }
