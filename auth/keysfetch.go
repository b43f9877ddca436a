package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/MicahParks/jwkset"

	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// maxDiscoveryBytes bounds the discovery document, which is a few kilobytes.
const maxDiscoveryBytes = 150_000

// fetcher gets an issuer's key set: discovery, then the set, each with a deadline, a size that is
// counted after decompression, and no redirect to another origin. (Developer guide, "Amazon API
// Gateway quotas": 1,500 ms each, not adjustable there.)
type fetcher struct {
	client   *http.Client
	issuer   string
	jwksURL  string // instead of discovery
	insecure bool   // http to any host
	timeout  time.Duration
}

// newClient returns a client for c's requests: user's, or one of our own, with the redirect rule on
// top.
func newClient(user *http.Client) *http.Client {
	client := &http.Client{}
	if user != nil {
		*client = *user
	} else {
		client.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			DialContext:            (&net.Dialer{Timeout: 10 * time.Second, Control: refuseLinkLocal}).DialContext,
			ForceAttemptHTTP2:      true,
			TLSHandshakeTimeout:    10 * time.Second,
			DisableKeepAlives:      true, // two requests an hour; and no connection's goroutine outlives Close
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	client.Jar = nil // a key set is public
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if first := via[0].URL; len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
			return errors.New("refused a redirect to another origin")
		}
		return nil
	}
	return client
}

// refuseLinkLocal keeps names that resolve to a link-local address, where cloud machines have their
// credentials' service, from being fetched: the issuer's documents choose one of the URLs.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	if ap, err := netip.ParseAddrPort(address); err == nil && !fetchable(ap.Addr()) {
		return errors.New("refused a link-local address")
	}
	return nil
}

func fetchable(a netip.Addr) bool {
	a = a.Unmap()
	return !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified()
}

// keys returns the issuer's key set as it is now.
func (f *fetcher) keys(ctx context.Context) (map[string]jwkset.JWK, error) {
	jwksURL := f.jwksURL
	if jwksURL == "" {
		var err error
		if jwksURL, err = f.discover(ctx); err != nil {
			return nil, err
		}
	}
	data, err := f.get(ctx, jwksURL, maxJWKSBytes)
	if err != nil {
		return nil, err
	}
	keys, err := parseJWKS(data)
	if err != nil {
		return nil, fmt.Errorf("auth: fetch %s: %w", jwksURL, err)
	}
	return keys, nil
}

// discover returns the jwks_uri of the issuer's discovery document, which must name the issuer
// itself. (OpenID Connect Discovery 1.0, section 4.3.)
func (f *fetcher) discover(ctx context.Context) (string, error) {
	at := strings.TrimSuffix(f.issuer, "/") + "/.well-known/openid-configuration"
	data, err := f.get(ctx, at, maxDiscoveryBytes)
	if err != nil {
		return "", err
	}
	var issuer, jwksURI string
	err = strictjson.Object(withoutBOM(data), maxTokenDepth, func(name string, value []byte) error {
		switch name {
		case "issuer":
			issuer, _ = strictjson.Text(value)
		case "jwks_uri":
			jwksURI, _ = strictjson.Text(value)
		}
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("auth: fetch %s: not a discovery document: %w", at, err)
	}
	if issuer != f.issuer {
		return "", fmt.Errorf("auth: fetch %s: its issuer is %s, want %q", at, quoted(issuer), f.issuer)
	}
	if err := checkFetchURL(jwksURI, f.insecure, isLoopbackHTTP(f.issuer)); err != nil {
		return "", fmt.Errorf("auth: fetch %s: jwks_uri: %w", at, err)
	}
	return jwksURI, nil
}

func (f *fetcher) get(ctx context.Context, at string, maxBytes int) (data []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	defer func() {
		if err != nil {
			err = fmt.Errorf("auth: fetch %s: %w", at, err)
		}
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	w, err := f.client.Do(r)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // the URL is in our text already
		}
		return nil, err
	}
	defer w.Body.Close()
	if w.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("want 200 OK, got %s", quoted(w.Status))
	}
	data, err = io.ReadAll(io.LimitReader(w.Body, int64(maxBytes)+1)) // the transport has decompressed it
	if err == nil && len(data) > maxBytes {
		err = fmt.Errorf("longer than %d bytes", maxBytes)
	}
	return data, err
}

// checkFetchURL reports what is wrong with a URL that keys may come from: it must be https, or http
// where loopback says that loopback hosts are fine, or insecure that all are.
func checkFetchURL(text string, insecure, loopback bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return fmt.Errorf("want an https URL, got %s", quoted(text))
	case u.Scheme == "https" && !isLoopback(u.Hostname()), u.Scheme == "https" && loopback:
	case u.Scheme == "http" && insecure:
	case u.Scheme == "http" && loopback && isLoopback(u.Hostname()):
	default:
		return fmt.Errorf("want an https URL, got %s", quoted(text))
	}
	if a, err := netip.ParseAddr(u.Hostname()); err == nil && !fetchable(a) {
		return fmt.Errorf("want a host that isn't link-local, got %s", quoted(text))
	}
	return nil
}

func isLoopbackHTTP(text string) bool {
	u, err := url.Parse(text)
	return err == nil && isLoopback(u.Hostname())
}

// isLoopback reports whether host is this machine. The name counts, since RFC 6761, section 6.3 has
// it resolve to nothing else.
func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
