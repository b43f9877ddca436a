package textform_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/textform"
)

// Ways to write an attack so that a rule's literal isn't in it, and the list that finds it again.
func TestEvasions(t *testing.T) {
	for _, tt := range []struct {
		name, in, want string
		list           []string
	}{
		{"mixed-case", "<ScRiPt>", "<script>", []string{"LOWERCASE"}},
		{"double-url", "%253cscript%253e", "<script>", []string{"URL_DECODE", "URL_DECODE"}},
		{"full-width", "%uff1cscript%uff1e", "<script>", []string{"URL_DECODE_UNI"}},
		{"full-width-utf8", "＜script＞", "<script>", []string{"UTF8_TO_UNICODE", "URL_DECODE_UNI"}},
		{"overlong", "..\xc0\xaf..\xc0\xafetc", "../../etc", []string{"UTF8_TO_UNICODE", "URL_DECODE_UNI"}},
		{"overlong-then-path", "/a/..\xc0\xaf../etc", "/etc", []string{"UTF8_TO_UNICODE", "URL_DECODE_UNI", "NORMALIZE_PATH"}},
		{"entity-zeros", "&#x000000003c;script", "<script", []string{"HTML_ENTITY_DECODE"}},
		{"entity-many-zeros", "&#x" + strings.Repeat("0", 10_000) + "3c;script", "<script", []string{"HTML_ENTITY_DECODE"}},
		{"comments", "UN/**/ION/*!*/SELECT", "un ion select", []string{"REPLACE_COMMENTS", "LOWERCASE"}},
		{"comment-for-space", "union/**//**/select", "union select", []string{"REPLACE_COMMENTS", "COMPRESS_WHITE_SPACE"}},
		{"no-break-space", "union\xa0\xa0select", "union select", []string{"COMPRESS_WHITE_SPACE"}},
		{"nulls", "<scr\x00ipt>", "<script>", []string{"REMOVE_NULLS"}},
		{"css", `\65xpression`, "\x65xpression", []string{"CSS_DECODE"}},
		{"css-continued", "exp\\\nression", "expression", []string{"CSS_DECODE"}},
		{"js", `\x3cscript\u003e`, "<script>", []string{"JS_DECODE"}},
		{"caret", `c^m^d /c "d"ir`, "cmd/c dir", []string{"CMD_LINE"}},
		{"caret-line", "pow^\r\nershell", "powershell", []string{"CMD_LINE_WIN"}},
		{"quoted-letters", `/b'i'n/ca""t  /etc`, "/bin/cat /etc", []string{"CMD_LINE_UNIX"}},
		{"base64-broken", "PH*Nj*cm*lw*dD4=", "<script>", []string{"BASE64_DECODE_EXT"}},
		{"sql-hex", "char(0x73656c656374)", "char(select)", []string{"SQL_HEX_DECODE"}},
		{"backslashes", `..\..\windows`, "../../windows", []string{"NORMALIZE_PATH_WIN"}},
		{"duplicated-parameters", "id=1/*&id=*/union", "id=1/*,*/union", []string{"COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA"}},
		{"encoded-separator", "a=1%26id=2", "a=1&id=2", []string{"URL_DECODE"}},
	} {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, apply(t, tt.in, tt.list...)) })
	}
}

// hostile are inputs that would cost a careless reader the square of their length.
func hostile(n int) map[string][]byte {
	var names bytes.Buffer
	for i := range n / 8 {
		fmt.Fprintf(&names, "%06x=&", i)
	}
	r := func(s string) []byte { return bytes.Repeat([]byte(s), n/len(s)) }
	return map[string][]byte{
		"ampersands": r("&"), "one-name": r("a&"), "many-names": names.Bytes(), "long-names": r("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=&"),
		"open-comments": r("/*"), "dots": r("../"), "up-and-down": append(r("a/"), r("../")...), "backslashes": r(`\`), "percents": r("%u"),
		"entities": r("&nonbreakingspac"), "numbers": r("&#"), "spaces": r(" "), "hex": r("0x"), "utf8": r("é"), "one-segment": r("a"),
		"commas": r(" ,"), "carets": r("^\r"), "base64": r("="),
	}
}

// As much as a web ACL inspects, four times over, of any of these takes each transformation a
// millisecond, and the square of it would take a minute. The bound leaves room for a busy machine.
func TestNothingTakesTheSquareOfItsInput(t *testing.T) {
	for what, in := range hostile(1 << 18) {
		for _, name := range all {
			var b textform.Buffers
			began := time.Now()
			out := textform.Apply(&b, []textform.Kind{kind(t, name)}, in)
			require.Less(t, time.Since(began), 20*time.Second, "%s of %s", name, what)
			require.LessOrEqual(t, len(out), bound(name, len(in)), "%s of %s", name, what)
		}
	}
}

// bound is how much a transformation may make of n bytes.
func bound(name string, n int) int {
	switch name {
	case "UTF8_TO_UNICODE":
		return 3 * n
	case "MD5":
		return 16
	case "SHA256":
		return 32
	}
	return n
}

// again are the transformations that have nothing left to do on what they made.
var again = []string{
	"NONE", "CMD_LINE_UNIX", "CMD_LINE_WIN", "COMPRESS_WHITE_SPACE", "LOWERCASE", "NORMALIZE_PATH", "NORMALIZE_PATH_WIN", "REMOVE_NULLS",
	"REMOVE_WHITESPACE", "REPLACE_COMMENTS", "REPLACE_NULLS", "TRIM", "TRIM_LEFT", "TRIM_RIGHT", "UPPERCASE", "UTF8_TO_UNICODE",
	"REPLACE_SEMICOLONS_WITH_AMPERSANDS", "COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA",
}

// Each transformation of anything stays within its bound, changes nothing that it was given, gives
// the same with used buffers as with fresh ones, and where it is a normal form, keeps that.
func FuzzApply(f *testing.F) {
	for i, name := range all {
		for j := 0; j < len(golden[name]); j += 2 {
			f.Add([]byte(golden[name][j]), uint8(i), uint8(j))
		}
	}
	for _, in := range hostile(64) {
		f.Add(in, uint8(31), uint8(4))
	}
	var used textform.Buffers
	f.Fuzz(func(t *testing.T, in []byte, first, second uint8) {
		one, two := all[int(first)%len(all)], all[int(second)%len(all)]
		before := bytes.Clone(in)
		var b textform.Buffers
		got := bytes.Clone(textform.Apply(&b, []textform.Kind{kind(t, one)}, in))
		if len(got) > bound(one, len(in)) {
			t.Errorf("%s makes %d bytes of %d", one, len(got), len(in))
		}
		want := bytes.Clone(textform.Apply(&b, []textform.Kind{kind(t, two)}, got))
		both := textform.Apply(&used, []textform.Kind{kind(t, one), kind(t, two)}, in)
		if !bytes.Equal(want, both) {
			t.Errorf("%s and %s of %q are %q in one list, and %q one after the other", one, two, in, both, want)
		}
		if !bytes.Equal(before, in) {
			t.Errorf("%s, %s wrote to their input %q", one, two, before)
		}
		for _, name := range again {
			if name == one {
				if twice := textform.Apply(&b, []textform.Kind{kind(t, one)}, got); !bytes.Equal(got, twice) {
					t.Errorf("%s of %q is %q, of which it makes %q", one, in, got, twice)
				}
			}
		}
	})
}
