package iam

// Glob compiles a pattern of version 2012-10-17 and matches it.
func Glob(pattern, text string, r *Request) (bool, error) {
	g, err := parseGlob(pattern, true, true)
	return err == nil && g.match(text, r), err
}
