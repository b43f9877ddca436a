//go:build !race

package otelsdk_test

// floodOf is how many requests each of a flood's goroutines sends.
const floodOf = 250_000
