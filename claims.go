package gatekit

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

// objectMember returns the value of the first member called name. object must be a valid JSON object: then no case below
// runs past its end. It finds a claim without decoding the others.
func objectMember(object []byte, name string) ([]byte, bool) {
	rest := skipSpace(object[1:])
	for len(rest) > 0 && rest[0] == '"' {
		n := valueLength(rest)
		key := rest[:n]
		rest = skipSpace(rest[n:])
		rest = skipSpace(rest[1:]) // the colon
		n = valueLength(rest)
		if keyIs(key, name) {
			return rest[:n], true
		}
		rest = skipSpace(rest[n:])
		if rest[0] == ',' {
			rest = skipSpace(rest[1:])
		}
	}
	return nil, false
}

func keyIs(quoted []byte, name string) bool {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1:len(quoted)-1]) == name
	}
	var key string
	return json.Unmarshal(quoted, &key) == nil && key == name
}

func skipSpace(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\n' || b[0] == '\t' || b[0] == '\r') {
		b = b[1:]
	}
	return b
}

// valueLength returns the length of the JSON value that b begins with.
func valueLength(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
		case ',', ':', ' ', '\t', '\r', '\n':
			continue
		default: // a number or a word: up to what ends it
			for i+1 < len(b) && strings.IndexByte(",:]} \t\r\n", b[i+1]) < 0 {
				i++
			}
		}
		if depth == 0 {
			return i + 1
		}
	}
	return len(b)
}

// claimText is the string form of a claim's value: strings as they are, numbers in full, booleans as words, an array's elements
// between [ and ] with a blank between them. An object keeps its JSON text, as no form of it has been recorded.
func claimText(raw []byte) (text string, ok bool) {
	switch raw[0] {
	case 'n':
		return "", false
	case '"':
		err := json.Unmarshal(raw, &text)
		return text, err == nil
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal(raw, &elements); err != nil {
			return "", false
		}
		texts := make([]string, len(elements))
		for i, e := range elements {
			if texts[i], ok = claimText(e); !ok {
				texts[i] = "<nil>"
			}
		}
		return "[" + strings.Join(texts, " ") + "]", true
	case '{':
		var b bytes.Buffer
		err := json.Compact(&b, raw)
		return b.String(), err == nil
	case 't', 'f':
		return string(raw), true
	}
	return numberText(string(raw)), true
}

// numberText writes a JSON number without an exponent where that is exact.
func numberText(literal string) string {
	if !strings.ContainsAny(literal, ".eE") {
		return literal
	}
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || math.Abs(f) >= 1e21 || (f != 0 && math.Abs(f) < 1e-7) {
		return literal
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// cognitoText is the string form of a claim behind a Cognito authorizer: exp and iat as dates, lists joined by commas. A list of objects
// keeps its JSON text, as identities does.
func cognitoText(name string, raw []byte) (text string, ok bool) {
	if name == "exp" || name == "iat" {
		if seconds, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return time.Unix(seconds, 0).UTC().Format("Mon Jan 02 15:04:05 UTC 2006"), true
		}
	}
	if raw[0] != '[' {
		return claimText(raw)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(raw, &elements); err != nil {
		return "", false
	}
	texts := make([]string, len(elements))
	for i, e := range elements {
		if e[0] == '{' || e[0] == '[' {
			var b bytes.Buffer
			err := json.Compact(&b, raw)
			return b.String(), err == nil
		}
		texts[i], _ = claimText(e)
	}
	return strings.Join(texts, ","), true
}
