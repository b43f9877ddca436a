// Package function runs a chain of handlers as a Lambda function: the way back from an API's
// integration. One chain is a server on one machine and a function behind API Gateway on the other.
//
//	f, err := function.New(api, function.Config{})
//	…
//	lambda.Start(f)
//
// It reads the events of HTTP APIs in both payload formats, of REST APIs and of function URLs, and
// answers in the form that each expects. The handler finds what the gateway in front knows where it
// always stands: the client's address, the caller, the request's ID, time and route in the
// RequestContext, path variables in the request.
//
// # Traps
//
// What the gateway in front has judged is believed, as nobody else can invoke the function: its
// permissions are the lock. A path is decoded in payload 2.0, so that /a%2Fb arrives as /a/b:
// routes that a rule tells apart by that belong to payload 1.0.
//
// # Differences
//
//   - An event of a load balancer, a WebSocket API or an authorizer is an error, not a guess.
//   - identity.apiKey of an event is believed to be judged, as the managed gateway shows no other.
//   - An answer goes out in whole: Flush does nothing for the client, and 1xx answers are dropped.
package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Config configures a [Function]. The zero value works.
type Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// BasePath is the key of the API mapping, or the base path, that the API has on its custom
	// domain ("v1/orders"). It is taken off the paths of formats that show it: payload 1.0 and
	// REST. "" takes nothing off.
	BasePath string
	// KeepStage leaves a stage's name at the front of paths where the event has it, for handlers
	// that choose a stage by it (route.Stages). As a rule it is taken off, so that routes are as
	// they are on a server.
	KeepStage bool
	// MaxReplyBytes bounds the reply. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxReplyBytes int64
}

// Function runs an http.Handler as a Lambda function behind API Gateway: it makes requests of
// events in all three formats (payload 2.0 and 1.0 of HTTP APIs, the proxy event of REST APIs;
// function URLs send the first), and replies of answers. So one chain runs in both places. It is an
// Invoker, and what lambda.Start takes:
//
//	f, err := function.New(api, function.Config{})
//	…
//	lambda.Start(f)
//
// It is safe for concurrent use.
type Function struct {
	handler  http.Handler
	cut      event.Cut
	maxReply int64
}

// New returns a function that h answers, or one error that lists every field it refuses.
func New(h http.Handler, c Config) (*Function, error) {
	m := mistakes.In("function: Config")
	base := strings.Trim(c.BasePath, "/")
	plain := !strings.ContainsAny(c.BasePath, "?#%\\ ") && !strings.Contains(base, "//")
	m.Require(plain, "BasePath", "want segments without escapes, got %q", c.BasePath)
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, maxReplyBytes)
	if h == nil {
		m.Join(errors.New("function: New: want a handler, got nil"))
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Function{
		handler: h, cut: event.Cut{BasePath: base, KeepStage: c.KeepStage},
		maxReply: cmp.Or(c.MaxReplyBytes, lambdaReplyBytes),
	}, nil
}

const lambdaReplyBytes, maxReplyBytes = 6 << 20, 1 << 30

var (
	errTooMuch = errors.New("function: the handler's answer is larger than MaxReplyBytes")
	errAborted = errors.New("function: the handler aborted its answer")
)

// Invoke answers an event. It returns an error, which is a function error, if the payload is no
// event, if the answer is too large or if the handler aborts it; other panics of the handler pass
// through.
func (f *Function) Invoke(ctx context.Context, payload []byte) (reply []byte, err error) {
	r, format, err := f.read(ctx, payload)
	if err != nil {
		return nil, err
	}
	w := &recorder{header: make(http.Header, 8), method: r.Method, room: f.maxReply}
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			reply, err = nil, errAborted
		}
	}()
	f.handler.ServeHTTP(w, r)
	if w.tooMuch {
		return nil, errTooMuch
	}
	if reply = w.reply(format); int64(len(reply)) > f.maxReply {
		return nil, errTooMuch
	}
	return reply, nil
}

// Request returns the request that the handler gets for an event: with the client's address, the
// route's path values, and a RequestContext that knows the API, the stage, the request's ID and
// time, the caller and what the gateway's authorizer learned.
func (f *Function) Request(ctx context.Context, payload []byte) (*http.Request, error) {
	r, _, err := f.read(ctx, payload)
	return r, err
}

func (f *Function) read(ctx context.Context, payload []byte) (*http.Request, event.Format, error) {
	// One copy, of which the request's parts are parts: the caller may use its buffer again.
	in, err := event.Parse(string(payload))
	if err != nil {
		return nil, 0, fmt.Errorf("function: %w", err)
	}
	r, err := in.Request(ctx, f.cut)
	if err != nil {
		return nil, 0, fmt.Errorf("function: %w", err)
	}
	return r, in.Format, nil
}
