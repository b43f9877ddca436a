package definition

import (
	"cmp"
	"fmt"
	"strings"
)

// Origin is where an element of a document comes from, for people who have to change it there.
type Origin struct {
	// Template is the file or the stack.
	Template string `json:"template,omitempty"`
	// LogicalID is the resource's.
	LogicalID string `json:"logical_id,omitempty"`
	// Path is the place in the template or OpenAPI document, as a JSON Pointer.
	Path string `json:"path,omitempty"`
	// Line is 1 for the first; 0 is unknown.
	Line int `json:"line,omitempty"`
}

// String returns "template:line LogicalID /path", as far as it is known.
func (o Origin) String() string {
	at := o.Template
	switch {
	case o.Line > 0 && at != "":
		at = fmt.Sprintf("%s:%d", at, o.Line)
	case o.Line > 0:
		at = fmt.Sprintf("line:%d", o.Line)
	}
	return strings.Join(strings.Fields(at+" "+o.LogicalID+" "+o.Path), " ")
}

// or returns o with what it lacks taken from outer, the origin of what it is a part of. A path and
// a line belong together, and to their resource.
func (o Origin) or(outer Origin) Origin {
	if o.LogicalID == "" && o.Path == "" && o.Line == 0 {
		o.Path, o.Line = outer.Path, outer.Line
	}
	o.Template = cmp.Or(o.Template, outer.Template)
	o.LogicalID = cmp.Or(o.LogicalID, outer.LogicalID)
	return o
}

// Severity is what a [Finding] means.
type Severity string

// The severities, in the order in which a report lists them.
const (
	// Unprotected is what the source means to protect, as far as its words can be read that way,
	// and doesn't on the managed gateway, nor here: a security scheme without an authorizer.
	Unprotected Severity = "unprotected"
	// Unsupported is what isn't served: its routes refuse.
	Unsupported Severity = "unsupported"
	// Unbound is what the document refers to and [Bindings] lack.
	Unbound Severity = "unbound"
	// UnknownValue is a value that only a deployment knows.
	UnknownValue Severity = "unknown value"
	// Differs is what is served, but not alike.
	Differs Severity = "differs"
	// Warning is what the managed gateway's import warns of, or what is likely a mistake.
	Warning Severity = "warning"
	// UnusedBinding is a binding that nothing in the document is for.
	UnusedBinding Severity = "binding without use"
	// Ignored has no effect on answers. Reports leave it out unless asked.
	Ignored Severity = "ignored"
)

// severities in the order of a report.
var severities = []Severity{Unprotected, Unsupported, Unbound, UnknownValue, Differs, Warning, UnusedBinding, Ignored}

// Finding is one thing that a person should know of a document before it is served.
type Finding struct {
	// Severity is what it means for who is served.
	Severity Severity `json:"severity"`
	// API is the [API].ID, and Route the route key or other part of it that it is about; both may
	// be empty.
	API   string `json:"api,omitempty"`
	Route string `json:"route,omitempty"`
	// What is the matter, in one line.
	What string `json:"what"`
	// Do is what the person can do about it.
	Do     string `json:"do,omitempty"`
	Origin Origin `json:"origin,omitzero"`
}

// The marks around the name of an unknown value. They are in no ARN, URL, template or policy.
const (
	unknownBegin = "⟨unknown: "
	unknownEnd   = "⟩"
)

// Unknown returns the text that stands in a document for a value that only a deployment knows, such
// as an attribute of a custom resource. It may be part of a longer text. What depends on it is
// refused when it is built, and reported by its name: "Custom::Lookup.Attr", "parameter
// DomainName".
func Unknown(name string) string {
	return unknownBegin + strings.NewReplacer("⟨", "", "⟩", "").Replace(name) + unknownEnd
}

// UnknownIn returns the name of the first unknown value in a text.
func UnknownIn(text string) (name string, ok bool) {
	_, rest, found := strings.Cut(text, unknownBegin)
	if !found {
		return "", false
	}
	name, _, ok = strings.Cut(rest, unknownEnd)
	return name, ok
}
