package domain

// What the fuzz targets look at.

var Normalize = normalize

// Keys is the compiled set of base paths.
type Keys struct{ keys keys[struct{}] }

func (k *Keys) Add(key string) bool { return k.keys.add(key, &struct{}{}) }

func (k *Keys) Match(path string, asSent bool) (key string, ok bool) {
	value, key := k.keys.match(path, asSent)
	return key, value != nil
}

var (
	CheckKey  = checkKey
	CheckHost = checkHost
)

// MatchGlob reports whether a glob that parses covers the value.
func MatchGlob(pattern, value string) (match, ok bool) {
	g, err := parseGlob(pattern)
	if err != nil {
		return false, false
	}
	return g.match(value), true
}

// ParseTruststore reports whether the bundle is one.
func ParseTruststore(bundle []byte) error {
	_, err := parseTruststore(bundle)
	return err
}
