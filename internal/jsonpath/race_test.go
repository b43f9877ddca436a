//go:build race

package jsonpath_test

// racing says that the race detector is at work. It makes all that counts bytes ten times slower,
// so that tests of bounds take smaller ones.
const racing = true
