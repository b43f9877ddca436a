package auth

import (
	"cmp"
	"reflect"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// SigV4Config configures a [SigV4]. The zero value is refused: nobody's signature could be
// verified.
type SigV4Config struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Credentials knows the callers' keys. Required.
	Credentials CredentialSource
	// Service is the service that requests must be signed for. Empty means "execute-api".
	Service string
	// Region is the region that requests must be signed for. Empty means that of the API
	// (gatekit.API); if that isn't known either, the answer is 500.
	Region string
	// MaxBodyBytes bounds the body, which is read whole before the handler is called. 0 means 10
	// MiB, as on the managed gateway; larger bodies are a 413.
	MaxBodyBytes int64
	// DisablePathNormalization verifies the path with its empty and dot segments, as S3's signers
	// leave it.
	DisablePathNormalization bool
	// DisablePathEscaping verifies the path as it is on the wire, without escaping it a second
	// time, as S3's signers do. Services other than S3 escape twice.
	DisablePathEscaping bool
	// AllowUnsignedPayload accepts X-Amz-Content-Sha256: UNSIGNED-PAYLOAD. The body can then be
	// replaced on the way.
	AllowUnsignedPayload bool
	// AllowUnsignedSessionToken accepts a session token that was added after signing.
	AllowUnsignedSessionToken bool
	// DiscloseUnknownKey answers an unknown access key ID, or a wrong session token, with the
	// managed gateway's text. Without it the answer is that for a wrong signature, so that nobody
	// learns which ids exist.
	DiscloseUnknownKey bool
	// ReplayCache is how many signatures are remembered until they expire, to refuse a second use.
	// 0 means none: a captured request can be sent again for five minutes. A presigned URL is then
	// good for one use. Where more are live than fit, the answer is 500.
	ReplayCache int
	// KeyCache is how many derived keys are kept. 0 means 10,000.
	KeyCache int
}

const (
	defaultService  = "execute-api"
	maxReplayCache  = 100_000_000
	defaultKeyCache = 10_000
	maxKeyCache     = 10_000_000
)

// check returns c with its defaults filled in, or every mistake.
func (c SigV4Config) check() (SigV4Config, error) {
	m := mistakes.In("auth: SigV4Config")
	v := reflect.ValueOf(c.Credentials) // a nil pointer in the interface is none either
	m.Require(c.Credentials != nil && (v.Kind() == reflect.Struct || !v.IsZero()), "Credentials",
		"want a CredentialSource, got nil")
	c.Service = cmp.Or(c.Service, defaultService)
	for _, f := range []struct{ field, value string }{{"Service", c.Service}, {"Region", c.Region}} {
		m.Require(strings.Trim(f.value, "abcdefghijklmnopqrstuvwxyz0123456789-") == "", f.field,
			"want lower-case letters, digits and -, got %s", quoted(f.value))
	}
	mistakes.AtLeast(m, "MaxBodyBytes", c.MaxBodyBytes, 0)
	c.MaxBodyBytes = cmp.Or(c.MaxBodyBytes, maxBody)
	mistakes.Range(m, "ReplayCache", c.ReplayCache, 0, maxReplayCache)
	mistakes.Range(m, "KeyCache", c.KeyCache, 0, maxKeyCache)
	c.KeyCache = cmp.Or(c.KeyCache, defaultKeyCache)
	return c, m.Err()
}
