package transform

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/wholebody"
)

// Off, as [CompressionConfig].MinimumSize, leaves answers as they are.
const Off = -1

// maxCompressionSize is the managed gateway's bound of the minimum. (API reference, "RestApi",
// minimumCompressionSize.)
const maxCompressionSize = 10 << 20

// CompressionConfig configures a [Compression]. The zero value compresses answers of any size.
type CompressionConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// MinimumSize is how long an answer's body must be to be compressed, in bytes: 0 to 10,485,760,
	// the API's minimumCompressionSize. 0 is any body. [Off] compresses none, as an API without the
	// setting; requests are still inflated. Of an answer that doesn't say how long it is so much is
	// held back.
	MinimumSize int64
	// MaxBodyBytes is how large a request's body may be, as it comes and once it is inflated. 0 is
	// [MaxBodyBytes].
	MaxBodyBytes int64
}

// Compression compresses the answers of a REST API, and inflates its requests. It is immutable and
// safe for concurrent use. (Developer guide, "Payload compression for REST APIs in API Gateway".)
//
// Requests with Content-Encoding gzip or deflate are inflated, so that what stands behind sees the
// payload alone: the header is gone, Content-Length is the payload's. Any other coding, several of
// them, and a body that isn't what the header says are 415. A body that is larger than its bound,
// once inflated, is 413, and no more than that is inflated of it.
//
// Answers are compressed if their body is as long as the minimum, if the coding that the client
// prefers (Accept-Encoding) is gzip or deflate, and if they have no Content-Encoding yet. Those
// without a body, and to HEAD, stay as they are, and so do parts of a whole (206), event streams,
// and what says Cache-Control: no-transform. A compressed answer has no Content-Length,
// Accept-Ranges or digests of its body, and its ETag is weak, as the bytes are others; Vary names
// Accept-Encoding, whether or not an answer was compressed.
//
// # Differences
//
//   - A strong ETag becomes weak, and Vary is sent; what the managed gateway does isn't published.
//   - Codings that a client prefers alike are one to choose: of "br, gzip" it gets gzip. An
//     Accept-Encoding that isn't a list of codings compresses nothing, as * alone does.
//   - deflate is the zlib format (RFC 9110, section 8.4.1.2); one without its frame is 415.
//   - The minimum is no bound for requests: a short one is inflated, too.
//   - A handler that flushes before the minimum is reached has its answer sent as it is: nothing of
//     a stream is held back for long. One that flushes later has each part sent at once.
type Compression struct {
	minimum int64 // Off: none
	maxBody int64
}

// NewCompression returns a Compression, or an error that lists every field it refuses.
func NewCompression(c CompressionConfig) (*Compression, error) {
	m := mistakes.In("transform: CompressionConfig")
	m.Require(c.MinimumSize >= Off && c.MinimumSize <= maxCompressionSize,
		"MinimumSize", "want 0 to %d, or Off, got %d", maxCompressionSize, c.MinimumSize)
	m.Require(c.MaxBodyBytes >= 0, "MaxBodyBytes", "want 0 or a number of bytes, got %d", c.MaxBodyBytes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	if c.MaxBodyBytes == 0 {
		c.MaxBodyBytes = MaxBodyBytes
	}
	return &Compression{minimum: c.MinimumSize, maxBody: c.MaxBodyBytes}, nil
}

// Middleware inflates requests on their way to next, and compresses next's answers. It stands
// behind authorizers, as a signature is of what was sent, and in front of validators, the cache and
// mappings, which read what was meant.
func (c *Compression) Middleware(next http.Handler) http.Handler {
	return &compressed{compression: c, next: next}
}

type compressed struct {
	compression *Compression
	next        http.Handler
}

// Station implements [gatekit.Station].
func (h *compressed) Station() (kind string, next http.Handler) { return "compression", h.next }

func (h *compressed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc := gatekit.From(r.Context())
	began := rc.Clock()
	inflated, err := h.compression.Request(r)
	if err != nil {
		refused(rc, ruleInflate, began, err)
		gatekit.Reject(w, r, err)
		return
	}
	if inflated != r {
		passed(rc, ruleInflate, "", began)
	}
	if h.compression.minimum == Off {
		h.next.ServeHTTP(w, inflated)
		return
	}
	coding := preferred(r.Header["Accept-Encoding"])
	if coding == "" || r.Method == http.MethodHead {
		v := &variedWriter{}
		v.Init(w, v)
		h.next.ServeHTTP(v, inflated)
		v.Finish()
		return
	}
	c := &compressingWriter{coding: coding, minimum: h.compression.minimum, method: r.Method, declared: -1}
	c.Init(w, c)
	h.next.ServeHTTP(c, inflated)
	c.finish(rc)
}

// Request returns r with its body inflated, or r itself if it has no body, or one that isn't
// encoded. r's header stays as it was; its body is read. The error is a *[gatekit.Rejection].
func (c *Compression) Request(r *http.Request) (*http.Request, error) {
	values := r.Header["Content-Encoding"]
	if len(values) == 0 || r.Body == nil || r.Body == http.NoBody {
		return r, nil
	}
	coding, ok := contentCoding(values)
	if !ok {
		return nil, notInflated(errors.New("want Content-Encoding gzip, deflate or identity"))
	}
	if coding == "" {
		return r, nil
	}
	body, err := wholebody.Read("transform", r, c.maxBody)
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		if body, err = inflate(coding, body, c.maxBody); err != nil {
			return nil, err
		}
	}
	return withBody(r, body), nil
}

// notInflated is the 415 of a body that isn't what its header says.
func notInflated(why error) error {
	return &gatekit.Rejection{
		Type: gatekit.UnsupportedMediaType, Cause: fmt.Errorf("transform: inflate the request's body: %w", why),
	}
}

// withBody returns a copy of r with another body, without Content-Encoding and what was said of the
// body's bytes.
func withBody(r *http.Request, body []byte) *http.Request {
	copied := *r
	copied.Header = maps.Clone(r.Header)
	delete(copied.Header, "Content-Encoding")
	for _, name := range ofEncodedBody {
		delete(copied.Header, name)
	}
	copied.Body, copied.ContentLength, copied.TransferEncoding = bodyOf(body), int64(len(body)), nil
	if _, said := copied.Header["Content-Length"]; said {
		copied.Header["Content-Length"] = []string{strconv.Itoa(len(body))}
	}
	return &copied
}

// ofEncodedBody are headers that speak of the body's bytes as they were sent.
var ofEncodedBody = []string{"Content-Md5", "Content-Digest", "Digest"}

// contentCoding returns the one coding that a body has: "" for none, or identity. ok is false for
// one that isn't known, and for several, of which each would multiply what a body inflates to.
func contentCoding(values []string) (coding string, ok bool) {
	for _, line := range values {
		for element := range strings.SplitSeq(line, ",") {
			switch element = strings.ToLower(strings.Trim(element, " \t")); element {
			case "", "identity":
				continue
			case "x-gzip": // RFC 9110, section 8.4.1.3
				element = "gzip"
			case "gzip", "deflate":
			default:
				return "", false
			}
			if coding != "" {
				return "", false
			}
			coding = element
		}
	}
	return coding, true
}
