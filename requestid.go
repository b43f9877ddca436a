package gatekit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

// requestID is what a request's IDs are made from, drawn once when the RequestContext is attached. The source is the
// runtime's ChaCha8 generator, seeded by the system: no system call a request, and nobody who sees some IDs can tell the
// next. They name requests in logs; they are no secrets.
type requestID struct {
	drawn  [16]byte
	chosen *[16]byte // the UUID that a REST API's client chose
}

func (id *requestID) draw() {
	binary.LittleEndian.PutUint64(id.drawn[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id.drawn[8:], rand.Uint64())
}

// AdoptRequestID takes the UUID in the client's X-Amzn-Requestid header for the request's ID, as REST APIs do; a value that isn't
// one UUID is passed over. It is for the station that fronts a REST API, before anybody has asked for the ID. (Developer guide,
// "Variables for data models, authorizers, mapping templates, and CloudWatch access logging", $context.requestId.)
func (rc *RequestContext) AdoptRequestID(h http.Header) {
	var uuid [16]byte
	if v := h["X-Amzn-Requestid"]; rc != nil && len(v) == 1 && parseUUID(v[0], &uuid) {
		rc.id.chosen = &uuid
	}
}

// SetRequestID makes id, and for REST APIs extended, the request's IDs, where a gateway in front has chosen them. It reports whether they have
// the flavor's form, and changes nothing if not. It is for the station that attaches the RequestContext, before anybody has asked for the ID.
func (rc *RequestContext) SetRequestID(id, extended string) bool {
	if rc == nil {
		return false
	}
	short := id
	var uuid [16]byte
	if rc.Flavor == REST {
		if short = extended; !parseUUID(id, &uuid) {
			return false
		}
	}
	var drawn [12]byte
	if n, err := base64.StdEncoding.Strict().Decode(drawn[:], []byte(short)); len(short) != 16 || n != 11 || err != nil {
		return false
	}
	copy(rc.id.drawn[:], drawn[:11])
	if rc.Flavor == REST {
		rc.id.chosen = &uuid
	}
	return true
}

// uuid is a version 4 UUID (RFC 9562, section 5.4), unless the client has chosen.
func (id *requestID) uuid() [16]byte {
	if id.chosen != nil {
		return *id.chosen
	}
	u := id.drawn
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// RequestID returns the ID that the gateway's answer carries and logs name: 16 base64 characters for HTTP and WebSocket
// APIs, a UUID for REST APIs. It is the same on every call, and "" on nil. Each call makes the string anew.
func (rc *RequestContext) RequestID() string {
	if rc == nil {
		return ""
	}
	if rc.Flavor == REST {
		return formatUUID(rc.id.uuid())
	}
	return rc.ExtendedRequestID()
}

// ExtendedRequestID returns REST's second ID ($context.extendedRequestId, the header x-amz-apigw-id). For the other flavors
// it equals RequestID, as on the managed gateway. It is "" on nil.
func (rc *RequestContext) ExtendedRequestID() string {
	if rc == nil {
		return ""
	}
	var text [16]byte
	base64.StdEncoding.Encode(text[:], rc.id.drawn[:11]) // 11 bytes are 15 characters and one '='
	return string(text[:])
}

// SetRequestIDHeaders sets the flavor's request-ID headers in h: Apigw-Requestid, or X-Amzn-Requestid and X-Amz-Apigw-Id for
// REST. Reject does it for every refusal; a station that fronts an API does it for every answer, before it calls the next handler. It
// does nothing on nil, and must not be called from several goroutines.
func (rc *RequestContext) SetRequestIDHeaders(h http.Header) {
	if rc == nil {
		return
	}
	room := rc.idHeaders[:]
	if room[0] != "" { // headers that were set for another API, outside this one, point at it
		room = make([]string, 2)
	}
	rc.requestIDHeaders(h, room)
}

// requestIDHeaders sets the headers, with room for two strings.
func (rc *RequestContext) requestIDHeaders(h http.Header, room []string) {
	room[0] = rc.RequestID()
	if rc.Flavor == REST {
		room[1] = rc.ExtendedRequestID()
		h["X-Amzn-Requestid"], h["X-Amz-Apigw-Id"] = room[0:1:1], room[1:2:2]
		return
	}
	h["Apigw-Requestid"] = room[0:1:1]
}

const uuidLength = 36

func formatUUID(u [16]byte) string {
	var text [uuidLength]byte
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return string(text[:])
}

// parseUUID reads the 36-character form into u and reports whether s has it; u is unchanged if not.
func parseUUID(s string, u *[16]byte) bool {
	if len(s) != uuidLength || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	var digits [32]byte
	n := copy(digits[:], s[0:8])
	n += copy(digits[n:], s[9:13])
	n += copy(digits[n:], s[14:18])
	n += copy(digits[n:], s[19:23])
	copy(digits[n:], s[24:36])
	var parsed [16]byte
	if _, err := hex.Decode(parsed[:], digits[:]); err != nil {
		return false
	}
	*u = parsed
	return true
}
