package metering

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WriteJSON writes the report as JSON, with amounts as strings of six decimals.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return fmt.Errorf("metering: write the report: %w", err)
	}
	return nil
}

var csvHeader = []string{
	"month", "kind", "apiId", "stage", "routeKey", "apiKeyId", "calls", "free", "units", "bytesIn", "bytesOut", "cost",
}

// WriteCSV writes the rows as CSV (RFC 4180), with a header. A name that a spreadsheet would take
// for a formula has an apostrophe in front.
func (r *Report) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	_ = c.Write(csvHeader) // Error tells
	month := r.Month.Format("2006-01")
	for i := range r.Rows {
		row := &r.Rows[i]
		line := []string{month, row.Kind.String(), plain(row.API), plain(row.Stage), plain(row.Route), plain(row.Key)}
		for _, n := range [...]int64{row.Calls, row.Free, row.Units, row.BytesIn, row.BytesOut} {
			line = append(line, strconv.FormatInt(n, 10))
		}
		_ = c.Write(append(line, row.Cost.String()))
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return fmt.Errorf("metering: write the report: %w", err)
	}
	return nil
}

// plain keeps a spreadsheet from running s.
func plain(s string) string {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

// Handler serves the report of this month, or of the one that ?month=2026-01 names, as JSON, or as
// CSV with ?format=csv. It asks nobody who they are: it stands behind an authorizer, or on a
// listener of the operator's own.
func (c *Meter) Handler() http.Handler { return http.HandlerFunc(c.serve) }

func (c *Meter) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	report := c.Report()
	if month := q.Get("month"); month != "" {
		if report = c.ofMonth(month); report == nil {
			http.Error(w, "no such month is kept", http.StatusNotFound)
			return
		}
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch q.Get("format") {
	case "", "json":
		h.Set("Content-Type", "application/json")
		_ = report.WriteJSON(w) // a client that went away
	case "csv":
		h.Set("Content-Type", "text/csv; charset=utf-8")
		_ = report.WriteCSV(w)
	default:
		http.Error(w, "want format=json or format=csv", http.StatusBadRequest)
	}
}

func (c *Meter) ofMonth(name string) *Report {
	month, err := time.Parse("2006-01", name)
	if err != nil {
		return nil
	}
	for _, r := range c.Reports() {
		if r.Month.Equal(month) {
			return r
		}
	}
	return nil
}
