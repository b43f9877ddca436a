package integration

import (
	"errors"
	"fmt"
	"net/http"
	"reflect"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

// FunctionError is a function that failed: it returned an error, panicked or ran out of time of its
// own. Every error of an in-process function counts as one; an Invoker that calls a function
// elsewhere returns one where it has what the function said.
type FunctionError struct {
	// Type is errorType, such as "errorString" or "Runtime.ExitError".
	Type string
	// Message is errorMessage. It is for logs and for selection patterns of non-proxy integrations.
	Message string
	// Payload is the JSON that the function failed with. nil stands for one of Type and Message.
	Payload []byte
}

// Error returns the type and the message.
func (e *FunctionError) Error() string {
	return fmt.Sprintf("integration: the function failed: %s: %s", e.Type, e.Message)
}

// HTTPStatusCode returns 200, which is what the Lambda service answers of a function that failed.
func (e *FunctionError) HTTPStatusCode() int { return http.StatusOK }

// text is what logs and selection patterns get. It isn't empty, as that would mean that nothing
// failed.
func (e *FunctionError) text() string {
	switch {
	case e.Message != "":
		return e.Message
	case e.Type != "":
		return e.Type
	}
	return "the function failed"
}

// JSON returns Payload, or the JSON that aws-lambda-go would have made of Type and Message, without
// a stack trace.
func (e *FunctionError) JSON() []byte {
	if e.Payload != nil {
		return e.Payload
	}
	b := jsonlex.AppendString([]byte(`{"errorMessage":`), e.Message)
	return append(jsonlex.AppendString(append(b, `,"errorType":`...), e.Type), '}')
}

// FunctionResult makes what [gatekit.Invoker] wants of what the Lambda service answered.
// functionError is the header X-Amz-Function-Error, nil or "" where the function didn't fail. It is
// what the adapter of the AWS SDK's client needs:
//
//	type remote struct{ client *lambda.Client; name string }
//
//	func (f remote) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
//		out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: payload})
//		if err != nil {
//			return nil, err
//		}
//		id, _ := middleware.GetRequestIDMetadata(out.ResultMetadata) // for logs
//		integration.TellRequestID(ctx, id)
//		return integration.FunctionResult(out.FunctionError, out.Payload)
//	}
//
// Errors of the client that have an error code, as all of the SDK's have that the service answered,
// count as calls that the service refused.
func FunctionResult(functionError *string, payload []byte) ([]byte, error) {
	if functionError == nil || *functionError == "" {
		return payload, nil
	}
	e := &FunctionError{Type: *functionError, Payload: payload}
	if !jsonscan.Valid(payload) {
		e.Payload, e.Message = nil, string(payload)
		return nil, e
	}
	for name, value := range jsonscan.Members(payload) {
		text, ok := jsonscan.Text(value)
		switch {
		case ok && jsonscan.Is(name, "errorMessage"):
			e.Message = text
		case ok && jsonscan.Is(name, "errorType"):
			e.Type = text
		}
	}
	return nil, e
}

// InvokeError is a call that the Lambda service refused: throttled, not permitted, no such
// function. The function didn't run.
type InvokeError struct {
	// Status is the service's HTTP status: 429 where it throttles, 403 where it doesn't permit.
	Status int
	// Code is the service's word for it, such as "TooManyRequestsException".
	Code string
}

// Error returns the status and the code.
func (e *InvokeError) Error() string {
	return fmt.Sprintf("integration: the function was not called: %d %s", e.Status, e.Code)
}

// ErrorCode returns Code, as errors of the AWS SDK do.
func (e *InvokeError) ErrorCode() string { return e.Code }

// HTTPStatusCode returns Status, as errors of the AWS SDK do.
func (e *InvokeError) HTTPStatusCode() int { return e.Status }

var errThrottled = &InvokeError{Status: 429, Code: "TooManyRequestsException"}

// refusedCall reports whether err is a call that the service refused. (Errors of the AWS SDK that a
// service answered have a code.)
func refusedCall(err error) bool {
	var refused interface{ ErrorCode() string }
	return errors.As(err, &refused)
}

// functionErrorOf is what a function in this process failed with, as aws-lambda-go would report it.
func functionErrorOf(err error) *FunctionError {
	var failed *FunctionError
	if errors.As(err, &failed) {
		return failed
	}
	return &FunctionError{Type: typeName(err), Message: err.Error()}
}

// panicked makes a function error of a panic's value.
func panicked(v any) *FunctionError {
	return &FunctionError{Type: typeName(v), Message: fmt.Sprint(v)}
}

func typeName(v any) string {
	t := reflect.TypeOf(v)
	if t == nil {
		return ""
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t.Name()
}
