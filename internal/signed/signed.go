// Package signed makes and checks short texts that only who has a secret can make, that are about
// one subject and count for a while:
//
//	v1.EXPIRES.SUBJECT.MAC
//
// with EXPIRES in seconds since 1970 and MAC the HMAC-SHA256 of what stands before it, in URL-safe
// base64. Nothing is remembered of them: until it expires, one counts as often as it is shown.
package signed

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

const (
	minSecret  = 32 // bytes
	maxSecrets = 10
	maxText    = 256
	version    = "v1"
)

// Check adds to m what is wrong with secrets: each has at least 32 bytes, which nobody can guess.
func Check(m *mistakes.Mistakes, field string, secrets [][]byte) {
	m.Require(1 <= len(secrets) && len(secrets) <= maxSecrets, field, "want 1 to 10 secrets, got %d", len(secrets))
	for i, s := range secrets {
		m.Require(len(s) >= minSecret, field, "secret %d: want at least %d bytes, got %d", i, minSecret, len(s))
	}
}

// Keys make and check the texts of one purpose. They are safe for concurrent use.
type Keys struct {
	purpose string // a text of another purpose doesn't count
	longest time.Duration
	secrets [][]byte
}

// New returns Keys that sign with the first of the secrets, which have passed Check, and take what
// any of them has signed, so that secrets can be replaced. They are copied. No text counts for
// longer than longest.
func New(purpose string, longest time.Duration, secrets [][]byte) *Keys {
	k := &Keys{purpose: purpose, longest: longest}
	for _, s := range secrets {
		k.secrets = append(k.secrets, slices.Clone(s))
	}
	return k
}

// Text returns a text about subject, letters, digits, - and _, that counts until expires.
func (k *Keys) Text(subject string, expires time.Time) string {
	text := version + "." + strconv.FormatInt(expires.Unix(), 10) + "." + subject
	return text + "." + base64.RawURLEncoding.EncodeToString(k.sign(0, text))
}

func (k *Keys) sign(i int, text string) []byte {
	mac := hmac.New(sha256.New, k.secrets[i])
	mac.Write([]byte(k.purpose + "\n" + text))
	return mac.Sum(nil)
}

// Counts reports whether text is one of these about subject, and hasn't expired. What can be seen
// without a secret is looked at first: who has none shall cost little.
func (k *Keys) Counts(text, subject string, now time.Time) bool {
	if len(text) > maxText || strings.ContainsAny(text, "\r\n") { // which even the strict decoder skips
		return false
	}
	i := strings.LastIndexByte(text, '.')
	if i < 0 {
		return false
	}
	text, mac := text[:i], text[i+1:]
	head, about, ok := strings.Cut(text, ".")
	expiry, about, also := strings.Cut(about, ".")
	if !ok || !also || head != version || about != subject {
		return false
	}
	expires, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil || now.Unix() >= expires || expires > now.Add(k.longest).Unix() {
		return false
	}
	got, err := base64.RawURLEncoding.Strict().DecodeString(mac)
	if err != nil {
		return false
	}
	known := false
	for i := range k.secrets {
		known = hmac.Equal(got, k.sign(i, text)) || known
	}
	return known
}
