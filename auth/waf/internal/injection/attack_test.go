package injection_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/injection"
)

// Attacks written so that a reader of words and signs could overlook them: none is passed over by
// the filter.
func TestFilterIsNotEvaded(t *testing.T) {
	for name, text := range map[string]string{
		"number-in-front":      "1union select 1",
		"exponent-in-front":    "1eunion select 1",
		"hex-in-front":         "0xunion select 1",
		"hex-digits-in-front":  "0xfaceunion select 1",
		"point-in-front":       "1.union select 1",
		"suffix-in-front":      "1funion select 1",
		"control-in-front":     "1 \x01union\x0bselect 1",
		"no-break-space":       "1\xa0union\xa0select\xa01",
		"latin-1-letter":       "1 \xc3\xa0union select 1",
		"capital-from-beyond":  "1 un\u0131on \u017felect 1",
		"underscored":          "1 uni_on select 1",
		"mixed-case":           "1 uNiOn SeLeCt 1",
		"bracketed":            "[a]union select 1",
		"comment-alone":        "1--",
		"comment-without-end":  "1 /*",
		"operators-for-words":  "1||1",
		"dollar-quotes":        "$$a$$ or 1",
		"tagged-dollar-quotes": "$a$x$a$ or 1",
		"dollar-quotes-open":   "1=$$a",
		"tag-open":             "1=$a$",
		"word-behind-number":   "1 1.eor 1=1",
		"word-behind-hex":      "1 1.0eor 2=2",
		"backtick":             "1 or `a`",
		"keyword-and-point":    "1 union.select 1",
		"variable-and-sign":    "1-@a",
		"variable-word":        "1-null",
	} {
		t.Run(name, func(t *testing.T) {
			require.True(t, injection.MaybeSQL([]byte(text)))
			check(t, text)
		})
	}
	for _, text := range []string{"x\x00onerror \t\x00= 1", "style=x", "onload\v=\x00x", "1<", "href=java", "on1=x"} {
		require.True(t, injection.MaybeMarkup([]byte(text)), "%q", text)
	}
}

// As much as a web ACL inspects, three times over, of what makes parsers go back: it is judged, and
// in far less than what the square of its length would take.
func TestHostileTexts(t *testing.T) {
	for _, piece := range []string{
		"'", `\'`, `\`, "\"", "`", "/*", "/*/", "--", "-", "#\n", "(", "((", ")", ";", "$a$", "$$", "$", "@", "[", "{`", "1,", "1e", "q'(", "a.", "select.", "or ", "1 or ", "x'",
		"<", "<!--", "<!-", "<![CDATA[", "]]", "<%", "<a ", "<a b", "<a b=", "a=", "=", "/", "\x00", "<\x00", "&#", "href=&#x6a", "a='", " a=\"", "<?", ">", "</", "\xa0",
	} {
		text := []byte(strings.Repeat(piece, 192<<10/len(piece)))
		began := time.Now()
		injection.SQLi(text, true)
		injection.XSS(text)
		require.Less(t, time.Since(began), 20*time.Second, "%q", piece)
	}
}
