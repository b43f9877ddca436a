package definitiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/definition"
)

// stubs stand for what a document calls, and remember what they were told.
type stubs struct {
	answers map[string]string

	mu    sync.Mutex
	calls []call
	names map[string]bool // of all stubs
}

// call is a call of a stub. unanswered says that it was an authorizer's, and that Answers has none.
type call struct {
	to, told   string
	unanswered bool
}

// bind puts stubs behind what the bindings have.
func (s *stubs) bind(b definition.Bindings) definition.Bindings {
	function, handler := b.OtherFunction, b.OtherHandler
	b.OtherFunction = func(r definition.Ref) (gatekit.Invoker, bool) {
		if function != nil {
			if f, ok := function(r); ok {
				return f, true
			}
		}
		return s.stub(r.String()), true
	}
	b.OtherHandler = func(r definition.Ref) (http.Handler, bool) {
		if handler != nil {
			if h, ok := handler(r); ok {
				return h, true
			}
		}
		// The first two names are the route's; a function's integration has no more.
		if len(r.Also) < 3 || bound(b, r.Also[2]) {
			return nil, false
		}
		return s.stub(r.Also[2]), true
	}
	return b
}

func (s *stubs) stub(name string) *stub {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
	return &stub{s, name}
}

// checkAnswers refuses answers that nothing gives: a misspelled name would leave a stub's own.
func (s *stubs) checkAnswers() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range sortedNames(s.answers) {
		if !s.names[name] {
			return fmt.Errorf("definitiontest: Answers[%q]: want the name of a stub: %q", name, sortedNames(s.names))
		}
	}
	return nil
}

// bound reports whether the bindings say how a URL's host, or a service, is reached: then it is no
// stub's.
func bound(b definition.Bindings, name string) bool {
	_, rest, ok := strings.Cut(name, "://")
	if !ok {
		return b.Services != nil || b.OtherService != nil
	}
	_, host := b.Upstreams[rest[:strings.IndexAny(rest+"/", "/?#")]]
	_, all := b.Upstreams[name]
	return host || all
}

// take returns the calls since it was last asked, without the token, which is new each time.
func (s *stubs) take(token string) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	for i := range calls {
		if token != "" {
			calls[i].told = strings.ReplaceAll(calls[i].told, token, tokenPlace)
		}
	}
	return calls
}

// stub is a function, or a server.
type stub struct {
	of *stubs
	to string
}

// answer is what Answers has, or else the stub's own, which is no authorizer's: ok is false then.
func (s *stub) answer(told []byte, authorizes bool) (text string, ok bool) {
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	text, ok = s.of.answers[s.to]
	s.of.calls = append(s.of.calls, call{s.to, string(told), authorizes && !ok})
	if ok || authorizes {
		return text, ok
	}
	own, _ := json.Marshal(map[string]any{"statusCode": http.StatusOK, "body": s.to}) // always encodes
	return string(own), true
}

// Invoke implements gatekit.Invoker. An authorizer's event has an ARN to decide on.
func (s *stub) Invoke(_ context.Context, event []byte) ([]byte, error) {
	var asked struct {
		MethodArn, RouteArn string
	}
	authorizes := json.Unmarshal(event, &asked) == nil && asked.MethodArn+asked.RouteArn != ""
	text, ok := s.answer(bytes.Clone(event), authorizes)
	if !ok {
		return nil, fmt.Errorf("definitiontest: Answers has none of %s", s.to)
	}
	return []byte(text), nil
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		gatekit.Reject(w, r, err)
		return
	}
	headers := map[string]string{}
	for name, values := range r.Header {
		headers[name] = strings.Join(values, ", ")
	}
	told, _ := json.Marshal(map[string]any{ // always encodes
		"method": r.Method, "url": r.URL.String(), "headers": headers, "body": string(body),
	})
	var a struct {
		StatusCode int               `json:"statusCode"`
		Headers    map[string]string `json:"headers"`
		Body       string            `json:"body"`
	}
	text, _ := s.answer(told, false)
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		gatekit.Reject(w, r, fmt.Errorf("definitiontest: Answers[%q]: %w", s.to, err))
		return
	}
	for name, value := range a.Headers {
		w.Header().Set(name, value)
	}
	if a.StatusCode != 0 {
		w.WriteHeader(a.StatusCode)
	}
	_, _ = io.WriteString(w, a.Body)
	gatekit.From(r.Context()).SetIntegration(gatekit.Integration{Status: max(a.StatusCode, http.StatusOK)})
}

// checkCalls holds calls against those that are wanted.
func checkCalls(got []call, want []Call) error {
	if want == nil {
		return nil
	}
	var to []string
	for _, c := range got {
		to = append(to, c.to)
	}
	if len(got) != len(want) {
		return fmt.Errorf("want %d calls, got %d: %q", len(want), len(got), to)
	}
	for i, w := range want {
		if got[i].to != w.To {
			return fmt.Errorf("call %d: want one to %q, got %q", i, w.To, got[i].to)
		}
		if w.Told == "" {
			continue
		}
		var part, whole any
		if err := json.Unmarshal([]byte(w.Told), &part); err != nil {
			return fmt.Errorf("call %d: Told: %w", i, err)
		}
		if err := json.Unmarshal([]byte(got[i].told), &whole); err != nil {
			return fmt.Errorf("call %d: want JSON, got %q", i, got[i].told)
		}
		if missing := lacks(whole, part, ""); missing != "" {
			return fmt.Errorf("call %d to %s: %s\n%s", i, w.To, missing, got[i].told)
		}
	}
	return nil
}

// lacks says what of part isn't in whole, or "".
func lacks(whole, part any, at string) string {
	switch part := part.(type) {
	case map[string]any:
		has, ok := whole.(map[string]any)
		if !ok {
			break
		}
		for _, name := range slices.Sorted(maps.Keys(part)) {
			value, ok := has[name]
			if !ok {
				return fmt.Sprintf("want a member %s.%s", at, name)
			}
			if missing := lacks(value, part[name], at+"."+name); missing != "" {
				return missing
			}
		}
		return ""
	case []any:
		has, ok := whole.([]any)
		if !ok || len(has) < len(part) {
			break
		}
		for i := range part {
			if missing := lacks(has[i], part[i], fmt.Sprintf("%s[%d]", at, i)); missing != "" {
				return missing
			}
		}
		return ""
	}
	if !reflect.DeepEqual(whole, part) {
		return fmt.Sprintf("want %v at %s, got %v", part, strings.TrimPrefix(at, "."), whole)
	}
	return ""
}

// unsteady are members of events that are new with each request.
var unsteady = []string{"requestId", "extendedRequestId", "requestTime", "requestTimeEpoch", "timeEpoch", "time",
	"x-amzn-trace-id", "X-Amzn-Trace-Id", "time_local"}

// writeCase writes a case as a golden file has it.
func writeCase(b *strings.Builder, request string, got answer, calls []call) {
	fmt.Fprintf(b, "=== %s\n", strings.TrimSpace(request))
	for _, c := range calls {
		fmt.Fprintf(b, "--- calls %s\n%s\n", c.to, steady(c.told))
	}
	fmt.Fprintf(b, "--- answers %s\n\n", strings.TrimRight(got.String(), "\n"))
}

// steady is what a stub was told, indented, without what is new each time.
func steady(told string) string {
	var v any
	if json.Unmarshal([]byte(told), &v) != nil {
		return told
	}
	forget(v)
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return told
	}
	return string(text)
}

func forget(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if slices.Contains(unsteady, name) {
				delete(v, name)
				continue
			}
			forget(value)
		}
	case []any:
		for _, element := range v {
			forget(element)
		}
	}
}

func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
