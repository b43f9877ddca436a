package usageplan

import (
	"fmt"
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/signed"
)

// BypassHeader is the request header that carries a bypass token. It is taken off before the
// request goes on.
const BypassHeader = "X-Gatekit-Bypass"

// Bypass makes and checks tokens that let the requests of one API key through without counting
// them: for load tests and probes. The key is asked for all the same. A token that is wrong or has
// expired is as good as none. It is safe for concurrent use.
type Bypass struct{ keys *signed.Keys }

const maxBypassLifetime = 24 * time.Hour

// NewBypass returns a Bypass whose tokens are signed with the first secret and may be signed with
// any of them, so that secrets can be replaced. Each has at least 32 bytes, which nobody can guess.
// They are copied.
func NewBypass(secrets ...[]byte) (*Bypass, error) {
	m := mistakes.In("usageplan: NewBypass")
	signed.Check(m, "", secrets)
	if err := m.Err(); err != nil {
		return nil, err
	}
	return &Bypass{signed.New("gatekit usage plan bypass", maxBypassLifetime, secrets)}, nil
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
	return b.keys.Text(keyID, time.Now().Add(lifetime)), nil
}

// admits reports whether r carries a token for the key that counts now.
func (b *Bypass) admits(r *http.Request, keyID string, now time.Time) bool {
	values := r.Header[BypassHeader]
	return len(values) == 1 && b.keys.Counts(values[0], keyID, now)
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
