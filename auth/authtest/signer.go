package authtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/sigv4"
)

// Signer signs requests with Signature Version 4 as SDKs do: host, content type and every x-amz-
// header are signed. The path is signed in its normal form. It may be used by several goroutines.
type Signer struct {
	// AccessKeyID and SecretAccessKey are the key. SessionToken goes with temporary ones.
	AccessKeyID, SecretAccessKey, SessionToken string
	// Region is the scope's region; for SigV4A it is the region set, such as "us-*,eu-west-1".
	Region string
	// Service is the scope's service. Empty means "execute-api".
	Service string
}

// Sign puts a signature made at a time into r's headers. It reads the body and puts an equal one in
// its place.
func (s Signer) Sign(r *http.Request, at time.Time) error { return s.signHeader(r, at, sigv4.HMAC) }

// SignV4A is Sign with SigV4A, whose Region is a region set.
func (s Signer) SignV4A(r *http.Request, at time.Time) error {
	return s.signHeader(r, at, sigv4.ECDSA)
}

// Presign puts a signature into r's query that is good until expires after at, in whole seconds.
func (s Signer) Presign(r *http.Request, at time.Time, expires time.Duration) error {
	return s.presign(r, at, expires, sigv4.HMAC)
}

// PresignV4A is Presign with SigV4A.
func (s Signer) PresignV4A(r *http.Request, at time.Time, expires time.Duration) error {
	return s.presign(r, at, expires, sigv4.ECDSA)
}

func (s Signer) scope(at time.Time, algorithm string) string {
	service := s.Service
	if service == "" {
		service = "execute-api"
	}
	date := at.UTC().Format("20060102")
	if algorithm == sigv4.ECDSA {
		return date + "/" + service + "/" + sigv4.Terminator
	}
	return date + "/" + s.Region + "/" + service + "/" + sigv4.Terminator
}

func (s Signer) signHeader(r *http.Request, at time.Time, algorithm string) error {
	r.Header.Del("Authorization")
	r.Header.Set("X-Amz-Date", sigv4.FormatTime(at))
	if s.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", s.SessionToken)
	}
	if algorithm == sigv4.ECDSA {
		r.Header.Set("X-Amz-Region-Set", s.Region)
	}
	names := signedNames(r)
	signature, err := s.signature(r, at, algorithm, names)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", algorithm+" Credential="+s.AccessKeyID+"/"+s.scope(at, algorithm)+", SignedHeaders="+strings.Join(names, ";")+", Signature="+signature)
	return nil
}

func (s Signer) presign(r *http.Request, at time.Time, expires time.Duration, algorithm string) error {
	names := signedNames(r)
	add := url.Values{
		"X-Amz-Algorithm": {algorithm}, "X-Amz-Credential": {s.AccessKeyID + "/" + s.scope(at, algorithm)}, "X-Amz-Date": {sigv4.FormatTime(at)},
		"X-Amz-Expires": {strconv.Itoa(int(expires / time.Second))}, "X-Amz-SignedHeaders": {strings.Join(names, ";")},
	}
	if s.SessionToken != "" {
		add.Set("X-Amz-Security-Token", s.SessionToken)
	}
	if algorithm == sigv4.ECDSA {
		add.Set("X-Amz-Region-Set", s.Region)
	}
	if r.URL.RawQuery != "" {
		r.URL.RawQuery += "&"
	}
	r.URL.RawQuery += strings.ReplaceAll(add.Encode(), "+", "%20") // a plus would be signed as one
	signature, err := s.signature(r, at, algorithm, names)
	if err != nil {
		return err
	}
	r.URL.RawQuery += "&X-Amz-Signature=" + signature
	if r.RequestURI != "" {
		r.RequestURI = r.URL.RequestURI()
	}
	return nil
}

func signedNames(r *http.Request) []string {
	names := []string{"host"}
	for name := range r.Header {
		if lower := strings.ToLower(name); lower == "content-type" || strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	return names
}

// signature signs r with the headers called names.
func (s Signer) signature(r *http.Request, at time.Time, algorithm string, names []string) (string, error) {
	path := r.URL.EscapedPath()
	b := sigv4.AppendURI([]byte(r.Method+"\n"), path, sigv4.PathRules{})
	b, ok := sigv4.AppendQuery(append(b, '\n'), r.URL.RawQuery) // the signature isn't in it yet
	if !ok {
		return "", fmt.Errorf("authtest: sign: want a query that decodes, got %q", r.URL.RawQuery)
	}
	b = append(b, '\n')
	for _, name := range names {
		values := r.Header[textproto.CanonicalMIMEHeaderKey(name)]
		if name == "host" {
			if values = []string{r.Host}; r.Host == "" {
				values = []string{r.URL.Host}
			}
		}
		b = sigv4.AppendHeader(b, name, values...)
	}
	hash, err := bodyHash(r)
	if err != nil {
		return "", err
	}
	b = append(b, "\n"+strings.Join(names, ";")+"\n"+hash...)
	scope := s.scope(at, algorithm)
	toSign := sigv4.AppendStringToSign(nil, algorithm, sigv4.FormatTime(at), scope, b)
	if algorithm == sigv4.ECDSA {
		private, err := sigv4.DeriveECDSAKey(s.AccessKeyID, s.SecretAccessKey)
		if err != nil {
			return "", fmt.Errorf("authtest: sign: %w", err)
		}
		digest := sha256.Sum256(toSign)
		signature, err := ecdsa.SignASN1(rand.Reader, private, digest[:])
		return hex.EncodeToString(signature), err
	}
	parts := strings.Split(scope, "/")
	key := sigv4.DeriveHMACKey(s.SecretAccessKey, parts[0], parts[1], parts[2])
	signature := key.Sign(toSign)
	return hex.EncodeToString(signature[:]), nil
}

func bodyHash(r *http.Request) (string, error) {
	if named := r.Header.Get("X-Amz-Content-Sha256"); named != "" {
		return named, nil
	}
	var body []byte
	if r.Body != nil && r.Body != http.NoBody {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return "", fmt.Errorf("authtest: sign: %w", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:]), nil
}
