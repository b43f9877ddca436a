package waf_test

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"crypto/sha256"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

var (
	jsonValues = waf.FieldToMatch{JsonBody: &waf.JsonBody{MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL"}}
	sqliIn     = func(in waf.FieldToMatch) waf.Statement {
		return waf.Statement{SqliMatchStatement: &waf.SqliMatchStatement{FieldToMatch: in}}
	}
	xssIn = func(in waf.FieldToMatch) waf.Statement {
		return waf.Statement{XssMatchStatement: &waf.XssMatchStatement{FieldToMatch: in}}
	}
	contains                = func(search string, in waf.FieldToMatch) waf.Statement { return text("CONTAINS", search, in) }
	get                     = func(target string, headers ...string) *http.Request { return request("GET", target, "", headers...) }
	secretMD5, secretSHA256 = md5.Sum([]byte("hunter2")), sha256.Sum256([]byte("hunter2"))

	post = func(body string, headers ...string) *http.Request { return request("POST", "/", body, headers...) }
)

// transforming gives a statement its transformations, and those of the query string.
func transforming(of waf.Statement, needs, pre []string) waf.Statement {
	if len(needs) == 0 {
		needs = []string{"NONE"}
	}
	list, before := transformed(needs...), transformed(pre...)
	switch {
	case of.ByteMatchStatement != nil:
		of.ByteMatchStatement.TextTransformations, of.ByteMatchStatement.PreParseTextTransformations = list, before
	case of.SqliMatchStatement != nil:
		of.SqliMatchStatement.TextTransformations, of.SqliMatchStatement.PreParseTextTransformations = list, before
	case of.XssMatchStatement != nil:
		of.XssMatchStatement.TextTransformations, of.XssMatchStatement.PreParseTextTransformations = list, before
	}
	return of
}

// An attack that is written another way is found by the transformations that it needs, all of them:
// without any one of these it passes, as it does at the managed service. It is what a rule's author
// has to know, since no transformation is made that isn't asked for.
func TestEvasion(t *testing.T) {
	needs := func(names ...string) []string { return names }
	for _, tt := range []struct {
		name       string
		of         waf.Statement
		r          *http.Request
		needs, pre []string
	}{
		// Encodings of URLs.
		{"sqli-encoded", sqliIn(argument("id")), get("/?id=1%27%20OR%20%271%27%3D%271"), needs("URL_DECODE"), nil},
		{"sqli-encoded-twice", sqliIn(argument("id")), get("/?id=1%2527%2520OR%2520%25271%2527%253D%25271"), needs("URL_DECODE", "URL_DECODE"), nil},
		{"xss-encoded", xssIn(inArgs), get("/?q=%3Cscript%3Ealert(1)%3C/script%3E"), needs("URL_DECODE"), nil},
		{"xss-encoded-twice", xssIn(inQuery), get("/?q=%253Cscript%253Ealert(1)"), needs("URL_DECODE", "URL_DECODE"), nil},
		{"plus-for-space", contains("union select", inArgs), get("/?q=union+select"), needs("URL_DECODE"), nil},
		{"percent-u", contains("<script", inArgs), get("/?q=%u003cscript"), needs("URL_DECODE_UNI"), nil},
		{"full-width", contains("<script", inArgs), get("/?q=%uff1cscript"), needs("URL_DECODE_UNI"), nil},
		{"overlong-utf8", contains("../", inPath), get("/%c0%ae%c0%ae/etc"), needs("URL_DECODE", "UTF8_TO_UNICODE", "URL_DECODE_UNI"), nil},
		{"upper-case-hex", contains("<script", inArgs), get("/?q=%3Cscript"), needs("URL_DECODE"), nil},
		{"encoded-ampersand", text("EXACTLY", "admin", argument("role")), get("/?a=1%26role=admin"), nil, needs("URL_DECODE")},
		{"semicolon-for-ampersand", text("EXACTLY", "admin", argument("role")), get("/?a=1;role=admin"), nil, needs("REPLACE_SEMICOLONS_WITH_AMPERSANDS")},
		{"split-over-duplicates", contains("union/*,*/select", inArgs), get("/?q=union/*&a=1&q=*/select"), nil, needs("COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA")},
		{"split-over-duplicates-and-comment", contains("union select", inArgs), get("/?q=union/*&q=*/select"), needs("REPLACE_COMMENTS"), needs("COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA")},

		// Paths.
		{"path-encoded-dots", contains("../", inPath), get("/a/%2e%2e/etc"), needs("URL_DECODE"), nil},
		{"path-dot-segment", text("STARTS_WITH", "/admin", inPath), get("/./admin"), needs("NORMALIZE_PATH"), nil},
		{"path-up-and-down", text("STARTS_WITH", "/admin", inPath), get("/x/../admin"), needs("NORMALIZE_PATH"), nil},
		{"path-double-slash", text("STARTS_WITH", "/admin", inPath), get("//admin"), needs("NORMALIZE_PATH"), nil},
		{"path-encoded-up", text("STARTS_WITH", "/admin", inPath), get("/x/%2e%2e/admin"), needs("URL_DECODE", "NORMALIZE_PATH"), nil},
		{"path-backslash", text("STARTS_WITH", "/admin", inPath), get("/x/..%5Cadmin"), needs("URL_DECODE", "NORMALIZE_PATH_WIN"), nil},
		{"path-case", text("STARTS_WITH", "/admin", inPath), get("/ADMIN"), needs("LOWERCASE"), nil},

		// SQL.
		{"sql-case", contains("union select", inArgs), get("/?q=UnIoN%20SeLeCt"), needs("URL_DECODE", "LOWERCASE"), nil},
		{"sql-comment-for-space", contains("union select", inArgs), get("/?q=union/**/select"), needs("REPLACE_COMMENTS"), nil},
		{"sql-comment-within-word", contains("union", inArgs), get("/?q=un/**/ion"), needs("REMOVE_COMMENTS_CHAR"), nil},
		{"sql-open-comment", text("EXACTLY", "1 or ", argument("q")), get("/?q=1+or/*x"), needs("URL_DECODE", "REPLACE_COMMENTS"), nil},
		{"sql-white-space", contains("union select", inArgs), get("/?q=union%09%0b%0aselect"), needs("URL_DECODE", "COMPRESS_WHITE_SPACE"), nil},
		{"sql-hex-literal", contains("admin", inArgs), get("/?q=0x61646d696e"), needs("SQL_HEX_DECODE"), nil},
		{"hex", contains("<script", inArgs), get("/?q=3c736372697074"), needs("HEX_DECODE"), nil},

		// Markup and scripts.
		{"xss-case", contains("<script", inArgs), get("/?q=<ScRiPt"), needs("LOWERCASE"), nil},
		{"xss-entity", contains("<script", inBody), post("q=&lt;script"), needs("HTML_ENTITY_DECODE"), nil},
		{"xss-number", contains("<script", inBody), post("q=&#x3c;script"), needs("HTML_ENTITY_DECODE"), nil},
		{"xss-entity-any-case", contains("<script", inBody), post("q=&LT;script"), needs("HTML_ENTITY_DECODE"), nil},
		{"xss-encoded-entity", contains("<script", inArgs), get("/?q=%26lt;script"), needs("URL_DECODE", "HTML_ENTITY_DECODE"), nil},
		{"xss-null", contains("<script", inArgs), get("/?q=<scr%00ipt"), needs("URL_DECODE", "REMOVE_NULLS"), nil},
		{"xss-js-escape", contains("<script", inBody), post(`q=\u003cscript`), needs("JS_DECODE"), nil},
		{"xss-hex-escape", contains("<script", inBody), post(`q=\x3cscript`), needs("ESCAPE_SEQ_DECODE"), nil},
		{"xss-css-escape", contains("javascript", inBody), post(`ja\vascript:x`), needs("CSS_DECODE"), nil},
		{"xss-css-hex", contains("javascript", inBody), post(`\6a avascript:x`), needs("CSS_DECODE"), nil},
		{"xss-white-space", contains("javascript:", inBody), post("java\tscript\n:x"), needs("REMOVE_WHITESPACE"), nil},
		{"base64", contains("<script", inArgs), get("/?q=PHNjcmlwdD4="), needs("BASE64_DECODE"), nil},
		{"base64-with-noise", contains("<script", inArgs), get("/?q=PHN.jcmlwdD4="), needs("BASE64_DECODE_EXT"), nil},
		{"base64-in-url", contains("<script", inArgs), get("/?q=PHNjcm%6cwdD4="), needs("URL_DECODE", "BASE64_DECODE"), nil},

		// What an operator has to name without showing it: a digest.
		{"md5", text("EXACTLY", string(secretMD5[:]), argument("token")), get("/?token=hunter2"), needs("MD5"), nil},
		{"sha256", text("EXACTLY", string(secretSHA256[:]), argument("token")), get("/?token=%68unter2"), needs("URL_DECODE", "SHA256"), nil},

		// White space and nulls around and within.
		{"trim", text("EXACTLY", "admin", argument("role")), get("/?role=+admin%09"), needs("URL_DECODE", "TRIM"), nil},
		{"trim-left", text("STARTS_WITH", "admin", argument("role")), get("/?role=%20%0badmin+x"), needs("URL_DECODE", "TRIM_LEFT"), nil},
		{"trim-right", text("ENDS_WITH", "admin", argument("role")), get("/?role=x+admin%0d%0a"), needs("URL_DECODE", "TRIM_RIGHT"), nil},
		{"null-for-space", contains("union select", inArgs), get("/?q=union%00select"), needs("URL_DECODE", "REPLACE_NULLS"), nil},
		{"upper-case", contains("UNION SELECT", inBody), post("q=UnIoN sElEcT"), needs("UPPERCASE"), nil},
		{"js-escape-ext", contains("<script", inBody), post(`q=\u003cscript`), needs("JS_DECODE_EXT"), nil},
		{"js-escape-beside-a-windows-path", contains(`C:\temp<script`, inBody), post(`q=C:\temp\u003cscript`), needs("JS_DECODE_EXT"), nil},

		// Command lines.
		{"cmd-caret", contains("cmd.exe /c", inBody), post(`c^md.exe^ /c`), needs("CMD_LINE_WIN"), nil},
		{"cmd-quotes", contains("cat /etc/passwd", inBody), post(`c'a't /e"t"c/passwd`), needs("CMD_LINE_UNIX"), nil},
		{"cmd-separators", contains("cmd /c dir", inBody), post(`CMD,/c;dir`), needs("CMD_LINE"), nil},

		// JSON: its strings are judged decoded, one by one.
		{"json-escape", contains("<script", jsonValues), post(`{"q":"\u003cscript"}`), nil, nil},
		{"json-escape-as-text", contains("<script", inBody), post(`{"q":"\u003cscript"}`), needs("JS_DECODE"), nil},
		{"json-sqli-in-a-key", sqliIn(jsonValues), post(`{"1' OR '1'='1":1}`), nil, nil},
		{"json-twice", contains("<script", jsonValues), post(`{"q":"%3cscript"}`), needs("URL_DECODE"), nil},
		{"json-other-content-type", contains("evil", jsonValues), post(`{"q":"evil"}`, "Content-Type", "text/plain"), nil, nil},
		{"json-without-commas", contains("evil", jsonValues), post(`{"a":"b""q":"evil"}`), nil, nil},

		// Forms, headers, framing: no transformation is needed.
		{"second-of-two", sqliIn(argument("id")), get("/?id=1&id=1'+OR+'1'='1"), nil, nil},
		{"name-in-another-case", text("EXACTLY", "evil", argument("id")), get("/?ID=evil"), nil, nil},
		{"name-encoded", text("EXACTLY", "evil", argument("id")), get("/?%69d=evil"), nil, nil},
		{"second-header", contains("${jndi:", header("x-api-version")), get("/", "X-Api-Version", "1", "X-Api-Version", "${jndi:ldap://x}"), nil, nil},
		{"any-header", many("Headers", "VALUE", "CONTINUE", "CONTAINS", "${jndi:"), get("/", "X-Whatever", "${jndi:ldap://x}"), nil, nil},
		{"multipart", contains("<script", inBody), post("--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n<script>\r\n--b--\r\n", "Content-Type", "multipart/form-data; boundary=b"), nil, nil},
		{"multipart-base64-name", contains("../", inBody), post("--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"..%2fx\"\r\n\r\nx\r\n--b--\r\n"), needs("URL_DECODE"), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.True(t, blocked(blocking(t, transforming(tt.of, tt.needs, tt.pre)), tt.r), "with %s", tt.needs)
			for i := range tt.needs {
				less := slices.Delete(slices.Clone(tt.needs), i, i+1)
				require.False(t, blocked(blocking(t, transforming(tt.of, less, tt.pre)), tt.r), "with %s", less)
			}
			for i := range tt.pre {
				less := slices.Delete(slices.Clone(tt.pre), i, i+1)
				require.False(t, blocked(blocking(t, transforming(tt.of, tt.needs, less)), tt.r), "split with %s", less)
			}
		})
	}
}

// What no transformation finds, and the rule that blocks it all the same.
func TestWhatIsNotInspected(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("<script>"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	hiding := func(reader io.Reader, headers ...string) *http.Request {
		r := httptest.NewRequest("POST", "/", reader)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		return r
	}
	const limit = 16 << 10
	parts := "--b\r\nContent-Disposition: form-data; name=\"id\"\r\n\r\n1' OR '1'='1\r\n--b--\r\n"
	pathParameter := waf.Statement{RegexMatchStatement: &waf.RegexMatchStatement{
		RegexString: `/[^/]*;`, FieldToMatch: inPath, TextTransformations: transformed("URL_DECODE")}}
	for name, tt := range map[string]struct {
		blind, instead waf.Statement
		request        func() *http.Request
	}{
		"gzip": {contains("<script", inBody), sizeIs("GT", 0, header("content-encoding")), func() *http.Request {
			return hiding(bytes.NewReader(packed.Bytes()), "Content-Encoding", "gzip")
		}},
		"padding": {contains("<script", inBody), sizeIs("GT", limit, waf.FieldToMatch{Body: &waf.BodyField{OversizeHandling: "MATCH"}}),
			func() *http.Request { return post(strings.Repeat(" ", limit) + "<script>") }},
		"json-padding": {contains("<script", jsonValues), contains("x", waf.FieldToMatch{JsonBody: &waf.JsonBody{
			MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL", OversizeHandling: "MATCH"}}),
			func() *http.Request { return post(`{"a":"` + strings.Repeat(" ", limit) + `","b":"<script>"}`) }},
		"json-duplicate-key": {contains("<script", jsonValues), contains("x", waf.FieldToMatch{JsonBody: &waf.JsonBody{
			MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL", InvalidFallbackBehavior: "MATCH"}}),
			func() *http.Request { return post(`{"a":1,"a":2,"b":"<script>"}`) }},
		"json-not-first": {contains("<script", jsonValues), contains("<script", waf.FieldToMatch{JsonBody: &waf.JsonBody{
			MatchPattern: waf.JsonMatchPattern{All: none}, MatchScope: "ALL", InvalidFallbackBehavior: "EVALUATE_AS_STRING"}}),
			func() *http.Request { return post(`)]}',{"b":"<script>"}`) }},
		"form-in-multipart": {text("EXACTLY", "1' OR '1'='1", inBody), contains("1' OR '1'='1", inBody),
			func() *http.Request { return post(parts, "Content-Type", "multipart/form-data; boundary=b") }},
		"path-parameter": {text("STARTS_WITH", "/admin/users", inPath, "NORMALIZE_PATH"), pathParameter,
			func() *http.Request { return get("/admin;x=y/users") }},
		"path-parameter-up": {text("STARTS_WITH", "/admin", inPath, "URL_DECODE", "NORMALIZE_PATH"), pathParameter,
			func() *http.Request { return get("/x/..;/admin") }},
	} {
		t.Run(name, func(t *testing.T) {
			require.False(t, blocked(blocking(t, tt.blind), tt.request()))
			require.True(t, blocked(blocking(t, tt.instead), tt.request()))
		})
	}
}

// How a body comes, in which pieces and with which length, changes nothing.
func TestFramingHidesNothing(t *testing.T) {
	for name, reader := range map[string]func(io.Reader) io.Reader{
		"at-once": func(r io.Reader) io.Reader { return r }, "byte-by-byte": iotest.OneByteReader, "halves": iotest.HalfReader,
	} {
		for _, length := range []int64{-1, 16<<10 - 1} {
			r := httptest.NewRequest("POST", "/", reader(strings.NewReader(strings.Repeat(" ", 16<<10-9)+"<script>")))
			r.ContentLength = length
			require.True(t, blocked(blocking(t, contains("<script", inBody)), r), name)
		}
	}
}
