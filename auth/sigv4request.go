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
	query         bool     // presigned
	leaveOut      []string // of the query, when it is signed
}

// Parameters that presigned requests don't sign; in header form everything is signed. They are only
// read.
var (
	unsignedSignature = []string{sigv4.SignatureParameter}
	unsignedTokenToo  = []string{sigv4.SignatureParameter, sigv4.TokenParameter}
)

const maxAuthorization = 16 << 10

// readSigned finds the signature's parameters in the Authorization header or in the query. Both at
// once, or one of them twice, is no signature: two readers might choose two of them.
func readSigned(rc *gatekit.RequestContext, r *http.Request) (s signed, err error) {
	headers := r.Header["Authorization"]
	query, ok := sigv4.ParsePresigned(r.URL.RawQuery)
	switch {
	case !ok, query.Signs && len(headers) > 0:
		return s, notPairs(rc, strings.Join(headers, ","), errIncomplete)
	case query.Signs:
		return presignedParameters(rc, r, &query)
	case len(headers) == 0:
		return s, &gatekit.Rejection{Type: gatekit.MissingAuthenticationToken, Cause: errUnsigned}
	case len(headers) > 1, len(headers[0]) > maxAuthorization, query.Dated && strings.HasPrefix(headers[0], "AWS4-"):
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

func presignedParameters(rc *gatekit.RequestContext, r *http.Request, q *sigv4.Presigned) (s signed, err error) {
	s = signed{
		algorithm: q.Algorithm, date: q.Date, expires: q.Expires, signedHeaders: q.SignedHeaders,
		signature: q.Signature, token: q.Token, regionSet: q.RegionSet,
		query: true, leaveOut: unsignedSignature, tokenSigned: true, // as a part of the canonical query
	}
	complete := q.Credential != "" && s.date != "" && s.expires != "" && s.signedHeaders != "" && s.signature != ""
	twice := len(r.Header["X-Amz-Security-Token"]) > 0 || len(r.Header["X-Amz-Date"]) > 0
	if !complete || twice || s.algorithm != sigv4.HMAC && s.algorithm != sigv4.ECDSA ||
		len(s.signedHeaders) > maxAuthorization {
		found := sigv4.Authorization{Credential: q.Credential, SignedHeaders: s.signedHeaders, Signature: s.signature}
		return s, incomplete(rc, "", found, s.date != "", errIncomplete)
	}
	return s, s.parseCredential(rc, q.Credential)
}

func (s *signed) parseCredential(rc *gatekit.RequestContext, text string) error {
	terminated, ok := false, false
	if s.credential, terminated, ok = sigv4.ParseCredential(s.algorithm, text); !ok {
		return signatureRefusal(rc, "Credential must have exactly 5 slash-delimited elements, "+
			"e.g. keyid/date/region/service/term", typeIncomplete, errIncomplete)
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

// appendHeaders appends the canonical headers, and reports whether SignedHeaders is as it must be:
// sorted, in lower case, each once, all there; with host, and with every x-amz- header that was
// sent. Its time is linear in the headers' number: who sends them is not known yet.
func (s *signed) appendHeaders(b []byte, r *http.Request, allowUnsignedToken bool) (_ []byte, ok bool) {
	host, previous, amz := false, "", 0
	for name := range strings.SplitSeq(s.signedHeaders, ";") {
		if name <= previous || name != strings.ToLower(name) {
			return b, false
		}
		previous = name
		switch {
		case name == "host", name == ":authority":
			host = true
			b = sigv4.AppendHeader(b, name, r.Host)
			continue
		case strings.HasPrefix(name, "x-amz-"):
			s.tokenSigned = s.tokenSigned || name == "x-amz-security-token"
			amz++
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
	for name := range r.Header {
		if strings.HasPrefix(name, "X-Amz-") {
			amz--
		}
	}
	if len(r.Header["X-Amz-Security-Token"]) > 0 && !s.tokenSigned && allowUnsignedToken {
		amz++
	}
	// Each listed one is there, so the numbers differ where one that is there isn't listed.
	return b, host && amz == 0 && s.passesProxies(r)
}

// maxConnection bounds what is looked up in SignedHeaders.
const maxConnection = 256

// passesProxies reports whether a proxy leaves what was signed as it is. It takes out what
// Connection names; and there is one host.
func (s *signed) passesProxies(r *http.Request) bool {
	size := 0
	for _, line := range r.Header["Connection"] {
		if size += len(line) + 1; size > maxConnection {
			return false
		}
		for name := range strings.SplitSeq(line, ",") {
			if name = strings.Trim(name, " \t"); len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") ||
				name != "" && lists(s.signedHeaders, name) {
				return false
			}
		}
	}
	hosts := r.Header["Host"] // HTTP/2 servers leave it beside :authority
	return len(hosts) == 0 || len(hosts) == 1 && hosts[0] == r.Host
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
