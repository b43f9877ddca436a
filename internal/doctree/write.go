package doctree

import (
	"regexp"
	"strings"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

var jsonNumber = regexp.MustCompile(`^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?$`)

// AppendJSON appends the node as JSON text without blanks, members in the document's order.
func (n *Node) AppendJSON(dst []byte) []byte {
	switch {
	case n == nil || n.Kind == Null:
		return append(dst, "null"...)
	case n.Kind == Bool:
		return append(dst, n.Text...)
	case n.Kind == Number:
		return append(dst, jsonForm(n.Text)...)
	case n.Kind == Text:
		return jsonlex.AppendString(dst, n.Text)
	case n.Kind == List:
		dst = append(dst, '[')
		for i, item := range n.Items {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = item.AppendJSON(dst)
		}
		return append(dst, ']')
	}
	dst = append(dst, '{')
	for i, m := range n.Members {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(jsonlex.AppendString(dst, m.Name), ':')
		dst = m.Value.AppendJSON(dst)
	}
	return append(dst, '}')
}

// jsonForm spells a number of YAML as JSON does: +1, .5 and 1. have other forms there.
func jsonForm(text string) string {
	if jsonNumber.MatchString(text) {
		return text
	}
	text, negative := strings.CutPrefix(strings.TrimPrefix(text, "+"), "-")
	mantissa, exponent, has := strings.Cut(strings.ReplaceAll(text, "E", "e"), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if has {
		whole += "e" + exponent
	}
	if negative {
		whole = "-" + whole
	}
	return whole
}
