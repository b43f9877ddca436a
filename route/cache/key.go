package cache

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/hopbyhop"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// Key names an answer. It is a digest: a store sees nothing of the request or the caller in it.
type Key [sha256.Size]byte

// parameters are what of a request can be part of a key. (API reference, "PutIntegration",
// cacheKeyParameters.)
var parameters = selector.Grammar{Forms: []selector.Form{selector.Method},
	Kinds: selector.Header | selector.Query | selector.PathVariable}

// material collects what a key is made of. Every part is preceded by its length, so that no two
// lists of parts are one.
type material []byte

func (m material) text(s string) material {
	m = binary.AppendUvarint(m, uint64(len(s)))
	return append(m, s...)
}

func (m material) list(values []string) material {
	m = binary.AppendUvarint(m, uint64(len(values)))
	for _, v := range values {
		m = m.text(v)
	}
	return m
}

// unknown stands for the context of a request outside a gateway.
var unknown = gatekit.RequestContext{API: &gatekit.API{}}

// errNoVariable is a fault of the program's: without the variable all paths of the route would
// share one answer.
var errNoVariable = &gatekit.Rejection{Type: gatekit.APIConfigurationError, Cause: errors.New(
	"cache: Route.Key names a path variable that the request's route doesn't have, " +
		"or that its router doesn't tell: see gatekit.OnRoute")}

// primary returns the key of the request's answer, before its Vary header is known. The error means
// that a path variable isn't known.
func (u *rule) primary(r *http.Request, rc *gatekit.RequestContext) (Key, error) {
	var room [512]byte
	path := gatekit.PathOf(r)
	if rc == nil {
		rc = &unknown
	}
	m := material(room[:0]).text(rc.API.AccountID).text(rc.API.APIID).text(rc.API.Stage).text(rc.API.DeploymentID)
	if rc.API.Canary == "true" {
		m = append(m, 1) // it may have variables of its own, and no deployment of its own that would tell
	} else {
		m = append(m, 0)
	}
	namespace := u.namespace
	if namespace == "" {
		if namespace = gatekit.RouteKey(r); namespace == "" {
			// Nobody tells the route. Two of them mustn't share an answer, so each path is a
			// resource of its own.
			m = m.text(path.Received()).text(path.Told(r.URL).String())
		}
		if _, resource, ok := strings.Cut(namespace, " "); ok {
			namespace = resource
		}
	}
	m = m.text(namespace).text(r.Method)
	if !u.public {
		m = caller(m, rc).list(r.Header["Cookie"]) // which an authorizer that has looked at a token knows nothing of
	}
	if u.wholeURL {
		// The received path tells apart APIs that have no ID.
		m = m.text(r.Host).text(path.Received()).text(path.Told(r.URL).String()).text(r.URL.RawQuery)
	}
	routeKey := gatekit.RouteKey(r)
	for _, p := range u.key {
		switch p.Kind {
		case selector.Header:
			m = m.list(headerValues(r, p.Name))
		case selector.Query:
			m = queryValues(m, r.URL.RawQuery, p.Name)
		case selector.PathVariable:
			v, ok := path.Value(r, routeKey, p.Name)
			if !ok {
				return Key{}, errNoVariable
			}
			m = m.text(v.Escaped) // as backends are told it: x%2Fy and x/y are two resources to some
		}
	}
	return sha256.Sum256(m), nil
}

// caller adds who is calling: all that authorizers have learned, the IAM identity, the client's
// certificate, the API key. A principal alone wouldn't do: authorizer functions may name one for
// everybody, and tell callers apart in their context.
func caller(m material, rc *gatekit.RequestContext) material {
	sum := rc.Authorization.Fingerprint()
	m = append(m, sum[:]...)
	if c := rc.Caller(); c != nil {
		m = append(m, 1).text(c.AccessKey).text(c.UserARN).text(c.CognitoIdentityID)
	}
	m = append(m, 2)
	if cert := rc.ClientCert(); cert != nil {
		m = m.text(string(cert.RawIssuer)).text(cert.SerialNumber.String())
	}
	_, id := rc.FoundAPIKey()
	return append(m, 3).text(id)
}

// headerValues has Host, which net/http keeps elsewhere, and behind the header's own values those
// of its spellings with underscores, which some backends read as the same header.
func headerValues(r *http.Request, name string) []string {
	if name == "Host" {
		return []string{r.Host}
	}
	values := r.Header[name]
	var twins []string
	for other := range r.Header {
		if hopbyhop.Twin(other) == name && other != name {
			twins = append(twins, other)
		}
	}
	slices.Sort(twins)
	for _, twin := range twins {
		values = append(append(slices.Clip(values), twin), r.Header[twin]...)
	}
	return values
}

// queryValues adds all values of a query parameter, decoded, in the order they were sent. A query
// with a semicolon, which separates parameters to some backends and none to others, counts as a
// whole.
func queryValues(m material, raw, name string) material {
	if strings.IndexByte(raw, ';') >= 0 {
		return append(m, 2).text(raw)
	}
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if unescape(key) == name {
			m = append(m, 1).text(unescape(value))
		}
	}
	return append(m, 0)
}

func unescape(s string) string {
	if decoded, err := url.QueryUnescape(s); err == nil { // s itself if it has no escapes
		return decoded
	}
	return s
}

// variant returns the key of the answer for the request's values of the headers that vary it.
func (k Key) variant(r *http.Request, vary []string) Key {
	var room [256]byte
	m := append(material(room[:0]), k[:]...)
	for _, name := range vary {
		m = m.text(name).list(headerValues(r, name))
	}
	return sha256.Sum256(m)
}
