package auth

import (
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// signed is what a request says of its own signature.
type signed struct {
	algorithm     string
	credential    sigv4.Credential
	signedHeaders string
	signature     string // hex
	date          string
	expires       string // presigned only
	token         string
	tokenSigned   bool
	regionSet     string
	query         bool // presigned
}

const maxAuthorization = 16 << 10

// readSigned finds the signature's parameters in the Authorization header or in the query. Both at once, or one of them twice, is no
// signature: two readers might choose two of them.
func readSigned(rc *gatekit.RequestContext, r *http.Request) (s signed, err error) {
	headers := r.Header["Authorization"]
	inQuery := strings.Contains(r.URL.RawQuery, "X-Amz-") || strings.Contains(r.URL.RawQuery, "X%2DAmz") || strings.Contains(r.URL.RawQuery, "X%2dAmz")
	var query [6]string
	presigned := false
	if inQuery {
		ok := false
		if query, presigned, ok = presignParameters(r.URL.RawQuery); !ok || presigned && len(headers) > 0 {
			return s, notPairs(rc, strings.Join(headers, ","), errIncomplete)
		}
	}
	switch {
	case presigned:
		return presignedParameters(rc, r, query)
	case len(headers) == 0:
		return s, &gatekit.Rejection{Type: gatekit.MissingAuthenticationToken, Cause: errUnsigned}
	case len(headers) > 1 || len(headers[0]) > maxAuthorization:
		return s, notPairs(rc, strings.Join(headers, ","), errIncomplete)
	}
	return headerParameters(rc, r, headers[0])
}

func headerParameters(rc *gatekit.RequestContext, r *http.Request, header string) (s signed, err error) {
	algorithm, parameters, blank := strings.Cut(header, " ")
	cause := errIncomplete
	if !strings.HasPrefix(algorithm, "AWS4-") {
		cause = errNotSigV4
	}
	dates := r.Header["X-Amz-Date"]
	if len(dates) == 0 {
		dates = r.Header["Date"]
	}
	if !blank {
		if header == "" {
			return s, &gatekit.Rejection{Type: gatekit.MissingAuthenticationToken, Cause: errUnsigned}
		}
		return s, incomplete(rc, header, sigv4.Authorization{}, len(dates) > 0, cause)
	}
	a, pairs := sigv4.ParseAuthorization(parameters)
	switch {
	case !pairs:
		return s, notPairs(rc, header, cause)
	case a.Credential == "" || a.SignedHeaders == "" || a.Signature == "" || len(dates) == 0:
		return s, incomplete(rc, header, a, len(dates) > 0, cause)
	case len(dates) > 1 || algorithm != sigv4.HMAC && algorithm != sigv4.ECDSA:
		return s, notPairs(rc, header, cause)
	}
	s = signed{algorithm: algorithm, signedHeaders: a.SignedHeaders, signature: a.Signature, date: dates[0]}
	ok := true
	if s.token, ok = one(r.Header["X-Amz-Security-Token"]); !ok {
		return s, notPairs(rc, header, errIncomplete)
	}
	if s.regionSet, ok = one(r.Header["X-Amz-Region-Set"]); !ok {
		return s, notPairs(rc, header, errIncomplete)
	}
	return s, s.parseCredential(rc, a.Credential)
}

// presignNames are the query's parameters, in the order of presignParameters' result.
var presignNames = [...]string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders", "X-Amz-Signature"}

// presignParameters returns the decoded values. presigned reports whether there is any of them but the date, ok whether each is there once
// at most.
func presignParameters(rawQuery string) (values [6]string, presigned, ok bool) {
	for i, name := range presignNames {
		if values[i], ok = queryValue(rawQuery, name); !ok {
			return values, true, false
		}
		presigned = presigned || values[i] != "" && name != "X-Amz-Date"
	}
	return values, presigned, true
}

func presignedParameters(rc *gatekit.RequestContext, r *http.Request, q [6]string) (s signed, err error) {
	s = signed{algorithm: q[0], date: q[2], expires: q[3], signedHeaders: q[4], signature: q[5], query: true}
	refuse := func() (signed, error) {
		return s, incomplete(rc, "", sigv4.Authorization{Credential: q[1], SignedHeaders: q[4], Signature: q[5]}, q[2] != "", errIncomplete)
	}
	for _, value := range q {
		if value == "" {
			return refuse()
		}
	}
	var ok1, ok2 bool
	s.token, ok1 = queryValue(r.URL.RawQuery, "X-Amz-Security-Token")
	s.regionSet, ok2 = queryValue(r.URL.RawQuery, "X-Amz-Region-Set")
	s.tokenSigned = true // it is part of the canonical query
	header := len(r.Header["X-Amz-Security-Token"]) > 0
	if !ok1 || !ok2 || s.algorithm != sigv4.HMAC && s.algorithm != sigv4.ECDSA || header || len(r.Header["X-Amz-Date"]) > 0 {
		return refuse()
	}
	return s, s.parseCredential(rc, q[1])
}

func (s *signed) parseCredential(rc *gatekit.RequestContext, text string) error {
	terminated, ok := false, false
	if s.credential, terminated, ok = sigv4.ParseCredential(s.algorithm, text); !ok {
		return signatureRefusal(rc, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term", typeIncomplete, errIncomplete)
	}
	if !terminated {
		return scopeRefusal(rc, "Credential should be scoped with a valid terminator: 'aws4_request'")
	}
	return nil
}

// one returns the only value, "" if there is none.
func one(values []string) (string, bool) {
	if len(values) == 0 {
		return "", true
	}
	return values[0], len(values) == 1
}

// appendHeaders appends the canonical headers, and reports whether SignedHeaders is as it must be: sorted, in lower case, each once, all there;
// with host, and with every x-amz- header that was sent.
func (s *signed) appendHeaders(b []byte, r *http.Request, allowUnsignedToken bool) (_ []byte, ok bool) {
	host, previous := false, ""
	for name := range strings.SplitSeq(s.signedHeaders, ";") {
		if name <= previous || name != strings.ToLower(name) {
			return b, false
		}
		previous = name
		switch name {
		case "host", ":authority":
			host = true
			b = sigv4.AppendHeader(b, name, r.Host)
			continue
		case "x-amz-security-token":
			s.tokenSigned = true
		}
		values := r.Header[canonicalName(name)]
		if name == "content-length" && len(values) == 0 && r.ContentLength >= 0 {
			values = []string{strconv.FormatInt(r.ContentLength, 10)} // HTTP/2 servers take it out
		}
		if len(values) == 0 {
			return b, false
		}
		b = sigv4.AppendHeader(b, name, values...)
	}
	if !host {
		return b, false
	}
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") && !lists(s.signedHeaders, name) &&
			!(name == "X-Amz-Security-Token" && allowUnsignedToken) {
			return b, false
		}
	}
	// A proxy takes out what Connection names, so it can't be what was signed; and there is one host.
	for _, line := range r.Header["Connection"] {
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") || lists(s.signedHeaders, name) && name != "" {
				return b, false
			}
		}
	}
	if hosts := r.Header["Host"]; len(hosts) > 0 && (len(hosts) > 1 || hosts[0] != r.Host) {
		return b, false
	}
	return b, true
}

// lists reports whether the list has name, which may be in any letter case.
func lists(signedHeaders, name string) bool {
	for listed := range strings.SplitSeq(signedHeaders, ";") {
		if strings.EqualFold(listed, name) {
			return true
		}
	}
	return false
}

// canonicalName is textproto's, without its allocation for the usual names.
func canonicalName(lower string) string {
	switch lower {
	case "x-amz-date":
		return "X-Amz-Date"
	case "x-amz-security-token":
		return "X-Amz-Security-Token"
	case "x-amz-content-sha256":
		return "X-Amz-Content-Sha256"
	case "x-amz-region-set":
		return "X-Amz-Region-Set"
	}
	return textproto.CanonicalMIMEHeaderKey(lower)
}
