package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// What REST APIs say, as users report it. HTTP and WebSocket APIs say Forbidden to all. (re:Post
// articles on 403 errors; "Troubleshoot Signature Version 4 signing" of the IAM user guide.)
const (
	textWrongSignature = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. " +
		"Consult the service documentation for details."
	textUnknownKey = "The security token included in the request is invalid."
	textNoPair     = "Invalid key=value pair (missing equal-sign) in Authorization header " +
		"(hashed with SHA-256 and encoded with Base64): '"
	textNoDate      = "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
	typeIncomplete  = "IncompleteSignatureException"
	typeUnknownKey  = "UnrecognizedClientException"
	headerErrorType = "X-Amzn-Errortype"
)

var (
	errUnsigned       error = noCredentials("auth: the request isn't signed")
	errNotSigV4       error = noCredentials("auth: the Authorization header isn't one of Signature Version 4")
	errIncomplete           = errors.New("auth: the signature's parameters are incomplete or ambiguous")
	errWrongSignature       = errors.New("auth: the signature doesn't match")
	errNoRegion             = errors.New("auth: no region to verify for: set SigV4Config.Region or describe the API")
	errExpiredSession       = errors.New("auth: the session token has expired")
	errReplay               = errors.New("auth: the signature was used before")
	errReplayFull           = errors.New("auth: more live signatures than SigV4Config.ReplayCache keeps")
)

// signatureRefusal is a 403 that a REST API words.
func signatureRefusal(rc *gatekit.RequestContext, message, errorType string, cause error) error {
	refusal := &gatekit.Rejection{Type: gatekit.InvalidSignature, Cause: cause}
	if rc.API.Flavor == gatekit.REST {
		refusal.Message = message
		if errorType != "" {
			refusal.Header = http.Header{headerErrorType: {errorType}}
		}
	}
	return refusal
}

func wrongSignature(rc *gatekit.RequestContext, cause error) error {
	return signatureRefusal(rc, textWrongSignature, "", cause)
}

// hashed is how newer answers show a header that may hold a secret.
func hashed(header string) string {
	sum := sha256.Sum256([]byte(header))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// notPairs is the refusal of an Authorization header that isn't a list of key=value.
func notPairs(rc *gatekit.RequestContext, header string, cause error) error {
	return signatureRefusal(rc, textNoPair+hashed(header)+"'.", typeIncomplete, cause)
}

// incomplete is the refusal of an Authorization header that lacks parameters.
func incomplete(rc *gatekit.RequestContext, header string, a sigv4.Authorization, dated bool, cause error) error {
	var lacks []string
	for _, p := range []struct{ name, value string }{{"Credential", a.Credential}, {"Signature", a.Signature},
		{"SignedHeaders", a.SignedHeaders}} {
		if p.value == "" {
			lacks = append(lacks, "Authorization header requires '"+p.name+"' parameter.")
		}
	}
	if !dated {
		lacks = append(lacks, textNoDate)
	}
	message := strings.Join(lacks, " ") + " (Hashed with SHA-256 and encoded with Base64) Authorization=" +
		hashed(header)
	return signatureRefusal(rc, message, typeIncomplete, cause)
}

var (
	errExpired = errors.New("auth: the signature has expired")
	errFuture  = errors.New("auth: the signature is from the future")
)

func signatureExpired(rc *gatekit.RequestContext, at, now time.Time) error {
	earliest := now.Add(-signatureWindow)
	return signatureRefusal(rc, "Signature expired: "+sigv4.FormatTime(at)+" is now earlier than "+
		sigv4.FormatTime(earliest)+" ("+sigv4.FormatTime(now)+" - 5 min.)", "", errExpired)
}

func presignedExpired(rc *gatekit.RequestContext, end, now time.Time) error {
	return signatureRefusal(rc, "Signature expired: "+sigv4.FormatTime(end)+" is now earlier than "+
		sigv4.FormatTime(now), "", errExpired)
}

func notYetCurrent(rc *gatekit.RequestContext, at, now time.Time) error {
	latest := now.Add(signatureWindow)
	return signatureRefusal(rc, "Signature not yet current: "+sigv4.FormatTime(at)+" is still later than "+
		sigv4.FormatTime(latest)+" ("+sigv4.FormatTime(now)+" + 5 min.)", "", errFuture)
}

// scopeRefusal words a credential scope that isn't the API's. What the client sent is clipped.
func scopeRefusal(rc *gatekit.RequestContext, message string) error {
	return signatureRefusal(rc, message, "", errors.New("auth: the credential scope isn't this API's"))
}
