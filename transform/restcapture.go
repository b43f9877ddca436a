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
)

func bodyOf(b []byte) io.ReadCloser {
	if len(b) == 0 {
		return http.NoBody
	}
	return io.NopCloser(bytes.NewReader(b))
}

// capture takes the answer of an integration whose response is mapped. It keeps the body if something needs it, else it streams; a refusal of
// the gateway's own passes as it is.
type capture struct {
	exchange *exchange
	client   http.ResponseWriter
	header   http.Header // the integration's
	limit    int64

	mode   captureMode
	status int
	body   bytes.Buffer
	over   bool
	rest   []byte // an unfinished character of a streamed text
	text   bool   // whether what is streamed is text
	bare   bool   // whether the response's status allows no body
	err    error
}

// keptText is up to what length text is kept that could be streamed.
const keptText = 1 << 20

type captureMode uint8

const (
	undecided captureMode = iota
	kept
	streamed
	refused
	broken
)

func (c *capture) Header() http.Header { return c.header }

func (c *capture) answerStatus() int {
	if c.status == 0 {
		return http.StatusOK
	}
	return c.status
}

func (c *capture) WriteHeader(status int) {
	if c.mode != undecided || status < 200 && status != http.StatusSwitchingProtocols {
		return
	}
	c.status = status
	e := c.exchange
	if e.rc.Rejection() != nil {
		c.mode = refused
		writeHeader(c.client, c.header, status)
		return
	}
	c.mode = kept
	if e.rest.kind != HTTP {
		return // a function's failure may become known only when it is done
	}
	chosen := e.choose(status)
	if chosen == nil || chosen.templates != nil || needsBody(chosen.mappings) {
		return
	}
	conversion := e.conversionOf(chosen, c.header)
	if conversion != asText && conversion != asIs {
		return
	}
	if length, err := strconv.Atoi(c.header.Get("Content-Length")); err == nil && conversion == asText && length <= keptText {
		return // its length may change, and yet is to be told
	}
	h, status, err := e.responseHeader(chosen, &answer{status: status, header: c.header})
	if err != nil {
		c.mode, c.err = broken, err
		return
	}
	c.mode, c.text, c.bare = streamed, conversion == asText, !allowsBody(status)
	if length := c.header["Content-Length"]; !c.text && !c.bare && len(length) == 1 {
		h["Content-Length"] = length
	}
	writeHeader(c.client, h, status)
}

func (c *capture) Write(b []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	switch c.mode {
	case refused:
		return c.client.Write(b)
	case streamed:
		return len(b), c.stream(b)
	case broken:
		return 0, c.err
	}
	if int64(c.body.Len()+len(b)) > c.limit {
		c.over = true
		c.body = bytes.Buffer{}
	}
	if c.over {
		return 0, errAnswerTooLarge
	}
	return c.body.Write(b)
}

// stream writes through, and makes text valid on the way.
func (c *capture) stream(b []byte) error {
	if c.bare {
		return nil
	}
	if !c.text || len(c.rest) == 0 && utf8.Valid(b) {
		_, err := c.client.Write(b)
		return err
	}
	text, rest := appendValidText(nil, append(c.rest, b...))
	c.rest = append([]byte(nil), rest...)
	_, err := c.client.Write(text)
	return err
}

// finish answers, once the integration is done.
func (c *capture) finish() error {
	c.WriteHeader(http.StatusOK) // if it wrote nothing
	switch {
	case c.mode == streamed:
		if len(c.rest) > 0 {
			_, _ = c.client.Write(utf8.AppendRune(nil, utf8.RuneError))
		}
		return nil
	case c.mode == refused:
		return nil
	case c.mode == broken:
		return c.err
	case c.over:
		return &gatekit.Rejection{Type: gatekit.IntegrationFailure, Status: http.StatusBadGateway, Cause: errAnswerTooLarge}
	}
	return c.exchange.respond(c.client, &answer{status: c.status, header: c.header, body: c.body.Bytes()})
}

func (c *capture) Flush() { _ = c.FlushError() }

// FlushError has nothing to do while the answer is kept.
func (c *capture) FlushError() error {
	c.WriteHeader(http.StatusOK)
	if c.mode == kept || c.mode == broken {
		return nil
	}
	return http.NewResponseController(c.client).Flush()
}

// ReadFrom copies through Write, which knows what to do.
func (c *capture) ReadFrom(r io.Reader) (int64, error) { return io.Copy(writerOnly{c}, r) }

// Hijack fails: a mapped response has no connection to take over.
func (c *capture) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return nil, nil, http.ErrNotSupported
}

// Unwrap is for what else http.ResponseController does: deadlines, full duplex.
func (c *capture) Unwrap() http.ResponseWriter { return c.client }
