package accesslog_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

func TestRefusedConfigs(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  accesslog.Config
		want []string
	}{
		{"zero", accesslog.Config{}, []string{
			"accesslog: Config.Format: want $context.requestId or $context.extendedRequestId in it", "accesslog: Config.Writer: want a Writer"}},
		{"no-id", accesslog.Config{Format: "$context.status"}, []string{"Format: want $context.requestId or"}},
		{"unknown", accesslog.Config{Format: "$context.requestId $context.identity.sourceIP"}, []string{
			`Format: want variables of $context that there are, got "$context.identity.sourceIP"; the nearest are "identity.sourceIp"`}},
		{"no-name", accesslog.Config{Format: "$context.requestId $context. x"}, []string{`got "$context."`}},
		{"two-unknown", accesslog.Config{Format: "$context.requestid $context.stat"}, []string{`"requestId"`, `"stage"`, "so that a line can be found"}},
		{"long", accesslog.Config{Format: "$context.requestId" + strings.Repeat("x", accesslog.MaxFormat)}, []string{"want at most 3072 bytes, got 3090"}},
		{"unmasked", accesslog.Config{Format: "$context.requestId", Unmasked: []string{"status", "nothing", "authorizer.claims.sub", "*"}}, []string{
			`Unmasked[0]: want a variable that is masked`, `Unmasked[1]`, `Unmasked[3]`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := accesslog.New(tt.cfg)
			for _, want := range tt.want {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "Unmasked[2]")
		})
	}
	_, err := accesslog.New(accesslog.Config{Format: "$context.extendedRequestId", Writer: io.Discard})
	require.NoError(t, err)
}

func TestLenient(t *testing.T) {
	log, kept := logTo(t, accesslog.Config{Lenient: true,
		Format: `{"id":"$context.requestId","a":"$context.nothing.here","b":$context.neither}`})
	require.Equal(t, []string{"nothing.here", "neither"}, log.Unknown())
	rc, r := attached("GET", "/")
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
	require.Equal(t, []string{`{"id":"` + rc.RequestID() + `","a":"-","b":null}`}, kept.all())
}

// discarded is a ResponseWriter with none of the other faces.
type discarded struct{}

func (discarded) Header() http.Header         { return http.Header{} }
func (discarded) Write(b []byte) (int, error) { return len(b), nil }
func (discarded) WriteHeader(int)             {}

// What ends a name, and what is text behind it.
func TestNames(t *testing.T) {
	for format, want := range map[string]string{
		"$context.httpMethod.":                           "GET.",
		"$context.httpMethod-$context.status":            "GET-200",
		"$context.httpMethod:$context.status:":           "GET:200:",
		"$context.httpMethod$context.status":             "GET200",
		"$context.httpMethod-x":                          "GET-x",
		"$$context.httpMethod$":                          "$GET$",
		"context.status ${context.status}":               "context.status ${context.status}",
		"[$context.httpMethod]['a']":                     "[GET]['a']",
		"$context.httpMethod['a']":                       "GET['a']",
		"$context.authorizer.claims.cognito:username":    "jane",
		"$context.authorizer.claims['cognito:username']": "jane",
		`$context.authorizer.claims["cognito:username"]`: "jane",
		"$context.authorizer.my-tenant":                  "acme",
		"$context.authorizer.my-tenant-":                 "acme-",
		"$context.authorizer.tenant":                     "-",
		"$context.authorizer.claims":                     "-",
		"a\n  b\r\n\t\tc\n":                              "a b c",
	} {
		rc, r := attached("GET", "/")
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
			Claims: map[string]any{"cognito:username": "jane"}, Context: map[string]any{"my-tenant": "acme"},
		})
		require.Equal(t, want, lineOf(t, accesslog.Config{Format: format, Unmasked: []string{"authorizer.*"}}, ok, r), format)
	}
}

// A line is one value, or document, whatever is in it.
func TestEscapes(t *testing.T) {
	const evil = "a\"b\\c\r\nd\te<f>&'g\x1b[31m\u2028\u202e\x9b\u009b,é"
	for name, tt := range map[string]struct{ format, want string }{
		"json":       {`{"id":"$context.requestId","v":"$context.identity.userAgent"}`, `"a\"b\\c\r\nd\te<f>&'g\u001b[31m\u2028\u202e` + "\ufffd" + `\u009b,é"}`},
		"json-bare":  {`{"id":"$context.requestId","v":$context.identity.userAgent}`, `"a\"b\\c\r\nd\te<f>&'g\u001b[31m\u2028\u202e` + "\ufffd" + `\u009b,é"}`},
		"xml":        {`<r id="$context.requestId" v="$context.identity.userAgent"/>`, "v=\"a&#34;b\\c\ufffd\ufffdd\ufffde&lt;f&gt;&amp;&#39;g\ufffd[31m\ufffd\ufffd\ufffd\ufffd,é\"/>"},
		"csv":        {`$context.requestId,$context.identity.userAgent`, `,"a""b\c  d e<f>&'g [31m  ` + "\ufffd" + ` ,é"`},
		"json-inner": {`{"id":"$context.requestId","v":"$context.identity.userAgent","q":"\"","n":$context.stage,"m":"\\"}`, `,é","q":"\"","n":null,"m":"\\"}`},
		"text":       {`$context.requestId $context.identity.userAgent`, ` a\"b\\c\r\nd\te<f>&'g\x1b[31m\xe2\x80\xa8\xe2\x80\xae\x9b\xc2\x9b,é`},
		"text-quote": {`$context.requestId "$context.identity.userAgent"`, ` "a\"b\\c\r\nd\te<f>&'g\x1b[31m\xe2\x80\xa8\xe2\x80\xae\x9b\xc2\x9b,é"`},
	} {
		t.Run(name, func(t *testing.T) {
			log, kept := logTo(t, accesslog.Config{Format: tt.format})
			rc, r := attached("GET", "/")
			rc.SetUserAgent(evil)
			log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
			require.Len(t, kept.all(), 1, "%q", kept.all())
			require.Truef(t, strings.HasSuffix(kept.all()[0], tt.want), "%q\n%q", kept.all()[0], tt.want)
			if tt.format[0] == '{' {
				var v struct{ V string }
				require.NoError(t, json.Unmarshal([]byte(kept.all()[0]), &v))
				require.Equal(t, strings.ToValidUTF8(evil, "\ufffd"), v.V)
			}
		})
	}
	log, kept := logTo(t, accesslog.Config{Format: `{"v":"$context.identity.userAgent","id":"$context.requestId"}`, InsecureUnescaped: true})
	rc, r := attached("GET", "/")
	rc.SetUserAgent("\"\nx")
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
	require.Equal(t, `{"v":"`+"\"", kept.all()[0], "as the managed gateway does")
	require.Len(t, kept.all(), 2)
}

// Where JSON has a value and no string, a value is one.
func TestBareValues(t *testing.T) {
	for value, want := range map[string]string{
		"12": "12", "-1.5e3": "-1.5e3", "true": "true", "null": "null", `"x"`: `"x"`, "x": `"x"`, "": `""`, "1 2": `"1 2"`,
		"[1]": `"[1]"`, "{}": `"{}"`, "01": `"01"`, "\"a\nb\"": `"\"a\nb\""`, "\"\xff\"": `"\"` + "\ufffd" + `\""`, "1\n": `"1\n"`,
	} {
		log, kept := logTo(t, accesslog.Config{Unmasked: []string{"authorizer.*"},
			Format: `{"id":"$context.requestId","t":$context.requestTime,"ua":$context.identity.userAgent,"v":$context.authorizer.tenant}`})
		rc, r := attached("GET", "/")
		rc.SetUserAgent(value)
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Context: map[string]any{"tenant": value}})
		log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
		require.Contains(t, kept.all()[0], `,"v":`+want+"}", "%q", value)
		var line struct{ UA *string }
		require.NoError(t, json.Unmarshal([]byte(kept.all()[0]), &line), "what a client says is text: %s", kept.all()[0])
		require.Equal(t, value == "", line.UA == nil)
	}
}

// The message in quotes is quoted once.
func TestMessageString(t *testing.T) {
	refuse := func(w http.ResponseWriter, r *http.Request) {
		gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.AccessDenied, Message: `no "x"`})
	}
	for format, want := range map[string]string{
		`$context.error.messageString`:              `"no \"x\""`,
		`"$context.error.message"`:                  `"no \"x\""`,
		`$context.error.responseType`:               "ACCESS_DENIED",
		`$context.error.validationErrorString`:      "-",
		`m="$context.error.messageString"`:          `m="\"no \\\"x\\\"\""`,
		`$context.status $context.responseLength`:   `403 22`,
		`$context.integration.status`:               "-",
		`$context.integration.responseTransferMode`: "-",
	} {
		_, r := attached("GET", "/")
		require.Equal(t, want, lineOf(t, accesslog.Config{Format: format}, refuse, r), format)
	}
}

func TestMasks(t *testing.T) {
	secrets := `$context.identity.apiKey $context.identity.apiKeyId $context.identity.accessKey $context.authorizer.claims.sub $context.authorizer.tenant ` +
		`$context.authorizer.principalId`
	request := func() *http.Request {
		rc, r := attached("GET", "/")
		rc.API = &gatekit.API{Flavor: gatekit.REST}
		rc.SetAPIKey("0123456789abcdefghijklmnopqrstuv", "key1")
		rc.SetCaller(&gatekit.IAMCaller{AccessKey: "AKIAIOSFODNN7EXAMPLE"})
		rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
			Principal: "me", Claims: map[string]any{"sub": "jane.elizabeth.doe@example.com"}, Context: map[string]any{"tenant": "acme"}})
		return r
	}
	require.Equal(t, "**************************qrstuv key1 **************XAMPLE ****** ****** me",
		lineOf(t, accesslog.Config{Format: secrets}, ok, request()), "nothing of a claim, however long it is")
	require.Equal(t, "0123456789abcdefghijklmnopqrstuv key1 **************XAMPLE jane.elizabeth.doe@example.com acme me",
		lineOf(t, accesslog.Config{Format: secrets, Unmasked: []string{"identity.apiKey", "authorizer.*"}}, ok, request()))
	require.Equal(t, "**************************qrstuv key1 AKIAIOSFODNN7EXAMPLE jane.elizabeth.doe@example.com ****** me",
		lineOf(t, accesslog.Config{Format: secrets, Unmasked: []string{"identity.accessKey", "authorizer.claims.*"}}, ok, request()))
}

func TestRecords(t *testing.T) {
	var text strings.Builder
	log, err := accesslog.New(accesslog.Config{
		Format:  `$context.requestId $context.status "$context.identity.userAgent" $context.routeKey $context.authorizer.claims.sub $context.responseLength`,
		Records: slog.New(slog.NewJSONHandler(&text, nil)),
	})
	require.NoError(t, err)
	rc, r := attached("GET", "/")
	rc.SetUserAgent("a\n\"b")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{Claims: map[string]any{"sub": "jane"}})
	log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
	var record map[string]any
	require.NoError(t, json.Unmarshal([]byte(text.String()), &record))
	delete(record, "time")
	require.Equal(t, map[string]any{
		"level": "INFO", "msg": "gatekit: request", "requestId": rc.RequestID(), "status": 200.0, "identity.userAgent": "a\n\"b",
		"authorizer.claims.sub": "******", "responseLength": 5.0,
	}, record, "the route's key is unknown and left out")
}

func FuzzFormat(f *testing.F) {
	for _, format := range append([]string{
		fourteen, "$context.requestId $context.", "$context.requestId$context.authorizer.claims['a'][b]", `{"a":"\"$context.requestId`, "<a>$context.requestId",
		"$context.requestId,$context.identity.userAgent", "$context.requestId $context.authorizer.a-b:c.", "{$context.requestId\n\r $context.error.messageString",
	}, samples...) {
		f.Add(format, "a\"b\nc")
	}
	f.Fuzz(func(t *testing.T, format, agent string) {
		kept := &lines{}
		log, err := accesslog.New(accesslog.Config{Format: format, Writer: kept})
		if err != nil {
			require.Nil(t, log)
			return
		}
		rc, r := attached("GET", "/pets")
		rc.SetUserAgent(agent)
		log.Middleware(http.HandlerFunc(ok)).ServeHTTP(discarded{}, r)
		require.Len(t, kept.all(), 1, "%q is one line", kept.text.String())
		require.LessOrEqual(t, kept.text.Len(), accesslog.MaxLine)
		require.Contains(t, kept.text.String(), rc.RequestID())
		require.NotContains(t, kept.text.String(), "$context.requestId")
		if !strings.ContainsAny(format, "\x00\x1b\u2028") {
			require.False(t, strings.ContainsAny(kept.all()[0], "\r\x00\x1b"), "%q", kept.text.String())
		}
	})
}

// The message, which is quoted already, can't steer a terminal either.
func TestMessagesStayText(t *testing.T) {
	got := lineOf(t, accesslog.Config{Format: "$context.error.messageString $context.error.message"},
		func(w http.ResponseWriter, r *http.Request) {
			gatekit.Reject(w, r, &gatekit.Rejection{Type: gatekit.BadRequestBody, Message: "a\"\u009b2J\u202e\u2028b"})
		}, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, `"a\"\xc2\x9b2J\xe2\x80\xae\u2028b" a\"\xc2\x9b2J\xe2\x80\xae\xe2\x80\xa8b`, got)
}
