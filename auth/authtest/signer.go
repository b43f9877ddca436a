package authtest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

// signer is s for an algorithm.
func (s Signer) signer(algorithm string) *sigv4.Signer {
	return &sigv4.Signer{
		Algorithm: algorithm, AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey,
		Region: s.Region, Service: cmp.Or(s.Service, "execute-api"),
	}
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
	signed, err := request(r)
	if err != nil {
		return err
	}
	authorization, err := s.signer(algorithm).Authorization(signed, at)
	if err != nil {
		return failed(r, err)
	}
	r.Header.Set("Authorization", authorization)
	return nil
}

func (s Signer) presign(r *http.Request, at time.Time, expires time.Duration, algorithm string) error {
	signer, names := s.signer(algorithm), sigv4.SignedNames(r.Header)
	add := url.Values{
		"X-Amz-Algorithm": {algorithm}, "X-Amz-Credential": {signer.Credential(at)},
		"X-Amz-Date":    {sigv4.FormatTime(at)},
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
	signed, err := request(r)
	if err != nil {
		return err
	}
	signature, err := signer.Signature(signed, names, at)
	if err != nil {
		return failed(r, err)
	}
	r.URL.RawQuery += "&X-Amz-Signature=" + signature
	if r.RequestURI != "" {
		r.RequestURI = r.URL.RequestURI()
	}
	return nil
}

func failed(r *http.Request, err error) error {
	return fmt.Errorf("authtest: sign %q: %w", r.URL.RawQuery, err)
}

// request is what is signed of r.
func request(r *http.Request) (*sigv4.Request, error) {
	hash, err := bodyHash(r)
	if err != nil {
		return nil, err
	}
	return &sigv4.Request{
		Method: r.Method, Path: r.URL.EscapedPath(), Query: r.URL.RawQuery, Host: cmp.Or(r.Host, r.URL.Host),
		Header: r.Header, BodyHash: hash,
	}, nil
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
	return sigv4.Hash(body), nil
}
