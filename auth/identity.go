package auth

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/event"
)

// source is one identity source of a Lambda authorizer or a custom function: what of a request a decision is for. (Developer guide, "Use API
// Gateway Lambda authorizers", identity sources.)
type source struct {
	kind sourceKind
	name string
}

type sourceKind uint8

const (
	fromHeader sourceKind = iota // name is canonical
	fromQuery                    // names are case-sensitive
	fromStageVariable
	fromContext
)

// sourceForms are the spellings of HTTP, REST and WebSocket APIs. They exclude each other, so all are taken everywhere.
var sourceForms = []struct {
	prefix string
	kind   sourceKind
}{
	{"$request.header.", fromHeader}, {"method.request.header.", fromHeader}, {"route.request.header.", fromHeader},
	{"$request.querystring.", fromQuery}, {"method.request.querystring.", fromQuery}, {"route.request.querystring.", fromQuery},
	{"$stageVariables.", fromStageVariable}, {"stageVariables.", fromStageVariable}, {"$context.", fromContext}, {"context.", fromContext},
}

// contextValues are the $context variables that can be sources: those that are known before an authorizer is asked and are not new with
// each request.
var contextValues = map[string]func(*gatekit.RequestContext, *http.Request) string{
	"accountId":          func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.API.AccountID },
	"apiId":              func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.API.APIID },
	"stage":              func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.API.Stage },
	"domainName":         func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.DomainName() },
	"domainPrefix":       func(rc *gatekit.RequestContext, _ *http.Request) string { return event.DomainPrefix(rc.DomainName()) },
	"routeKey":           func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.RouteKey() },
	"resourcePath":       func(rc *gatekit.RequestContext, _ *http.Request) string { return event.ResourcePath(rc.RouteKey()) },
	"httpMethod":         func(_ *gatekit.RequestContext, r *http.Request) string { return r.Method },
	"path":               func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.Path.Received() },
	"protocol":           func(*gatekit.RequestContext, *http.Request) string { return "HTTP/1.1" },
	"connectionId":       func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.ConnectionID() },
	"identity.sourceIp":  func(rc *gatekit.RequestContext, _ *http.Request) string { return event.AddrText(rc.SourceIP()) },
	"identity.userAgent": func(rc *gatekit.RequestContext, _ *http.Request) string { return rc.UserAgent() },
	"identity.apiKey": func(rc *gatekit.RequestContext, _ *http.Request) string {
		value, _ := rc.FoundAPIKey()
		return value
	},
}

func parseSource(text string) (source, error) {
	for _, form := range sourceForms {
		name, ok := strings.CutPrefix(text, form.prefix)
		switch {
		case !ok:
			continue
		case form.kind == fromHeader && isToken(name):
			return source{form.kind, textproto.CanonicalMIMEHeaderKey(name)}, nil
		case form.kind == fromContext && contextValues[name] != nil, form.kind != fromHeader && form.kind != fromContext && name != "":
			return source{form.kind, name}, nil
		}
	}
	return source{}, fmt.Errorf("want $request.header.NAME, $request.querystring.name, $stageVariables.NAME, $context.NAME "+
		"or the spelling of a REST or WebSocket API, got %s", quoted(text))
}

// value returns the source's value. ok is false if it is missing, blank, or there more than once, as two readers might choose two of them.
func (s *source) value(rc *gatekit.RequestContext, r *http.Request) (value string, ok bool) {
	switch s.kind {
	case fromHeader:
		if s.name == "Host" {
			value = r.Host
			break
		}
		values := r.Header[s.name]
		if len(values) != 1 {
			return "", false
		}
		value = values[0]
	case fromQuery:
		if value, ok = queryValue(r.URL.RawQuery, s.name); !ok {
			return "", false
		}
	case fromStageVariable:
		value = rc.API.Variables[s.name]
	case fromContext:
		value = contextValues[s.name](rc, r)
	}
	return value, strings.Trim(value, " \t") != ""
}

// decisionKey is under what a decision is kept: a digest, so that no credential stays in memory, of values with their lengths, so that
// what two of them are together can't be what two others are.
type decisionKey [sha256.Size]byte

func (k *decisionKey) hash() uint64 { return binary.LittleEndian.Uint64(k[:]) }

// keyOf digests API, stage and source values.
func keyOf(rc *gatekit.RequestContext, values []string, more []byte) decisionKey {
	var room [1536]byte // on the stack; what is longer goes to the heap
	b := append(room[:0], byte(rc.API.Flavor))
	for _, s := range [...]string{rc.API.AccountID, rc.API.Region, rc.API.APIID, rc.API.Stage} {
		b = appendSized(b, s)
	}
	for _, s := range values {
		b = appendSized(b, s)
	}
	return sha256.Sum256(append(b, more...))
}

func appendSized(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}
