package injection_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	libinjection "github.com/corazawaf/libinjection-go"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/internal/injection"
)

var sqlAttacks = []string{
	"1 OR 1=1", "1' OR '1'='1", `1" or "a"="a`, "1 UNION SELECT 1,2,3", "1 union all select null,null--", "admin'--", "admin' #", "1; DROP TABLE users",
	"1 AND SLEEP(5)", "1/**/UNION/**/SELECT/**/1", "' or 1=1 limit 1 -- -", "1' AND (SELECT 1 FROM users)='1", "-1 UNION SELECT @@version", "1 or 2 like 2",
	"x' and 1=convert(int,@@version)--", "1 group by 1 having 1=1", "1 order by 10--", "1;exec xp_cmdshell('dir')", "1 procedure analyse()", "0x1 or 1",
	"1e0union select 1", "1.union select 1,2", "1;waitfor delay '0:0:5'--", "') or ('1'='1", "1 in (select 1)", "1 into outfile '/tmp/x'", "1||1", "1 && 1=1",
	"\\' or 1=1", "$$1$$ or 1", "1 un\u0131on select 1", "1 union \u017felect 1", "x'41' or 1", "1 or @a=1", "1 rlike 1 or 1", "1 xor 1=2", "{`a` 1}", "1 /*!union*/ select 1",
	"1 not between 1 and 2", "1 collate x_y and 1=1", "null is null or 1", "1 and 1=1", "9 or 9=9",
}

var xssAttacks = []string{
	"<script>alert(1)</script>", "<ScRiPt >x", "<img src=x onerror=alert(1)>", "\" onmouseover=alert(1) x=\"", "' onfocus='x", "x onerror=alert(1)", "<svg/onload=x>",
	"<a href=javascript:x>", "<a href=\"java&#115;cript:x\">", "<iframe src=x>", "<!DOCTYPE html>", "<!--[if IE]>", "<?import x>", "<body style=x>", "\x00<scr\x00ipt>",
	"` onclick\t=\n1", "<xml>", "<x style\x00=1>", "><script>", "onload\x00=x", "<!-- ` -->", "<%x onerror=1%>", "/onerror=1", "<a xlink:href=javascript:x>",
}

var innocents = []string{
	"", "a", "orders", "id", "AB-00012", "2026-11-28T10:00:00Z", "jane.doe@example.com", "Please leave the parcel at the door", "12.50", "-7", "true", "null",
	"550e8400-e29b-41d4-a716-446655440000", "https://example.com/a/b.html", "select", "limit", "drop", "text", "Zürich, Straße 5", "100%", "a+b", "O Brien", "$5.00", "10:30",
	"from A to B in 3 days", "the set", "one.two.three", "a_b_c", "C3PO", "1e5", "0xDEADBEEF", "[1]", "size: L", "50 - 60", "not found", "is it", "dGVzdDE=", "what?", "x",
}

func TestFinds(t *testing.T) {
	for _, text := range sqlAttacks {
		found, _ := libinjection.IsSQLi(text)
		require.Equal(t, found, injection.SQLi([]byte(text), false), "%q", text)
	}
	for _, text := range xssAttacks {
		require.Equal(t, libinjection.IsXSS(text), injection.XSS([]byte(text)), "%q", text)
	}
	for _, text := range innocents {
		require.False(t, injection.SQLi([]byte(text), false), "%q", text)
		require.False(t, injection.SQLi([]byte(text), true), "%q", text)
		require.False(t, injection.XSS([]byte(text)), "%q", text)
	}
}

// The filter is worth its while: what fields mostly hold never reaches the engine.
func TestFilterPassesOver(t *testing.T) {
	for _, text := range innocents {
		require.False(t, injection.MaybeSQL([]byte(text)), "%q", text)
		require.False(t, injection.MaybeMarkup([]byte(text)), "%q", text)
	}
}

func TestSensitivity(t *testing.T) {
	for _, text := range []string{"or 1=1", "and 1=1", "-@a"} {
		require.False(t, injection.SQLi([]byte(text), false), "%q", text)
		require.True(t, injection.SQLi([]byte(text), true), "%q", text)
	}
	for _, text := range sqlAttacks {
		if injection.SQLi([]byte(text), false) {
			require.True(t, injection.SQLi([]byte(text), true), "high finds all that low finds: %q", text)
		}
	}
}

func TestGuard(t *testing.T) {
	require.True(t, injection.Guarded([]byte("x"), func(string) bool { panic("beyond the end") }))
	require.False(t, injection.Guarded(make([]byte, injection.MaxText), func(string) bool { return false }))
	require.True(t, injection.Guarded(make([]byte, injection.MaxText+1), func(string) bool { return false }), "fails closed")
}

func TestNoAllocationsForInnocents(t *testing.T) {
	for _, text := range innocents {
		b := []byte(text)
		require.Zero(t, testing.AllocsPerRun(10, func() { injection.SQLi(b, false); injection.XSS(b) }), "%q", text)
	}
}

// check compares the filter with the engine: what the one passes over, the other finds nothing in.
func check(t testing.TB, text string) {
	b := []byte(text)
	if !injection.MaybeSQL(b) {
		if found, print := libinjection.IsSQLi(text); found {
			t.Errorf("the engine finds %s in %q, which the filter passes over", print, text)
		}
	}
	if !injection.BehindOne(b) {
		if found, print := libinjection.IsSQLi("1 " + text); found {
			t.Errorf("the engine finds %s in %q behind a number, which the filter passes over", print, text)
		}
	}
	if !injection.MaybeMarkup(b) && libinjection.IsXSS(text) {
		t.Errorf("the engine finds scripting in %q, which the filter passes over", text)
	}
}

func TestFilterMissesNothingShort(t *testing.T) {
	for a := range 256 {
		check(t, string([]byte{byte(a)}))
		for b := range 256 {
			check(t, string([]byte{byte(a), byte(b)}))
		}
	}
	special := " '\"`#$%&()*+,-./:;<=>?@[\\]^_{|}~\x00\xa0\n1eX0nqu\xc4\xb1"
	for _, a := range []byte(special) {
		for _, b := range []byte(special) {
			for _, c := range []byte(special) {
				check(t, string([]byte{a, b, c}))
			}
		}
	}
}

// mixes are texts of random tokens, which are all words of the engine's and all signs, with and
// without blanks between, and attacks with bytes changed, left out and put in.
func TestFilterMissesNothing(t *testing.T) {
	words, _ := engineTable(t)
	tokens := []string{
		"1", "0", "2.5", "1e", "1e5", ".", ".5", "0x", "0xAB", "0b1", "a", "x_y", "é", "à", "$", "$1", "@", "@@", "@a", "\\N", "\t", "\n", "\x00", "\xa0", "\x01", "--", "/*", "*/", "#",
		"'", "\"", "`", "(", ")", ",", ";", ":", "::", "{", "}", "[", "]", "?", "!", "=", "<", ">", "+", "-", "*", "/", "%", "&", "|", "^", "~", "<script", "onload", "=", "style", "href",
	}
	for word := range words {
		tokens = append(tokens, word, strings.ToLower(word))
	}
	rnd := rand.New(rand.NewPCG(7, 7))
	const rounds = 120_000
	kept := 0
	// Without the signs that always make the engine look, so that most of the texts test the filter.
	quiet := tokens[:0:0]
	for _, token := range tokens {
		if !injection.MaybeSQL([]byte(token)) {
			quiet = append(quiet, token)
		}
	}
	for i := range rounds {
		from, between := quiet, " "
		if i%4 == 0 {
			from = tokens
		}
		if i%3 == 0 {
			between = ""
		}
		var b strings.Builder
		for range 1 + rnd.IntN(8) {
			b.WriteString(from[rnd.IntN(len(from))])
			if i%3 != 1 || rnd.IntN(2) == 0 {
				b.WriteString(between)
			}
		}
		text := b.String()
		if !injection.MaybeSQL([]byte(text)) {
			kept++
		}
		check(t, text)
	}
	require.Greater(t, kept, rounds/20, "enough texts that the filter passes over")
	for range rounds / 4 {
		all := sqlAttacks
		if rnd.IntN(3) == 0 {
			all = xssAttacks
		}
		text := []byte(all[rnd.IntN(len(all))])
		for range 1 + rnd.IntN(4) {
			if len(text) == 0 {
				break
			}
			switch i := rnd.IntN(len(text)); rnd.IntN(4) {
			case 0:
				text[i] = byte(rnd.IntN(256))
			case 1:
				text = append(text[:i], text[i+1:]...)
			case 2:
				token := quiet[rnd.IntN(len(quiet))]
				text = append(text[:i], append([]byte(token), text[i:]...)...)
			case 3:
				text = text[:i]
			}
		}
		check(t, string(text))
	}
}

func FuzzFilter(f *testing.F) {
	for _, list := range [][]string{sqlAttacks, xssAttacks, innocents} {
		for _, text := range list {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		check(t, text)
		low, high := injection.SQLi([]byte(text), false), injection.SQLi([]byte(text), true)
		if low && !high {
			t.Errorf("%q is found at low sensitivity alone", text)
		}
		injection.XSS([]byte(text))
	})
}

func BenchmarkInnocent(b *testing.B) {
	for i, text := range []string{"orders", "AB-00012", "Please leave the parcel at the door", "2026-11-28T10:00:00Z"} {
		b.Run(fmt.Sprint("text=", i), func(b *testing.B) {
			in := []byte(text)
			b.ReportAllocs()
			for b.Loop() {
				injection.SQLi(in, false)
				injection.XSS(in)
			}
		})
	}
}

// elements are the 600 of a body of 8 KB: 300 names and values of orders, of the kinds that bodies
// have.
func elements() (list [][]byte, size int) {
	notes := []string{
		"Please leave the parcel at the door", "call before delivery, bell is broken", "fragile", "ring twice (back door)", "don't bend", "gift for Anna & Tom",
	}
	for i := range 50 {
		for _, pair := range [][2]string{
			{"id", fmt.Sprint(100_000 + i)}, {"sku", fmt.Sprintf("AB-%05d", i*7)}, {"placed", fmt.Sprintf("2026-11-%02dT10:%02d:00Z", i%28+1, i)},
			{"customer", fmt.Sprintf("jane.doe%d@example.com", i)}, {"note", notes[i%len(notes)]}, {"price", fmt.Sprintf("%d.99", i)},
		} {
			list = append(list, []byte(pair[0]), []byte(pair[1]))
			size += len(pair[0]) + len(pair[1]) + 7 // quotes, colon, comma, blank
		}
	}
	return list, size
}

// BenchmarkBody judges a body element by element, beside what the engine alone takes for it.
func BenchmarkBody(b *testing.B) {
	list, size := elements()
	texts := make([]string, len(list))
	for i, element := range list {
		texts[i] = string(element)
	}
	b.Run("by=gatekit", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for _, element := range list {
				injection.SQLi(element, false)
				injection.XSS(element)
			}
		}
	})
	b.Run("by=libinjection-go", func(b *testing.B) {
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			for _, text := range texts {
				_, _ = libinjection.IsSQLi(text)
				libinjection.IsXSS(text)
			}
		}
	})
}
