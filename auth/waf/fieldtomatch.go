package waf

// FieldToMatch is the part of a request that a statement looks at: exactly one of these.
type FieldToMatch struct {
	// SingleHeader is each value of a header.
	SingleHeader *NamedField
	// SingleQueryArgument is each value of a query argument, its name in any letter case.
	SingleQueryArgument *NamedField
	// AllQueryArguments is each value of each query argument.
	AllQueryArguments *struct{}
	// UriPath is the path as it was received, neither decoded nor cleaned.
	UriPath *struct{}
	// QueryString is what stands behind the question mark, not decoded.
	QueryString *struct{}
	// Method is the HTTP method.
	Method *struct{}
	// Body is the body as plain text, up to the limit of inspection.
	Body *BodyField
	// JsonBody is the keys or values of a JSON body.
	JsonBody *JsonBody
	// Headers and Cookies are keys or values of many.
	Headers, Cookies *ManyFields
	// HeaderOrder is the names of the headers, joined by colons: Config.HeaderOrder tells it.
	HeaderOrder *BodyField
	// JA3Fingerprint and JA4Fingerprint are of the TLS handshake: Config.JA3 and Config.JA4 tell
	// them.
	JA3Fingerprint, JA4Fingerprint *FingerprintField
	// UriFragment is never known to a server: the fallback is the answer, as on API Gateway.
	UriFragment *FingerprintField
}

// NamedField names a header or a query argument.
type NamedField struct{ Name string }

// BodyField says what to do with a part that is larger than what is inspected.
type BodyField struct {
	// OversizeHandling is CONTINUE (also "", for a body), MATCH or NO_MATCH.
	OversizeHandling string
}

// JsonBody says what of a JSON body is judged.
type JsonBody struct {
	// MatchPattern is All, or paths.
	MatchPattern JsonMatchPattern
	// MatchScope is ALL, KEY or VALUE.
	MatchScope string
	// InvalidFallbackBehavior is MATCH, NO_MATCH or EVALUATE_AS_STRING, for a body that isn't JSON.
	// "" judges what was read up to the first error.
	InvalidFallbackBehavior string
	// OversizeHandling is CONTINUE (also ""), MATCH or NO_MATCH.
	OversizeHandling string
}

// JsonMatchPattern is one of these.
type JsonMatchPattern struct {
	All *struct{}
	// IncludedPaths are JSON Pointers: what is below them is judged.
	IncludedPaths []string
}

// ManyFields says which headers or cookies are judged.
type ManyFields struct {
	// MatchPattern is All, or names.
	MatchPattern FieldsPattern
	// MatchScope is ALL, KEY or VALUE.
	MatchScope string
	// OversizeHandling is CONTINUE, MATCH or NO_MATCH. Required.
	OversizeHandling string
}

// FieldsPattern is one of these. The lists are names, up to 199.
type FieldsPattern struct {
	All                              *struct{}
	IncludedHeaders, ExcludedHeaders []string
	IncludedCookies, ExcludedCookies []string
}

// FingerprintField says what to do with a request that has no such thing.
type FingerprintField struct {
	// FallbackBehavior is MATCH or NO_MATCH. Required.
	FallbackBehavior string
}
