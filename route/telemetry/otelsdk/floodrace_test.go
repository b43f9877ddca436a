//go:build race

package otelsdk_test

// floodOf is how many requests each of a flood's goroutines sends: fewer, as the race detector
// looks at each of them.
const floodOf = 5_000
