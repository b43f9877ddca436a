package gatekit

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// String returns the explanation as a table for people: what came of the request and which station
// decided it, and a line for each note.
func (e *Explanation) String() string {
	var b strings.Builder
	b.WriteString(e.summary())
	b.WriteByte('\n')
	if e.RequestID != "" {
		fmt.Fprintf(&b, "request %s", e.RequestID)
		if e.APIID != "" {
			fmt.Fprintf(&b, " to API %s", e.APIID)
		}
		fmt.Fprintf(&b, " at %s, took %v\n", e.Time.UTC().Format(time.RFC3339Nano), e.Took)
	}
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for i := range e.Notes {
		n := &e.Notes[i]
		line := fmt.Sprintf("%3d %s\t%s\t%s", i+1, n.Phase, n.Verdict, n.Rule)
		if details := n.details(); details != "" {
			line += "\t" + details
		}
		fmt.Fprintln(table, strings.TrimRight(line, "\t "))
	}
	_ = table.Flush() // a strings.Builder takes all
	if e.Dropped > 0 {
		fmt.Fprintf(&b, "and %d more, for which there was no room\n", e.Dropped)
	}
	return b.String()
}

// summary is the explanation in a line: `GET /orders/{id} of stage prod: 429, refused by throttle
// "stage": the bucket has no token left`.
func (e *Explanation) summary() string {
	var b strings.Builder
	if e.RouteKey != "" {
		b.WriteString(e.RouteKey)
	} else {
		b.WriteString(e.Method + " without a route")
	}
	if e.Stage != "" {
		b.WriteString(" of stage " + e.Stage)
	}
	b.WriteString(": ")
	decisive := e.decisive()
	switch {
	case e.Status != 0:
		b.WriteString(strconv.Itoa(e.Status))
	case decisive == nil:
		b.WriteString("passed")
	}
	if decisive == nil {
		return b.String()
	}
	if e.Status != 0 {
		b.WriteString(", ")
	}
	fmt.Fprintf(&b, "%s by %s", decisive.Verdict, decisive.Phase)
	if decisive.Rule != "" {
		fmt.Fprintf(&b, " %q", decisive.Rule)
	}
	if decisive.Reason != "" {
		b.WriteString(": " + decisive.Reason)
	} else if decisive.Err != nil {
		b.WriteString(": " + decisive.Err.Error())
	}
	return b.String()
}

// details is what a note says beside phase, verdict and rule.
func (n *Note) details() string {
	var room [8]string
	all := room[:0]
	if n.Status != 0 {
		all = append(all, strconv.Itoa(n.Status))
	}
	if n.Limited {
		all = append(all, strconv.FormatInt(n.Left, 10)+" left")
	}
	if n.Took != 0 {
		all = append(all, n.Took.String())
	}
	if n.Reason != "" {
		all = append(all, n.Reason)
	}
	if n.Err != nil && n.Err.Error() != n.Reason {
		all = append(all, n.Err.Error())
	}
	if n.RequestID != "" {
		all = append(all, "its request "+n.RequestID)
	}
	return strings.Join(all, "; ")
}

// LogValue implements slog.LogValuer: a group with what the request was, and each note as one
// attribute under its number and phase, "2 throttle", in a group of their own.
func (e *Explanation) LogValue() slog.Value {
	attrs := make([]slog.Attr, 0, 9)
	add := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	add("request", e.RequestID)
	add("api", e.APIID)
	add("stage", e.Stage)
	add("route", e.RouteKey)
	add("method", e.Method)
	if e.Status != 0 {
		attrs = append(attrs, slog.Int("status", e.Status))
	}
	attrs = append(attrs, slog.Duration("took", e.Took))
	notes := make([]any, 0, len(e.Notes))
	for i := range e.Notes {
		n := &e.Notes[i]
		text := n.Verdict.String()
		for _, more := range [...]string{n.Rule, n.details()} {
			if more != "" {
				text += "; " + more
			}
		}
		notes = append(notes, slog.String(strconv.Itoa(i+1)+" "+n.Phase.String(), text))
	}
	attrs = append(attrs, slog.Group("notes", notes...))
	if e.Dropped > 0 {
		attrs = append(attrs, slog.Int("dropped", e.Dropped))
	}
	return slog.GroupValue(attrs...)
}

// MarshalJSON implements json.Marshaler. What is empty is left out, and times are nanoseconds.
func (e *Explanation) MarshalJSON() ([]byte, error) {
	type note struct {
		Phase     string        `json:"phase"`
		Verdict   string        `json:"verdict"`
		Rule      string        `json:"rule,omitempty"`
		Reason    string        `json:"reason,omitempty"`
		Error     string        `json:"error,omitempty"`
		Status    int           `json:"status,omitempty"`
		RequestID string        `json:"requestId,omitempty"`
		Left      *int64        `json:"left,omitempty"`
		Took      time.Duration `json:"tookNanos,omitempty"`
	}
	notes := make([]note, 0, len(e.Notes))
	for _, n := range e.Notes {
		one := note{Phase: n.Phase.String(), Verdict: n.Verdict.String(), Rule: n.Rule, Reason: n.Reason,
			Status: n.Status, RequestID: n.RequestID, Took: n.Took}
		if n.Err != nil {
			one.Error = n.Err.Error()
		}
		if n.Limited {
			one.Left = &n.Left
		}
		notes = append(notes, one)
	}
	return json.Marshal(struct {
		Time      time.Time     `json:"time"`
		Took      time.Duration `json:"tookNanos"`
		RequestID string        `json:"requestId,omitempty"`
		APIID     string        `json:"apiId,omitempty"`
		Stage     string        `json:"stage,omitempty"`
		RouteKey  string        `json:"routeKey,omitempty"`
		Method    string        `json:"method"`
		Status    int           `json:"status,omitempty"`
		Notes     []note        `json:"notes"`
		Dropped   int           `json:"dropped,omitempty"`
	}{e.Time.UTC(), e.Took, e.RequestID, e.APIID, e.Stage, e.RouteKey, e.Method, e.Status, notes, e.Dropped})
}
