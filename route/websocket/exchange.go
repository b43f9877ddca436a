package websocket

import (
	"errors"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/wsconn"
)

const octetStream = "application/octet-stream"

// exchange is the ResponseWriter of a request that a connection makes: what is written to it is
// the reply. It has room for what the request points at, so that a message is one allocation less
// for each; like the request it is never used again. Both are over when the handler returns: who is
// left behind and still reads or writes, as under http.TimeoutHandler, finds them closed.
type exchange struct {
	header    http.Header // nil until it is asked for
	status    int
	body      wsconn.Draft
	over      bool
	rejection *gatekit.Rejection // by a station or the integration, in place of a reply

	url         url.URL
	sent        message
	connection  gatekit.Connection
	contentType [1]string
}

// maxReplyBytes bounds an answer of a handler, which is a message to the client.
const maxReplyBytes = maxPushBytes

func (m *exchange) Header() http.Header {
	if m.header == nil {
		m.header = http.Header{}
	}
	return m.header
}

// respond is the request's responder.
func (m *exchange) respond(_ http.ResponseWriter, _ *http.Request, why *gatekit.Rejection) {
	m.rejection = why
}

func (m *exchange) WriteHeader(status int) {
	if m.status == 0 && status >= 200 { // 1xx answers have nowhere to go
		m.status = status
	}
}

func (m *exchange) Write(b []byte) (int, error) {
	m.WriteHeader(http.StatusOK)
	if m.over || len(m.body.Bytes())+len(b) > maxReplyBytes {
		m.over = true
		m.body.Reset()
		return 0, ErrTooLarge
	}
	return m.body.Write(b)
}

func (m *exchange) code() int {
	if m.status == 0 {
		return http.StatusOK
	}
	return m.status
}

// kind is the type of the reply: binary for bytes, text for everything else.
func (m *exchange) kind() Type {
	if v := m.header["Content-Type"]; len(v) > 0 && v[0] == octetStream {
		return Binary
	}
	return Text
}

var errNotText = errors.New("websocket: want text in UTF-8, or Config.AllowBinary")

// opcode returns how a reply is sent, whatever it says that it is: text where it can be; false if
// it can't be sent at all.
func (a *API) opcode(t Type, data []byte) (wsconn.Opcode, bool) {
	if utf8.Valid(data) && (t == Text || !a.config.AllowBinary) {
		return wsconn.Text, true
	}
	return wsconn.Binary, a.config.AllowBinary
}

// The refusals of messages, made once.
var (
	errPanic = &gatekit.Rejection{Type: gatekit.Default5XX, Cause: errors.New("websocket: the handler panicked")}
	errReply = &gatekit.Rejection{Type: gatekit.Default5XX, Cause: errors.New("websocket: the reply can't be sent")}

	errNotAdmitted = &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errors.New(
		"websocket: the connection's caller isn't authenticated yet")}
)

// frameTexts are what error frames say, where it isn't what the flavor's answers do. (Recorded:
// Forbidden, Internal server error. Guide, "Set up a WebSocket API integration": Bad request body.)
var frameTexts = map[gatekit.ResponseType]string{
	gatekit.APIConfigurationError:        "Internal server error",
	gatekit.AuthorizerConfigurationError: "Internal server error",
	gatekit.AuthorizerFailure:            "Internal server error",
	gatekit.BadRequestBody:               "Bad request body",
	gatekit.Default5XX:                   "Internal server error",
	gatekit.IntegrationFailure:           "Internal server error",
	gatekit.IntegrationTimeout:           "Endpoint request timed out",
	gatekit.MissingAuthenticationToken:   "Forbidden",
	gatekit.ExpiredToken:                 "Forbidden",
}

// appendErrorFrame appends the frame that tells a client that its message was refused, in the very
// spacing of the managed gateway. (Recorded.) Only where the body isn't what its model says the
// message is named, in place of the request.
func appendErrorFrame(b []byte, why *gatekit.Rejection, connectionID, requestID, messageID string) []byte {
	text, known := frameTexts[why.Type]
	if !known {
		text = why.MessageFor(gatekit.WebSocket)
	}
	b = jsonlex.AppendString(append(b, `{"message": `...), text)
	b = jsonlex.AppendString(append(b, `, "connectionId":`...), connectionID)
	if why.Type == gatekit.BadRequestBody {
		b = jsonlex.AppendString(append(b, `, "messageId":`...), messageID)
	} else {
		b = jsonlex.AppendString(append(b, `, "requestId":`...), requestID)
	}
	return append(b, '}')
}

// OneWay is a middleware for routes that send no reply: what the handler writes is dropped, as on
// the managed gateway for routes without a route response. Refusals are sent.
//
//	api.Handle("log", h, websocket.OneWay)
func OneWay(next http.Handler) http.Handler { return &oneWay{next} }

type oneWay struct{ next http.Handler }

// Station implements [gatekit.Station].
func (h *oneWay) Station() (kind string, next http.Handler) { return "websocket.OneWay", h.next }

func (h *oneWay) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	h.next.ServeHTTP(&dropped{header: http.Header{}}, r)
}

// dropped is a ResponseWriter for nobody.
type dropped struct{ header http.Header }

func (d *dropped) Header() http.Header         { return d.header }
func (d *dropped) Write(b []byte) (int, error) { return len(b), nil }
func (d *dropped) WriteHeader(int)             {}
