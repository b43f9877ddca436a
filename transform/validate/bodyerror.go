package validate

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// Bounds of what is said of an invalid body.
const (
	maxMistakes        = 10
	maxDescribedValues = 10_000 // how many values a body may hold for its mistakes to be collected
	maxDetailBytes     = 300
	maxValueBytes      = 100
	maxPointerBytes    = 300
)

// BodyError says why a body was refused. It may be used by several goroutines.
type BodyError struct {
	reason error // why it was refused without comparing it with its model, or nil
	model  *model
	value  any
	values int

	once     sync.Once
	mistakes []Mistake
}

// Mistake is a place where a body isn't what its model says.
type Mistake struct {
	// Pointer is the place, as a JSON Pointer in a URI fragment (RFC 6901, section 6):
	// "#/items/0/price", "#" for the whole body.
	Pointer string
	// Keyword is what the place is at odds with: "required", "type" …
	Keyword string
	// Detail says it in words. It may quote what the client sent.
	Detail string
}

// Error returns the places and keywords of the mistakes. It quotes no values of the body.
func (e *BodyError) Error() string {
	if e.reason != nil {
		return "validate: the body: " + e.reason.Error()
	}
	var b strings.Builder
	b.WriteString("validate: the body isn't what model " + e.model.name + " says")
	for i, m := range e.Mistakes() {
		separator := ", "
		if i == 0 {
			separator = ": "
		}
		fmt.Fprintf(&b, "%s%q %s", separator, m.Pointer, m.Keyword)
	}
	return b.String()
}

// Mistakes returns up to 10 places where the body isn't what its model says, ordered by pointer, in
// a list of its own. It is empty for a body that couldn't be decoded, and for one of more than
// 10,000 values. The first call looks for them.
func (e *BodyError) Mistakes() []Mistake {
	e.once.Do(func() {
		if e.reason == nil && e.values <= maxDescribedValues {
			e.mistakes = mistakesOf(e.model.schema.mistakes(e.value), e.value)
		}
		e.value = nil
	})
	return slices.Clone(e.mistakes)
}

// ValidationErrorString is $context.error.validationErrorString: the mistakes between brackets, in
// the wording of the validator that the managed gateway uses.
func (e *BodyError) ValidationErrorString() string {
	if e.reason != nil && !errors.Is(e.reason, errPatternBudget) {
		return "[Unknown error parsing request body]"
	}
	details := []string{}
	for _, m := range e.Mistakes() {
		details = append(details, m.Detail)
	}
	return "[" + strings.Join(details, ", ") + "]"
}

func mistakesOf(err *jsonschema.ValidationError, value any) []Mistake {
	if err == nil {
		return nil
	}
	var found []Mistake
	collect(err, value, &found)
	slices.SortFunc(found, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.Pointer, b.Pointer), cmp.Compare(a.Keyword, b.Keyword),
			cmp.Compare(a.Detail, b.Detail))
	})
	found = slices.Compact(found)
	return slices.Clone(found[:min(len(found), maxMistakes)])
}

// collect appends the mistakes below err. Those within anyOf and oneOf are left out: which
// alternative was meant isn't known.
func collect(err *jsonschema.ValidationError, value any, found *[]Mistake) {
	switch err.ErrorKind.(type) {
	case *kind.Schema, *kind.Group, *kind.Reference, *kind.AllOf, *kind.ContentSchema:
		for _, cause := range err.Causes {
			collect(cause, value, found)
		}
		return
	}
	keyword := "schema"
	if path := err.ErrorKind.KeywordPath(); len(path) > 0 {
		if keyword = path[0]; keyword == "dependency" {
			keyword = "dependencies" // as schemas have it
		}
	}
	text := detail(err)
	if k, ok := err.ErrorKind.(*kind.Type); ok {
		text = wrongType(k, at(value, err.InstanceLocation))
	}
	*found = append(*found, Mistake{pointer(err.InstanceLocation), keyword, cut(text, maxDetailBytes)})
}

// at is the value at a place, nil where there is none.
func at(value any, tokens []string) any {
	for _, token := range tokens {
		switch v := value.(type) {
		case map[string]any:
			value = v[token]
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		}
	}
	return value
}

// wrongType is the wording of the library for a value of another type: a number without fraction
// and exponent is an integer, and numbers include integers.
func wrongType(k *kind.Type, value any) string {
	got, want := k.Got, slices.Clone(k.Want)
	if n, ok := value.(json.Number); ok && !strings.ContainsAny(n.String(), ".eE") {
		got = "integer"
	}
	if slices.Contains(want, "number") && !slices.Contains(want, "integer") {
		want = append(want, "integer")
	}
	return fmt.Sprintf("instance type (%s) does not match any allowed primitive type (allowed: %s)", got, list(want))
}

func pointer(tokens []string) string {
	var b strings.Builder
	b.WriteByte('#')
	for _, token := range tokens {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~", "~0"), "/", "~1")
		b.WriteByte('/')
		b.WriteString(url.PathEscape(token))
		if b.Len() > maxPointerBytes {
			return cut(b.String(), maxPointerBytes)
		}
	}
	return b.String()
}

// cut cuts s to n bytes, and no character in two.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const ellipsis = "…"
	n -= len(ellipsis)
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + ellipsis
}

// detail is the wording of the Java library json-schema-validator, as far as its keywords go.
func detail(err *jsonschema.ValidationError) string {
	switch k := err.ErrorKind.(type) {
	case *kind.Required:
		return "object has missing required properties (" + list(k.Missing) + ")"
	case *kind.Enum:
		return fmt.Sprintf("instance value (%s) not found in enum (possible values: %s)", short(k.Got), short(k.Want))
	case *kind.Const:
		return fmt.Sprintf("instance value (%s) is not the one allowed (%s)", short(k.Got), short(k.Want))
	case *kind.AdditionalProperties:
		return "object instance has properties which are not allowed by the schema: " + list(k.Properties)
	case *kind.Minimum:
		return fmt.Sprintf("numeric instance is lower than the required minimum (minimum: %s, found: %s)",
			decimal(k.Want), decimal(k.Got))
	case *kind.Maximum:
		return fmt.Sprintf("numeric instance is greater than the required maximum (maximum: %s, found: %s)",
			decimal(k.Want), decimal(k.Got))
	case *kind.ExclusiveMinimum:
		return "numeric instance is not strictly greater than the required minimum " + decimal(k.Want)
	case *kind.ExclusiveMaximum:
		return "numeric instance is not strictly lower than the required maximum " + decimal(k.Want)
	case *kind.MultipleOf:
		return fmt.Sprintf("remainder of division is not zero (%s and %s)", decimal(k.Got), decimal(k.Want))
	case *kind.Pattern:
		return fmt.Sprintf("ECMA 262 regex %s does not match input string %s", quoted(k.Want), quoted(k.Got))
	case *kind.Format:
		return fmt.Sprintf("string %s is not a valid %s", short(k.Got), k.Want)
	case *kind.Dependency:
		return fmt.Sprintf("property %s of object has missing property dependencies: %s", quoted(k.Prop),
			list(k.Missing))
	case *kind.DependentRequired:
		return fmt.Sprintf("property %s of object has missing property dependencies: %s", quoted(k.Prop),
			list(k.Missing))
	case *kind.PropertyNames:
		return "property name " + quoted(k.Property) + " is not allowed"
	case *kind.AnyOf:
		return fmt.Sprintf("instance failed to match at least one required schema among %d", len(err.Causes))
	case *kind.OneOf:
		if len(k.Subschemas) == 0 {
			return fmt.Sprintf("instance failed to match exactly one schema (matched 0 out of %d)", len(err.Causes))
		}
		return "instance failed to match exactly one schema (matched several)"
	case *kind.Not:
		return "instance matched a schema which it should not have"
	case *kind.Contains, *kind.MinContains, *kind.MaxContains:
		return "array has not as many elements of a kind as required"
	case *kind.FalseSchema:
		return "instance is not allowed here"
	}
	return sizeDetail(err.ErrorKind)
}

// sizeDetail is the wording for what is too long or too short.
func sizeDetail(of jsonschema.ErrorKind) string {
	switch k := of.(type) {
	case *kind.MinLength:
		return fmt.Sprintf("string is too short (length: %d, required minimum: %d)", k.Got, k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("string is too long (length: %d, maximum allowed: %d)", k.Got, k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("array is too short: must have at least %d elements but instance has %d elements", k.Want,
			k.Got)
	case *kind.MaxItems:
		return fmt.Sprintf("array is too long: must have at most %d elements but instance has %d elements", k.Want,
			k.Got)
	case *kind.UniqueItems:
		return "array must not contain duplicate elements"
	case *kind.AdditionalItems:
		return fmt.Sprintf("array has %d elements which are not allowed by the schema", k.Count)
	case *kind.MinProperties:
		return fmt.Sprintf("object has too few properties (found %d but schema requires at least %d)", k.Got, k.Want)
	case *kind.MaxProperties:
		return fmt.Sprintf("object has too many properties (found %d but schema requires at most %d)", k.Got, k.Want)
	}
	return "instance is not allowed by the schema"
}

// list is names as a JSON array, sorted.
func list(names []string) string {
	sorted := slices.Sorted(slices.Values(names))
	rest := len(sorted) - maxMistakes
	if rest > 0 {
		sorted = sorted[:maxMistakes]
	}
	for i := range sorted {
		sorted[i] = quoted(sorted[i])
	}
	if rest > 0 {
		sorted = append(sorted, fmt.Sprintf("and %d more", rest))
	}
	return "[" + strings.Join(sorted, ",") + "]"
}

func quoted(s string) string { return strconv.Quote(cut(s, maxValueBytes)) }

// short is a value as JSON, cut.
func short(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return "…"
	}
	return cut(string(text), maxValueBytes)
}

func decimal(r *big.Rat) string {
	if r == nil {
		return "…"
	}
	if r.IsInt() {
		return cut(r.Num().String(), maxValueBytes)
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}
