package waf

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// scalar decodes a string, number or bool. CloudFormation has scalars as strings as well.
func (d *decoder) scalar(from any, to reflect.Value) bool {
	text, isText := from.(string)
	switch to.Kind() {
	case reflect.String:
		to.SetString(text)
		return isText
	case reflect.Bool:
		b, ok := from.(bool)
		to.SetBool(b || text == "true")
		d.quoted = d.quoted || isText
		return ok || text == "true" || text == "false"
	default: // int64
		if number, ok := from.(json.Number); ok {
			text = number.String()
		}
		d.quoted = d.quoted || isText
		n, err := strconv.ParseInt(text, 10, 64)
		to.SetInt(n)
		return err == nil
	}
}

// wanted says what a field takes.
func wanted(to reflect.Value) string {
	switch to.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	}
	return "an object"
}

// searchString decodes SearchString, or CloudFormation's SearchStringBase64.
func (d *decoder) searchString(m *mistakes.Mistakes, name string, tree map[string]any, to *ByteMatchStatement) {
	text, ok := tree[name].(string)
	m.Require(ok, name, "want a string, got %s", given(tree[name]))
	switch {
	case name != "SearchString" && name != "SearchStringBase64":
		m.Add(name, `no such field; the nearest are "SearchString", "SearchStringBase64"`)
	case name == "SearchString" && d.SearchStrings != SearchStringsBase64:
		to.SearchString = text
		d.searches = append(d.searches, to)
	default:
		d.cloudFormation = d.cloudFormation || name == "SearchStringBase64"
		decoded, err := base64.StdEncoding.DecodeString(text)
		_, plain := tree["SearchString"]
		m.Require(err == nil && !(plain && name != "SearchString"), name,
			"want base64, and one of SearchString and SearchStringBase64, got %.100q", text)
		to.SearchString = string(decoded)
	}
}

// decideSearchStrings decodes all search strings or none. Deciding for each by itself would take
// the plain text "admin123" of one rule for base64, and look for bytes that nobody sends.
//
// What can't be told is asked: a guess that is wrong takes away every rule with such a string, and
// nobody sees it.
func (d *decoder) decideSearchStrings(m *mistakes.Mistakes) {
	if d.SearchStrings != SearchStringsByDocument || d.cloudFormation || len(d.searches) == 0 ||
		slices.ContainsFunc(d.searches, func(s *ByteMatchStatement) bool { return !isBase64(s) }) {
		return
	}
	if slices.ContainsFunc(d.searches, func(s *ByteMatchStatement) bool { return !seemsBase64(s) }) {
		m.Require(!d.wrapped, "", "want ReadConfig.SearchStrings, as the document's search strings are all base64, "+
			"but some of them of no text")
		return
	}
	if d.quoted {
		m.Add("", "want ReadConfig.SearchStrings, as the document has numbers in quotes, which only CloudFormation "+
			"has, but its search strings are all base64 of text, which only the API has")
		return
	}
	for _, s := range d.searches {
		decoded, _ := base64.StdEncoding.DecodeString(s.SearchString)
		s.SearchString = string(decoded)
	}
}

func isBase64(s *ByteMatchStatement) bool {
	decoded, err := base64.StdEncoding.DecodeString(s.SearchString)
	return err == nil && len(decoded) > 0
}

// seemsBase64 reports whether the string is base64 of text, or, where it is compared with a digest,
// of anything.
func seemsBase64(s *ByteMatchStatement) bool {
	decoded, err := base64.StdEncoding.DecodeString(s.SearchString)
	digest := slices.ContainsFunc(s.TextTransformations, func(t TextTransformation) bool {
		return t.Type == "MD5" || t.Type == "SHA256"
	})
	return err == nil && len(decoded) > 0 && (digest || utf8.Valid(decoded) && !strings.ContainsFunc(string(decoded),
		func(c rune) bool { return c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f }))
}
