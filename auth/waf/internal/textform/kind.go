package textform

import (
	"fmt"
	"iter"

	"github.com/gatekit-go/gatekit/internal/nearest"
)

// Kind is one transformation. The zero value does nothing.
type Kind uint8

// The transformations of a statement's list, then the two that are for query strings alone.
const (
	None Kind = iota
	Base64Decode
	Base64DecodeExt
	CmdLine
	CmdLineUnix
	CmdLineWin
	CompressWhiteSpace
	CSSDecode
	EscapeSeqDecode
	HexDecode
	HTMLEntityDecode
	JSDecode
	JSDecodeExt
	Lowercase
	MD5
	NormalizePath
	NormalizePathWin
	RemoveCommentsChar
	RemoveNulls
	RemoveWhitespace
	ReplaceComments
	ReplaceNulls
	SHA256
	SQLHexDecode
	Trim
	TrimLeft
	TrimRight
	Uppercase
	URLDecode
	URLDecodeUni
	UTF8ToUnicode
	CombineDuplicateQueryArgsByComma
	ReplaceSemicolonsWithAmpersands
	kinds
)

// form is what there is to know of a kind.
type form struct {
	name string
	// touches are the bytes without which the transformation changes nothing. Nil means that it
	// changes whatever it is given.
	touches *set
	// apply appends what src becomes to dst, which is no part of src.
	apply func(b *Buffers, dst, src []byte) []byte
	// place says in which lists it may stand.
	place place
}

type place uint8

const (
	inList  place = 1 << iota // TextTransformations
	inQuery                   // PreParseTextTransformations
)

var forms = [kinds]form{
	None:               {"NONE", bytesOf(""), nil, inList | inQuery},
	Base64Decode:       {"BASE64_DECODE", nil, base64Decode, inList},
	Base64DecodeExt:    {"BASE64_DECODE_EXT", nil, base64DecodeExt, inList},
	CmdLine:            {"CMD_LINE", bytesOf("\\\"'^,; \t\r\n", upper), cmdLine, inList},
	CmdLineUnix:        {"CMD_LINE_UNIX", bytesOf("\\\"'", blanks, upper), cmdLineUnix, inList},
	CmdLineWin:         {"CMD_LINE_WIN", bytesOf("^\"'\\", blanks, upper), cmdLineWin, inList},
	CompressWhiteSpace: {"COMPRESS_WHITE_SPACE", bytesOf(blanks, "\xa0"), compressWhiteSpace, inList},
	CSSDecode:          {"CSS_DECODE", bytesOf(`\`), cssDecode, inList},
	EscapeSeqDecode:    {"ESCAPE_SEQ_DECODE", bytesOf(`\`), escapeSeqDecode, inList},
	HexDecode:          {"HEX_DECODE", nil, hexDecode, inList},
	HTMLEntityDecode:   {"HTML_ENTITY_DECODE", bytesOf("&"), htmlEntityDecode, inList},
	JSDecode:           {"JS_DECODE", bytesOf(`\`), jsDecode, inList},
	JSDecodeExt:        {"JS_DECODE_EXT", bytesOf(`\`), jsDecodeExt, inList},
	Lowercase:          {"LOWERCASE", bytesOf(upper), lowercase, inList},
	MD5:                {"MD5", nil, md5Sum, inList},
	NormalizePath:      {"NORMALIZE_PATH", bytesOf("/."), normalizePath, inList},
	NormalizePathWin:   {"NORMALIZE_PATH_WIN", bytesOf(`/.\`), normalizePathWin, inList},
	RemoveCommentsChar: {"REMOVE_COMMENTS_CHAR", bytesOf("/*-#"), removeCommentsChar, inList},
	RemoveNulls:        {"REMOVE_NULLS", bytesOf("\x00"), removeNulls, inList},
	RemoveWhitespace:   {"REMOVE_WHITESPACE", bytesOf(blanks, "\xa0"), removeWhitespace, inList},
	ReplaceComments:    {"REPLACE_COMMENTS", bytesOf("/"), replaceComments, inList},
	ReplaceNulls:       {"REPLACE_NULLS", bytesOf("\x00"), replaceNulls, inList},
	SHA256:             {"SHA256", nil, sha256Sum, inList},
	SQLHexDecode:       {"SQL_HEX_DECODE", bytesOf("xX"), sqlHexDecode, inList},
	Trim:               {"TRIM", bytesOf(blanks), trim, inList},
	TrimLeft:           {"TRIM_LEFT", bytesOf(blanks), trimLeft, inList},
	TrimRight:          {"TRIM_RIGHT", bytesOf(blanks), trimRight, inList},
	Uppercase:          {"UPPERCASE", bytesOf(lower), uppercase, inList},
	URLDecode:          {"URL_DECODE", bytesOf("%+"), urlDecode, inList | inQuery},
	URLDecodeUni:       {"URL_DECODE_UNI", bytesOf("%+"), urlDecodeUni, inList | inQuery},
	UTF8ToUnicode:      {"UTF8_TO_UNICODE", notASCII(), utf8ToUnicode, inList},

	CombineDuplicateQueryArgsByComma: {
		"COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA", bytesOf("&"), combineDuplicateQueryArgs, inQuery},
	ReplaceSemicolonsWithAmpersands: {
		"REPLACE_SEMICOLONS_WITH_AMPERSANDS", bytesOf(";"), replaceSemicolons, inQuery},
}

// String returns WAFv2's name of k.
func (k Kind) String() string {
	if k >= kinds {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return forms[k].name
}

// ParseKind returns the transformation of a statement's TextTransformations that is called name.
func ParseKind(name string) (Kind, error) { return parse(name, inList) }

// ParseQueryKind returns the transformation of a field's PreParseTextTransformations that is called
// name. Its list is applied to the raw query string, before it is taken apart.
func ParseQueryKind(name string) (Kind, error) { return parse(name, inQuery) }

func parse(name string, p place) (Kind, error) {
	for k := range kinds {
		if forms[k].place&p != 0 && forms[k].name == name {
			return k, nil
		}
	}
	return None, fmt.Errorf("want a text transformation, got %.64q%s", name, nearest.Hint(name, names(p)))
}

func names(p place) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, f := range forms {
			if f.place&p != 0 && !yield(f.name) {
				return
			}
		}
	}
}

// set is a set of bytes.
type set [4]uint64

const (
	blanks = " \t\n\v\f\r"
	upper  = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	lower  = "abcdefghijklmnopqrstuvwxyz"
)

func bytesOf(texts ...string) *set {
	s := &set{}
	for _, text := range texts {
		for i := range len(text) {
			s[text[i]>>6] |= 1 << (text[i] & 63)
		}
	}
	return s
}

func notASCII() *set { return &set{2: ^uint64(0), 3: ^uint64(0)} }

func (s *set) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

// in reports whether a byte of the set is in text.
func (s *set) in(text []byte) bool {
	for _, c := range text {
		if s.has(c) {
			return true
		}
	}
	return false
}
