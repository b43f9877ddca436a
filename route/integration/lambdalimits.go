package integration

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/gatekit-go/gatekit"
)

// LimitsConfig configures [Limits]. The zero value is the managed gateway's limits, which can be raised.
type LimitsConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MaxHeaderBytes bounds the headers, names, values and line ends, and on HTTP APIs the request line with them. 0 is 10,240. At most 1 MiB:
	// http.Server's own MaxHeaderBytes counts first.
	MaxHeaderBytes int
	// MaxURLBytes bounds the URL on REST APIs. 0 is 10,240, that of Regional APIs. At most 1 MiB.
	MaxURLBytes int
	// MaxBodyBytes bounds the body. 0 is 10 MiB. At most 1 GiB.
	MaxBodyBytes int64
}

// Limits refuses requests that are too large for the managed gateway, whatever answers them. It is safe for concurrent use. (Developer guide,
// "Quotas for configuring and running an HTTP API in API Gateway" and for a REST API.)
type Limits struct{ config LimitsConfig }

// NewLimits returns Limits, or one error that lists every field it refuses.
func NewLimits(c LimitsConfig) (*Limits, error) {
	check := func(field string, n *int) error {
		if *n < 0 || *n > 1<<20 {
			return fmt.Errorf("integration: LimitsConfig.%s: want 0 to %d, got %d", field, 1<<20, *n)
		}
		if *n == 0 {
			*n = 10240
		}
		return nil
	}
	if err := errors.Join(
		check("MaxHeaderBytes", &c.MaxHeaderBytes),
		check("MaxURLBytes", &c.MaxURLBytes),
		checkBytes("LimitsConfig.MaxBodyBytes", &c.MaxBodyBytes, requestBytes),
	); err != nil {
		return nil, err
	}
	return &Limits{c}, nil
}

var (
	headersTooLarge = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusRequestHeaderFieldsTooLarge, Message: "Request Header Fields Too Large"}
	urlTooLong      = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusRequestURITooLong, Message: "Request URI too long"}
)

// Check returns nil, or a *gatekit.Rejection: 413 if the body says that it is too large, 431 if the headers are, 414 if a REST API's URL is too
// long. It reads nothing.
func (l *Limits) Check(r *http.Request) error {
	line := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n")
	headers := len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			headers += len(name) + len(value) + len(": \r\n")
		}
	}
	if rc := gatekit.From(r.Context()); rc != nil && rc.Flavor == gatekit.REST {
		if len(r.RequestURI) > l.config.MaxURLBytes {
			return urlTooLong
		}
		line = 0
	}
	switch {
	case line+headers > l.config.MaxHeaderBytes:
		return headersTooLarge
	case r.ContentLength > l.config.MaxBodyBytes:
		return bodyTooLarge
	}
	return nil
}

// Middleware refuses what [Limits.Check] does. A body that doesn't tell its length ends with an error where it is too large, an
// *http.MaxBytesError.
func (l *Limits) Middleware(next http.Handler) http.Handler { return &limited{l, next} }

type limited struct {
	limits *Limits
	next   http.Handler
}

// Station implements [gatekit.Station].
func (h *limited) Station() (kind string, next http.Handler) { return "limits", h.next }

func (h *limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := h.limits.Check(r); err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	if r.ContentLength < 0 {
		r.Body = http.MaxBytesReader(w, r.Body, h.limits.config.MaxBodyBytes)
	}
	h.next.ServeHTTP(w, r)
}
