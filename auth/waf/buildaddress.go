package waf

import (
	"net/textproto"
	"reflect"
	"strings"

	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

func (p place) geo(m *mistakes.Mistakes, from *GeoMatchStatement) evaluator {
	p.costs(1)
	m.Require(p.acl.cfg.Geo != nil, "", "want Config.Geo, which tells where an address is, got none")
	mistakes.Range(m.Under("CountryCodes"), "length", len(from.CountryCodes), 1, maxCountries)
	to := &geo{countries: map[string]bool{}, from: p.forwarded(m, from.ForwardedIPConfig)}
	for _, code := range from.CountryCodes {
		m.Require(len(code) == 2 && 'A' <= code[0] && code[0] <= 'Z' && 'A' <= code[1] && code[1] <= 'Z',
			"CountryCodes", "want two capital letters each, got %q", code)
		to.countries[code] = true
	}
	return to
}

func (p place) asn(m *mistakes.Mistakes, from *AsnMatchStatement) evaluator {
	p.costs(1)
	m.Require(p.acl.cfg.ASN != nil, "", "want Config.ASN, which tells whose an address is, got none")
	mistakes.Range(m.Under("AsnList"), "length", len(from.AsnList), 1, maxASNs)
	to := &asn{numbers: map[int64]bool{}, from: p.forwarded(m, from.ForwardedIPConfig)}
	for _, number := range from.AsnList {
		mistakes.Range(m, "AsnList", number, 0, 1<<32-1)
		to.numbers[number] = true
	}
	return to
}

func (p place) forwarded(m *mistakes.Mistakes, from *ForwardedIPConfig) *forwarded {
	if from == nil {
		return nil
	}
	return compileForwarded(m, "ForwardedIPConfig", from.HeaderName, from.FallbackBehavior)
}

func (p place) ipSet(m *mistakes.Mistakes, from *IPSetReferenceStatement) evaluator {
	p.costs(1)
	p.in.refers++
	set, ok := lookup(p.acl.cfg.IPSets, from.ARN)
	if !ok || isNil(set) {
		m.Add("ARN", "want a set of Config.IPSets, by its ARN or name, got %q%s", from.ARN,
			nearest.Hint(from.ARN, keysOf(p.acl.cfg.IPSets)))
	}
	to := &ipSet{set: set}
	if of := from.IPSetForwardedIPConfig; of != nil {
		to.from = compileForwarded(m, "IPSetForwardedIPConfig", of.HeaderName, of.FallbackBehavior)
		to.last, to.any = of.Position == "LAST", of.Position == "ANY"
		m.Under("IPSetForwardedIPConfig").Require(to.last || to.any || of.Position == "FIRST", "Position",
			"want FIRST, LAST or ANY, got %q", of.Position)
		if to.any {
			p.costs(4)
		}
	}
	return to
}

// isNil reports whether an interface holds nothing, or a pointer that is nil.
func isNil(of any) bool {
	v := reflect.ValueOf(of)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// lookup finds what a statement refers to: by the ARN, or by the name that is part of it, as in
// arn:aws:wafv2:us-east-1:111122223333:regional/ipset/NAME/ID.
func lookup[V any](among map[string]V, arn string) (V, bool) {
	v, ok := among[arn]
	if parts := strings.Split(arn, "/"); !ok && len(parts) == 4 && strings.HasPrefix(arn, "arn:") {
		v, ok = among[parts[2]]
	}
	return v, ok
}

func keysOf[V any](of map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range of {
			if !yield(key) {
				return
			}
		}
	}
}

// ratedText compiles a text that is counted by, which the log calls kind and name.
func (p place) ratedText(m *mistakes.Mistakes, kind, name string, of field, list []TextTransformation) rateKey {
	free := p
	free.capacity = new(int64) // a custom key costs the same with any list
	kinds := free.transformations(m, "TextTransformations", list, 1, textform.ParseKind)
	src := &source{field: of, list: kinds, index: len(p.acl.sources), uses: 2}
	p.acl.sources = append(p.acl.sources, src)
	return keyText{src, kind, name}
}

// customKey compiles one of the values that are counted by.
func (p place) customKey(m *mistakes.Mistakes, from *RateBasedStatementCustomKey, address *forwarded) rateKey {
	name, n := only(from)
	if n != 1 {
		m.Add("", "want exactly one, got %d", n)
		return nil
	}
	m = m.Under(name)
	switch {
	case from.Header != nil, from.Cookie != nil, from.QueryArgument != nil:
		return p.namedKey(m, from)
	case from.QueryString != nil:
		return p.ratedText(m, "QUERY_STRING", "", queryString{}, from.QueryString.TextTransformations)
	case from.UriPath != nil:
		return p.ratedText(m, "URI_PATH", "", uriPath{}, from.UriPath.TextTransformations)
	case from.HTTPMethod != nil:
		return p.ratedText(m, "HTTP_METHOD", "", method{}, []TextTransformation{{Type: "NONE"}})
	case from.JA3Fingerprint != nil:
		return p.fingerprint(m, "JA3_FINGERPRINT", hook{of: p.acl.cfg.JA3}, from.JA3Fingerprint)
	case from.JA4Fingerprint != nil:
		return p.fingerprint(m, "JA4_FINGERPRINT", hook{of: p.acl.cfg.JA4}, from.JA4Fingerprint)
	case from.LabelNamespace != nil:
		of := &LabelMatchStatement{Scope: "NAMESPACE", Key: from.LabelNamespace.Namespace}
		return &keyLabels{match: *compileLabelMatch(m, of, p.labels).(*labelMatch)}
	case from.IP != nil:
		return keyAddress{}
	case from.ForwardedIP != nil:
		return keyAddress{from: address}
	default:
		m.Require(p.acl.cfg.ASN != nil, "", "want Config.ASN, which tells whose an address is, got none")
		return keyASN{from: address}
	}
}

// namedKey compiles a header, cookie or query argument to count by.
func (p place) namedKey(m *mistakes.Mistakes, from *RateBasedStatementCustomKey) rateKey {
	of, kind := from.Header, "HEADER"
	var in field
	switch {
	case from.Cookie != nil:
		of, kind = from.Cookie, "COOKIE"
		in = cookie{of.Name}
	case from.QueryArgument != nil:
		of, kind = from.QueryArgument, "QUERY_ARGUMENT"
		in = queryArguments{name: of.Name}
	default:
		in = singleHeader{textproto.CanonicalMIMEHeaderKey(of.Name)}
	}
	m.Require(of.Name != "" && len(of.Name) <= 64, "Name", "want 1 to 64 bytes, got %.100q", of.Name)
	return p.ratedText(m, kind, of.Name, in, of.TextTransformations)
}

// fingerprint counts a request without one if the fallback is MATCH: all such share one key.
func (p place) fingerprint(m *mistakes.Mistakes, kind string, of hook, from *FingerprintField) rateKey {
	of.fallback = fallbackOf(m, "FallbackBehavior", from.FallbackBehavior)
	return p.ratedText(m, kind, "", of, []TextTransformation{{Type: "NONE"}})
}
