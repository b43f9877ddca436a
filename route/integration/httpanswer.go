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
	"sync"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
)

// answer passes the response on.
func (x *exchange) answer(res *http.Response) {
	defer res.Body.Close()
	if err := x.headersIn(); err != nil {
		x.fail(err)
		return
	}
	defer x.record(res.StatusCode)
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.proxy.answered(x.at)
		x.tunnel(res)
		return
	}
	if max := x.proxy.maxResponse; max > 0 && res.ContentLength > max && x.out.Method != http.MethodHead {
		x.proxy.answered(x.at)
		x.reject(responseTooLarge[x.flavor == gatekit.REST])
		return
	}
	body, length := io.Reader(res.Body), res.ContentLength
	rest := x.flavor == gatekit.REST && !x.mapped
	if rest && !x.proxy.config.KeepContentEncoding && isGzip(res.Header) {
		// The header is dropped, so the body mustn't need it.
		if x.out.Method != http.MethodHead && length != 0 && httpword.BodyAllowed(res.StatusCode) {
			body = &gunzip{in: res.Body}
		}
		length = -1
		delete(res.Header, "Content-Encoding")
	}
	x.passHeaders(res.Header)
	out := x.w.Header()
	if length >= 0 && rest && httpword.BodyAllowed(res.StatusCode) { // under its own name it was passed on as it came
		out["Content-Length"] = []string{strconv.FormatInt(length, 10)}
	}
	announced := x.announcedTo(res.Trailer)
	if len(announced) > 0 {
		delete(out, "Content-Length") // HTTP/2 has both, HTTP/1.1 one of them
		out["Trailer"] = append(out["Trailer"], announced...)
	}
	duplex := x.body != nil && !x.body.complete()
	if duplex {
		// Else the server closes the client's body with the first bytes of an answer, the transport takes that for an error and closes the
		// connection, and the answer is cut.
		_ = http.NewResponseController(x.w).EnableFullDuplex() // HTTP/2 needs nothing
	}
	x.w.WriteHeader(res.StatusCode)
	if err := x.copy(body, length, duplex || isEventStream(res.Header)); err != nil {
		// Whoever reads this response must see that it isn't all. The server logs nothing for this value.
		panic(http.ErrAbortHandler)
	}
	x.upstreamDone()
	_ = res.Body.Close() // fills in the trailers
	if len(res.Trailer) == 0 {
		return
	}
	_ = http.NewResponseController(x.w).Flush() // or a short body would get a Content-Length, and no trailers
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

// gunzip reads the gzip header with the first bytes: not before, as a stream may be silent at first.
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

// buffers are for copying bodies. Nothing keeps one.
var buffers = sync.Pool{New: func() any { return new([copyBytes]byte) }}

const (
	copyBytes = 32 << 10
	// small is what fits into the server's own buffer beside most headers, so that writing it waits for nobody.
	small = 2 << 10
)

// copy copies the body. What has no length is flushed as it comes. With now the headers are, too, and whatever comes: the client may have to see them
// before it goes on sending, or nothing may come for long.
func (x *exchange) copy(body io.Reader, length int64, now bool) error {
	if length == 0 {
		return nil
	}
	stream := length < 0 || now
	control := http.NewResponseController(x.w)
	if now {
		if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
	}
	b := buffers.Get().(*[copyBytes]byte)
	defer buffers.Put(b)
	for left := length; ; {
		x.await(forUpstream)
		n, readErr := body.Read(b[:])
		if left -= int64(n); left == 0 && readErr == nil {
			_, readErr = body.Read(b[n:n]) // nothing is left but the end, which ends the upstream's part in it
		}
		x.watch.Stop()
		if readErr == io.EOF {
			x.upstreamDone() // before the client is waited for
		}
		if n > 0 {
			if readErr == nil || n > small {
				x.await(forClient)
			}
			if err := x.pass(b[:n]); err != nil {
				return err
			}
			if stream {
				if err := control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
					return err
				}
			}
		}
		if readErr == io.EOF {
			return nil
		}
		if readErr != nil {
			x.brokeOff()
			return readErr
		}
	}
}

// pass writes to the client, and keeps in mind how long it takes to read.
func (x *exchange) pass(b []byte) error {
	if x.at != nil { // and somebody may be waiting for the place
		x.mayBeSlow()
	}
	x.down.begin(time.Now())
	_, err := x.w.Write(b)
	x.down.end(time.Now(), len(b))
	return err
}

// upstreamDone notes that the upstream has answered to the end, and gives its place to others.
func (x *exchange) upstreamDone() {
	if x.at != nil {
		x.proxy.answered(x.at)
		x.release()
	}
}

// brokeOff notes that the body of the answer did, if the upstream is to blame.
func (x *exchange) brokeOff() {
	if why := context.Cause(x.ctx); x.at != nil && (why == nil || why == errSilent) && x.upstreamsFault() {
		x.proxy.failed(x.at)
	}
}

// record says how the integration did.
func (x *exchange) record(status int) {
	x.rc.SetIntegration(gatekit.Integration{Status: status, Latency: time.Since(x.start)})
}

var responseTooLarge = map[bool]*gatekit.Rejection{
	false: {Type: gatekit.APIConfigurationError, Cause: errResponseTooLarge},
	true:  {Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway, Cause: errResponseTooLarge},
}

var errResponseTooLarge = errors.New("integration: the response is longer than it may be")

// networkError is what a REST API says of an upstream that can't be reached.
const networkError = "Network error communicating with endpoint"

// fail answers a request that got no response.
func (x *exchange) fail(err error) {
	x.record(0)
	if fault := x.clientsFault(); fault != nil {
		x.rejectBody(fault)
		return
	}
	var rejection *gatekit.Rejection
	if errors.As(err, &rejection) {
		x.reject(rejection)
		return
	}
	why := &gatekit.Rejection{Type: gatekit.IntegrationFailure, Cause: fmt.Errorf("integration: %s %s: %w", x.out.Method, x.target(), err)}
	rest := x.flavor != gatekit.HTTP
	var timeout net.Error
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, errSlowBody) || errors.Is(err, errGivenUp):
		x.rejectBody(os.ErrDeadlineExceeded)
		return
	case errors.Is(err, errBusy):
		why.Status = http.StatusServiceUnavailable
		if rest {
			why.Message = "Service Unavailable"
		}
	case errors.As(err, &certificate):
		if x.proxy.config.Private {
			why.Type = gatekit.APIConfigurationError
		} else if rest {
			why.Message = networkError
		}
	case errors.As(err, &name) && name.IsNotFound:
		if rest {
			why.Type = gatekit.APIConfigurationError
		}
	case errors.Is(err, errNoHeaders) || errors.Is(err, errTryTimeout) || errors.As(err, &timeout) && timeout.Timeout():
		why.Type = gatekit.IntegrationTimeout
	case rest:
		why.Message = networkError
	}
	x.reject(why)
}

// rejectBody answers a client whose body couldn't be read.
func (x *exchange) rejectBody(fault error) {
	var max *http.MaxBytesError
	why := &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest, Cause: fmt.Errorf("integration: read the request's body: %w", fault)}
	switch {
	case errors.Is(fault, errTooLarge) || errors.As(fault, &max):
		why = tooLarge
	case errors.Is(fault, os.ErrDeadlineExceeded): // the server's ReadTimeout
		why.Status = http.StatusRequestTimeout
	}
	// The server has ended the request's context where reading the connection failed, though the client may still listen.
	gatekit.Reject(x.w, x.in.WithContext(context.WithoutCancel(x.in.Context())), why)
}

// target is where the request was sent, without what the client wrote.
func (x *exchange) target() string { return x.proxy.scheme + "://" + x.url.Host }

// reject answers in the flavor's form. If the client is gone, it aborts: nobody is there to read an answer, and no answer would become an empty
// 200 for whoever stands between.
func (x *exchange) reject(why error) {
	r := x.in
	if context.Cause(x.ctx) == context.Canceled {
		panic(http.ErrAbortHandler)
	}
	if x.body != nil {
		r = r.WithContext(context.WithoutCancel(r.Context())) // endBody would look as if the client were gone
	}
	x.endBody()
	gatekit.Reject(x.w, r, why)
}
