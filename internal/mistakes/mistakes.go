// Package mistakes collects what a constructor refuses, so that one error names every field that is
// wrong.
//
//	m := mistakes.In("auth: JWTConfig")
//	m.Require(cfg.Issuer != "", "Issuer", "want an https URL, got none")
//	mistakes.Range(m, "Leeway", cfg.Leeway, 0, maxLeeway)
//	m.Under("Retry").Require(cfg.Retry.Budget >= 0, "Budget", "want 0 or more, got %v", cfg.Retry.Budget)
//	if err := m.Err(); err != nil {
//		return nil, err
//	}
//
// Each mistake reads "auth: JWTConfig.Leeway: want 0s to 1m0s, got 5m0s": where, what would be
// right, what there is. The order is the one in which they were found, so a caller checks fields in
// the order in which they are documented.
package mistakes

import (
	"cmp"
	"errors"
	"fmt"
)

// Mistakes are what is wrong with one configuration, or with a part of one. Make it with [In]. It
// is for one goroutine.
type Mistakes struct {
	where string
	errs  *[]error // shared with the parts, so that one Err tells all
}

// In returns an empty list for what is named where: a package and its config ("auth: JWTConfig"),
// or a package alone ("route: Stage").
func In(where string) *Mistakes { return &Mistakes{where: where, errs: new([]error)} }

// Under returns the list for a field that has fields of its own: what is added to it is named
// "where.field.…" and belongs to m.
func (m *Mistakes) Under(field string) *Mistakes {
	return &Mistakes{where: m.where + "." + field, errs: m.errs}
}

// Index returns the list for an element of a slice: m.Under("Names").Index(2) speaks of
// "where.Names[2]".
func (m *Mistakes) Index(i int) *Mistakes {
	return &Mistakes{where: fmt.Sprintf("%s[%d]", m.where, i), errs: m.errs}
}

// Key returns the list for an element of a map: m.Under("Routes").Key("GET /") speaks of
// `where.Routes["GET /"]`.
func (m *Mistakes) Key(key string) *Mistakes {
	return &Mistakes{where: fmt.Sprintf("%s[%q]", m.where, key), errs: m.errs}
}

// Len returns how many mistakes there are so far, with those of the parts and of the whole: what
// can only be checked if all was right so far is checked if it hasn't grown.
func (m *Mistakes) Len() int { return len(*m.errs) }

// Add adds a mistake in a field; %w keeps a cause that callers may test for. An empty field speaks
// of the whole.
func (m *Mistakes) Add(field, format string, args ...any) {
	at := m.where
	if field != "" {
		at += "." + field
	}
	// In two steps, as the key of a map may hold percent signs, and so that go vet checks the
	// arguments of callers.
	*m.errs = append(*m.errs, fmt.Errorf("%s: %w", at, fmt.Errorf(format, args...)))
}

// Require adds the mistake unless ok.
func (m *Mistakes) Require(ok bool, field, format string, args ...any) {
	if !ok {
		m.Add(field, format, args...)
	}
}

// Join adds an error that names its place itself, such as the one of another constructor. It passes
// nil over.
func (m *Mistakes) Join(err error) {
	if err != nil {
		*m.errs = append(*m.errs, err)
	}
}

// Err returns nil, or one error that joins every mistake.
func (m *Mistakes) Err() error { return errors.Join(*m.errs...) }

// Range refuses a value outside least to most, both allowed. NaN is outside of every range, as it
// isn't between any two numbers.
func Range[T cmp.Ordered](m *Mistakes, field string, value, least, most T) {
	if !(value >= least && value <= most) {
		m.Add(field, "want %v to %v, got %v", least, most, value)
	}
}

// RangeOrZero is [Range] for a field whose zero value stands for its default.
func RangeOrZero[T cmp.Ordered](m *Mistakes, field string, value, least, most T) {
	var zero T
	if value != zero && !(value >= least && value <= most) {
		m.Add(field, "want %v, or %v to %v, got %v", zero, least, most, value)
	}
}

// AtLeast refuses a value below least, and NaN.
func AtLeast[T cmp.Ordered](m *Mistakes, field string, value, least T) {
	if !(value >= least) {
		m.Add(field, "want %v or more, got %v", least, value)
	}
}
