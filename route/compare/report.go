package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
)

// Difference is the first of its kind. Kinds are told apart by what differs: by route the status of
// either side and the body's members, and over all routes the headers.
type Difference struct {
	// Route is the route's key at the gateway, "" where none was found.
	Route string
	// What differs: "status", "header Content-Type", "body .items[].price", or "body" where one of
	// the two isn't JSON.
	What string
	// Gateway and Remote are what each said, as far as it may be told.
	Gateway, Remote string
	// Request is method and path of the first, and Line its line in the log.
	Request string
	Line    int
	// Count is how many requests had a difference of this kind.
	Count int
}

// String is the difference in one line.
func (d Difference) String() string {
	return fmt.Sprintf("line %d: %s (%s): %s: %s at the gateway, %s at the remote",
		d.Line, d.Request, cmp.Or(d.Route, "no route"), d.What, d.Gateway, d.Remote)
}

// Skipped are lines of the log that weren't compared.
type Skipped struct {
	// Why they weren't, for how many, and the first of them.
	Why   string
	Count int
	Line  int
}

// Report is what a comparison found.
type Report struct {
	// Sent is how many requests both have answered, and Same how many of these alike.
	Sent, Same int
	// Differences are in the order in which they were found.
	Differences []Difference
	// More is how many were found after the report was full, which it is with 500 kinds.
	More int
	// Skipped are in the order in which they were found.
	Skipped []Skipped
	// Stopped is the line of the log at which Config.MaxRequests ended it, or 0.
	Stopped int

	kinds map[string]int // the places in Differences
}

const maxKinds = 500

func newReport() *Report { return &Report{kinds: map[string]int{}} }

// add counts a difference, and reports whether it is the first of its kind.
func (r *Report) add(f found) bool {
	if i, ok := r.kinds[f.kind]; ok {
		r.Differences[i].Count++
		return false
	}
	if len(r.Differences) == maxKinds {
		r.More++
		return false
	}
	r.kinds[f.kind] = len(r.Differences)
	r.Differences = append(r.Differences, f.Difference)
	return true
}

func (r *Report) skip(why string, line int) {
	i := slices.IndexFunc(r.Skipped, func(s Skipped) bool { return s.Why == why })
	if i < 0 {
		r.Skipped = append(r.Skipped, Skipped{Why: why, Line: line})
		i = len(r.Skipped) - 1
	}
	r.Skipped[i].Count++
	r.Skipped[i].Line = min(r.Skipped[i].Line, line)
}

// String is the report as a table. What the two sides said is in [Difference.String].
func (r *Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests answered by both, %d alike, %d not\n", r.Sent, r.Same, r.Sent-r.Same)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	if len(r.Differences) > 0 {
		fmt.Fprint(w, "\nCOUNT\tDIFFERENT\tROUTE\tFIRST\n")
	}
	for _, d := range r.Differences {
		what := d.What
		if what == "status" {
			what += " " + d.Gateway + ", " + d.Remote
		}
		fmt.Fprintf(w, "%d\t%s\t%s\tline %d\n", d.Count, what, cmp.Or(d.Route, "-"), d.Line)
	}
	if r.More > 0 {
		fmt.Fprintf(w, "%d\tof other kinds\t\t\n", r.More)
	}
	if len(r.Skipped) > 0 {
		fmt.Fprint(w, "\nCOUNT\tNOT COMPARED\tFIRST\n")
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "%d\t%s\tline %d\n", s.Count, s.Why, s.Line)
	}
	_ = w.Flush() // a strings.Builder never fails
	if r.Stopped > 0 {
		fmt.Fprintf(&b, "\nended at line %d of the log, as many requests were sent as may be\n", r.Stopped)
	}
	return b.String()
}
