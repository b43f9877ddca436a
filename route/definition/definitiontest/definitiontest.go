// Package definitiontest tests a document as a table: requests, what is answered, and what
// functions and backends were told, in go test, offline and in milliseconds.
//
//	definitiontest.Suite{
//		Document: doc,
//		Answers:  map[string]string{"ListFunction": `{"statusCode":200,"body":"[]"}`},
//		Cases: []definitiontest.Case{
//			{Request: "GET /prod/pets?limit=2", Want: "200\n\n[]",
//				Calls: []definitiontest.Call{{To: "ListFunction", Told: `{"queryStringParameters":{"limit":"2"}}`}}},
//			{Request: "DELETE /prod/pets/7", Want: "401"},
//			{Request: "DELETE /prod/pets/7", Claims: authtest.Claims{"scope": "w"}, Want: "204"},
//		},
//	}.Run(t)
//
// What the document calls and [definition.Bindings] lack is a stub: functions, HTTP servers, AWS
// services. What decides who may call isn't: JWT and Cognito authorizers verify tokens, which an
// issuer of the test's signs where the document's is bound to nothing ([Case].Claims), and
// functions of authorizers answer what the test says ([Allow], [Deny]). A message of an answer that
// isn't as it is wanted has the cause for which the gateway refused. It imports no test library.
package definitiontest

import (
	"bufio"
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/authtest"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Suite is a document with requests to it.
type Suite struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Document is what is served. Required.
	Document *definition.Document
	// Bindings are used as they are; stubs stand for what they lack of functions, upstreams and
	// services, and a test's issuer for all issuers and user pools.
	Bindings definition.Bindings
	// Answers are what stubs answer, by the name that a call is To: the proxy integration's JSON
	// ({"statusCode":200,"body":"…"}), of functions of type AWS and of authorizers their own: see
	// [Allow]. Other stubs answer 200 with that name as the body, authorizers' an error. A name
	// that no stub has ends the test.
	Answers map[string]string
	// Cases are asked in order, of one Gateway.
	Cases []Case
	// Golden, if set, is a file that the transcript of all cases must be equal to. Update writes it
	// anew.
	Golden string
	Update bool
}

// Case is one request.
type Case struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Name is the subtest's; empty is the request's first line.
	Name string
	// API is the [definition.API].ID of the API to ask, where the document has several and Request
	// has no Host.
	API string
	// Request is the request line, lines of headers, an empty line and the body: "GET /prod/pets".
	// A header Host chooses the API as a client's would. Required.
	Request string
	// Claims, unless it is nil, is what a token says that is in the request as Authorization:
	// Bearer, or wherever Request has {token}. Unless Claims says otherwise, iss and aud are the
	// document's, if it has but one, sub is "user-1", and the token is good from 2023 to the end of
	// 2099. All issuers that aren't bound have the same keys: bind those that a test tells apart.
	Claims authtest.Claims
	// Want is the status, lines of headers that must be there, and behind an empty line the body,
	// all of it. Without an empty line the body doesn't matter. Empty compares nothing.
	Want string
	// Calls, unless it is nil, is what stubs were told, in order, and nothing else.
	Calls []Call
}

// Call is one call of a stub.
type Call struct {
	_ struct{} // keyed literals only, so that fields can be added

	// To is the function's logical ID or name, with ":qualifier" if it has one; the URL of an HTTP
	// server as the document has it; or the AWS service ("dynamodb:PutItem", "SQS-SendMessage").
	To string
	// Told is JSON that is part of what the stub was told: each of its members is there with the
	// same value, and each element of its lists. A function is told its event, the others
	// {"method":…,"url":…,"headers":{…},"body":…}. Empty compares nothing.
	Told string
}

// Run builds the document and asks its cases, each in a subtest. A document that can't be built
// ends the test.
func (s Suite) Run(t *testing.T) {
	t.Helper()
	stubs, tokens := &stubs{answers: s.Answers}, newTokens(t, s.Document)
	g, err := definition.Build(t.Context(), s.Document, tokens.bind(stubs.bind(s.Bindings)))
	if err != nil {
		t.Fatalf("definitiontest: %v", err)
	}
	t.Cleanup(func() { _ = g.Close() })
	if err := stubs.checkAnswers(); err != nil {
		t.Fatal(err)
	}
	var transcript strings.Builder
	for _, c := range s.Cases {
		line, _, _ := strings.Cut(c.Request, "\n")
		name := c.Name
		if name == "" {
			name = line
		}
		t.Run(name, func(t *testing.T) {
			t.Helper()
			text, token, err := tokens.request(c)
			if err != nil {
				t.Fatalf("definitiontest: Claims: %v", err)
			}
			r, err := request(text)
			if err != nil {
				t.Fatalf("definitiontest: Request: %v", err)
			}
			if err := choose(s.Document, c.API, r); err != nil {
				t.Fatalf("definitiontest: API: %v", err)
			}
			r = gatekit.Explained(r)
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			calls := stubs.take(token)
			got := answerOf(w)
			if err := got.check(c.Want); err != nil {
				t.Errorf("%s: %v\n%s", name, err, why(g, r, got, calls))
			}
			if err := checkCalls(calls, c.Calls); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			writeCase(&transcript, c.Request, got, calls)
		})
	}
	if s.Golden != "" {
		compare(t, s.Golden, transcript.String(), s.Update)
	}
}

// choose asks for the API's own host, if the request has no other.
func choose(doc *definition.Document, id string, r *http.Request) error {
	if r.Host != defaultHost || doc.Domains[defaultHost] != nil || id == "" && len(doc.APIs) < 2 {
		return nil
	}
	var ids []string
	for _, api := range doc.APIs {
		if api.ID == id {
			region := cmp.Or(api.Region, definition.DefaultRegion)
			r.Host = api.Identifier() + ".execute-api." + region + ".amazonaws.com"
			return nil
		}
		ids = append(ids, api.ID)
	}
	return fmt.Errorf("want one of %q, or a header Host in Request, got %q", ids, id)
}

// why is what the gateway refused the request for, what each station said of it, and the report,
// for an answer that may be because of it.
func why(g *definition.Gateway, r *http.Request, got answer, calls []call) (text string) {
	if refused := gatekit.From(r.Context()).Rejection(); refused != nil {
		text = fmt.Sprintf("refused: %v\n", refused)
	}
	text += gatekit.Explain(r)
	for _, c := range calls {
		if c.unanswered {
			text += fmt.Sprintf("the authorizer's function %s wants Answers[%q], such as Allow or Deny\n", c.to, c.to)
		}
	}
	if got.status >= http.StatusInternalServerError {
		text += g.Report().String()
	}
	return text
}

// defaultHost is every host that isn't known, and of a document with one API that API's.
const defaultHost = "example.com"

// request parses a Case's.
func request(text string) (*http.Request, error) {
	head, body, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
	first, rest, _ := strings.Cut(head, "\n")
	lines := strings.Fields(first)
	if len(lines) != 2 {
		return nil, fmt.Errorf("want a method and a URL such as GET /prod/pets, got %q", first)
	}
	wire := lines[0] + " " + lines[1] + " HTTP/1.1\r\n"
	host := "Host: " + defaultHost + "\r\n"
	for line := range strings.Lines(rest) {
		line = strings.TrimSpace(line)
		if name, _, ok := strings.Cut(line, ":"); !ok || name == "" {
			return nil, fmt.Errorf("want a header such as Accept: text/plain, got %q", line)
		} else if strings.EqualFold(name, "Host") {
			host = ""
		}
		wire += line + "\r\n"
	}
	wire += host
	if body != "" {
		wire += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(wire + "\r\n" + body)))
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = "192.0.2.1:1234"
	return r, nil
}

// answer is what a client got.
type answer struct {
	status int
	header http.Header
	body   string
}

// random are headers that are new with each answer.
var random = []string{"X-Amzn-Requestid", "X-Amz-Apigw-Id", "Apigw-Requestid", "X-Amzn-Trace-Id", "Date"}

func answerOf(w *httptest.ResponseRecorder) answer {
	a := answer{w.Code, w.Result().Header, w.Body.String()}
	for _, name := range random {
		delete(a.header, name)
	}
	return a
}

// String is a's form in a transcript, and in Want.
func (a answer) String() string {
	var b strings.Builder
	fmt.Fprintln(&b, a.status)
	for _, name := range sortedNames(a.header) {
		for _, value := range a.header[name] {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	fmt.Fprintf(&b, "\n%s", a.body)
	return b.String()
}

func (a answer) check(want string) error {
	if want == "" {
		return nil
	}
	head, body, withBody := strings.Cut(want, "\n\n")
	status, headers, _ := strings.Cut(head, "\n")
	if fmt.Sprint(a.status) != strings.TrimSpace(status) {
		return fmt.Errorf("want status %s, got\n%s", status, a)
	}
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if !slices.Contains(a.header.Values(name), strings.TrimSpace(value)) {
			return fmt.Errorf("want the header %q, got\n%s", strings.TrimSpace(line), a)
		}
	}
	if withBody && a.body != body {
		return fmt.Errorf("want the body %q, got\n%s", body, a)
	}
	return nil
}

// compare holds the transcript against the golden file.
func compare(t *testing.T, file, got string, update bool) {
	t.Helper()
	if update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatalf("definitiontest: %v", err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("definitiontest: %v (Suite.Update writes it)", err)
	}
	if string(want) == got {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(was), len(is)) {
		if i >= len(was) || i >= len(is) || was[i] != is[i] {
			t.Errorf("definitiontest: %s:%d: want %q, got %q (Suite.Update writes it anew)", file, i+1,
				at(was, i), at(is, i))
			return
		}
	}
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}
