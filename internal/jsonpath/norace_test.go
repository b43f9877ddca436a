//go:build !race

package jsonpath_test

const racing = false
