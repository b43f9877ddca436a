package event

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
	"github.com/gatekit-go/gatekit/internal/requestpath"
)

var errNotStrict = errors.New("the event isn't one that API Gateway makes")

// Request makes the request of the event: with the client's address, the route's path values, and a
// RequestContext.
func (in *Incoming) Request(ctx context.Context, cut Cut) (*http.Request, error) {
	r := &http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	whole := in.setTarget(r, cut)
	if !httpword.IsToken(r.Method) || !strings.HasPrefix(r.URL.Path, "/") {
		return nil, errNotStrict
	}
	r.RequestURI = r.URL.RequestURI()
	if ip := in.sourceIP(); ip != "" {
		r.RemoteAddr = net.JoinHostPort(ip, "0")
	}
	if err := in.setHeaders(r); err != nil {
		return nil, err
	}
	if err := in.setBody(r); err != nil {
		return nil, err
	}
	if proto := r.Header["X-Forwarded-Proto"]; len(proto) > 0 && proto[0] == "https" {
		r.TLS = in.connection(r.Host)
	}
	r = r.WithContext(gatekit.WithoutRequestContext(ctx))
	rc, r := gatekit.Attach(r)
	rc.Path = requestpath.New(whole, r.URL)
	in.describe(rc, r)
	for key, value := range jsonscan.Members(in.pathParameters) {
		v := text(value)
		if in.Format == REST {
			if decoded, err := url.PathUnescape(v); err == nil {
				v = decoded
			}
		}
		r.SetPathValue(text(key), v)
	}
	return r, nil
}

// sourceIP is the client's address as the gateway saw it.
func (in *Incoming) sourceIP() string {
	if in.Format == V2 {
		return text(get(in.requestContext.http, "sourceIp"))
	}
	return text(get(in.requestContext.identity, "sourceIp"))
}

func (in *Incoming) setBody(r *http.Request) error {
	if jsonscan.IsNull(in.body) {
		return nil
	}
	body, ok := jsonscan.AppendText(make([]byte, 0, len(in.body)), in.body)
	if !ok {
		return errNotStrict
	}
	if in.base64 == "true" {
		n, err := base64.StdEncoding.Decode(body, body)
		if err != nil {
			return errNotStrict
		}
		body = body[:n]
	}
	if len(body) > 0 {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return nil
}
