//go:build !race

package vtl_test

const racing = false
