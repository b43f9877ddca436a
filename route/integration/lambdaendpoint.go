package integration

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/invoke"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// EndpointConfig configures an [Endpoint].
type EndpointConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// URL is where the function is invoked: the Lambda service's Invoke operation, or an
	// emulator's, such as "http://localhost:9000/2015-03-31/functions/function/invocations" of the
	// Runtime Interface Emulator in Lambda's container images. Required.
	URL string
	// MaxReplyBytes bounds what is read of an answer. 0 is 6 MiB, Lambda's. At most 1 GiB.
	MaxReplyBytes int64
	// HTTPClient makes the calls; nil is one of the Endpoint's own that follows no redirects and
	// uses no proxy. The Lambda service wants signed requests, for which a client needs a transport
	// that signs them; where the AWS SDK is at hand, its client does (see [FunctionResult]).
	HTTPClient *http.Client
}

// Endpoint is a Lambda function behind the Invoke operation over HTTP. It is an Invoker, and safe
// for concurrent use. (Lambda API reference, "Invoke".)
type Endpoint struct {
	url    string
	limit  int64
	client *http.Client
}

// NewEndpoint returns an Endpoint, or one error that lists every field it refuses. It calls nobody.
func NewEndpoint(c EndpointConfig) (*Endpoint, error) {
	m := mistakes.In("integration: EndpointConfig")
	u, err := url.Parse(c.URL)
	web := err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
	m.Require(web, "URL", "want an http or https URL without a user, such as "+
		"http://localhost:9000/2015-03-31/functions/function/invocations") // it isn't shown: it may hold a password
	mistakes.Range(m, "MaxReplyBytes", c.MaxReplyBytes, 0, maxBytes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if c.HTTPClient == nil {
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.Proxy = nil
		transport.MaxIdleConnsPerHost = 64
		c.HTTPClient = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return &Endpoint{url: c.URL, limit: cmp.Or(c.MaxReplyBytes, lambdaBytes), client: c.HTTPClient}, nil
}

// Invoke implements gatekit.Invoker. A function that failed is a [*FunctionError], a status other
// than 2xx an [*InvokeError].
func (e *Endpoint) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	r.Header["Content-Type"] = []string{applicationJSON}
	w, err := e.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("integration: call the function's endpoint: %w", err)
	}
	defer w.Body.Close()
	invoke.Tell(ctx, invoke.Outcome{Status: w.StatusCode, RequestID: w.Header.Get("X-Amzn-Requestid")})
	out, err := io.ReadAll(io.LimitReader(w.Body, e.limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("integration: read the function's answer: %w", err)
	case int64(len(out)) > e.limit:
		return nil, errReplySize
	case w.StatusCode < 200 || w.StatusCode > 299:
		return nil, &InvokeError{Status: w.StatusCode, Code: errorCode(w.Header.Get("X-Amzn-Errortype"))}
	}
	failed := w.Header.Get("X-Amz-Function-Error")
	return FunctionResult(&failed, out)
}

// errorCode is the word before the colon, where the service adds more, if it is a word.
func errorCode(header string) string {
	code, _, _ := strings.Cut(header, ":")
	if !httpword.IsToken(code) || len(code) > 100 {
		return "ServiceException"
	}
	return code
}

// errorOf reads the error's JSON of a function.
func errorOf(kind string, payload []byte) error {
	if kind == "" {
		kind = "Unhandled"
	}
	_, err := FunctionResult(&kind, payload)
	return err
}
