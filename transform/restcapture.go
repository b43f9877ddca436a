package transform

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"strconv"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/latewriter"
)

func bodyOf(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(b))
}

// capture takes the answer of an integration whose response is mapped. It keeps the body if
// something needs it, else it streams; a refusal of the gateway's own passes as it is.
type capture struct {
	latewriter.Writer
	exchange *exchange
	header   http.Header // the integration's

	response http.Header // the method's, of an answer that streams
	as       int         // its status
	text     bool        // whether what is streamed is text
	rest     []byte      // an unfinished character of it
	err      error       // why there is no answer
}

// keptText is up to what length text is kept that could be streamed.
const keptText = 1 << 20

// Header returns the integration's.
func (c *capture) Header() http.Header { return c.header }

// Inform stops what the integration says before its answer.
func (c *capture) Inform(int) bool { return false }

// Hijack fails: a mapped response has no connection to take over.
func (c *capture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// Keep decides whether the answer is kept, or streams. An HTTP integration's streams where nothing
// looks into its body; what a function has failed of may become known only when it is done.
func (c *capture) Keep(status int) (int64, bool) {
	e := c.exchange
	if e.rc.Rejection() != nil {
		c.response, c.as = c.header, status
		return 0, false
	}
	most := e.rest.maxBody
	if e.rest.kind != HTTP {
		return most, true
	}
	chosen := e.choose(status)
	if chosen == nil || chosen.templates != nil || needsBody(chosen.mappings) {
		return most, true
	}
	conversion := e.conversionOf(chosen, c.header)
	if conversion != asText && conversion != asIs {
		return most, true
	}
	if length, err := strconv.Atoi(c.header.Get("Content-Length")); err == nil && conversion == asText && length <= keptText {
		return most, true // its length may change, and yet is to be told
	}
	if c.response, c.as, c.err = e.responseHeader(chosen, &answer{status: status, header: c.header}); c.err != nil {
		return 0, true // of which nothing is taken
	}
	c.text = conversion == asText
	if length := c.header["Content-Length"]; !c.text && len(length) == 1 {
		c.response["Content-Length"] = length
	}
	return 0, false
}

// Commit sends what Keep has made of the header.
func (c *capture) Commit(int) int {
	setHeaders(c.ResponseWriter, c.response)
	return c.as
}

// WriteBody makes text valid on the way.
func (c *capture) WriteBody(w http.ResponseWriter, b []byte) (int, error) {
	if !c.text || len(c.rest) == 0 && utf8.Valid(b) {
		return w.Write(b)
	}
	text, rest := appendValidText(nil, append(c.rest, b...))
	c.rest = append([]byte(nil), rest...)
	_, err := w.Write(text)
	return len(b), err
}

// finish answers, once the integration is done.
func (c *capture) finish() error {
	c.Finish()
	switch {
	case c.err != nil:
		return c.err
	case c.Overflowed():
		return &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway, Cause: errAnswerTooLarge}
	case c.Kept():
		return c.exchange.respond(c.ResponseWriter, &answer{status: c.Status(), header: c.header, body: c.Held()})
	case len(c.rest) > 0:
		_, _ = c.ResponseWriter.Write(utf8.AppendRune(nil, utf8.RuneError))
	}
	return nil
}
