// Package invoke calls Lambda functions that run in this process, where several requests call one
// at the same time.
//
// lambda.NewHandler(fn) of aws-lambda-go, made for one call at a time, returns the bytes of a
// buffer that it has put back into its pool already: the next call may write over them before they
// are read, and a caller would read another caller's answer. (Seen in v1.55.1, lambda/handler.go:
// handlerFunc.Invoke defers Close of the buffer whose Bytes it returns.) Here the answer is encoded
// again, from the value that the function returned, which the library hands to a trace hook before
// it encodes it.
package invoke

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"reflect"

	"github.com/aws/aws-lambda-go/lambda/handlertrace"

	"github.com/gatekit-go/gatekit"
)

// New returns an Invoker that calls f and whose answers are nobody else's. It returns nil for nil.
func New(f gatekit.Invoker) gatekit.Invoker {
	if !IsLocal(f) {
		return f
	}
	return &function{f}
}

// IsLocal reports whether f is what lambda.NewHandler returns: a function in this process. Its type
// isn't exported.
func IsLocal(f gatekit.Invoker) bool {
	t := reflect.TypeOf(f)
	return f != nil && t.Kind() == reflect.Pointer &&
		t.Elem().PkgPath() == "github.com/aws/aws-lambda-go/lambda" && t.Elem().Name() == "handlerOptions"
}

type function struct{ f gatekit.Invoker }

// Invoke implements gatekit.Invoker. JSON has the library's form without its options WithSetIndent
// and WithSetEscapeHTML.
func (fn *function) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var own []byte
	returned, read := false, false
	ctx = handlertrace.NewContext(ctx, handlertrace.HandlerTrace{ResponseEvent: func(_ context.Context, value any) {
		returned = true
		own, read = encode(value)
	}})
	out, err := fn.f.Invoke(ctx, payload)
	if err != nil {
		return nil, err
	}
	if returned && !read {
		return own, nil
	}
	// The function read its answer from a reader or is an Invoker of the user's own, and the bytes
	// are fresh; or it returns no value, and then every call writes the same "null".
	return out, nil
}

// encode writes value as the library does. read says that the library reads the answer from value
// instead: then its bytes are fresh.
func encode(value any) (text []byte, read bool) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(value)
	if _, ok := value.(io.Reader); ok && (err != nil || bytes.HasPrefix(b.Bytes(), []byte("{}"))) {
		return nil, true
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), false
}
