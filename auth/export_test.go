package auth

import "github.com/gatekit-go/gatekit"

// ParseJWKS returns the kids of the keys that a set is good for. None is an error, as at the start of an authorizer.
func ParseJWKS(data []byte) (kids []string, err error) {
	keys, err := parseJWKS(data)
	if err == nil && len(keys) == 0 {
		err = errNoKey
	}
	for kid := range keys {
		kids = append(kids, kid)
	}
	return kids, err
}

// IdentitySourceError is parseIdentitySource's error.
func IdentitySourceError(text string) error {
	_, err := parseIdentitySource(text)
	return err
}

// TokenCache is the cache of verified tokens, with texts for tokens.
type TokenCache struct{ c *tokenCache }

func NewTokenCache(maxTokens int, maxBytes int64) TokenCache {
	return TokenCache{newTokenCache(maxTokens, maxBytes)}
}

func (c TokenCache) Put(text string) {
	c.c.put(c.c.table(), text, verified{authorization: gatekit.NewAuthorization(gatekit.AuthorizationFields{Principal: text})})
}

// PutLate puts text into the table that was current before clear was called.
func (c TokenCache) PutLate(text string, clear func()) {
	table := c.c.table()
	clear()
	c.c.put(table, text, verified{})
}

func (c TokenCache) Get(text string) bool {
	v := c.c.get(text)
	return v != nil && v.Key == text && v.Value.authorization.Principal() == text
}

func (c TokenCache) Forget(text string) { c.c.forget(c.c.get(text)) }
func (c TokenCache) Clear()             { c.c.clear() }

func (c TokenCache) Size() (tokens int, bytes int64) {
	tokens, bytes, _ = c.c.tokens.Size()
	return tokens, bytes
}

// SigningKeys is how many derived keys s keeps.
func SigningKeys(s *SigV4) int {
	keys, _, _ := s.keys.Size()
	return keys
}
