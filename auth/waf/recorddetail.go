package waf

import (
	"strconv"
	"strings"
	"time"
)

// locations are the log's names of the parts of a request.
var locations = map[string]string{
	"SingleHeader": "HEADER", "SingleQueryArgument": "SINGLE_QUERY_ARG", "AllQueryArguments": "ALL_QUERY_ARGS",
	"UriPath": "URI", "QueryString": "QUERY_STRING", "Method": "METHOD", "Body": "BODY", "JsonBody": "JSON_BODY",
	"Headers": "HEADERS", "Cookies": "COOKIES", "HeaderOrder": "HEADER_ORDER",
}

// detailOf is what the log says of a match of that statement: nil, but for injection.
func detailOf(name string, from *FieldToMatch, want matcher) *MatchRecord {
	to := &MatchRecord{ConditionType: "XSS", Location: locations[name]}
	switch of := want.(type) {
	case sqli:
		to.ConditionType, to.SensitivityLevel = "SQL_INJECTION", "LOW"
		if of.high {
			to.SensitivityLevel = "HIGH"
		}
	case xss:
	default:
		return nil
	}
	for _, named := range []*NamedField{from.SingleHeader, from.SingleQueryArgument} {
		if named != nil {
			to.MatchedFieldName = strings.ToLower(named.Name)
		}
	}
	return to
}

// recordRate tells a rate-based rule that limits the request, and what is counted.
func (s *state) recordRate(to *Record, r *rule) {
	if r == nil || r.rate == nil {
		return
	}
	e := r.rate
	of := RateRecord{
		RateBasedRuleID: strings.TrimSuffix(e.place, ":"), RateBasedRuleName: r.name,
		LimitKey:       strings.ReplaceAll(e.kind, "CUSTOM_KEYS", "CUSTOMKEYS"),
		MaxRateAllowed: e.limit, EvaluationWindowSec: int64(e.window / time.Second),
	}
	for _, key := range e.keys {
		value := key.record(s)
		if e.kind != "CUSTOM_KEYS" {
			of.LimitValue = value.Value
			continue
		}
		of.CustomValues = append(of.CustomValues, value)
	}
	to.RateBasedRuleList = append(to.RateBasedRuleList, of)
}

func (k keyAddress) record(s *state) RateValueRecord {
	to := RateValueRecord{Key: "IP", Value: "INVALID"}
	if k.from != nil {
		to.Key = "FORWARDED_IP"
	}
	if addr, is := s.address(k.from); is == known {
		to.Value = addr.String()
		if bits := s.acl.cfg.RateIPv6Prefix; bits != 0 && addr.Is6() {
			to.Value = network(addr, bits).String()
		}
	}
	return to
}

func (k keyASN) record(s *state) RateValueRecord {
	addr, _ := s.address(k.from)
	return RateValueRecord{Key: "ASN", Value: strconv.FormatInt(s.asn(addr), 10)}
}

func (k keyText) record(s *state) RateValueRecord {
	first, last, _ := k.values(s)
	to := RateValueRecord{Key: k.kind, Name: k.name, Value: string(first)}
	if k.two(s) {
		to.Value += "," + string(last)
	}
	if k.hidden(s.acl) {
		to.Value = redacted
	}
	return to
}

// hidden reports whether the value is of a part that records don't show.
func (k keyText) hidden(a *ACL) bool {
	hide := a.cfg.Redact
	switch k.kind {
	case "COOKIE":
		return true
	case "QUERY_STRING", "QUERY_ARGUMENT":
		return hide.QueryString
	case "URI_PATH":
		return hide.UriPath
	case "HTTP_METHOD":
		return hide.Method
	}
	header, _ := k.source.field.(singleHeader)
	return a.hidden[header.name]
}

func (k *keyLabels) record(s *state) RateValueRecord {
	text, _ := k.appendTo(s, nil, false)
	return RateValueRecord{Key: "LABEL_NAMESPACE", Name: k.match.key, Value: string(text)}
}
