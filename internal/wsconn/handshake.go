package wsconn

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/httpword"
)

// Refusal is a handshake that can't become a connection. It is an error, made once and never
// modified: Header is only read.
type Refusal struct {
	// Status is 400, 405, 414 or 426.
	Status int
	// Header is what the answer needs: Upgrade and Connection (426), Sec-WebSocket-Version (a wrong
	// version), Allow (405). It may be nil.
	Header http.Header
	// Reason is for the log. It holds nothing that the client sent.
	Reason string
}

func (r *Refusal) Error() string { return "wsconn: handshake: " + r.Reason }

// Write answers with the refusal: its headers, its status, and its reason as text. A caller with a
// form of its own for refusals copies Header and writes that.
func (r *Refusal) Write(w http.ResponseWriter) {
	for name, values := range r.Header {
		w.Header()[name] = slices.Clone(values)
	}
	http.Error(w, http.StatusText(r.Status), r.Status)
}

func bad(reason string) *Refusal { return &Refusal{Status: http.StatusBadRequest, Reason: reason} }

// Refusals that need headers. A 426 says what to upgrade to (RFC 9110, section 15.5.22), which
// Connection must then list; one for a version says which there is (RFC 6455, section 4.4).
var (
	upgradeHeader = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}}
	allowHeader   = http.Header{"Allow": {"GET"}}
	versionHeader = http.Header{"Upgrade": {"websocket"}, "Connection": {"Upgrade"}, "Sec-Websocket-Version": {"13"}}

	errNoUpgrade  = &Refusal{Status: upgradeRequired, Header: upgradeHeader, Reason: "no upgrade to websocket"}
	errOldHTTP    = &Refusal{Status: upgradeRequired, Header: upgradeHeader, Reason: "HTTP/1.0"}
	errHTTP2      = &Refusal{Status: upgradeRequired, Reason: "HTTP/2 without extended CONNECT"}
	errVersion    = &Refusal{Status: upgradeRequired, Header: versionHeader, Reason: "another version than 13"}
	errMethod     = &Refusal{Status: http.StatusMethodNotAllowed, Header: allowHeader, Reason: "method is not GET"}
	errURL        = &Refusal{Status: http.StatusRequestURITooLong, Reason: "URL is longer than 4096 bytes"}
	errHost       = bad("no host")
	errVersions   = bad("Sec-WebSocket-Version more than once")
	errKeys       = bad("not exactly one Sec-WebSocket-Key")
	errKey        = bad("Sec-WebSocket-Key is not 16 bytes in base64")
	errBody       = bad("a handshake has no body")
	errProtocol   = bad("Sec-WebSocket-Protocol is not a list of different tokens")
	errExtensions = bad("Sec-WebSocket-Extensions is not a list of extensions")
	errOrigins    = bad("Origin more than once")
	errAccept     = bad("Sec-WebSocket-Accept is for answers")
)

const (
	upgradeRequired = http.StatusUpgradeRequired

	maxURL       = 4096 // API Gateway guide, "Quotas for configuring and running a WebSocket API"
	maxProtocols = 64
)

// Handshake is a request that may become a connection. Nothing was written yet: the caller may
// still refuse it in any way, then or much later, and accepts it with [Handshake.Accept].
type Handshake struct {
	engine    *Engine
	r         *http.Request
	protocols []string
	deflate   string // the answer to the offer that was chosen
}

// Check judges a handshake by RFC 6455, sections 4.1 and 4.2.1, and RFC 8441 where it came over
// HTTP/2. The error is a *Refusal. What isn't WebSocket at all is told first (426), then a wrong
// method (405), then mistakes (400).
//
// Each header that counts is read once and whole: where a client sent two, one reader would take
// the first and the next the last, so two keys, versions or origins are refused. Upgrade and
// Connection are lists and may come in several lines.
func (e *Engine) Check(r *http.Request) (*Handshake, error) {
	if why := checkRequest(r); why != nil {
		return nil, why
	}
	h := &Handshake{engine: e, r: r}
	var ok bool
	if h.protocols, ok = subprotocols(r.Header["Sec-Websocket-Protocol"]); !ok {
		return nil, errProtocol
	}
	if e.cfg.Deflate {
		if h.deflate, ok = negotiateDeflate(r.Header["Sec-Websocket-Extensions"]); !ok {
			return nil, errExtensions
		}
	}
	return h, nil
}

// Protocols returns the subprotocols that the client offers, in its order of preference. It is a
// copy.
func (h *Handshake) Protocols() []string { return slices.Clone(h.protocols) }

// checkRequest judges what needs no negotiation.
func checkRequest(r *http.Request) *Refusal {
	http2 := isHTTP2(r)
	version := r.Header["Sec-Websocket-Version"]
	switch {
	case http2 && !isExtendedConnect(r):
		return errHTTP2
	case !http2 && !r.ProtoAtLeast(1, 1):
		return errOldHTTP
	case !http2 && !(listHas(r.Header["Upgrade"], "websocket") && listHas(r.Header["Connection"], "upgrade")):
		return errNoUpgrade
	case len(version) > 1:
		return errVersions
	case len(version) == 0 || version[0] != "13":
		return errVersion
	case !http2 && r.Method != http.MethodGet:
		return errMethod
	case len(r.RequestURI) > maxURL:
		return errURL
	case r.Host == "":
		return errHost
	case len(r.Header["Origin"]) > 1:
		return errOrigins
	case len(r.Header["Sec-Websocket-Accept"]) > 0:
		return errAccept
	case http2:
		return nil
	}
	return checkKeyAndBody(r)
}

// checkKeyAndBody judges what HTTP/1.1 has of its own. A body would stand where the first frame is
// expected, so a proxy in front could be made to take one for the other.
func checkKeyAndBody(r *http.Request) *Refusal {
	switch key := r.Header["Sec-Websocket-Key"]; {
	case r.ContentLength != 0 || len(r.TransferEncoding) > 0:
		return errBody
	case len(key) != 1:
		return errKeys
	case !validKey(key[0]):
		return errKey
	}
	return nil
}

// validKey reports whether key is 16 bytes in base64, as an encoder writes them: padded, and no bit
// set that decodes to nothing.
func validKey(key string) bool {
	var nonce [18]byte // of 24 characters, were none of them padding
	if len(key) != 24 || strings.ContainsAny(key, "\r\n") {
		return false
	}
	n, err := base64.StdEncoding.Strict().Decode(nonce[:], []byte(key))
	return err == nil && n == 16
}

// acceptKey is the proof that the handshake was understood (RFC 6455, section 4.2.2, step 5.4).
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// listHas reports whether a list of tokens, over all its lines, has one, regardless of case.
func listHas(lines []string, token string) bool {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.Trim(element, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// subprotocols reads the offered subprotocols: tokens, no two the same (RFC 6455, section 4.1, item
// 10), of which a client that means it has few. Empty elements are passed over, as in any list (RFC
// 9110, section 5.6.1.2), but a header that offers nothing is a mistake.
func subprotocols(lines []string) (list []string, ok bool) {
	for _, line := range lines {
		for element := range strings.SplitSeq(line, ",") {
			element = strings.Trim(element, " \t")
			if element == "" {
				continue
			}
			if !httpword.IsToken(element) || slices.Contains(list, element) || len(list) == maxProtocols {
				return nil, false
			}
			list = append(list, element)
		}
	}
	return list, len(list) > 0 || len(lines) == 0
}
