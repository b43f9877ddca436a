package usageplan

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Key is an API key as it is shown: its values are known only to who holds them.
type Key struct {
	// ID names the key in plans, logs and reports.
	ID string
	// Name, Description and CustomerID are shown to people.
	Name, Description, CustomerID string
	// Enabled is false where the key is refused.
	Enabled bool
	// Created and Updated are when the key was made, and when anything but its use last changed.
	Created, Updated time.Time
	// LastUsed is when a request with the key was last admitted, to about a minute. It is zero if
	// none was.
	LastUsed time.Time
	// Secrets are the key's values: one, or two while it is being rotated, the newest first.
	Secrets []Secret
	// Plans are the IDs of the plans that the key is in.
	Plans []string
	// ManagedBy is as in [NewKey].
	ManagedBy string
}

// Secret is a value of an API key as far as it can be told: what is stored is this, and the value's
// SHA-256.
type Secret struct {
	// Prefix is the value's first four characters.
	Prefix string
	// Created is when the value was made or imported.
	Created time.Time
	// Expires is when the value stops to count, or zero.
	Expires time.Time
}

// NewKey is what a key is made from.
type NewKey struct {
	// ID is 1 to 64 letters, digits, "-" or "_". One is made where it is empty.
	ID string
	// Name, Description and CustomerID are shown to people: at most 1024 bytes each.
	Name, Description, CustomerID string
	// Value is the key to import: 20 to 128 characters of visible ASCII. Where it is empty, one of
	// 40 random letters and digits is made. Values are stored as SHA-256 digests without a salt,
	// which is safe for values nobody can guess and for no others.
	Value string
	// Enabled is whether the key may be used. A key is made disabled, as on the managed gateway,
	// unless this is set.
	Enabled bool
	// ManagedBy names the program that keeps the key, so that it knows which of a store's are its
	// own. It is empty for people's, and at most 1024 bytes.
	ManagedBy string
}

const (
	minValue  = 20
	maxValue  = 128
	maxName   = 1024
	prefixLen = 4
)

// digest is what is stored of a key's value.
type digest [sha256.Size]byte

func digestOf(value string) digest {
	var b [maxValue]byte // on the stack
	return sha256.Sum256(b[:copy(b[:], value)])
}

// keyRecord is a key as it is stored.
type keyRecord struct {
	ID          string         `json:"id"`
	Name        string         `json:"name,omitempty"`
	Description string         `json:"description,omitempty"`
	CustomerID  string         `json:"customerId,omitempty"`
	Enabled     bool           `json:"enabled"`
	Created     time.Time      `json:"created"`
	Updated     time.Time      `json:"updated"`
	Secrets     []secretRecord `json:"secrets"`
	Plans       []memberRecord `json:"plans,omitempty"`
	ManagedBy   string         `json:"managedBy,omitempty"`
}

type secretRecord struct {
	Digest  string    `json:"sha256"`
	Prefix  string    `json:"prefix"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
}

// memberRecord is a key's place in a plan.
type memberRecord struct {
	Plan  string `json:"plan"`
	Since Date   `json:"since"` // the day on which it joined
}

func (k *keyRecord) shown() Key {
	shown := Key{
		ID: k.ID, Name: k.Name, Description: k.Description, CustomerID: k.CustomerID,
		Enabled: k.Enabled, Created: k.Created, Updated: k.Updated, ManagedBy: k.ManagedBy,
	}
	for _, s := range k.Secrets {
		shown.Secrets = append(shown.Secrets, Secret{s.Prefix, s.Created, s.Expires})
	}
	for _, p := range k.Plans {
		shown.Plans = append(shown.Plans, p.Plan)
	}
	return shown
}

func newSecret(value string, now time.Time) secretRecord {
	d := digestOf(value)
	return secretRecord{Digest: hex.EncodeToString(d[:]), Prefix: value[:prefixLen], Created: now}
}

// checkValue returns what the managed gateway says of a value that can't be one.
func checkValue(value string) error {
	switch {
	case len(value) < minValue:
		return errors.New("API Key value should be at least 20 characters")
	case len(value) > maxValue:
		return errors.New("API Key value exceeds maximum size of 128 characters")
	case strings.ContainsFunc(value, func(c rune) bool { return c <= ' ' || c > '~' }):
		return errors.New("API Key value should be visible ASCII characters")
	}
	return nil
}

// Validate returns an error, which is [ErrInvalid], that names each field of k that can't be one.
// It doesn't tell whether the ID or the value is in use already, which the store alone knows.
func (k NewKey) Validate() error {
	m := mistakes.In("usageplan: NewKey")
	m.Require(k.ID == "" || isID(k.ID), "ID", wantID, k.ID)
	m.Join(checkNames(k.Name, k.Description, k.CustomerID, k.ManagedBy))
	if k.Value != "" {
		if err := checkValue(k.Value); err != nil {
			m.Add("Value", "%w", err)
		}
	}
	return invalid(m.Err())
}

// wantID is what isID asks for. What a caller sent is cut, so that it stays short and harmless in
// an error.
const wantID = "want 1 to 64 letters, digits, - or _, got %.64q"

func checkNames(names ...string) error {
	for _, name := range names {
		if len(name) > maxName {
			return invalid(fmt.Errorf("usageplan: name, description and customer ID: want at most %d bytes, got %d",
				maxName, len(name)))
		}
	}
	return nil
}

// randomText returns n random letters and digits, or lower-case ones only.
func randomText(n int, alphabet string) string {
	text := make([]byte, 0, n)
	var b [64]byte
	for len(text) < n {
		_, _ = rand.Read(b[:]) // never fails
		for _, c := range b {
			// So that no letter is likelier than another.
			if limit := 256 - 256%len(alphabet); int(c) < limit && len(text) < n {
				text = append(text, alphabet[int(c)%len(alphabet)])
			}
		}
	}
	return string(text)
}

const (
	lowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789"
	alphanumerics  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + lowerAndDigits
	generatedValue = 40
	generatedID    = 10
)
