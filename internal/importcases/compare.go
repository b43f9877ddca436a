package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// comparison collects the differences of one case.
type comparison struct {
	bound map[string]string // what placeholders stand for
	found []string
}

var placeholder = regexp.MustCompile(`<[A-Za-z?][A-Za-z0-9_.:? -]*>`)

func (c *comparison) differ(at, format string, args ...any) {
	c.found = append(c.found, at+": "+fmt.Sprintf(format, args...))
}

// names compares the names of two maps, or the texts of two lists, as sets. A name with a
// placeholder stands for one that nothing else stands for.
func (c *comparison) names(at string, want, got []string) {
	var free []string
	for _, name := range got {
		if !slices.Contains(want, name) {
			free = append(free, name)
		}
	}
	for _, name := range want {
		if slices.Contains(got, name) {
			continue
		}
		found := slices.IndexFunc(free, func(other string) bool { return c.text(name, other) })
		if found < 0 {
			c.differ(at, "want %q, which isn't there", name)
			continue
		}
		free = slices.Delete(free, found, found+1)
	}
	for _, name := range free {
		c.differ(at, "got %q, which isn't expected", name)
	}
}

// value compares what is expected with what there is. Members of got that aren't expected pass.
func (c *comparison) value(at string, want, got any) {
	if text, ok := got.(string); ok {
		if _, isText := want.(string); !isText {
			var decoded any // JSON text that the recorder has decoded
			if json.Unmarshal([]byte(text), &decoded) == nil && reflect.DeepEqual(want, decoded) {
				return
			}
		}
	}
	switch want := want.(type) {
	case map[string]any:
		members, ok := got.(map[string]any)
		if !ok {
			c.differ(at, "want %s, got %s", show(want), show(got))
			return
		}
		for _, name := range slices.Sorted(maps.Keys(want)) {
			c.value(at+"."+name, want[name], members[name])
		}
	case []any:
		want = slices.DeleteFunc(slices.Clone(want), func(v any) bool { return v == nil }) // said to be nothing
		elements, _ := got.([]any)
		if len(elements) != len(want) {
			c.differ(at, "want %s, got %s", show(want), show(got))
			return
		}
		if strings.HasSuffix(at, ".required") { // of a schema: a set, which the service sorts
			want, elements = byText(want), byText(elements)
		}
		for i := range want {
			c.value(fmt.Sprintf("%s[%d]", at, i), want[i], elements[i])
		}
	case string:
		if text, ok := got.(string); !ok || !c.text(want, text) {
			c.differ(at, "want %s, got %s", show(want), show(got))
		}
	default:
		if !reflect.DeepEqual(want, got) && !(want == false && got == nil) {
			c.differ(at, "want %s, got %s", show(want), show(got))
		}
	}
}

func byText(list []any) []any {
	return slices.SortedFunc(slices.Values(list), func(a, b any) int {
		return strings.Compare(fmt.Sprint(a),
			fmt.Sprint(b))
	})
}

// text matches a text with placeholders.
func (c *comparison) text(want, got string) bool {
	names := placeholder.FindAllStringIndex(want, -1)
	if want == got || len(names) == 0 {
		return want == got
	}
	var pattern strings.Builder
	var free []string
	end := 0
	for _, at := range names {
		pattern.WriteString(regexp.QuoteMeta(want[end:at[0]]))
		end = at[1]
		name := want[at[0]:at[1]]
		switch known, ok := c.bound[name]; {
		case ok:
			pattern.WriteString(regexp.QuoteMeta(known))
		default:
			pattern.WriteString("(.*?)")
			free = append(free, name)
		}
	}
	pattern.WriteString(regexp.QuoteMeta(want[end:]))
	match := regexp.MustCompile(`(?s)^` + pattern.String() + `$`).FindStringSubmatch(got)
	if match == nil {
		return false
	}
	for i, name := range free {
		if known, ok := c.bound[name]; ok && known != match[i+1] {
			return false
		}
		c.bound[name] = match[i+1]
	}
	return true
}

func show(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // for placeholders
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	text := strings.TrimSpace(b.String())
	if len(text) > 300 {
		return strings.ToValidUTF8(text[:300], "") + "…"
	}
	return text
}

// generic is v as encoding/json reads its JSON form.
func generic(v any) (out any) {
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		return err.Error()
	}
	return out
}
