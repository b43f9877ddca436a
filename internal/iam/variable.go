package iam

import (
	"errors"
	"fmt"
	"strings"
)

// variable is ${key} or ${key, 'default'} in a policy of version 2012-10-17. (IAM user guide, "IAM
// policy elements: Variables and tags".)
type variable struct {
	key        Key
	fallback   string
	hasDefault bool
}

// parseVariable reads the variable that text begins with and returns its length. ${*}, ${?} and
// ${$} are plain characters, and v is nil.
func parseVariable(text string) (v *variable, plain byte, n int, err error) {
	end := strings.IndexByte(text, '}')
	if end < 0 {
		return nil, 0, 0, errors.New("want } after ${")
	}
	name, n := text[2:end], end+1
	if name == "*" || name == "?" || name == "$" {
		return nil, name[0], n, nil
	}
	v = &variable{}
	if key, fallback, ok := strings.Cut(name, ","); ok {
		quoted := strings.TrimLeft(fallback, " ")
		if len(quoted) < 2 || quoted[0] != '\'' || quoted[len(quoted)-1] != '\'' ||
			strings.Contains(quoted[1:len(quoted)-1], "'") {
			return nil, 0, 0, fmt.Errorf("want ${key, 'default'}, got ${%s}", name)
		}
		name, v.fallback, v.hasDefault = strings.TrimRight(key, " "), quoted[1:len(quoted)-1], true
	}
	if v.key, err = ParseKey(name); err != nil {
		return nil, 0, 0, err
	}
	if v.key.multiValued() {
		return nil, 0, 0, fmt.Errorf("want a key with one value in ${…}, got %s", name)
	}
	return v, 0, n, nil
}

// value returns what the variable stands for in r. Without the key and without a default there is
// nothing, and a pattern with it matches nothing: an empty text in its place would make
// "home/${aws:username}*" everybody's home.
func (v *variable) value(r *Request) (string, bool) {
	if value, ok := r.text(v.key); ok {
		return value, true
	}
	return v.fallback, v.hasDefault
}
