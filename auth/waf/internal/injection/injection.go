// Package injection reports whether a text is an attempt at SQL injection or cross-site scripting,
// by libinjection (github.com/corazawaf/libinjection-go), behind a filter that knows what no
// finding of that engine can do without.
//
// The engine takes a text for the beginning, the end or the middle of a statement or a page, and
// tries each: for the words and numbers that most fields hold it does that in vain. The filter
// passes over those in one reading. It never says no where the engine says yes; the tests compare
// the two, and read the engine's own tables for what the filter stands on.
//
// # Sensitivity
//
// How AWS WAF tells SQL injection at its two levels isn't published. Low is the engine's verdict on
// the text as it is. High takes the text also for what follows a number in a statement that is
// already there, as id=1 and a field of its own behind it: "or 1=1" is an attack there, and is text
// like any other to the engine, which looks for a value first. That finds more, and more that is
// none: "and 7 days later", say.
package injection

import (
	libinjection "github.com/corazawaf/libinjection-go"
)

// maxText bounds what the engine is given. It is beyond what a web ACL inspects.
const maxText = 1 << 20

// SQLi reports whether b looks like SQL injection, at high sensitivity or at low. A text of more
// than 1 MiB, and one that the engine fails at, is taken for an attack.
func SQLi(b []byte, high bool) bool {
	before := 0
	if high {
		before = 1 // the number
	}
	if !maybeSQL(b, before) {
		return false
	}
	return guarded(b, isSQL) || high && guarded(b, isSQLBehindNumber)
}

// XSS reports whether b looks like cross-site scripting. What is taken for an attack unseen is as
// SQLi has it.
func XSS(b []byte) bool { return maybeMarkup(b) && guarded(b, libinjection.IsXSS) }

func isSQL(text string) bool {
	found, _ := libinjection.IsSQLi(text)
	return found
}

func isSQLBehindNumber(text string) bool { return isSQL("1 " + text) }

// guarded is judge's verdict. The engine reads past the end of its slices for some inputs in
// languages that let it; here that would be a panic in somebody's request.
func guarded(b []byte, judge func(string) bool) (found bool) {
	if len(b) > maxText {
		return true
	}
	defer func() {
		if recover() != nil {
			found = true
		}
	}()
	return judge(string(b))
}
