package sigv4

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/textproto"
	"slices"
	"strings"
	"time"
)

// Signer signs requests with one key: for the tests of those who verify, and for the services that
// integrations call.
type Signer struct {
	Algorithm                    string // HMAC or ECDSA
	AccessKeyID, SecretAccessKey string
	Region                       string // the region set in SigV4A
	Service                      string
	Rules                        PathRules
}

// Request is what is signed of a request. The headers' names are in net/textproto's spelling.
type Request struct {
	Method      string
	Path, Query string // as they are on the wire
	Host        string
	Header      map[string][]string
	BodyHash    string // in hex, or what X-Amz-Content-Sha256 says in its place
}

// ErrQuery is a query of which no canonical form can be made; see [AppendQuery].
var ErrQuery = errors.New("sigv4: want a query that decodes")

// SignedNames are the headers that SDKs sign, as SignedHeaders lists them: host, content-type and
// every x-amz- header. What proxies change on the way isn't signed.
func SignedNames(header map[string][]string) []string {
	names := []string{"host"}
	for name := range header {
		if lower := strings.ToLower(name); lower == "content-type" || strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}

func (s *Signer) scope(at time.Time) string {
	date := at.UTC().Format("20060102")
	if s.Algorithm == ECDSA {
		return date + "/" + s.Service + "/" + Terminator
	}
	return date + "/" + s.Region + "/" + s.Service + "/" + Terminator
}

// Credential is the credential scope with the key's id before it.
func (s *Signer) Credential(at time.Time) string { return s.AccessKeyID + "/" + s.scope(at) }

// Authorization returns the Authorization header of a request, whose other headers are complete.
func (s *Signer) Authorization(r *Request, at time.Time) (string, error) {
	names := SignedNames(r.Header)
	signature, err := s.Signature(r, names, at)
	if err != nil {
		return "", err
	}
	return s.Algorithm + " Credential=" + s.Credential(at) + ", SignedHeaders=" + strings.Join(names, ";") +
		", Signature=" + signature, nil
}

// Signature returns the signature over the headers called names, in hex.
func (s *Signer) Signature(r *Request, names []string, at time.Time) (string, error) {
	b := AppendURI([]byte(r.Method+"\n"), r.Path, s.Rules)
	b, ok := AppendQuery(append(b, '\n'), r.Query) // the signature isn't in it yet
	if !ok {
		return "", ErrQuery
	}
	b = append(b, '\n')
	for _, name := range names {
		values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
		if name == "host" {
			values = []string{r.Host}
		}
		b = AppendHeader(b, name, values...)
	}
	b = append(b, "\n"+strings.Join(names, ";")+"\n"+r.BodyHash...)
	toSign := AppendStringToSign(nil, s.Algorithm, FormatTime(at), s.scope(at), b)
	if s.Algorithm == ECDSA {
		return s.ecdsa(toSign)
	}
	key := DeriveHMACKey(s.SecretAccessKey, at.UTC().Format("20060102"), s.Region, s.Service)
	signature := key.Sign(toSign)
	return hex.EncodeToString(signature[:]), nil
}

func (s *Signer) ecdsa(toSign []byte) (string, error) {
	private, err := DeriveECDSAKey(s.AccessKeyID, s.SecretAccessKey)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(toSign)
	signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
	return hex.EncodeToString(signature), err
}

// Hash is the SHA-256 of a body, in hex.
func Hash(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// Respell writes the path of a wire in the canonical spelling: what needs no escape has none. A
// service that reads the path makes the same text of it as was signed, also where that is escaped
// once (S3). A segment that doesn't decode reports false.
func Respell(path string) (string, bool) {
	var b []byte
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c == '/':
			b = append(b, '/')
			continue
		case c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			c = unhex(path[i+1])<<4 | unhex(path[i+2])
			i += 2
		case c == '%':
			return "", false
		}
		b = appendEncoded(b, c)
	}
	return string(b), true
}
