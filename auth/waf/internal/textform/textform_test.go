package textform_test

import (
	"crypto/md5"
	"crypto/sha256"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
)

// all are the names of both lists.
var all = []string{
	"NONE", "BASE64_DECODE", "BASE64_DECODE_EXT", "CMD_LINE", "CMD_LINE_UNIX", "CMD_LINE_WIN", "COMPRESS_WHITE_SPACE", "CSS_DECODE",
	"ESCAPE_SEQ_DECODE", "HEX_DECODE", "HTML_ENTITY_DECODE", "JS_DECODE", "JS_DECODE_EXT", "LOWERCASE", "MD5", "NORMALIZE_PATH",
	"NORMALIZE_PATH_WIN", "REMOVE_COMMENTS_CHAR", "REMOVE_NULLS", "REMOVE_WHITESPACE", "REPLACE_COMMENTS", "REPLACE_NULLS", "SHA256",
	"SQL_HEX_DECODE", "TRIM", "TRIM_LEFT", "TRIM_RIGHT", "UPPERCASE", "URL_DECODE", "URL_DECODE_UNI", "UTF8_TO_UNICODE",
	"COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA", "REPLACE_SEMICOLONS_WITH_AMPERSANDS",
}

// kind finds a name in either list.
func kind(t testing.TB, name string) textform.Kind {
	t.Helper()
	k, err := textform.ParseKind(name)
	if err != nil {
		k, err = textform.ParseQueryKind(name)
	}
	require.NoError(t, err)
	return k
}

func apply(t testing.TB, in string, names ...string) string {
	t.Helper()
	var b textform.Buffers
	var list []textform.Kind
	for _, name := range names {
		list = append(list, kind(t, name))
	}
	src := []byte(in)
	got := string(textform.Apply(&b, list, src))
	require.Equal(t, in, string(src), "the input is never written to")
	return got
}

var md5Of = func(s string) string { sum := md5.Sum([]byte(s)); return string(sum[:]) }
var sha256Of = func(s string) string { sum := sha256.Sum256([]byte(s)); return string(sum[:]) }

// golden has, for each transformation, what goes in and what comes out in turn.
var golden = map[string][]string{
	"NONE":                 {"", "", "a B%41", "a B%41"},
	"LOWERCASE":            {"", "", "ABCxyzÀ@[`{", "abcxyzÀ@[`{", "Te\x00sT", "te\x00st"},
	"UPPERCASE":            {"abcXYZà@[`{", "ABCXYZà@[`{"},
	"COMPRESS_WHITE_SPACE": {"a  b", "a b", " \t\n\v\f\r a\xa0\xa0b ", " a b ", "à", "\xc3 ", "ab", "ab"},
	"REMOVE_WHITESPACE":    {" a\tb\nc\vd\fe\rf\xa0g ", "abcdefg", "", ""},
	"TRIM":                 {" \t\n\v\f\ra b \r\n", "a b", " ", "", "a", "a"},
	"TRIM_LEFT":            {" \ta b ", "a b ", "  ", ""},
	"TRIM_RIGHT":           {" a b\n\f ", " a b", "  ", ""},
	"REMOVE_NULLS":         {"\x00a\x00\x00b\x00", "ab"},
	"REPLACE_NULLS":        {"\x00a\x00\x00b", " a  b"},
	"REPLACE_COMMENTS": {
		"a/**/b", "a b", "UNION/* x */SELECT/*y*/1", "UNION SELECT 1", "a/*b", "a ", "a*/b", "a*/b",
		"/*a/*b*/c*/", " c*/", "a/*/b", "a ", "a/b", "a/b", "/**//**/", "  ",
	},
	"REMOVE_COMMENTS_CHAR": {
		"a/*b*/c", "abc", "a--b#c", "abc", "<!--x-->", "x", "a-b*c/d<e", "a-b*c/d<e", "---", "-", "/*/", "/", "-#-", "--",
	},
	"HTML_ENTITY_DECODE": {
		"&lt;script&gt;", "<script>", "&LT;&Gt", "<>", "&#x3c;&#X3C;&#60;&#060", "<<<<", "&#x3cscript", "<script", "&#x;&#;&;&", "&#x;&#;&;&",
		"&quot;&amp;&nbsp;&NonBreakingSpace;", "\"&\xa0\xa0", "&NewLine;&Tab;", "\n\t",
		"&lcub;&lbrace;&rcub;&rbrace;&verbar;&vert;&VerticalLine;", "{{}}|||", "&excl;&num;&dollar;&percent;&percnt;&apos;", "!#$%%'",
		"&lpar;&rpar;&ast;&midast;&plus;&comma;&period;&sol;&colon;&semi;", "()**+,./:;",
		"&equals;&quest;&tilde;&DiacriticalTilde;&minus;&lsqb;&lbrack;&bsol;&rsqb;&rbrack;", "=?~~-[[\\]]",
		"&hat;&lowbar;&underbar;&grave;&DiacriticalGrave;", "^__``",
		"&amp;lt;", "&lt;", "&ltx;", "&ltx;", "&lt&gt", "<>", "&unknown;", "&unknown;", "&#316;", "<", "&nonbreakingspacex;", "&nonbreakingspacex;",
		"a &  b &&lt;", "a &  b &<",
	},
	"CMD_LINE": {
		`C^OMMAND /C D"EL'ETE`, "command/c delete", `c\m\d`, "cmd", "cmd  ,;  x", "cmd x", "cmd /c", "cmd/c", "cmd  (x", "cmd(x", "cmd,/c", "cmd /c",
		"cmd, /c", "cmd /c", "a\t\r\nb", "a b", "a \t/b", "a/b", "a b  ", "a b ", "  a", " a", ",", " ", `"^'\`, "",
	},
	"CMD_LINE_UNIX": {
		`  /bin/c'a't "/etc"\/passwd `, "/bin/cat /etc/passwd", "a\t\n\r\v\fb", "a b", "a^b,c;d /e", "a^b,c;d /e", "A", "a", " ", "", `' '`, "", "a '' b", "a b",
	},
	"CMD_LINE_WIN": {
		"p^o^w^er\"shell\"", "powershell", "net ^\r\nuser", "net user", "a^\nb", "ab", "a^\rb", "a b", `C:\\\\Windows\\x`, `c:\windows\x`, `a^`, "a",
		" A  b ", "a b", `a\^\b`, `a\b`, "a'b", "ab", `a\ \b`, `a\ \b`, "a`b", "a`b", "a,b;c", "a,b;c",
	},
	"URL_DECODE": {
		"%41+b%2f%2F", "A b//", "%", "%", "%4", "%4", "%zz%41", "%zzA", "%2541", "%41", "%u0041", "%u0041", "a%00b", "a\x00b", "%%41", "%A",
	},
	"URL_DECODE_UNI": {
		"%u0041%U0042+%43", "AB C", "%uff1cscript%uFF1E", "<script>", "%u2215", "\x15", "%u004", "%u004", "%u", "%u", "%uzzzz", "%uzzzz", "%uff00%uff5f", "\x00_",
		"%u%41", "%uA",
	},
	"BASE64_DECODE": {
		"PHNjcmlwdD4=", "<script>", "PHNjcmlwdD4", "<script>", "QUJD", "ABC", "QUJ", "AB", "QU", "A", "Q", "", "QUJD!QUJD", "ABC", "P.HNj", "",
		"QUJD\r\nREVG", "ABCDEF", "QQ==QQ==", "A", "", "", "QU JD", "A", "-_", "",
	},
	"BASE64_DECODE_EXT": {
		"P.HNjcmlwdD4=", "<script>", "PHNj cm\tlw.dD4", "<script>", "Q!U@J#D", "ABC", "", "", "....", "", "PH=NjcmlwdD4", "<script>",
	},
	"HEX_DECODE": {
		"414243", "ABC", "4142zz43", "AB", "41424", "AB", "4a4B", "JK", "4", "", "", "", "g0", "", "0x41", "",
	},
	"SQL_HEX_DECODE": {
		"0x414243", "ABC", "SELECT 0X4142 FROM", "SELECT AB FROM", "0x4", "0x4", "0x", "0x", "0xzz", "0xzz", "0x41424", "AB4", "00x41", "0A", "0x410x42", "AB",
		"0", "0", "x41", "x41",
	},
	"MD5":    {"", md5Of(""), "abc", md5Of("abc")},
	"SHA256": {"", sha256Of(""), "abc", sha256Of("abc")},
	"ESCAPE_SEQ_DECODE": {
		`\a\b\f\n\r\t\v\\\?\'\"`, "\a\b\f\n\r\t\v\\?'\"", `\x41\x4a`, "AJ", `\0101\060`, "A0", `\101`, "A", `\0`, "\x00", `\00`, "\x00", `\xzz\x4`, `\xzz\x4`,
		`\q\`, `\q\`, `\\n`, `\n`, `\8`, `\8`, `\0777`, "\xff", `\08`, "\x008",
	},
	"CSS_DECODE": {
		`ja\vascript`, "javascript", `\6a\61 va`, "java", `\00004Aava`, "Java", "\\\nx", "x", `\`, "", `a\`, "a", `\ff1c x`, "<x", `\3c`, "<",
		`\0003cscript`, "<script", `\zx`, "zx", `\\41`, `\41`, "\\41  B", "A B", "\\41\tB", "AB", `\1234567`, "V7",
	},
	"JS_DECODE": {
		`\u003cscript\u003E`, "<script>", `\uff1c`, "<", `\x3c\x3C`, "<<", `\74\074`, "<<", `\a\b\f\n\r\t\v`, "\a\b\f\n\r\t\v", `\q\'\"\\`, `q'"\`, `\`, `\`,
		`\u00`, "u00", `\xz`, "xz", `\400`, " 0", `\377`, "\xff", `\0`, "\x00", `\8`, "8", `\u00e9`, "\xe9",
	},
	"JS_DECODE_EXT": {
		`C:\temp\new\q`, `C:\temp\new\q`, `\\\/\'\"`, `\/'"`, `\u003c\x3c\74`, "<<<", `\u00`, `\u00`, `\x`, `\x`, `\`, `\`, `\\server\share`, `\server\share`,
	},
	"NORMALIZE_PATH": {
		"/dir/foo//bar", "/dir/foo/bar", "dir/foo//bar/", "dir/foo/bar/", "dir/../foo", "foo", "dir/../../foo", "../foo", "/../etc", "/etc", ".", "", "..", "..",
		"./", "", "../", "../", "/", "/", "//", "/", "/.", "/", "/..", "/", "a/.", "a", "a/..", "", "a/../", "", "/a/..", "/", "/a/../", "/",
		"dir/./.././../../foo/bar", "../../foo/bar", "dir/./.././../../foo/bar/.", "../../foo/bar", "dir/./.././../../foo/bar/./", "../../foo/bar/",
		"dir/./.././../../foo/bar/..", "../../foo", ".../a", ".../a", "/a/b/c/../../../../../etc/passwd", "/etc/passwd", "a..b/.c", "a..b/.c", `a\..\b`, `a\..\b`, "", "",
		"x/..//etc", "etc", "../../a/../..", "../../..",
	},
	"NORMALIZE_PATH_WIN": {
		`\dir\..\..\etc`, "/etc", `dir\foo\\bar\`, "dir/foo/bar/", `C:\a/..\b`, "C:/b", `..\..\x`, "../../x", `\`, "/",
	},
	"UTF8_TO_UNICODE": {
		"é", "%u00e9", "a…b", "a%u2026b", "\xc0\xaf", "%u002f", "\xe0\x80\xaf", "%u002f", "\xf0\x80\x80\xaf", "%u002f", "😀", "%u1f600", "\U0010ffff", "%u10ffff",
		"\xff\xc3", "\xff\xc3", "\xc3a", "\xc3a", "\xe2\x80", "\xe2\x80", "\xf4\x90\x80\x80", "\xf4\x90\x80\x80", "abc", "abc", "\x80", "\x80", "\xc3é", "\xc3%u00e9",
		"＜", "%uff1c",
	},
	"COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA": {
		"a=1&b=2&a=3", "a=1,3&b=2", "", "", "a", "a", "a&a", "a=,", "a&a=1", "a=,1", "a=1&a", "a=1,", "&&a=1&", "&&a=1&", "a=1&&a=2", "a=1,2&", "=1&=2", "=1,2",
		"a=1&A=2&%61=3", "a=1&A=2&%61=3", "b=1&a=1&b=2&a=2&b=3", "b=1,2,3&a=1,2", "a=b=c&a=d", "a=b=c,d",
	},
	"REPLACE_SEMICOLONS_WITH_AMPERSANDS": {"a=1;b=2&c=3;", "a=1&b=2&c=3&", "a", "a"},
}

func TestGolden(t *testing.T) {
	for _, name := range all {
		t.Run(name, func(t *testing.T) {
			rows := golden[name]
			require.NotEmpty(t, rows)
			for i := 0; i < len(rows); i += 2 {
				require.Equal(t, rows[i+1], apply(t, rows[i], name), "%q", rows[i])
			}
		})
	}
	require.Len(t, golden, len(all))
}

func TestNames(t *testing.T) {
	for _, name := range all {
		require.Equal(t, name, kind(t, name).String())
	}
	require.Equal(t, "Kind(200)", textform.Kind(200).String())
	_, err := textform.ParseKind("URL_DECODER")
	require.ErrorContains(t, err, `want a text transformation, got "URL_DECODER"; the nearest are "URL_DECODE"`)
	_, err = textform.ParseKind("COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA")
	require.ErrorContains(t, err, "want a text transformation", "it is for query strings alone")
	_, err = textform.ParseQueryKind("LOWERCASE")
	require.ErrorContains(t, err, `"NONE"`)
	require.Zero(t, kind(t, "NONE"))
}

func TestOrder(t *testing.T) {
	require.Equal(t, "<script>", apply(t, "%253Cscript%253E", "URL_DECODE", "URL_DECODE"))
	require.Equal(t, "%3Cscript%3E", apply(t, "%253Cscript%253E", "URL_DECODE"))
	require.Equal(t, "<SCRIPT>", apply(t, "&lt;script&GT;", "HTML_ENTITY_DECODE", "UPPERCASE"))
	require.Equal(t, "&lt;script&gt;", apply(t, "%26lt;script%26gt;", "URL_DECODE"))
	require.Equal(t, "<script>", apply(t, "%26lt;script%26gt;", "URL_DECODE", "HTML_ENTITY_DECODE"))
	require.Equal(t, "&LT;SCRIPT&GT;", apply(t, "&lt;script&gt;", "UPPERCASE"))
	require.Equal(t, md5Of("abc"), apply(t, "ABC", "LOWERCASE", "MD5"))
	require.Equal(t, strings.Repeat("%u00e9", 9), apply(t, strings.Repeat("%c3%a9", 9), "URL_DECODE", "UTF8_TO_UNICODE"), "one that grows behind another")
	require.Equal(t, "/", apply(t, "\xc0\xaf", "UTF8_TO_UNICODE", "URL_DECODE_UNI"))
	require.Equal(t, "a=1,2", apply(t, "a=1%26a=2", "URL_DECODE", "COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA"))
	require.Equal(t, "a=1,2", apply(t, "a=1;a=2", "REPLACE_SEMICOLONS_WITH_AMPERSANDS", "COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA"))
}

// The result of one Apply is the caller's until the next, and what a list doesn't touch isn't
// copied.
func TestBuffers(t *testing.T) {
	var b textform.Buffers
	list := []textform.Kind{textform.Lowercase, textform.URLDecode, textform.CompressWhiteSpace, textform.Kind(99)}
	for _, in := range []string{"A++B", "x", "", strings.Repeat("%41+ ", 1000), "Q"} {
		want := strings.ReplaceAll(strings.ToLower(in), "%41+ ", "A ")
		want = strings.ReplaceAll(want, "++", " ")
		require.Equal(t, want, string(textform.Apply(&b, list, []byte(in))))
	}
	src := []byte("plain")
	require.Same(t, &src[0], &textform.Apply(&b, list, src)[0])
	first := textform.Apply(&b, list, []byte("AB"))
	require.Equal(t, "ab c", string(textform.Apply(&b, append(list, list...), append(first, " C"...))), "of its own result")
}

func TestNoAllocations(t *testing.T) {
	body := []byte(strings.Repeat(`a=%41+B&lt;&a=2;\x41 0x41/**/ é--/../ "c" `, 50))
	for _, name := range all {
		list := []textform.Kind{kind(t, name), textform.Lowercase, kind(t, name)}
		var b textform.Buffers
		textform.Apply(&b, list, body)
		textform.Apply(&b, list, body)
		require.Zero(t, testing.AllocsPerRun(20, func() { textform.Apply(&b, list, body) }), name)
	}
}

func BenchmarkApply(b *testing.B) {
	plain := []byte(strings.Repeat("hello world, this is plain text. ", 30))
	for _, name := range all {
		list := []textform.Kind{kind(b, name)}
		b.Run("kind="+name, func(b *testing.B) {
			var buffers textform.Buffers
			b.SetBytes(int64(len(plain)))
			b.ReportAllocs()
			for b.Loop() {
				textform.Apply(&buffers, list, plain)
			}
		})
	}
}
