package usageplan

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// BypassHeader is the request header that carries a bypass token. It is taken off before the
// request goes on.
const BypassHeader = "X-Gatekit-Bypass"

// Bypass makes and checks tokens that let the requests of one API key through without counting
// them: for load tests and probes. The key is asked for all the same. A token that is wrong or has
// expired is as good as none. It is safe for concurrent use.
type Bypass struct{ secrets [][]byte }

const (
	minBypassSecret   = 32
	maxBypassLifetime = 24 * time.Hour
	bypassVersion     = "v1"
)

// NewBypass returns a Bypass whose tokens are signed with the first secret and may be signed with
// any of them, so that secrets can be replaced. Each has at least 32 bytes, which nobody can guess.
// They are copied.
func NewBypass(secrets ...[]byte) (*Bypass, error) {
	m := mistakes.In("usageplan: NewBypass")
	m.Require(1 <= len(secrets) && len(secrets) <= 10, "", "want 1 to 10 secrets, got %d", len(secrets))
	b := &Bypass{}
	for i, s := range secrets {
		m.Require(len(s) >= minBypassSecret, "", "secret %d: want at least %d bytes, got %d", i, minBypassSecret,
			len(s))
		b.secrets = append(b.secrets, slices.Clone(s))
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	return b, nil
}

// Token returns a token for requests with the API key of that ID, to be sent in [BypassHeader]. It
// counts for lifetime, at most 24 hours.
func (b *Bypass) Token(keyID string, lifetime time.Duration) (string, error) {
	if !isID(keyID) {
		return "", fmt.Errorf("usageplan: Bypass.Token: want an API key's ID, got %.64q", keyID)
	}
	if lifetime <= 0 || lifetime > maxBypassLifetime {
		return "", fmt.Errorf("usageplan: Bypass.Token: lifetime: want up to %v, got %v", maxBypassLifetime, lifetime)
	}
	text := bypassVersion + "." + strconv.FormatInt(time.Now().Add(lifetime).Unix(), 10) + "." + keyID
	return text + "." + base64.RawURLEncoding.EncodeToString(b.sign(0, text)), nil
}

func (b *Bypass) sign(i int, text string) []byte {
	mac := hmac.New(sha256.New, b.secrets[i])
	mac.Write([]byte("gatekit usage plan bypass\n" + text))
	return mac.Sum(nil)
}

// admits reports whether r carries a token for the key that counts now.
func (b *Bypass) admits(r *http.Request, keyID string, now time.Time) bool {
	values := r.Header[BypassHeader]
	return len(values) == 1 && b.verify(values[0], keyID, now) == nil
}

var errBypass = errors.New("usageplan: not a bypass token that counts")

func (b *Bypass) verify(token, keyID string, now time.Time) error {
	if len(token) > 256 {
		return errBypass
	}
	i := strings.LastIndexByte(token, '.')
	if i < 0 {
		return errBypass
	}
	text := token[:i]
	got, err := base64.RawURLEncoding.Strict().DecodeString(token[i+1:])
	if err != nil || strings.ContainsAny(token, "\r\n") { // which even the strict decoder skips
		return errBypass
	}
	known := false
	for i := range b.secrets {
		known = hmac.Equal(got, b.sign(i, text)) || known
	}
	parts := strings.Split(text, ".")
	if !known || len(parts) != 3 || parts[0] != bypassVersion || parts[2] != keyID {
		return errBypass
	}
	expires, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil || now.Unix() >= expires || expires > now.Add(maxBypassLifetime).Unix() {
		return errBypass
	}
	return nil
}

// withoutToken returns r without a bypass token: who comes next shall not be able to use it.
func (l *Limiter) withoutToken(r *http.Request) *http.Request {
	if l.bypass == nil {
		return r
	}
	if _, ok := r.Header[BypassHeader]; !ok {
		return r
	}
	r = r.WithContext(r.Context())
	r.Header = r.Header.Clone()
	delete(r.Header, BypassHeader)
	return r
}
