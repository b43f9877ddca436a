package gatekit

import "context"

// Invoker calls a Lambda function: it takes the event's JSON and returns the function's.
// lambda.NewHandler(fn) of aws-lambda-go is one, and so, through three lines, is the AWS SDK's
// client:
//
//	type remote struct{ client *lambda.Client; name string }
//
//	func (f remote) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
//		out, err := f.client.Invoke(ctx, &lambda.InvokeInput{FunctionName: &f.name, Payload: payload})
//		…
//	}
//
// Invoke must be safe for concurrent use and must return when ctx ends. An error is a function
// error; its text is logged and never sent to a client.
type Invoker interface {
	// Invoke calls the function with an event, and returns its answer; both are JSON.
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}
