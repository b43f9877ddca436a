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
	uuid  [16]byte // REST: x-amzn-RequestId
	short [11]byte // 16 base64 characters, the last of them '=': apigw-requestid, x-amz-apigw-id
}

func (id *requestID) draw(h http.Header) {
	a, b := rand.Uint64(), rand.Uint64()
	binary.LittleEndian.PutUint64(id.short[:8], a)
	binary.LittleEndian.PutUint32(id.short[7:], uint32(b))
	// A client of a REST API may choose the UUID, and one that isn't a UUID is replaced. (Developer guide, "Variables
	// for data models, authorizers, mapping templates, and CloudWatch access logging", $context.requestId.)
	if v := h["X-Amzn-Requestid"]; len(v) == 1 && parseUUID(v[0], &id.uuid) {
		return
	}
	binary.LittleEndian.PutUint64(id.uuid[:8], rand.Uint64())
	binary.LittleEndian.PutUint64(id.uuid[8:], rand.Uint64())
	id.uuid[6] = id.uuid[6]&0x0f | 0x40 // version 4 (RFC 9562, section 5.4)
	id.uuid[8] = id.uuid[8]&0x3f | 0x80
}

// RequestID returns the ID that the gateway's answer carries and logs name: 16 base64 characters for HTTP and WebSocket
// APIs, a UUID for REST APIs. It is the same on every call, and "" on nil. Each call makes the string anew.
func (rc *RequestContext) RequestID() string {
	if rc == nil {
		return ""
	}
	if rc.Flavor == REST {
		return formatUUID(rc.id.uuid)
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
	base64.StdEncoding.Encode(text[:], rc.id.short[:])
	return string(text[:])
}

// SetRequestIDHeaders sets the flavor's request-ID headers in h: Apigw-Requestid, or X-Amzn-Requestid and X-Amz-Apigw-Id for
// REST. Reject does it for every refusal; a station that fronts an API does it for every answer. It does nothing on nil, and
// must not be called from several goroutines.
func (rc *RequestContext) SetRequestIDHeaders(h http.Header) {
	if rc == nil {
		return
	}
	ids := &rc.idHeaders // one place an ID: a header set earlier keeps its value if the flavor changes
	if rc.Flavor == REST {
		if ids[1] == "" {
			ids[1], ids[2] = rc.RequestID(), rc.ExtendedRequestID()
		}
		h["X-Amzn-Requestid"], h["X-Amz-Apigw-Id"] = ids[1:2:2], ids[2:3:3]
		return
	}
	if ids[0] == "" {
		ids[0] = rc.RequestID()
	}
	h["Apigw-Requestid"] = ids[0:1:1]
}

func formatUUID(u [16]byte) string {
	var text [36]byte
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
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
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
