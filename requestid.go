package gatekit

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
)

// requestID is what a request's IDs are made from, drawn once when the RequestContext is attached.
// The source is the runtime's ChaCha8 generator, seeded by the system: no system call a request,
// and nobody who sees some IDs can tell the next. They name requests in logs; they are no secrets.
type requestID struct {
	drawn  [16]byte
	chosen *chosenID // a UUID that was chosen elsewhere, or nil
}

// chosenID is a UUID that a REST API's client or a gateway in front chose.
type chosenID struct {
	uuid [16]byte
	// short says that it stands where the 16 characters stand otherwise: function URLs name their
	// requests so.
	short bool
}

func (id *requestID) draw() {
	binary.LittleEndian.PutUint64(id.drawn[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id.drawn[8:], rand.Uint64())
}

// AdoptRequestID takes the UUID in the client's X-Amzn-Requestid header for the request's ID, as
// REST APIs do; a value that isn't one UUID is passed over. It is for the station that fronts a
// REST API, before anybody has asked for the ID. (Developer guide, "Variables for data models,
// authorizers, mapping templates, and CloudWatch access logging", $context.requestId.)
func (rc *RequestContext) AdoptRequestID(h http.Header) {
	var uuid [16]byte
	if v := h["X-Amzn-Requestid"]; rc != nil && len(v) == 1 && parseUUID(v[0], &uuid) {
		rc.id.chosen = &chosenID{uuid: uuid}
	}
}

// SetRequestID makes id, and for REST APIs extended, the request's IDs, where a gateway in front
// has chosen them. It reports whether they have the flavor's form, and changes nothing if not: 16
// characters of base64 in either alphabet, of which [RequestContext.RequestID] makes the URL-safe
// one, or the UUID of a function URL; for REST APIs a UUID, and as extended the 16 characters, or
// "" to leave that one as it is. It is for the station that attaches the RequestContext, before
// anybody has asked for the ID.
func (rc *RequestContext) SetRequestID(id, extended string) bool {
	if rc == nil {
		return false
	}
	var uuid [16]byte
	isUUID := parseUUID(id, &uuid)
	short := id
	switch {
	case rc.API.Flavor == REST && !isUUID:
		return false
	case rc.API.Flavor == REST:
		short = extended
	case isUUID:
		short = ""
	}
	if (short != "" || !isUUID) && !rc.id.parseShort(short) {
		return false
	}
	if rc.id.chosen = nil; isUUID {
		rc.id.chosen = &chosenID{uuid: uuid, short: rc.API.Flavor != REST}
	}
	return true
}

// parseShort reads the 16-character form and reports whether s has it; id is unchanged if not. The
// managed gateway writes the URL-safe alphabet (RFC 4648, section 5); the other one is what this
// module wrote before, and what some proxies make of it.
func (id *requestID) parseShort(s string) bool {
	if len(s) != shortLength {
		return false
	}
	text := [shortLength]byte([]byte(s))
	for i, c := range text {
		switch c {
		case '+':
			text[i] = '-'
		case '/':
			text[i] = '_'
		}
	}
	var drawn [12]byte
	if n, err := base64.URLEncoding.Strict().Decode(drawn[:], text[:]); n != shortBytes || err != nil {
		return false
	}
	copy(id.drawn[:], drawn[:shortBytes])
	return true
}

// uuid is a version 4 UUID (RFC 9562, section 5.4), unless the client has chosen.
func (id *requestID) uuid() [16]byte {
	if id.chosen != nil {
		return id.chosen.uuid
	}
	u := id.drawn
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}

// RequestID returns the ID that the gateway's answer carries and logs name: 16 characters of
// URL-safe base64 for HTTP and WebSocket APIs, a UUID for REST APIs. It is the same on every call,
// and "" on nil. Each call makes the string anew.
func (rc *RequestContext) RequestID() string {
	if rc == nil {
		return ""
	}
	var text [uuidLength]byte
	return string(rc.AppendRequestID(text[:0]))
}

// AppendRequestID appends [RequestContext.RequestID] to b, for who writes it and needs no string.
func (rc *RequestContext) AppendRequestID(b []byte) []byte {
	switch {
	case rc == nil:
		return b
	case rc.API.Flavor == REST:
		return appendUUID(b, rc.id.uuid())
	}
	return rc.id.appendShort(b, rc.API.Flavor)
}

// The 16-character form: 11 bytes are 15 characters and one '='.
const shortLength, shortBytes = 16, 11

// ExtendedRequestID returns REST's second ID ($context.extendedRequestId, the header
// x-amz-apigw-id). For the other flavors it equals RequestID, as on the managed gateway. It is ""
// on nil.
func (rc *RequestContext) ExtendedRequestID() string {
	if rc == nil {
		return ""
	}
	var text [uuidLength]byte
	return string(rc.AppendExtendedRequestID(text[:0]))
}

// AppendExtendedRequestID appends [RequestContext.ExtendedRequestID] to b.
func (rc *RequestContext) AppendExtendedRequestID(b []byte) []byte {
	if rc == nil {
		return b
	}
	return rc.id.appendShort(b, rc.API.Flavor)
}

// appendShort appends the 16-character form, or the UUID that stands in its place.
func (id *requestID) appendShort(b []byte, f Flavor) []byte {
	if id.chosen != nil && id.chosen.short && f != REST {
		return appendUUID(b, id.chosen.uuid)
	}
	return base64.URLEncoding.AppendEncode(b, id.drawn[:shortBytes])
}

// SetRequestIDHeaders sets the flavor's request-ID headers in h: Apigw-Requestid, or
// X-Amzn-Requestid and X-Amz-Apigw-Id for REST. Reject does it for every refusal; a station that
// fronts an API does it for every answer, before it calls the next handler. It does nothing on nil,
// and must not be called from several goroutines.
func (rc *RequestContext) SetRequestIDHeaders(h http.Header) {
	if rc == nil || rc.at == nil {
		return
	}
	room := rc.at.idHeaders[:]
	if room[0] != "" { // headers that were set for another API, outside this one, point at it
		room = make([]string, 2)
	}
	if rc.API.Flavor != REST && rc.id.chosen == nil { // nearly every answer: the ID and nothing else
		var text [shortLength]byte
		base64.URLEncoding.Encode(text[:], rc.id.drawn[:shortBytes])
		room[0] = string(text[:])
		h["Apigw-Requestid"] = room[0:1:1]
		return
	}
	rc.id.setHeaders(h, rc.API.Flavor, &rc.at.idHeaders, room, nil)
}

// setHeaders sets the request-ID headers of an API of flavor f in h, with room for two strings.
// known are texts of id that may have been made before, or nil: they are used again if they still
// are the ID's, as a handler could have written to the slices. It returns more as a string, which
// shares the allocation of the IDs: a refusal has two or three short strings to make.
func (id *requestID) setHeaders(h http.Header, f Flavor, known *[2]string, room []string, more []byte) string {
	var b [uuidLength + shortLength + 20]byte
	text := b[:0]
	if f == REST {
		text = appendUUID(text, id.uuid())
	}
	text = id.appendShort(text, f)
	cut, end := len(text), len(text)
	if f == REST {
		cut = uuidLength
	}
	if known != nil && known[0] == string(text[:cut]) && known[1] == string(text[cut:]) {
		room[0], room[1] = known[0], known[1]
		text, end = text[:0], 0
	}
	all := string(append(text, more...))
	if end > 0 {
		room[0], room[1] = all[:cut], all[cut:end]
	}
	if f == REST {
		h["X-Amzn-Requestid"], h["X-Amz-Apigw-Id"] = room[0:1:1], room[1:2:2]
	} else {
		h["Apigw-Requestid"] = room[0:1:1]
	}
	return all[end:]
}

const uuidLength = 36

func appendUUID(b []byte, u [16]byte) []byte {
	var text [uuidLength]byte
	hex.Encode(text[0:8], u[0:4])
	hex.Encode(text[9:13], u[4:6])
	hex.Encode(text[14:18], u[6:8])
	hex.Encode(text[19:23], u[8:10])
	hex.Encode(text[24:36], u[10:16])
	text[8], text[13], text[18], text[23] = '-', '-', '-', '-'
	return append(b, text[:]...)
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
