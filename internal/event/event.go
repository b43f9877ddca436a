// Package event writes what Lambda functions are told of a request, and reads it back: the events
// of integrations and authorizers of HTTP, REST and WebSocket APIs. A [Writer] writes all of them,
// so that a function never gets another request than the one its authorizer was asked about;
// [Parse] reads those of integrations, for a chain of handlers that runs as a function.
//
// The parts that other packages share stand beside them: the names of a certificate, the forwarded
// headers, a resource's path and ID.
package event

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
)

// ResourcePath is a route key without its method: "/orders/{id}".
func ResourcePath(routeKey string) string {
	if _, path, ok := strings.Cut(routeKey, " "); ok {
		return path
	}
	return routeKey
}

// ResourceID stands in for the id that the managed gateway gives a resource: six characters that
// stay the same for a path.
func ResourceID(resourcePath string) string {
	sum := sha256.Sum256([]byte(resourcePath))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:4]))[:6]
}

// ResourceIDOf is the id of the resource that a request is for: as its route states it, else one
// made of the resource's path.
func ResourceIDOf(rc *gatekit.RequestContext, resourcePath string) string {
	if rc != nil && rc.Route != nil && rc.Route.ResourceID != "" {
		return rc.Route.ResourceID
	}
	return ResourceID(resourcePath)
}

// Time is t in the Common Log Format, as $context.requestTime.
func Time(t time.Time) string { return t.UTC().Format("02/Jan/2006:15:04:05 -0700") }

// DomainPrefix is the first label of a host name.
func DomainPrefix(host string) string {
	label, _, _ := strings.Cut(host, ".")
	return label
}

// AddrText is an address as events have it, "" if it isn't known.
func AddrText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// Millis is t in milliseconds since 1970.
func Millis(t time.Time) json.Number { return json.Number(strconv.FormatInt(t.UnixMilli(), 10)) }

// AppendTime appends [Time] as a JSON string.
func AppendTime(b []byte, t time.Time) []byte {
	return append(AppendTimeText(append(b, '"'), t), '"')
}

// AppendTimeText appends [Time].
func AppendTimeText(b []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	}
	hour, minute, second := t.Clock()
	b = append(two(b, day), '/')
	b = append(append(b, "JanFebMarAprMayJunJulAugSepOctNovDec"[3*(month-1):3*month]...), '/')
	b = append(two(two(b, year/100), year%100), ':')
	b = append(two(b, hour), ':')
	b = append(two(b, minute), ':')
	return append(two(b, second), " +0000"...)
}

func two(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// AppendMillis appends [Millis].
func AppendMillis(b []byte, t time.Time) []byte { return strconv.AppendInt(b, t.UnixMilli(), 10) }

// AppendAddr appends [AddrText] as a JSON string.
func AppendAddr(b []byte, a netip.Addr) []byte {
	b = append(b, '"')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return append(b, '"')
}

func appendBase64(b, data []byte) []byte { return base64.StdEncoding.AppendEncode(b, data) }
