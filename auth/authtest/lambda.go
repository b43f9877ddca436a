package authtest

import (
	"context"
	"slices"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
)

// Recorder is an authorizer function under observation: it hands each event to the function behind
// it and keeps event and answer, so that a test can show what the function got. It is a
// gatekit.Invoker and safe for concurrent use.
type Recorder struct {
	function gatekit.Invoker

	mu    sync.Mutex
	calls []Invocation
}

// Invocation is one call of a function.
type Invocation struct {
	// Event is the JSON that the function got.
	Event string
	// Answer is the JSON that it returned, Err why it failed.
	Answer string
	Err    error
}

// maxInvocations bounds what a Recorder keeps.
const maxInvocations = 10_000

// Record observes a function: lambda.NewHandler(fn) of aws-lambda-go, or any other Invoker.
func Record(function gatekit.Invoker) *Recorder { return &Recorder{function: invoke.New(function)} }

// Invoke implements gatekit.Invoker.
func (r *Recorder) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	answer, err := r.function.Invoke(ctx, payload)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.calls) < maxInvocations {
		r.calls = append(r.calls, Invocation{string(payload), string(answer), err})
	}
	return answer, err
}

// Invocations returns the calls so far, at most 10,000, in a list of its own.
func (r *Recorder) Invocations() []Invocation {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.calls)
}
