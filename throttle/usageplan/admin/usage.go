package admin

import (
	"context"
	"encoding/csv"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

func (a *admin) usage(r *http.Request) (any, error) {
	after, limit, err := position(r)
	if err != nil {
		return nil, err
	}
	q := r.URL.Query()
	query := usageplan.UsageQuery{Key: q.Get("keyId"), After: after, Limit: limit}
	for _, field := range []struct {
		name string
		date *usageplan.Date
	}{{"startDate", &query.From}, {"endDate", &query.To}} {
		if *field.date, err = usageplan.ParseDate(q.Get(field.name)); err != nil {
			return nil, bad(field.name + ": want a date such as 2026-01-31")
		}
	}
	asCSV := q.Get("format") == "csv"
	if asCSV {
		query.Limit = maxPage
	}
	u, err := a.g.Usage(r.Context(), r.PathValue("id"), query)
	if err == nil && asCSV {
		return &csvUsage{r.Context(), a.g, query, u}, nil
	}
	return u, err
}

// setRemaining is "UpdateUsage" of the API reference.
func (a *admin) setRemaining(r *http.Request) (any, error) {
	in, err := decode[[]patch](r)
	if err != nil {
		return nil, err
	}
	if len(in) != 1 || in[0].Op != "replace" || in[0].Path != "/remaining" {
		return nil, bad("want one operation: replace of /remaining")
	}
	units, err := strconv.ParseInt(in[0].Value, 10, 64)
	if err != nil {
		return nil, bad("value: want a number of units")
	}
	if err := a.g.SetRemaining(r.Context(), r.PathValue("id"), r.PathValue("key"), units); err != nil {
		return nil, err
	}
	s, err := a.g.Quota(r.Context(), r.PathValue("id"), r.PathValue("key"))
	return map[string]any{"used": s.Used, "remaining": s.Remaining, "resets": s.Resets}, err
}

// csvUsage is a usage report as lines, of all keys. It is written as it is read, a part at a time,
// so that a report of a million keys takes no more memory than one of 500. It has IDs, dates and
// numbers, which no spreadsheet takes for a formula.
type csvUsage struct {
	ctx   context.Context // of the request that is being answered
	g     *usageplan.Registry
	query usageplan.UsageQuery
	first usageplan.Usage
}

func (u *csvUsage) write(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"keyId", "date", "used", "remaining"})
	for part := u.first; ; {
		for _, id := range slices.Sorted(maps.Keys(part.Values)) {
			for i, day := range part.Values[id] {
				date := (u.query.From + usageplan.Date(i)).String()
				_ = out.Write([]string{id, date, strconv.FormatInt(day[0], 10), strconv.FormatInt(day[1], 10)})
			}
		}
		out.Flush()
		if part.Position == nil || out.Error() != nil {
			return out.Error()
		}
		u.query.After = *part.Position
		var err error
		if part, err = u.g.Usage(u.ctx, u.first.UsagePlanID, u.query); err != nil {
			return err
		}
	}
}
