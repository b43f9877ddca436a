package doctree

import (
	"math/big"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// words are the plain scalars that aren't text, as the types of YAML 1.1 spell them. Its y and n
// alone are left out: no library takes them for booleans, and they are names of axes.
var words = map[string]Kind{
	"": Null, "~": Null, "null": Null, "Null": Null, "NULL": Null,
	"true": Bool, "True": Bool, "TRUE": Bool, "false": Bool, "False": Bool, "FALSE": Bool,
	"yes": Bool, "Yes": Bool, "YES": Bool, "no": Bool, "No": Bool, "NO": Bool,
	"on": Bool, "On": Bool, "ON": Bool, "off": Bool, "Off": Bool, "OFF": Bool,
}

// number is a decimal number of YAML 1.1 without those to the base 60 and without octal ones.
// Digits behind a leading zero are text: an account number is what they are in documents of APIs.
var number = regexp.MustCompile(`^[-+]?(?:(?:0|[1-9][0-9_]*)(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$`)

// hex is the other form of integers that documents have; longer ones are text.
var hex = regexp.MustCompile(`^[-+]?0x[0-9a-fA-F_]{1,32}$`)

// meaning is what a scalar is and says.
func meaning(y *yaml.Node) (Kind, string) {
	const quoted = yaml.DoubleQuotedStyle | yaml.SingleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	value := y.Value
	if y.Style&quoted != 0 || y.Style&yaml.TaggedStyle != 0 && !resolvable(y.Tag) {
		return Text, value
	}
	switch kind, ok := words[value]; {
	case ok && kind == Bool:
		switch strings.ToLower(value) {
		case "true", "yes", "on":
			return Bool, "true"
		}
		return Bool, "false"
	case ok:
		return Null, ""
	case hex.MatchString(value):
		n, ok := new(big.Int).SetString(strings.ReplaceAll(value, "_", ""), 0)
		if !ok {
			return Text, value // 0x_
		}
		return Number, n.String()
	case number.MatchString(value):
		return Number, strings.ReplaceAll(value, "_", "")
	}
	return Text, value
}

// resolvable reports whether a tag says of a plain scalar no more than its spelling does.
func resolvable(tag string) bool {
	switch tag {
	case "!!int", "!!float", "!!bool", "!!null":
		return true
	}
	return false
}
