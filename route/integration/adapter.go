package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// FunctionConfig configures a [Function]. The zero value works.
type FunctionConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// BasePath is the key of the API mapping, or the base path, that the API has on its custom domain ("v1/orders"). It is taken off the paths
	// of formats that show it: payload 1.0 and REST. "" takes nothing off.
	BasePath string
	// KeepStage leaves a stage's name at the front of paths where the event has it, for handlers that choose a stage by it (route.Stages). As a
	// rule it is taken off, so that routes are as they are on a server.
	KeepStage bool
	// MaxReplyBytes bounds the reply. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxReplyBytes int64
}

// Function runs an http.Handler as a Lambda function behind API Gateway: it makes requests of events in all three formats (payload 2.0 and 1.0 of
// HTTP APIs, the proxy event of REST APIs; function URLs send the first), and replies of answers. So one chain runs in both places. It is an
// Invoker, and what lambda.Start takes:
//
//	f, err := integration.NewFunction(api, integration.FunctionConfig{})
//	…
//	lambda.Start(f)
//
// It is safe for concurrent use.
type Function struct {
	handler http.Handler
	config  FunctionConfig
}

// NewFunction returns a function that h answers, or one error that lists every field it refuses.
func NewFunction(h http.Handler, c FunctionConfig) (*Function, error) {
	var errs []error
	if h == nil {
		errs = append(errs, errors.New("integration: NewFunction: want a handler, got nil"))
	}
	trimmed := strings.Trim(c.BasePath, "/")
	if strings.ContainsAny(c.BasePath, "?#%\\ ") || strings.Contains(trimmed, "//") {
		errs = append(errs, fmt.Errorf("integration: FunctionConfig.BasePath: want segments without escapes, got %q", c.BasePath))
	}
	c.BasePath = trimmed
	errs = append(errs, checkBytes("FunctionConfig.MaxReplyBytes", &c.MaxReplyBytes, payloadBytes))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Function{handler: h, config: c}, nil
}

var (
	errNoEvent   = errors.New("integration: Function: want the event of an HTTP or REST API's proxy integration")
	errTooMuch   = errors.New("integration: Function: the handler's answer is larger than MaxReplyBytes")
	errHijack    = errors.New("integration: Function: the handler aborted its answer")
	errNotStrict = errors.New("integration: Function: the event isn't one that API Gateway makes")
)

// Invoke answers an event. It returns an error, which is a function error, if the payload is no event, if the answer is too large or if the
// handler aborts it; other panics of the handler pass through.
func (f *Function) Invoke(ctx context.Context, payload []byte) (reply []byte, err error) {
	in, err := f.parse(payload)
	if err != nil {
		return nil, err
	}
	r, err := f.request(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := &recorder{header: make(http.Header, 8), method: r.Method, room: f.config.MaxReplyBytes}
	defer func() {
		if v := recover(); v != nil {
			if v != http.ErrAbortHandler {
				panic(v)
			}
			reply, err = nil, errHijack
		}
	}()
	f.handler.ServeHTTP(w, r)
	if w.tooMuch {
		return nil, errTooMuch
	}
	if reply = w.reply(in.format); int64(len(reply)) > f.config.MaxReplyBytes {
		return nil, errTooMuch
	}
	return reply, nil
}

// Request returns the request that the handler gets for an event: with the client's address, the route's path values, and a RequestContext that
// knows the API, the stage, the request's ID and time, the caller and what the gateway's authorizer learned.
func (f *Function) Request(ctx context.Context, payload []byte) (*http.Request, error) {
	in, err := f.parse(payload)
	if err != nil {
		return nil, err
	}
	return f.request(ctx, &in)
}

// parse reads an event's members.
func (f *Function) parse(payload []byte) (incoming, error) {
	// One copy, of which the request's parts are parts: the caller may use its buffer again.
	text := strings.TrimLeft(string(payload), " \t\r\n")
	if !jsonscan.Valid(text) || text[0] != '{' {
		return incoming{}, errNoEvent
	}
	return parseEvent(text)
}
