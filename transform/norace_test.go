//go:build !race

package transform_test

const racing = false
