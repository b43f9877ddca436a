package throttle

import (
	"encoding/binary"
	"net/http"
	"net/netip"
	"net/textproto"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// KeyFunc says whose request it is. Callers with equal keys share a bucket. An error that is a
// *gatekit.Rejection is answered as it is, any other one with a 500: a request whose caller can't
// be told is not let through. It must be safe for concurrent use.
type KeyFunc = func(r *http.Request) (string, error)

// ByIP tells callers apart by their address: an IPv4 address, or the /64 network of an IPv6
// address, since one subscriber has at least that and could use a new address for each request.
// Behind proxies see gatekit.TrustedProxies. Requests whose address isn't known share a bucket.
func ByIP(r *http.Request) (string, error) {
	prefix := network(gatekit.SourceIP(r), 32, 64)
	if !prefix.IsValid() {
		return "", nil
	}
	if prefix.Addr().Is4() {
		return prefix.Addr().String(), nil
	}
	return prefix.String(), nil
}

// ByIPPrefix is [ByIP] for networks of other sizes: v4 is 1 to 32 bits, v6 1 to 128.
func ByIPPrefix(v4, v6 int) (KeyFunc, error) {
	m := mistakes.In("throttle: ByIPPrefix")
	mistakes.Range(m, "v4", v4, 1, 32)
	mistakes.Range(m, "v6", v6, 1, 128)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return func(r *http.Request) (string, error) {
		if prefix := network(gatekit.SourceIP(r), v4, v6); prefix.IsValid() {
			return prefix.String(), nil
		}
		return "", nil
	}, nil
}

func network(a netip.Addr, v4, v6 int) netip.Prefix {
	n := v6
	if a.Is4() {
		n = v4
	}
	prefix, err := a.Prefix(n)
	if err != nil { // no address
		return netip.Prefix{}
	}
	return prefix
}

// appendNetwork appends what tells [ByIP]'s networks apart, without making a string.
func appendNetwork(b []byte, a netip.Addr) []byte {
	switch {
	case a.Is4():
		four := a.As4()
		return append(b, four[:]...)
	case a.Is6():
		sixteen := a.As16()
		return append(b, sixteen[:8]...)
	}
	return b
}

// ByAPIKey tells callers apart by their API key: the one that a usage plan has found, else the
// x-api-key header. Callers without one share a bucket. Without a usage plan in front nobody has
// checked the key, and a caller may make up a new one for each request.
func ByAPIKey(r *http.Request) (string, error) {
	if key, _ := gatekit.From(r.Context()).FoundAPIKey(); key != "" {
		return key, nil
	}
	return header(r, "X-Api-Key")
}

// ByHeader tells callers apart by a header's value. Callers without it share a bucket; two values
// are a 400. A caller may send what it likes, unless something in front sets the header.
func ByHeader(name string) KeyFunc {
	name = textproto.CanonicalMIMEHeaderKey(name)
	return func(r *http.Request) (string, error) { return header(r, name) }
}

var twoValues = &gatekit.Rejection{Type: gatekit.Default4XX, Status: http.StatusBadRequest}

func header(r *http.Request, canonical string) (string, error) {
	switch values := r.Header[canonical]; len(values) {
	case 0:
		return "", nil
	case 1:
		return values[0], nil
	}
	return "", twoValues
}

// ByPrincipal tells callers apart by what the authorizer calls them. Callers without an identity
// share a bucket: all of them, if the limit stands before the authorizer.
func ByPrincipal(r *http.Request) (string, error) {
	if rc := gatekit.From(r.Context()); rc != nil {
		return rc.Authorization.Principal(), nil
	}
	return "", nil
}

// ByClaim tells callers apart by a claim of their token, in the gateway's string form. Callers
// without it share a bucket.
func ByClaim(name string) KeyFunc {
	return func(r *http.Request) (string, error) {
		if rc := gatekit.From(r.Context()); rc != nil {
			text, _ := rc.Authorization.ClaimString(name)
			return text, nil
		}
		return "", nil
	}
}

// Join tells callers apart by several keys together. No value can be mistaken for two: each is
// preceded by its length.
func Join(keys ...KeyFunc) KeyFunc {
	keys = append([]KeyFunc(nil), keys...)
	return func(r *http.Request) (string, error) {
		var joined []byte
		for _, key := range keys {
			text, err := key(r)
			if err != nil {
				return "", err
			}
			joined = binary.AppendUvarint(joined, uint64(len(text)))
			joined = append(joined, text...)
		}
		return string(joined), nil
	}
}
