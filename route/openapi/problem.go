package openapi

import (
	"fmt"
	"strings"

	"github.com/gatekit-go/gatekit/route/definition"
)

// Error is a document that isn't imported.
type Error struct {
	// Message is the managed gateway's answer, with status 400: "Invalid OpenAPI input.", or lines
	// of errors and warnings.
	Message string
	// Errors and Warnings are the lines, each with its place in the document.
	Errors, Warnings []definition.Finding
}

// Error returns the message, and of a document that couldn't be read at all why.
func (e *Error) Error() string {
	text := "openapi: " + e.Message
	if e.Message == invalidInput {
		text += " (" + e.Errors[0].What + ")"
	}
	return text
}

const invalidInput = "Invalid OpenAPI input."

// invalid is the error about a document that is none of OpenAPI's.
func (r *reader) invalid(line int, format string, args ...any) *Error {
	return &Error{Message: invalidInput, Errors: []definition.Finding{{
		Severity: definition.Unsupported, API: r.o.id(), What: fmt.Sprintf(format, args...),
		Origin: definition.Origin{Template: r.o.File, Line: line},
	}}}
}

// fail notes an error of the import. Reading goes on, so that a person sees all of them.
func (r *reader) fail(at value, format string, args ...any) {
	r.errors = append(r.errors, r.finding(definition.Unsupported, at, "", "", fmt.Sprintf(format, args...)))
}

// warn notes a warning of the managed gateway's import.
func (r *reader) warn(at value, route, format string, args ...any) {
	r.warnings = append(r.warnings, r.finding(definition.Warning, at, route, "", fmt.Sprintf(format, args...)))
}

// note reports what the managed gateway passes over, or what is another thing here than there.
func (r *reader) note(s definition.Severity, at value, route, do, format string, args ...any) {
	r.notes = append(r.notes, r.finding(s, at, route, do, fmt.Sprintf(format, args...)))
}

func (r *reader) finding(s definition.Severity, at value, route, do, what string) definition.Finding {
	return definition.Finding{Severity: s, API: r.o.id(), Route: route, What: what, Do: do, Origin: r.origin(at)}
}

// refused returns what the import answers where it makes nothing. (The form is that of a public
// answer: aws-apigateway-importer, issue 202.)
func (r *reader) refused() error {
	switch {
	case len(r.errors) > 0:
		text := "Errors found during import:" + lines(r.errors)
		if len(r.warnings) > 0 {
			text += "\nAdditionally, these warnings were found:" + lines(r.warnings)
		}
		return &Error{Message: text, Errors: r.errors, Warnings: r.warnings}
	case len(r.warnings) > 0 && r.o.FailOnWarnings:
		return &Error{Message: "Warnings found during import:" + lines(r.warnings), Warnings: r.warnings}
	}
	return nil
}

func lines(all []definition.Finding) string {
	var b strings.Builder
	for _, f := range all {
		b.WriteString("\n\t")
		b.WriteString(f.What)
	}
	return b.String()
}
