package websockettest

import (
	"context"
	"encoding/json"
	"sync"
)

// Recorder is a Lambda function (gatekit.Invoker) that remembers its events. The zero value answers
// all of them with {"statusCode":200}.
type Recorder struct {
	// Answer, if it isn't nil, answers. The event is the one that was decoded.
	Answer func(ctx context.Context, event map[string]any) (string, error)

	mu     sync.Mutex
	events []map[string]any
}

// Invoke implements gatekit.Invoker.
func (f *Recorder) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event map[string]any
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.events = append(f.events, event)
	f.mu.Unlock()
	if f.Answer == nil {
		return []byte(`{"statusCode":200}`), nil
	}
	answer, err := f.Answer(ctx, event)
	return []byte(answer), err
}

// Events returns the events so far. They must not be changed.
func (f *Recorder) Events() []map[string]any {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]map[string]any(nil), f.events...)
}

// Of returns the events whose requestContext has this member, such as "eventType": "MESSAGE".
func (f *Recorder) Of(name string, value any) (events []map[string]any) {
	for _, e := range f.Events() {
		if c, _ := e["requestContext"].(map[string]any); c != nil && c[name] == value {
			events = append(events, e)
		}
	}
	return events
}
