package uritemplate

// Remembered is how many URIs are kept parsed.
func Remembered(s *Source) (n int) {
	s.parsed.Range(func(any, any) bool { n++; return true })
	return n
}
