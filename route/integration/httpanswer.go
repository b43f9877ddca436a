package integration

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/upstream"
)

// answer passes the response on.
func (x *exchange) answer(res *http.Response) {
	defer res.Body.Close()
	x.answered(res)
	defer x.record()
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.tunnel(res)
		return
	}
	if max := x.proxy.maxResponse; max > 0 && res.ContentLength > max && x.Out.Method != http.MethodHead {
		x.Answered()
		x.done.Err = errResponseTooLarge
		x.record()
		x.reject(responseTooLarge[x.flavor == gatekit.REST])
		return
	}
	body, length := io.Reader(res.Body), res.ContentLength
	rest := x.flavor == gatekit.REST && !x.mapped
	if rest && !x.proxy.config.KeepContentEncoding && isGzip(res.Header) {
		// The header is dropped, so the body mustn't need it.
		if x.Out.Method != http.MethodHead && length != 0 && httpword.BodyAllowed(res.StatusCode) {
			body = &gunzip{in: res.Body}
		}
		length = -1
		delete(res.Header, "Content-Encoding")
	}
	x.passHeaders(res.Header)
	out := x.W.Header()
	if length >= 0 && rest && httpword.BodyAllowed(res.StatusCode) { // under its own name it was passed on as it came
		out["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	announced := x.announcedTo(res.Trailer)
	if len(announced) > 0 {
		delete(out, "Content-Length") // HTTP/2 has both, HTTP/1.1 one of them
		out["Trailer"] = append(out["Trailer"], announced...)
	}
	duplex := !x.Complete()
	if duplex {
		// Else the server closes the client's body with the first bytes of an answer, the transport
		// takes that for an error and closes the connection, and the answer is cut.
		_ = http.NewResponseController(x.W).EnableFullDuplex() // HTTP/2 needs nothing
	}
	x.W.WriteHeader(res.StatusCode)
	if err := x.Copy(body, length, duplex || isEventStream(res.Header)); err != nil {
		// Whoever reads this response must see that it isn't all. The server logs nothing for this
		// value.
		x.done.Err = err
		panic(http.ErrAbortHandler)
	}
	x.Answered()
	_ = res.Body.Close() // fills in the trailers
	if len(res.Trailer) > 0 {
		x.passTrailers(res, announced)
	}
}

// passTrailers passes on the trailers, of which those in announced were.
func (x *exchange) passTrailers(res *http.Response, announced []string) {
	out := x.W.Header()
	_ = http.NewResponseController(x.W).Flush() // or a short body would get a Content-Length, and no trailers
	for name, values := range res.Trailer {
		switch {
		case slices.Contains(announced, name):
			out[name] = values
		case hopbyhop.MayTrail(name) && out[name] == nil:
			out[http.TrailerPrefix+name] = values
		}
	}
}

func isGzip(h http.Header) bool {
	e := h["Content-Encoding"]
	return len(e) == 1 && strings.EqualFold(e[0], "gzip")
}

func isEventStream(h http.Header) bool {
	t := h["Content-Type"]
	return len(t) > 0 && strings.HasPrefix(t[0], "text/event-stream")
}

// gunzip reads the gzip header with the first bytes: not before, as a stream may be silent at
// first.
type gunzip struct {
	in  io.Reader
	out *gzip.Reader
}

func (g *gunzip) Read(b []byte) (int, error) {
	if g.out == nil {
		var err error
		if g.out, err = gzip.NewReader(g.in); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	return g.out.Read(b)
}

// answered takes down what an answer's headers tell of the outcome.
func (x *exchange) answered(res *http.Response) {
	x.done.Status = res.StatusCode
	setIDs(&x.done, res.Header)
	x.asked()
}

// asked takes down which upstream has the request, while it has it.
func (x *exchange) asked() {
	if !x.proxy.implicit {
		x.done.Upstream = x.Server()
	}
}

// record says how the integration did, once.
func (x *exchange) record() {
	if x.told {
		return
	}
	x.told = true
	x.done.Latency = time.Since(x.Began)
	x.rc.SetIntegration(x.done)
}

var responseTooLarge = map[bool]*gatekit.Rejection{
	false: {Type: gatekit.APIConfigurationError, Cause: errResponseTooLarge},
	true:  {Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway, Cause: errResponseTooLarge},
}

// tooLarge is what a request gets whose body is longer than it may be.
var tooLarge = &gatekit.Rejection{Type: gatekit.RequestTooLarge, Cause: upstream.ErrTooLong}

var errResponseTooLarge = errors.New("integration: the response is longer than it may be")

// networkError is what a REST API says of an upstream that can't be reached.
const networkError = "Network error communicating with endpoint"

// fail answers a request that got no response.
func (x *exchange) fail(err error) {
	fault := x.Fault()
	if x.done.Err = err; fault != nil {
		x.done.Err = fault
	}
	x.asked()
	x.record()
	if fault != nil {
		x.rejectBody(fault)
		return
	}
	var rejection *gatekit.Rejection
	if errors.As(err, &rejection) {
		x.reject(rejection)
		return
	}
	if errors.Is(err, upstream.ErrSlowClient) {
		x.rejectBody(os.ErrDeadlineExceeded)
		return
	}
	x.reject(failure(x.Out.Method, x.target(), err, x.flavor, x.proxy.config.Private))
}

// failure is what a request gets that no upstream has answered, and why. Where it went is told
// without what the client wrote.
func failure(method, target string, err error, flavor gatekit.Flavor, private bool) *gatekit.Rejection {
	cause := fmt.Errorf("integration: %s %s: %w", method, target, err)
	why := &gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: cause}
	rest := flavor != gatekit.HTTP
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, upstream.ErrBusy):
		why.Status = http.StatusServiceUnavailable
		if rest {
			why.Message = "Service Unavailable"
		}
	case errors.As(err, &certificate):
		if private {
			why.Type = gatekit.APIConfigurationError
		} else if rest {
			why.Message = networkError
		}
	case errors.As(err, &name) && name.IsNotFound:
		if rest {
			why.Type = gatekit.APIConfigurationError
		}
	case errors.Is(err, upstream.ErrTimeout) || errors.As(err, &timeout) && timeout.Timeout():
		why.Type = gatekit.IntegrationTimeout
	case rest:
		why.Message = networkError
	}
	return why
}

// rejectBody answers a client whose body couldn't be read.
func (x *exchange) rejectBody(fault error) {
	var max *http.MaxBytesError
	cause := fmt.Errorf("integration: read the request's body: %w", fault)
	why := &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: cause}
	switch {
	case errors.Is(fault, upstream.ErrTooLong) || errors.As(fault, &max):
		why = tooLarge
	case errors.Is(fault, os.ErrDeadlineExceeded): // the server's ReadTimeout
		why.Status = http.StatusRequestTimeout
	}
	// The server has ended the request's context where reading the connection failed, though the
	// client may still listen.
	gatekit.Reject(x.W, x.In.WithContext(context.WithoutCancel(x.In.Context())), why)
}

// target is where the request was sent, without what the client wrote.
func (x *exchange) target() string { return x.proxy.scheme + "://" + x.URL.Host }

// tunnel answers a request that the upstream has agreed to upgrade, and stays until that ends.
func (x *exchange) tunnel(res *http.Response) {
	server, ok := res.Body.(io.ReadWriteCloser)
	err := error(nil)
	if got := res.Header.Get("Upgrade"); !ok || x.Upgrade == "" || !strings.EqualFold(got, x.Upgrade) {
		x.Answered()
		err = fmt.Errorf("integration: the upstream changed to the protocol %q, asked for was %q", got, x.Upgrade)
	} else {
		hopbyhop.Drop(res.Header, nil)
		delete(res.Header, "Apigw-Requestid")
		err = x.Tunnel(server, res.Header)
	}
	if err != nil {
		x.done.Err = err
		x.record()
		x.reject(&gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: err})
	}
}

// reject answers in the flavor's form. If the client is gone, it aborts: nobody is there to read an
// answer, and no answer would become an empty 200 for whoever stands between.
func (x *exchange) reject(why error) {
	r := x.In
	if x.ClientGone() {
		panic(http.ErrAbortHandler)
	}
	if x.HasBody() {
		r = r.WithContext(context.WithoutCancel(r.Context())) // endBody would look as if the client were gone
	}
	x.EndBody()
	gatekit.Reject(x.W, r, why)
}
