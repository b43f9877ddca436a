package definition

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Report says what a person should know of a document before it is served, and which of its routes
// are. Each route of the document is in Routes once.
type Report struct {
	// Findings are sorted: by severity, then by API and route.
	Findings []Finding
	// Routes are sorted by API and key.
	Routes []RouteReport
}

// RouteReport is what becomes of one route.
type RouteReport struct {
	// API is the [API].ID, Route the key.
	API, Route string
	// Served is false where the route refuses every request, or can't be reached, and Why says why:
	// it is the What of one of the findings.
	Served bool
	Why    string
}

// Served returns how many routes are served, and how many there are.
func (r *Report) Served() (served, all int) {
	for _, route := range r.Routes {
		if route.Served {
			served++
		}
	}
	return served, len(r.Routes)
}

// Of returns the findings of one of these severities.
func (r *Report) Of(severities ...Severity) (found []Finding) {
	for _, f := range r.Findings {
		if slices.Contains(severities, f.Severity) {
			found = append(found, f)
		}
	}
	return found
}

// String returns the report as a table, without what is ignored: what is the matter, and below it
// what to do.
func (r *Report) String() string {
	var b strings.Builder
	served, all := r.Served()
	fmt.Fprintf(&b, "%d of %d routes served\n", served, all)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	shown := r.Of(severities[:len(severities)-1]...)
	if len(shown) > 0 {
		fmt.Fprintln(w, "\nSEVERITY\tAPI\tROUTE\tWHERE\tWHAT")
	}
	for _, f := range shown {
		row := []string{string(f.Severity), f.API, f.Route, f.Origin.String(), f.What}
		for i, cell := range row {
			row[i] = cmp.Or(oneLine(cell), "-")
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
		if f.Do != "" {
			fmt.Fprintln(w, "\t\t\t\t→ "+oneLine(f.Do))
		}
	}
	_ = w.Flush() // a strings.Builder never fails
	return b.String()
}

const maxCell = 300

// oneLine keeps what a document says from breaking the table, or a terminal.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c <= ' ' || c == 0x7f }), " ")
	if len(text) > maxCell {
		text = strings.ToValidUTF8(text[:maxCell], "") + "…"
	}
	return text
}

// err is what [Bindings].Strict and NoDifferences make of the report.
func (r *Report) err(strict, noDifferences bool) error {
	var refused []Severity
	if strict {
		refused = append(refused, Unprotected, Unsupported, Unbound, UnknownValue)
	}
	if noDifferences {
		refused = append(refused, Differs)
	}
	found := r.Of(refused...)
	if len(found) == 0 {
		return nil
	}
	return &ReportError{Report: *r, Refused: found}
}

// ReportError is what [Build] returns where [Bindings].Strict or NoDifferences refuse the document.
type ReportError struct {
	// Report is the whole, and Refused what of it is the reason.
	Report  Report
	Refused []Finding
}

// Error returns what was refused, as a table.
func (e *ReportError) Error() string {
	only := Report{Findings: e.Refused, Routes: e.Report.Routes}
	return "definition: Bindings.Strict or NoDifferences refuses the document: " + only.String()
}

// reporting collects findings while a document is built.
type reporting struct {
	findings []Finding
	seen     map[[4]string]bool
}

// add adds a finding, once: stages of one API find the same.
func (r *reporting) add(f Finding) {
	at := [4]string{string(f.Severity), f.API, f.Route, f.What}
	if r.seen[at] {
		return
	}
	if r.seen == nil {
		r.seen = map[[4]string]bool{}
	}
	r.seen[at] = true
	r.findings = append(r.findings, f)
}

// sorted returns the findings in the order of a report.
func (r *reporting) sorted() []Finding {
	slices.SortStableFunc(r.findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(severities, a.Severity)-slices.Index(severities, b.Severity),
			cmp.Compare(a.API, b.API), cmp.Compare(a.Route, b.Route))
	})
	return r.findings
}

// problem is why a part of a document can't be served as it is meant. It is an error, for the log
// of what is refused because of it.
type problem struct {
	severity Severity
	what, do string
	origin   Origin
}

func (p *problem) Error() string { return "definition: " + p.what }

// correctIt is what a person can do about what no Gateway would take.
const correctIt = "correct it in the document"

func unsupportedf(do, format string, args ...any) *problem {
	return &problem{severity: Unsupported, what: fmt.Sprintf(format, args...), do: do}
}

func unboundf(do, format string, args ...any) *problem {
	return &problem{severity: Unbound, what: fmt.Sprintf(format, args...), do: do}
}

// unknownValue is the problem of a part that depends on a value that only a deployment knows.
func unknownValue(what, name string) *problem {
	return &problem{severity: UnknownValue, what: fmt.Sprintf("%s depends on %s", what, name),
		do: fmt.Sprintf("bind Bindings.Parameters[%q]", name)}
}

// at returns the problem with an origin, unless it has a better one.
func (p *problem) at(o Origin) *problem {
	if p == nil {
		return nil
	}
	q := *p
	q.origin = p.origin.or(o)
	return &q
}
