package rediscache

// The form in Redis, for fuzzing.
var (
	Encode = encode
	Decode = decode
)
