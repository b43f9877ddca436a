package crs_test

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/corazawaf/coraza-coreruleset/v4/tests"
	"github.com/corazawaf/coraza/v3/types"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

// The rule set's own regression cases (github.com/corazawaf/coraza-coreruleset/v4/tests, Apache License 2.0), which are in its
// module: requests written as they stand to a server's socket, at paranoia level 4, and the rules that are to be logged or not.

type (
	ftwFile struct {
		RuleID int       `yaml:"rule_id"`
		Tests  []ftwTest `yaml:"tests"`
	}
	ftwTest struct {
		ID     int        `yaml:"test_id"`
		Stages []ftwStage `yaml:"stages"`
	}
	ftwStage struct {
		Input  ftwInput  `yaml:"input"`
		Output ftwOutput `yaml:"output"`
	}
	ftwInput struct {
		Method   *string   `yaml:"method"`
		URI      *string   `yaml:"uri"`
		Version  *string   `yaml:"version"`
		Headers  yaml.Node `yaml:"headers"` // in their order
		Data     *string   `yaml:"data"`
		Encoded  string    `yaml:"encoded_request"`
		Complete *bool     `yaml:"autocomplete_headers"`
	}
	ftwOutput struct {
		Status int `yaml:"status"`
		Log    struct {
			Expect  []int  `yaml:"expect_ids"`
			None    []int  `yaml:"no_expect_ids"`
			Match   string `yaml:"match_regex"`
			NoMatch string `yaml:"no_match_regex"`
		} `yaml:"log"`
		Error bool `yaml:"expect_error"`
	}
)

const urlencoded = "application/x-www-form-urlencoded"

// raw is the request as it is written to the socket, by the rules of go-ftw: a Content-Type, a Content-Length and Connection:
// close are added, form data without any escape is escaped, and multipart lines end as they should.
func (in *ftwInput) raw() ([]byte, error) {
	if in.Encoded != "" {
		return base64.StdEncoding.DecodeString(strings.ReplaceAll(in.Encoded, "\n", ""))
	}
	method, uri, version, data := "GET", "/", "HTTP/1.1", ""
	for to, from := range map[*string]*string{&method: in.Method, &uri: in.URI, &version: in.Version, &data: in.Data} {
		if from != nil {
			*to = *from
		}
	}
	var header [][2]string
	value := func(name string) (string, bool) {
		for _, h := range header {
			if strings.EqualFold(h[0], name) {
				return h[1], true
			}
		}
		return "", false
	}
	add := func(name, v string) {
		if _, ok := value(name); !ok {
			header = append(header, [2]string{name, v})
		}
	}
	for i := 0; i+1 < len(in.Headers.Content); i += 2 {
		header = append(header, [2]string{in.Headers.Content[i].Value, in.Headers.Content[i+1].Value})
	}
	complete := in.Complete == nil || *in.Complete
	if data != "" && complete {
		add("Content-Type", urlencoded)
		if is, _ := value("Content-Type"); is == urlencoded {
			data = escaped(data)
		}
	}
	if is, _ := value("Content-Type"); strings.HasPrefix(is, "multipart/form-data;") {
		data = strings.ReplaceAll(data, "\n", "\r\n")
	}
	if complete {
		add("Connection", "close")
		if data != "" || slices.Contains([]string{"POST", "PUT", "PATCH", "DELETE"}, method) {
			add("Content-Length", strconv.Itoa(len(data)))
		}
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", method, uri, version)
	for _, h := range header {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n" + data)
	return b.Bytes(), nil
}

func escaped(data string) string {
	if plain, err := url.QueryUnescape(data); err != nil || plain != data {
		return data
	}
	parts := strings.Split(data, "&")
	for i, part := range parts {
		name, value, ok := strings.Cut(part, "=")
		if parts[i] = url.QueryEscape(name); ok {
			parts[i] += "=" + url.QueryEscape(value)
		}
	}
	return strings.Join(parts, "&")
}

// reflecting is the backend that the cases are written for: what is sent to /reflect says what is to be answered.
func reflecting(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path != "/reflect" {
		_, _ = io.WriteString(w, "ok")
		return
	}
	var answer struct {
		Status  int
		Headers map[string]string
		Body    string
		Encoded string `json:"encodedBody"`
	}
	if json.Unmarshal(body, &answer) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	for name, value := range answer.Headers {
		w.Header().Set(name, value)
	}
	if answer.Encoded != "" {
		decoded, _ := base64.StdEncoding.DecodeString(answer.Encoded)
		answer.Body = string(decoded)
	}
	w.WriteHeader(cmp.Or(answer.Status, 200))
	_, _ = io.WriteString(w, answer.Body)
}

// ftwServer is a server behind the rules, and what they have logged for the last request.
type ftwServer struct {
	addr string
	mu   sync.Mutex
	ids  []int
	text []string
}

func newFTWServer(t *testing.T, inspect bool) *ftwServer {
	s := &ftwServer{}
	set, err := crs.NewLogged(t.Context(), crs.Config{
		ParanoiaLevel: 4, DetectionOnly: true, InspectResponses: inspect, RequestBodyLimit: 1 << 20, AllowedMethods: []string{"GET", "HEAD", "POST", "OPTIONS"},
		AllowedContentTypes: []string{urlencoded, "multipart/form-data", "text/xml", "application/xml", "application/soap+xml", "application/json"},
		Setup: `SecAction "id:900300,phase:1,pass,t:none,nolog,setvar:tx.arg_name_length=100,setvar:tx.arg_length=400,\
			setvar:tx.total_arg_length=64000,setvar:tx.max_num_args=255,setvar:tx.max_file_size=64100,\
			setvar:tx.combined_file_sizes=65535,setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.reporting_level=4"`,
		Log: func(_ *http.Request, v *crs.Verdict) {
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, f := range v.Findings {
				s.ids = append(s.ids, f.RuleID)
			}
		},
	}, func(match types.MatchedRule) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.text = append(s.text, match.ErrorLog())
	})
	require.NoError(t, err)
	server := httptest.NewUnstartedServer(set.Middleware(http.HandlerFunc(reflecting)))
	server.Config.ErrorLog = discard
	server.Start()
	t.Cleanup(server.Close)
	s.addr = server.Listener.Addr().String()
	return s
}

// run returns what is wrong with a case.
func (s *ftwServer) run(stage *ftwStage) error {
	request, err := stage.Input.raw()
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.ids, s.text = nil, nil
	s.mu.Unlock()
	status, err := exchange(s.addr, request)
	if err != nil && !stage.Output.Error {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	want := stage.Output
	var wrong []error
	if want.Status != 0 && status != want.Status {
		wrong = append(wrong, fmt.Errorf("want status %d, got %d", want.Status, status))
	}
	for _, id := range want.Log.Expect {
		if !slices.Contains(s.ids, id) {
			wrong = append(wrong, fmt.Errorf("want rule %d, got status %d and %v", id, status, s.ids))
		}
	}
	for _, id := range want.Log.None {
		if slices.Contains(s.ids, id) {
			wrong = append(wrong, fmt.Errorf("want no rule %d, got it", id))
		}
	}
	log := strings.Join(s.text, "\n")
	if of := want.Log.Match; of != "" && !regexp.MustCompile(of).MatchString(log) {
		wrong = append(wrong, fmt.Errorf("want a log with %q, got rules %v", of, s.ids))
	}
	if of := want.Log.NoMatch; of != "" && regexp.MustCompile(of).MatchString(log) {
		wrong = append(wrong, fmt.Errorf("want a log without %q", of))
	}
	return errors.Join(wrong...)
}

// exchange writes the request and returns the status of the answer.
func exchange(addr string, request []byte) (int, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	written := make(chan error, 1)
	go func() {
		_, err := conn.Write(request)
		if err == nil {
			err = conn.(*net.TCPConn).CloseWrite() // a request that is cut is none that waits
		}
		written <- err
	}()
	method, _, _ := strings.Cut(string(request), " ") // an answer to HEAD has no body, whatever its length
	answer, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = conn.Close()
	<-written
	return answer.StatusCode, err
}

type ftwCase struct {
	name     string
	stages   []ftwStage
	inspects bool
}

func ftwCases(t *testing.T) (cases []ftwCase) {
	require.NoError(t, fs.WalkDir(tests.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		text, err := fs.ReadFile(tests.FS, path)
		require.NoError(t, err)
		var file ftwFile
		require.NoError(t, yaml.Unmarshal(text, &file), path)
		for i := range file.Tests {
			of := &file.Tests[i]
			require.NotEmpty(t, of.Stages, path)
			cases = append(cases, ftwCase{fmt.Sprintf("%d-%d", file.RuleID, of.ID), of.Stages, strings.HasPrefix(path, "RESPONSE")})
		}
		return nil
	}))
	return cases
}

// fewestPassed is how many cases have passed when last looked at: it may only grow.
const fewestPassed = 4658

func TestFTW(t *testing.T) {
	cases := ftwCases(t)
	var mu sync.Mutex
	var group sync.WaitGroup
	next, passed, excluded := 0, 0, 0
	stale := map[string]bool{}
	for range 2 {
		servers := map[bool]*ftwServer{true: newFTWServer(t, true), false: newFTWServer(t, false)}
		group.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(cases) {
					return
				}
				c := cases[i]
				var err error
				for i := range c.stages {
					err = errors.Join(err, servers[c.inspects].run(&c.stages[i]))
				}
				mu.Lock()
				switch reason := notOurs[c.name]; {
				case reason != "":
					excluded++
					if err == nil {
						stale[c.name] = true
					}
				case err != nil:
					t.Errorf("%s: %v", c.name, err)
				default:
					passed++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("CRS 4.25.0 at paranoia level 4: %d cases run, %d passed, %d excluded", len(cases), passed, excluded)
	require.Empty(t, stale, "excluded, and pass")
	require.Equal(t, len(notOurs), excluded, "a case that is excluded is gone")
	require.GreaterOrEqual(t, passed, fewestPassed)
}
