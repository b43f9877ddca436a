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
		RateBasedRuleName: r.name, LimitKey: strings.ReplaceAll(e.kind, "CUSTOM_KEYS", "CUSTOMKEYS"),
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
	}
	return to
}

func (k keyASN) record(s *state) RateValueRecord {
	addr, _ := s.address(k.from)
	return RateValueRecord{Key: "ASN", Value: strconv.FormatInt(s.asn(addr), 10)}
}

func (k keyText) record(s *state) RateValueRecord {
	text, _ := k.appendTo(s, nil)
	to := RateValueRecord{Key: k.kind, Name: k.name, Value: string(text)}
	header, _ := k.source.field.(singleHeader)
	if k.kind == "COOKIE" || s.acl.hidden[header.name] {
		to.Value = redacted
	}
	return to
}

func (k *keyLabels) record(s *state) RateValueRecord {
	text, _ := k.appendTo(s, nil)
	return RateValueRecord{Key: "LABEL_NAMESPACE", Name: k.match.key, Value: string(text)}
}
