package transform_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/transform"
	"github.com/gatekit-go/gatekit/transform/vtl"
)

// templateCase is a line of testdata/templates.jsonl, whose expectations were run against Velocity
// 1.7.
type templateCase struct {
	N  int    `json:"n"`
	T  string `json:"t"`
	In struct {
		Body    string            `json:"body"`
		Path    map[string]string `json:"path"`
		Query   map[string]string `json:"query"`
		Header  map[string]string `json:"header"`
		Stage   map[string]string `json:"stage"`
		Context struct {
			Stage, HTTPMethod string
			Identity          struct{ SourceIP string }
		}
	} `json:"in"`
	Out string              `json:"out"`
	Err bool                `json:"err"`
	Eff map[string]override `json:"eff"`
}

type override struct {
	Header, QueryString, Path map[string]string
	Status                    int
}

func (c *templateCase) request() *http.Request {
	method := c.In.Context.HTTPMethod
	if method == "" {
		method = "POST"
	}
	query := url.Values{}
	for name, value := range c.In.Query {
		query.Set(name, value)
	}
	r := httptest.NewRequest(method, "/?"+query.Encode(), nil)
	pattern := "ANY "
	for name, value := range c.In.Path {
		pattern += "/{" + name + "}"
		r.SetPathValue(name, value)
	}
	for name, value := range c.In.Header {
		r.Header.Set(name, value)
	}
	rc, r := gatekit.Attach(r)
	rc.Route, rc.API = &gatekit.Route{Key: pattern}, &gatekit.API{Flavor: gatekit.REST, Stage: c.In.Context.Stage, Variables: c.In.Stage}
	if ip := c.In.Context.Identity.SourceIP; ip != "" {
		rc.SetSourceIP(netip.MustParseAddr(ip))
	}
	return r
}

func single(values map[string][]string) map[string]string {
	if values == nil {
		return nil
	}
	m := map[string]string{}
	for name, list := range values {
		m[name] = strings.Join(list, ",")
	}
	return m
}

func TestTemplates106(t *testing.T) {
	file, err := os.Open("testdata/templates.jsonl")
	require.NoError(t, err)
	defer file.Close()
	cases := 0
	for in := bufio.NewScanner(file); in.Scan(); cases++ {
		var c templateCase
		require.NoError(t, json.Unmarshal(in.Bytes(), &c))
		t.Run(strconv.Itoa(c.N), func(t *testing.T) {
			template, err := transform.NewTemplate("t", c.T)
			var got *transform.Rendering
			if err == nil {
				got, err = template.Render(c.request(), []byte(c.In.Body))
			}
			if c.Err {
				var failure *vtl.Error
				require.ErrorAs(t, err, &failure)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.Out, string(got.Output), c.T)
			for name, o := range map[string]transform.Override{"requestOverride": got.Request, "responseOverride": got.Response} {
				require.Equal(t, c.Eff[name], override{single(o.Header), single(o.QueryString), single(o.Path), o.Status}, name)
			}
		})
	}
	require.Equal(t, 106, cases)
}

// render renders a template for a request that has all that there is.
func render(t testing.TB, text, body string) string {
	t.Helper()
	template, err := transform.NewTemplate("t", text)
	require.NoError(t, err)
	r := httptest.NewRequest("POST", "https://api.example.com/prod/pets/7%2F8?q=1&q=2&Q=3&sp=a+b%21&bad=%zz&=x", nil)
	r.Header = http.Header{"X-One": {"1"}, "X-Two": {"a", "b"}, "Connection": {"close"}, "Expect": {"x"}, "Te": {"x"}, "Authorization": {"t"}}
	r.SetPathValue("id", "7/8")
	r.SetPathValue("loose", "L")
	rc, r := gatekit.Attach(r)
	rc.AdoptRequestID(http.Header{"X-Amzn-Requestid": {"0a1b2c3d-0000-4000-8000-123456789abc"}})
	rc.API = &gatekit.API{Flavor: gatekit.REST, AccountID: "123456789012", APIID: "a1b2c3d4e5", Stage: "prod"}
	rc.Route = &gatekit.Route{Key: "POST /pets/{id}"}
	rc.API.Variables = map[string]string{"host": "h", "a-b": "c"}
	rc.SetUserAgent("curl")
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Principal: "ann", Claims: map[string]any{"sub": "s-1", "n": 7}, Context: map[string]any{"tier": "gold", "n": 1.0, "on": true},
	})
	got, err := template.Render(r, []byte(body))
	require.NoError(t, err)
	return string(got.Output)
}

func TestInput(t *testing.T) {
	const body = `{"a":{"b":[1,2.50,"x"],"n":null,"s":"q\"é\n","big":12345678901234567890,"f":false,"e":{}},"list":[{"k":1},{"k":2}],"dup":1,"dup":2, "u":"\u00e9"}`
	for _, tt := range []struct{ template, body, want string }{
		{`$input.body`, body, body},
		{`$input.body`, "", "{}"},
		{`$input.body`, "h\xffi", "h\ufffdi"},
		{`$input.body.x$input.ghost$input.ghost()$input.body()`, body, ""},
		{`$input.path('$.a.b[0]')/$input.path('$.a.b[-1]')/$input.path('$.a.b[9]')`, body, "1/x/"},
		{`$input.path('$.a.b')`, body, `[1,2.5,"x"]`},
		{`$input.path('$.a.e')$input.path('$.a.f')$input.path('$.a.big')`, body, `{}false12345678901234567890`},
		{`$input.path('a.b').size()$input.path("['a']['b']").size()`, body, `33`},
		{`#if($input.path('$.a.n') == "")null#end#if($input.path('$.ghost') == "")missing#end`, body, `nullmissing`},
		{`$input.path('$.list[*].k')$input.path('$..ghost')$input.path('$.list[?(@.k > 1)].k').get(0)`, body, `[1,2][]2`},
		{`$input.path('$.dup')`, body, `2`},
		{`$input.json('$.a.b')$input.json('$.a.s')$input.json('$.u')`, body, `[1,2.50,"x"]"q\"é\n""é"`},
		{`$input.json('$.a.f')$input.json('$.a.n')$input.json('$.a.big')`, body, `falsenull12345678901234567890`},
		{`$input.json('$.ghost')$input.json('$..k')$input.json('$..ghost')`, body, `""[1,2][]`},
		{`$input.json('$')`, `{ "b" : 1 , "a" : [ ] }`, `{"b":1,"a":[]}`},
		{`$input.json('$')$input.path('$').size()`, "", `{}0`},
		{`$input.path('$').size()/$input.path('$')[1]`, `[1,2]`, "2/2"},
		{`[$input.path('$.a')][$input.json('$.a')][$input.path('$..a')][$input.json('$..a')]`, "not json", `[][""][][""]`},
		{`#set($p = "$.list[")$input.path("${p}1].k")`, body, "2"},
		{`#set($n = 1)$input.path("$.list[$n].k")`, body, "2"},
		{`$input.path('$.a').s.length()`, body, "4"},
	} {
		t.Run(tt.template, func(t *testing.T) {
			require.Equal(t, tt.want, render(t, tt.template, tt.body))
		})
	}
	template, err := transform.NewTemplate("t", `ok $input.path('$.a[')`)
	require.NoError(t, err)
	_, err = template.Render(httptest.NewRequest("GET", "/", nil), nil)
	require.ErrorContains(t, err, "jsonpath")
}

func TestParams(t *testing.T) {
	for _, tt := range []struct{ template, want string }{
		{`$input.params('id') $input.params('loose') $input.params('q') $input.params('Q') $input.params('sp')`, "7/8 L 2 3 a b!"},
		{`$input.params('bad')`, "%zz"},
		{`$input.params('X-One') $input.params('x-one') $input.params('X-Two')`, "1 1 b"},
		{`[$input.params('Connection')$input.params('Expect')$input.params('TE')]`, "[]"},
		{`$input.params('Host')`, "api.example.com"},
		{`$input.params().keySet()`, "[path, querystring, header]"},
		{`$input.params().path`, "{id=7/8}"},
		{`$input.params().querystring`, "{q=2, Q=3, sp=a b!, bad=%zz, =x}"},
		{`$input.params().header.keySet()`, "[Authorization, Host, X-Forwarded-For, X-Forwarded-Port, X-Forwarded-Proto, X-One, X-Two]"},
		{`#set($p = $input.params())#foreach($kind in $p.keySet())#set($all = $p.get($kind))$kind:#foreach($n in $all.keySet())#if($kind != "header")$n=$all.get($n);#end#end#end`, "path:id=7/8;querystring:q=2;Q=3;sp=a b!;bad=%zz;=x;header:"},
		{`$input.params('none')$input.params().none$input.params(1,2)`, ""},
	} {
		require.Equal(t, tt.want, render(t, tt.template, ""), tt.template)
	}
}

func TestUtil(t *testing.T) {
	for _, tt := range []struct{ template, want string }{
		{`$util.escapeJavaScript($input.path('$.s'))`, `a\'b\"c\\d\/e\b\f\n\r\t\u0001\u00E9\u2028\uD83D\uDE00`},
		{`[$util.escapeJavaScript(1)$util.escapeJavaScript()$util.escapeJavaScript("a","b")]`, `[]`},
		{`$util.escapeJavaScript("it's").replaceAll("\\'","'")`, `it's`},
		{`$util.parseJson('{"b":1,"a":[1]}').a[0]$util.parseJson('[1]').size()$util.parseJson('"x"')$util.parseJson('7')`, `11x7`},
		{`$util.urlEncode('{"some": "value"} ~*-_.é')`, `%7B%22some%22%3A+%22value%22%7D+%7E*-_.%C3%A9`},
		{`$util.urlEncode($input.path('$.e'))`, `%7B%7D`},
		{`$util.urlDecode("%C3%A9+%2B")`, `é +`},
		{`$util.urlDecode("%ff")`, "\ufffd"},
		{`$util.base64Encode("hé?>")/$util.base64Decode("aMOpPz4=")/$util.base64Decode("aMOpPz4")`, `aMOpPz4=/hé?>/hé?>`},
		{`$util.toJson("x")$util.qr(1)$util.ghost$util.error("x")`, ``},
	} {
		require.Equal(t, tt.want, render(t, tt.template, `{"s":"a'b\"c\\d/e\b\f\n\r\t\u0001é\u2028😀","e":"{}"}`), tt.template)
	}
	for _, text := range []string{`$util.parseJson('{')`, `$util.urlDecode('%zz')`, `$util.base64Decode('!')`} {
		template, err := transform.NewTemplate("t", text)
		require.NoError(t, err)
		_, err = template.Render(httptest.NewRequest("GET", "/", nil), nil)
		require.ErrorContains(t, err, "$util.")
	}
}

func TestContext(t *testing.T) {
	for _, tt := range []struct{ template, want string }{
		{`$context.requestId $context.stage $context.apiId $context.httpMethod $context.protocol`, "0a1b2c3d-0000-4000-8000-123456789abc prod a1b2c3d4e5 POST HTTP/1.1"},
		{`$context.path $context.resourcePath $context.domainName $context.domainPrefix`, "/prod/pets/7%2F8 /pets/{id} api.example.com api"},
		{`$context.identity.userAgent $context.get("stage") $context["stage"] $context.identity.get("userAgent")`, "curl prod prod curl"},
		{`$context.authorizer.principalId $context.authorizer.claims.sub $context.authorizer.claims.n $context.authorizer.claims["sub"]`, "ann s-1 7 s-1"},
		{`$context.authorizer.tier $context.authorizer.n $context.authorizer.on`, "gold 1 true"},
		{`[$context.identity][$context.requestOverride][$context.responseOverride][$context.authorizer.claims][$context][$context.ghost][$context.ghost.x][$context.identity.user][$context.error.message]`, "[][][][][][][][][]"},
		{`$context.containsKey("stage")$context.containsKey("ghost")$context.size()`, "truefalse19"},
		{`#foreach($k in $context.identity.keySet())$k #end`, "cognitoIdentityPoolId accountId cognitoIdentityId caller sourceIp principalOrgId accessKey cognitoAuthenticationType cognitoAuthenticationProvider userArn userAgent user "},
		{`#set($context.own = "x")$context.own#set($context["own-2"] = [1])$context["own-2"][0]$context.put("own","y")$context.own$context.getOrDefault("none","d")`, "x1xyd"},
		{`#set($context.requestOverride.header.A = "1")$context.requestOverride.header$context.requestOverride.header.get("A")$context.requestOverride.keySet()$context.requestOverride.header.size()`, "1[path, header, querystring]1"},
		{`#set($context.stage = "mine")$context.stage`, "mine"},
		{`#foreach($e in $context.identity.entrySet())#if($e.value != "")$e.key=$e.value #end#end`, "sourceIp=192.0.2.1 userAgent=curl "},
		{`$stageVariables.host ${stageVariables.host} $stageVariables['host'] $stageVariables["a-b"] $stageVariables.a-b [$stageVariables.none]`, "h h h c c []"},
	} {
		require.Equal(t, tt.want, render(t, tt.template, ""), tt.template)
	}
}

// The order in which the managed gateway's maps were recorded.
func TestContextIsInHashOrder(t *testing.T) {
	template, err := transform.NewTemplate("t", `#foreach($k in $context.keySet())$k, #end`)
	require.NoError(t, err)
	got, err := template.Render(httptest.NewRequest("GET", "/", nil), nil)
	require.NoError(t, err)
	require.Equal(t, "resourceId, resourcePath, httpMethod, extendedRequestId, requestTime, path, accountId, protocol, requestOverride, stage, domainPrefix, "+
		"requestTimeEpoch, requestId, identity, domainName, deploymentId, responseOverride, apiId, ", string(got.Output))
}

// A template alone works for a request outside a gateway.
func TestRenderOutsideAGateway(t *testing.T) {
	template, err := transform.NewTemplate("t", `[$context.requestId$context.identity.sourceIp$stageVariables.x$context.size()]`)
	require.NoError(t, err)
	got, err := template.Render(httptest.NewRequest("GET", "/", nil), nil)
	require.NoError(t, err)
	require.Equal(t, "[18]", string(got.Output))
	require.Equal(t, transform.Override{}, got.Request)
}
