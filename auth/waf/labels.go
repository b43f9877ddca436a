package waf

import (
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// maxLabelKey bounds the keys of label statements.
const maxLabelKey = 1024

// reserved are words that no label of one's own may have among its components.
var reserved = map[string]bool{
	"awswaf": true, "aws": true, "waf": true, "rulegroup": true, "webacl": true,
	"regexpatternset": true, "ipset": true, "managed": true,
}

// checkLabel refuses a label of one's own that WAFv2 does.
func checkLabel(m *mistakes.Mistakes, name string) {
	parts := strings.Split(name, ":")
	m.Require(len(parts) <= 6, "Name", "want at most 5 namespaces and a name, got %.200q", name)
	for _, part := range parts {
		m.Require(part != "" && len(part) <= 128 && !strings.ContainsFunc(part, notOfLabel), "Name",
			"want parts of 1 to 128 letters, digits, _ and -, with colons between them, got %.200q", name)
		m.Require(!reserved[part], "Name", "want no part called %q, which is reserved, got %.200q", part, name)
	}
}

func notOfLabel(c rune) bool {
	return c >= 0x80 || !ofWord(byte(c)) && c != '-'
}

// labelMatch looks for a label.
type labelMatch struct {
	prefix    string // of the labels of the rule's own ACL or group; "" with a full key
	key       string
	namespace bool
}

func compileLabelMatch(m *mistakes.Mistakes, from *LabelMatchStatement, own string) evaluator {
	to := &labelMatch{prefix: own, key: from.Key, namespace: from.Scope == "NAMESPACE"}
	m.Require(to.namespace || from.Scope == "LABEL", "Scope", "want LABEL or NAMESPACE, got %q", from.Scope)
	checkKey(m, "Key", from.Key, to.namespace)
	if strings.HasPrefix(from.Key, "awswaf:") {
		to.prefix = ""
	}
	return to
}

func checkKey(m *mistakes.Mistakes, field, key string, namespace bool) {
	m.Require(key != "" && len(key) <= maxLabelKey &&
		!strings.ContainsFunc(key, func(c rune) bool { return c != ':' && notOfLabel(c) }),
		field, "want 1 to %d letters, digits, _, - and colons, got %.200q", maxLabelKey, key)
	m.Require(key == "" || namespace == strings.HasSuffix(key, ":"), field,
		"want a colon at the end of a namespace, and none at the end of a label, got %.200q", key)
}

func (l *labelMatch) eval(s *state) truth {
	return truthOf(slices.ContainsFunc(s.labels, l.matches))
}

// matches reports whether the key is the end of the label, or a run of its namespaces, in whole
// components. A full key is the whole label, or its beginning.
func (l *labelMatch) matches(label string) bool {
	rest, ok := strings.CutPrefix(label, l.prefix)
	switch {
	case !ok:
		return false
	case l.namespace: // the label's own name has no colon behind it, as the key has
		return strings.HasPrefix(rest, l.key) || l.prefix != "" && containsRun(rest, l.key)
	case l.prefix == "":
		return label == l.key
	}
	return strings.HasSuffix(rest, l.key) && (len(rest) == len(l.key) || rest[len(rest)-len(l.key)-1] == ':')
}

// containsRun reports whether run, whole components, stands behind a colon of text.
func containsRun(text, run string) bool {
	for i := strings.IndexByte(text, ':'); i >= 0; {
		if text = text[i+1:]; strings.HasPrefix(text, run) {
			return true
		}
		i = strings.IndexByte(text, ':')
	}
	return false
}
