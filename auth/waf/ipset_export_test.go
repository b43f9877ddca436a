package waf

// ReadIPList is the reader of lists, for the fuzzer.
var ReadIPList = readIPList
