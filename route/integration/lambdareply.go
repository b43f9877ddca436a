package integration

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// reply is what a function returned, read by one of the contracts below.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// contract is how a reply is read.
type contract uint8

const (
	contractV2     contract = iota // payload 2.0
	contractV1                     // payload 1.0 of HTTP APIs
	contractREST                   // REST APIs
	contractStream                 // the metadata of a stream
)

const textPlain, applicationJSON = "text/plain; charset=utf-8", "application/json"

var (
	errReply       = errors.New("integration: the function's reply is malformed")
	errReplyBase64 = errors.New("integration: the function's reply says base64, and isn't")
)

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errReply, fmt.Sprintf(format, args...))
}

// parse reads a reply. decode says whether a body that is said to be base64 is decoded.
func (c contract) parse(payload []byte, decode bool) (reply, error) {
	valid := jsonscan.Valid(payload)
	trimmed := bytes.Trim(payload, " \t\r\n")
	isObject := valid && trimmed[0] == '{'
	if c == contractV2 && (!isObject || !hasMember(trimmed, "statusCode")) {
		return inferred(payload, trimmed, valid), nil
	}
	if !isObject {
		return reply{}, malformed("want a JSON object")
	}
	m, err := c.members(trimmed)
	if err != nil {
		return reply{}, err
	}
	r := reply{header: make(http.Header, 4)}
	if r.status, err = c.statusCode(m.statusCode); err != nil {
		return reply{}, err
	}
	if err := c.headers(r.header, &m); err != nil {
		return reply{}, err
	}
	if err := r.setBody(&m, decode); err != nil {
		return reply{}, err
	}
	if len(r.header["Content-Type"]) == 0 {
		if c == contractREST || c == contractStream {
			r.header["Content-Type"] = []string{applicationJSON}
		} else {
			r.header["Content-Type"] = []string{textPlain}
		}
	}
	return r, nil
}

// inferred is the answer that a 2.0 reply without a statusCode stands for: 200, JSON, the text as
// returned, and of a string what it says. That holds for text that isn't JSON, too. (Recorded,
// against the guide's words.)
func inferred(payload, trimmed []byte, valid bool) reply {
	r := reply{status: http.StatusOK, header: http.Header{"Content-Type": {applicationJSON}}, body: payload}
	if valid && trimmed[0] == '"' {
		r.body, _ = jsonscan.AppendText(make([]byte, 0, len(trimmed)), trimmed)
	}
	return r
}

func hasMember(object []byte, name string) bool {
	for key := range jsonscan.Members(object) {
		if jsonscan.Is(key, name) {
			return true
		}
	}
	return false
}

// members are a reply's members, each as its JSON text; of members with one name the last, as
// JSON.parse has it.
type members struct {
	statusCode, headers, multiValueHeaders, cookies, body, isBase64Encoded []byte
}

func (c contract) members(object []byte) (m members, err error) {
	for key, value := range jsonscan.Members(object) {
		name, _ := jsonscan.Text(key)
		switch {
		case name == "statusCode":
			m.statusCode = value
		case name == "headers":
			m.headers = value
		case name == "multiValueHeaders":
			m.multiValueHeaders = value
		case name == "body" && c != contractStream:
			m.body = value
		case name == "isBase64Encoded" && c != contractStream:
			m.isBase64Encoded = value
		case name == "cookies" && (c == contractV2 || c == contractStream):
			m.cookies = value
		case c == contractREST || c == contractStream:
			return m, malformed("want no other members than those of the format")
		}
	}
	return m, nil
}

// statusCode reads a status: a whole number, also as a string. REST APIs and streams take 200 for
// one that isn't there.
func (c contract) statusCode(value []byte) (int, error) {
	if jsonscan.IsNull(value) && (c == contractREST || c == contractStream) {
		return http.StatusOK, nil
	}
	text := string(value)
	if quoted, ok := jsonscan.Text(value); ok {
		text = quoted
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < 200 || status > 999 { // 1xx is no final answer
		return 0, malformed("statusCode: want a whole number from 200 to 999")
	}
	return status, nil
}

// headers reads the header members. Where a name is in both, an HTTP API sends the single value
// first and a REST API last (recorded), and a REST API sends a pair that is in both once (developer
// guide, "Output format of a Lambda function for proxy integration"): browsers refuse a doubled
// Access-Control-Allow-Origin.
func (c contract) headers(h http.Header, m *members) error {
	multi := func() error {
		if c == contractV2 || jsonscan.IsNull(m.multiValueHeaders) {
			return nil // no part of format 2.0
		}
		if m.multiValueHeaders[0] != '{' {
			return malformed("multiValueHeaders: want an object")
		}
		for key, list := range jsonscan.Members(m.multiValueHeaders) {
			if jsonscan.IsNull(list) {
				continue
			}
			if list[0] != '[' {
				return malformed("multiValueHeaders: want lists")
			}
			for value := range jsonscan.Elements(list) {
				if err := addHeader(h, nil, key, value); err != nil {
					return err
				}
			}
		}
		return nil
	}
	if err := addCookies(h, m.cookies); err != nil {
		return err
	}
	var sent http.Header
	if c != contractV1 && c != contractV2 && !jsonscan.IsNull(m.multiValueHeaders) {
		if err := multi(); err != nil {
			return err
		}
		sent = maps.Clone(h)
	}
	if !jsonscan.IsNull(m.headers) {
		if m.headers[0] != '{' {
			return malformed("headers: want an object")
		}
		for key, value := range jsonscan.Members(m.headers) {
			if err := addHeader(h, sent, key, value); err != nil {
				return err
			}
		}
	}
	if c == contractV1 {
		return multi()
	}
	return nil
}

// addCookies adds each cookie as a Set-Cookie line of its own.
func addCookies(h http.Header, cookies []byte) error {
	if jsonscan.IsNull(cookies) {
		return nil
	}
	if cookies[0] != '[' {
		return malformed("cookies: want a list")
	}
	for value := range jsonscan.Elements(cookies) {
		if err := addHeader(h, nil, []byte(`"Set-Cookie"`), value); err != nil {
			return err
		}
	}
	return nil
}

// addHeader adds one header, unless sent has that value of it. Numbers and booleans are sent as
// their text, null isn't sent. A name or value that could end a line is malformed.
func addHeader(h, sent http.Header, key, value []byte) error {
	name, _ := jsonscan.Text(key)
	if !httpword.IsToken(name) {
		return malformed("want header names that are tokens")
	}
	if jsonscan.IsNull(value) {
		return nil
	}
	text, ok := jsonscan.Text(value)
	switch {
	case ok:
		text = strings.Trim(text, " \t")
	case value[0] == '{' || value[0] == '[':
		return malformed("want header values that are strings")
	default:
		text = string(value)
	}
	if !httpword.IsFieldValue(text) {
		return malformed("want header values without control characters")
	}
	name = textproto.CanonicalMIMEHeaderKey(name)
	if !slices.Contains(sent[name], text) {
		h[name] = append(h[name], text)
	}
	return nil
}

func (r *reply) setBody(m *members, decode bool) error {
	encoded := false
	switch string(m.isBase64Encoded) {
	case "", "null", "false":
	case "true":
		encoded = decode
	default:
		return malformed("isBase64Encoded: want a boolean")
	}
	if jsonscan.IsNull(m.body) {
		return nil
	}
	if m.body[0] != '"' {
		return malformed("body: want a string")
	}
	text, _ := jsonscan.AppendText(make([]byte, 0, len(m.body)), m.body)
	if encoded {
		n, err := base64.StdEncoding.Decode(text, text)
		if err != nil {
			return errReplyBase64
		}
		text = text[:n]
	}
	r.body = text
	return nil
}

// write sends the reply.
func (r *reply) write(w http.ResponseWriter, req *http.Request, rc *gatekit.RequestContext) {
	if httpword.BodyAllowed(r.status) {
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(r.body))}
	}
	r.writeHeader(w, req, rc)
	if httpword.BodySent(req.Method, r.status) {
		_, _ = w.Write(r.body) // a client that went away is no fault of ours
	}
}

// writeHeader sends the reply's status and headers as the flavor does.
func (r *reply) writeHeader(w http.ResponseWriter, req *http.Request, rc *gatekit.RequestContext) {
	h := w.Header()
	rest := rc.API.Flavor == gatekit.REST
	if rest {
		h["X-Amzn-Trace-Id"] = []string{event.Trace(rc, req).String()}
	}
	for name, values := range r.header {
		if rest {
			name = restHeader(name)
		} else if droppedFromHTTP(name) {
			continue
		}
		if name != "" {
			h[name] = values
		}
	}
	w.WriteHeader(r.status)
}

// droppedFromHTTP are the headers that are the gateway's on HTTP APIs.
func droppedFromHTTP(name string) bool {
	switch name {
	case "Apigw-Requestid", "Content-Length", "Date":
		return true
	}
	return hopbyhop.Framing(name)
}

// restHeader is the name under which a REST API sends a function's header, or "". (Recorded, but
// for Authorization, Host, User-Agent and WWW-Authenticate, which users have reported or which
// follow from it, and Trailer and Upgrade, which are recorded of non-proxy integrations: net/http
// would announce trailers that never come.)
func restHeader(name string) string {
	switch name {
	case "Authorization", "Connection", "Content-Length", "Date", "Host", "Server", "Trailer", "Upgrade", "User-Agent",
		"Www-Authenticate":
		return "X-Amzn-Remapped-" + name
	case "Transfer-Encoding", "X-Amzn-Requestid", "X-Amz-Apigw-Id":
		return ""
	}
	return name
}
