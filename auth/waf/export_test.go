package waf

// The fingerprints of a hello, which published ones are compared with.
var (
	JA3Of = ja3
	JA4Of = ja4
)
