package usageplan

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
)

// Admin returns a handler that administers g. It asks nobody who they are: mount it behind an authorizer.
//
// Paths and JSON are near to the managed gateway's control API, below where the handler is mounted (use http.StripPrefix):
//
//	POST   /apikeys                        make a key {"name", "description", "customerId", "enabled", "value"}; the answer alone has its value
//	POST   /apikeys?mode=import&format=csv import keys from a file; failonwarnings=true imports all or none
//	GET    /apikeys                        list keys; limit, position
//	GET    /apikeys/{id}                   a key
//	PATCH  /apikeys/{id}                   [{"op":"replace","path":"/enabled","value":"false"}]; /name, /description, /customerId
//	DELETE /apikeys/{id}
//	POST   /apikeys/{id}/rotate            a new value; the old one goes on for overlap=24h, or until the next
//	POST   /apikeys/{id}/retire            only the newest value counts
//	POST   /usageplans                     make a plan
//	GET    /usageplans                     list plans; limit, position
//	GET    /usageplans/{id}
//	PUT    /usageplans/{id}                replace a plan
//	DELETE /usageplans/{id}
//	POST   /usageplans/{id}/keys           put a key in {"keyId", "keyType":"API_KEY"}
//	GET    /usageplans/{id}/keys
//	DELETE /usageplans/{id}/keys/{key}
//	GET    /usageplans/{id}/usage          startDate, endDate, keyId, limit, position; format=csv
//	PATCH  /usageplans/{id}/keys/{key}/usage  [{"op":"replace","path":"/remaining","value":"10"}]
func Admin(g *Registry) http.Handler {
	a := &admin{g}
	m := http.NewServeMux()
	for pattern, f := range map[string]func(*http.Request) (status int, answer any, err error){
		"POST /apikeys":                           a.createKey,
		"GET /apikeys":                            a.listKeys,
		"GET /apikeys/{id}":                       a.key,
		"PATCH /apikeys/{id}":                     a.patchKey,
		"DELETE /apikeys/{id}":                    a.deleteKey,
		"POST /apikeys/{id}/rotate":               a.rotateKey,
		"POST /apikeys/{id}/retire":               a.retireKey,
		"POST /usageplans":                        a.createPlan,
		"GET /usageplans":                         a.listPlans,
		"GET /usageplans/{id}":                    a.plan,
		"PUT /usageplans/{id}":                    a.putPlan,
		"DELETE /usageplans/{id}":                 a.deletePlan,
		"POST /usageplans/{id}/keys":              a.addKey,
		"GET /usageplans/{id}/keys":               a.planKeys,
		"DELETE /usageplans/{id}/keys/{key}":      a.removeKey,
		"GET /usageplans/{id}/usage":              a.usage,
		"PATCH /usageplans/{id}/keys/{key}/usage": a.setRemaining,
	} {
		m.Handle(pattern, adminHandler(f))
	}
	return m
}

type admin struct{ g *Registry }

const (
	maxAdminBody  = 10 << 20 // of a file of keys
	maxAdminJSON  = 2 << 20  // no record is larger than half of that
	maxAdminPage  = 500
	adminPageSize = 25
)

// adminHandler answers in JSON, errors as {"message": …}.
func adminHandler(f func(*http.Request) (int, any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxAdminBody)
		status, answer, err := f(r)
		w.Header().Set("Cache-Control", "no-store") // answers may have a key's value
		if err != nil {
			status = errorStatus(err)
			if status == http.StatusInternalServerError {
				gatekit.Reject(w, r, err) // what the store says stays inside
				return
			}
			answer = map[string]string{"message": err.Error()}
		}
		if u, ok := answer.(*csvUsage); ok {
			w.Header().Set("Content-Type", "text/csv; charset=utf-8")
			w.WriteHeader(status)
			if err := u.write(w); err != nil {
				panic(http.ErrAbortHandler) // half a report must not pass for a whole one
			}
			return
		}
		if answer == nil {
			w.WriteHeader(status)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	})
}

// badRequest is what is wrong with a request's own text.
type badRequest struct{ error }

func (e badRequest) Unwrap() error { return e.error }

func errorStatus(err error) int {
	var tooLarge *http.MaxBytesError
	var own badRequest
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, ErrConflict):
		return http.StatusConflict
	case errors.As(err, &own), errors.Is(err, ErrInvalid):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// keyView is a key's JSON form, in the names of the managed gateway where it has one.
type keyView struct {
	ID          string       `json:"id"`
	Value       string       `json:"value,omitempty"`
	Name        string       `json:"name"`
	Description string       `json:"description,omitempty"`
	CustomerID  string       `json:"customerId,omitempty"`
	Enabled     bool         `json:"enabled"`
	Created     time.Time    `json:"createdDate"`
	Updated     time.Time    `json:"lastUpdatedDate"`
	LastUsed    time.Time    `json:"lastUsedDate,omitzero"`
	Secrets     []secretView `json:"secrets"`
	Plans       []string     `json:"usagePlanIds"`
}

type secretView struct {
	Prefix  string    `json:"prefix"`
	Created time.Time `json:"createdDate"`
	Expires time.Time `json:"expires,omitzero"`
}

func viewOf(k Key, value string) keyView {
	v := keyView{
		ID: k.ID, Value: value, Name: k.Name, Description: k.Description, CustomerID: k.CustomerID, Enabled: k.Enabled,
		Created: k.Created, Updated: k.Updated, LastUsed: k.LastUsed, Secrets: []secretView{}, Plans: append([]string{}, k.Plans...),
	}
	for _, s := range k.Secrets {
		v.Secrets = append(v.Secrets, secretView(s))
	}
	return v
}

type page struct {
	Items    any     `json:"items"`
	Position *string `json:"position"`
}

// decode reads one JSON value without fields that nobody knows.
func decode(r *http.Request, v any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxAdminJSON))
	d.DisallowUnknownFields()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("want one JSON value")
	}
	return badRequest{err}
}

func (a *admin) createKey(r *http.Request) (int, any, error) {
	if q := r.URL.Query(); q.Get("mode") == "import" {
		if format := q.Get("format"); format != "csv" {
			return 0, nil, badRequest{errors.New("format: want csv")}
		}
		result, err := a.g.ImportKeys(r.Context(), r.Body, q.Get("failonwarnings") == "true")
		return http.StatusCreated, result, err
	}
	var in struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description"`
		CustomerID  string `json:"customerId"`
		Enabled     bool   `json:"enabled"`
		Value       string `json:"value"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	k := NewKey{ID: in.ID, Name: in.Name, Description: in.Description, CustomerID: in.CustomerID, Enabled: in.Enabled, Value: in.Value}
	made, value, err := a.g.CreateKey(r.Context(), k)
	return http.StatusCreated, viewOf(made, value), err
}

func (a *admin) listKeys(r *http.Request) (int, any, error) {
	after, limit, err := position(r)
	if err != nil {
		return 0, nil, err
	}
	keys, err := a.g.ListKeys(r.Context(), after, limit+1)
	return http.StatusOK, keyPage(keys, limit), err
}

func (a *admin) planKeys(r *http.Request) (int, any, error) {
	after, limit, err := position(r)
	if err != nil {
		return 0, nil, err
	}
	keys, err := a.g.KeysOf(r.Context(), r.PathValue("id"), after, limit+1)
	return http.StatusOK, keyPage(keys, limit), err
}

func keyPage(keys []Key, limit int) page {
	p, views := page{}, []keyView{}
	if len(keys) > limit {
		keys = keys[:limit]
		p.Position = &keys[limit-1].ID
	}
	for _, k := range keys {
		views = append(views, viewOf(k, ""))
	}
	p.Items = views
	return p
}

func position(r *http.Request) (after string, limit int, err error) {
	q := r.URL.Query()
	limit = adminPageSize
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxAdminPage {
			return "", 0, badRequest{errors.New("limit: want 1 to 500")}
		}
	}
	return q.Get("position"), limit, nil
}

func (a *admin) key(r *http.Request) (int, any, error) {
	k, err := a.g.Key(r.Context(), r.PathValue("id"))
	return http.StatusOK, viewOf(k, ""), err
}

type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value"`
}

func (a *admin) patchKey(r *http.Request) (int, any, error) {
	var in []patch
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	var c KeyChange
	for _, p := range in {
		value := p.Value
		switch {
		case p.Op != "replace":
			return 0, nil, badRequest{errors.New("op: want replace")}
		case p.Path == "/name":
			c.Name = &value
		case p.Path == "/description":
			c.Description = &value
		case p.Path == "/customerId":
			c.CustomerID = &value
		case p.Path == "/enabled" && (value == "true" || value == "false"):
			enabled := value == "true"
			c.Enabled = &enabled
		default:
			return 0, nil, badRequest{errors.New("path: want /name, /description, /customerId, or /enabled with true or false")}
		}
	}
	k, err := a.g.UpdateKey(r.Context(), r.PathValue("id"), c)
	return http.StatusOK, viewOf(k, ""), err
}

func (a *admin) deleteKey(r *http.Request) (int, any, error) {
	return http.StatusAccepted, nil, a.g.DeleteKey(r.Context(), r.PathValue("id"))
}

func (a *admin) rotateKey(r *http.Request) (int, any, error) {
	var overlap time.Duration
	if text := r.URL.Query().Get("overlap"); text != "" {
		var err error
		if overlap, err = time.ParseDuration(text); err != nil || overlap <= 0 {
			return 0, nil, badRequest{errors.New("overlap: want a duration such as 24h")}
		}
	}
	k, value, err := a.g.RotateKey(r.Context(), r.PathValue("id"), overlap)
	return http.StatusCreated, viewOf(k, value), err
}

func (a *admin) retireKey(r *http.Request) (int, any, error) {
	k, err := a.g.RetireKey(r.Context(), r.PathValue("id"))
	return http.StatusOK, viewOf(k, ""), err
}

func (a *admin) createPlan(r *http.Request) (int, any, error) {
	var p Plan
	if err := decode(r, &p); err != nil {
		return 0, nil, err
	}
	p, err := a.g.CreatePlan(r.Context(), p)
	return http.StatusCreated, p, err
}

func (a *admin) listPlans(r *http.Request) (int, any, error) {
	after, limit, err := position(r)
	if err != nil {
		return 0, nil, err
	}
	plans, err := a.g.ListPlans(r.Context(), after, limit+1)
	p := page{}
	if len(plans) > limit {
		plans = plans[:limit]
		p.Position = &plans[limit-1].ID
	}
	p.Items = append([]Plan{}, plans...)
	return http.StatusOK, p, err
}

func (a *admin) plan(r *http.Request) (int, any, error) {
	p, err := a.g.Plan(r.Context(), r.PathValue("id"))
	return http.StatusOK, p, err
}

func (a *admin) putPlan(r *http.Request) (int, any, error) {
	var p Plan
	if err := decode(r, &p); err != nil {
		return 0, nil, err
	}
	if p.ID == "" {
		p.ID = r.PathValue("id")
	}
	if p.ID != r.PathValue("id") {
		return 0, nil, badRequest{errors.New("id: want the one in the path, or none")}
	}
	return http.StatusOK, p, a.g.UpdatePlan(r.Context(), p)
}

func (a *admin) deletePlan(r *http.Request) (int, any, error) {
	return http.StatusAccepted, nil, a.g.DeletePlan(r.Context(), r.PathValue("id"))
}

func (a *admin) addKey(r *http.Request) (int, any, error) {
	var in struct {
		KeyID   string `json:"keyId"`
		KeyType string `json:"keyType"`
	}
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if in.KeyType != "" && in.KeyType != "API_KEY" {
		return 0, nil, badRequest{errors.New("keyType: want API_KEY")}
	}
	if err := a.g.AddKey(r.Context(), r.PathValue("id"), in.KeyID); err != nil {
		return 0, nil, err
	}
	k, err := a.g.Key(r.Context(), in.KeyID)
	return http.StatusCreated, map[string]string{"id": k.ID, "type": "API_KEY", "name": k.Name}, err
}

func (a *admin) removeKey(r *http.Request) (int, any, error) {
	return http.StatusAccepted, nil, a.g.RemoveKey(r.Context(), r.PathValue("id"), r.PathValue("key"))
}

func (a *admin) usage(r *http.Request) (int, any, error) {
	after, limit, err := position(r)
	if err != nil {
		return 0, nil, err
	}
	q := r.URL.Query()
	query := UsageQuery{Key: q.Get("keyId"), After: after, Limit: limit}
	for name, date := range map[string]*Date{"startDate": &query.From, "endDate": &query.To} {
		if *date, err = ParseDate(q.Get(name)); err != nil {
			return 0, nil, badRequest{errors.New(name + ": want a date such as 2026-01-31")}
		}
	}
	if q.Get("format") == "csv" {
		query.Limit = maxUsageKeys
	}
	u, err := a.g.Usage(r.Context(), r.PathValue("id"), query)
	if err == nil && q.Get("format") == "csv" {
		return http.StatusOK, &csvUsage{r.Context(), a.g, query, u}, nil
	}
	return http.StatusOK, u, err
}

func (a *admin) setRemaining(r *http.Request) (int, any, error) {
	var in []patch
	if err := decode(r, &in); err != nil {
		return 0, nil, err
	}
	if len(in) != 1 || in[0].Op != "replace" || in[0].Path != "/remaining" {
		return 0, nil, badRequest{errors.New("want one operation: replace of /remaining")}
	}
	units, err := strconv.ParseInt(in[0].Value, 10, 64)
	if err != nil {
		return 0, nil, badRequest{errors.New("value: want a number of units")}
	}
	if err := a.g.SetRemaining(r.Context(), r.PathValue("id"), r.PathValue("key"), units); err != nil {
		return 0, nil, err
	}
	s, err := a.g.Quota(r.Context(), r.PathValue("id"), r.PathValue("key"))
	return http.StatusOK, map[string]any{"used": s.Used, "remaining": s.Remaining, "resets": s.Resets}, err
}

// csvUsage is a usage report as lines, of all keys. It has IDs, dates and numbers, which no spreadsheet takes for a formula.
type csvUsage struct {
	ctx   context.Context // of the request that is being answered
	g     *Registry
	query UsageQuery
	first Usage
}

func (u *csvUsage) write(w io.Writer) error {
	out := csv.NewWriter(w)
	_ = out.Write([]string{"keyId", "date", "used", "remaining"})
	for part := u.first; ; {
		for _, id := range slices.Sorted(maps.Keys(part.Values)) {
			for i, day := range part.Values[id] {
				_ = out.Write([]string{id, (u.query.From + Date(i)).String(), strconv.FormatInt(day[0], 10), strconv.FormatInt(day[1], 10)})
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
