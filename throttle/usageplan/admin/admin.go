// Package admin administers API keys and usage plans over HTTP, in paths and JSON near to the
// managed gateway's control API, so that what reads and writes keys there needs little change. It
// stands apart from package usageplan, which judges requests: a program that only counts has no
// code in it by which a key could be made.
//
//	control, err := admin.New(plans)
//	control = gatekit.Chain(control, auth.Require(operators, "plans"))
//	mux.Handle("/admin/", http.StripPrefix("/admin", control))
//
// The handler asks nobody who they are. Mounted without an authorizer in front, it hands out keys
// to whoever asks.
//
// # Operations
//
//	POST   /apikeys                        make a key {"name", "description", "customerId",
//	                                       "enabled", "value"}
//	POST   /apikeys?mode=import&format=csv import keys; failonwarnings=true imports all or none
//	GET    /apikeys                        list keys; limit, position
//	GET    /apikeys/{id}                   a key
//	PATCH  /apikeys/{id}                   [{"op":"replace","path":"/enabled","value":"false"}];
//	                                       also /name, /description, /customerId
//	DELETE /apikeys/{id}
//	POST   /apikeys/{id}/rotate            a new value; the old one goes on for overlap=24h, or
//	                                       until the next
//	POST   /apikeys/{id}/retire            only the newest value counts
//	POST   /usageplans                     make a plan
//	GET    /usageplans                     list plans; limit, position
//	GET    /usageplans/{id}
//	PUT    /usageplans/{id}                replace a plan
//	DELETE /usageplans/{id}
//	POST   /usageplans/{id}/keys           put a key in {"keyId", "keyType":"API_KEY"}
//	GET    /usageplans/{id}/keys           list its keys; limit, position
//	DELETE /usageplans/{id}/keys/{key}
//	GET    /usageplans/{id}/usage          startDate, endDate, keyId, limit, position; format=csv
//	PATCH  /usageplans/{id}/keys/{key}/usage  [{"op":"replace","path":"/remaining","value":"10"}]
//
// A key's value is in the answer that makes it, and in no other: what is stored is its digest.
// Errors are {"message": …}.
//
// # Differences
//
//   - includeValue and includeValues are missing, as values can't be read again; rotate and retire
//     are there instead.
//   - A plan is replaced whole by PUT, where the managed gateway has PATCH.
package admin

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

// New returns a handler that administers g, below where it is mounted (http.StripPrefix takes the
// rest off). A nil g is an error. The handler is safe for concurrent use.
func New(g *usageplan.Registry) (http.Handler, error) {
	m := mistakes.In("admin: New")
	m.Require(g != nil, "registry", "want usageplan.NewRegistry's, got nil")
	if err := m.Err(); err != nil {
		return nil, err
	}
	a := &admin{g}
	mux := http.NewServeMux()
	for pattern, h := range map[string]operation{
		"POST /apikeys":                           {http.StatusCreated, a.createKey},
		"GET /apikeys":                            {http.StatusOK, a.listKeys},
		"GET /apikeys/{id}":                       {http.StatusOK, a.key},
		"PATCH /apikeys/{id}":                     {http.StatusOK, a.patchKey},
		"DELETE /apikeys/{id}":                    {http.StatusAccepted, a.deleteKey},
		"POST /apikeys/{id}/rotate":               {http.StatusCreated, a.rotateKey},
		"POST /apikeys/{id}/retire":               {http.StatusOK, a.retireKey},
		"POST /usageplans":                        {http.StatusCreated, a.createPlan},
		"GET /usageplans":                         {http.StatusOK, a.listPlans},
		"GET /usageplans/{id}":                    {http.StatusOK, a.plan},
		"PUT /usageplans/{id}":                    {http.StatusOK, a.putPlan},
		"DELETE /usageplans/{id}":                 {http.StatusAccepted, a.deletePlan},
		"POST /usageplans/{id}/keys":              {http.StatusCreated, a.addKey},
		"GET /usageplans/{id}/keys":               {http.StatusOK, a.planKeys},
		"DELETE /usageplans/{id}/keys/{key}":      {http.StatusAccepted, a.removeKey},
		"GET /usageplans/{id}/usage":              {http.StatusOK, a.usage},
		"PATCH /usageplans/{id}/keys/{key}/usage": {http.StatusOK, a.setRemaining},
	} {
		mux.Handle(pattern, h)
	}
	return mux, nil
}

type admin struct{ g *usageplan.Registry }

const (
	maxBody     = 10 << 20 // of a file of keys
	maxJSON     = 2 << 20  // no record is larger than half of that
	maxPage     = 500
	defaultPage = 25
)

// operation answers in JSON with the status, if do returns no error. An answer of nil has no body,
// and one that writes itself isn't JSON.
type operation struct {
	status int
	do     func(*http.Request) (answer any, err error)
}

func (o operation) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	status := o.status
	answer, err := o.do(r)
	w.Header().Set("Cache-Control", "no-store") // answers may have a key's value
	if err != nil {
		if status = statusOf(err); status == http.StatusInternalServerError {
			gatekit.Reject(w, r, err) // what the store says stays inside
			return
		}
		answer = map[string]string{"message": err.Error()}
	}
	switch answer := answer.(type) {
	case nil:
		w.WriteHeader(status)
	case *csvUsage:
		w.Header().Set("Content-Type", "text/csv; charset=utf-8")
		w.WriteHeader(status)
		if err := answer.write(w); err != nil {
			panic(http.ErrAbortHandler) // half a report must not pass for a whole one
		}
	default:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}
}

// badRequest is what is wrong with a request's own text. It is [usageplan.ErrInvalid] without
// saying so in its message.
type badRequest struct{ error }

func (e badRequest) Unwrap() error        { return e.error }
func (e badRequest) Is(target error) bool { return target == usageplan.ErrInvalid }

func bad(text string) error { return badRequest{errors.New(text)} }

// statusOf tells a body that is too large first: reading one fails inside what is a bad request
// otherwise.
func statusOf(err error) int {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, usageplan.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, usageplan.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, usageplan.ErrInvalid):
		return http.StatusBadRequest
	}
	return http.StatusInternalServerError
}

// decode reads one JSON value without fields that nobody knows: a misspelled "enabled" would
// otherwise leave a key as it was, with an answer that says all went well.
func decode[T any](r *http.Request) (in T, err error) {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxJSON))
	d.DisallowUnknownFields()
	if err = d.Decode(&in); err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return in, nil
		}
		err = errors.New("want one JSON value")
	}
	return in, badRequest{err}
}

// patch is an operation of the managed gateway's PATCH requests.
type patch struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value string `json:"value"`
}

// page is a part of a list. Position is where the next one begins, null for the last.
type page[V any] struct {
	Items    []V     `json:"items"`
	Position *string `json:"position"`
}

// paged answers with a part of a list. It asks for one more than it shows, which tells whether
// there is a next part.
func paged[T, V any](
	r *http.Request, list func(after string, limit int) ([]T, error), id func(T) string, view func(T) V,
) (any, error) {
	after, limit, err := position(r)
	if err != nil {
		return nil, err
	}
	all, err := list(after, limit+1)
	if err != nil {
		return nil, err
	}
	p := page[V]{Items: []V{}}
	if len(all) > limit {
		all = all[:limit]
		last := id(all[limit-1])
		p.Position = &last
	}
	for _, item := range all {
		p.Items = append(p.Items, view(item))
	}
	return p, nil
}

func position(r *http.Request) (after string, limit int, err error) {
	q := r.URL.Query()
	limit = defaultPage
	if text := q.Get("limit"); text != "" {
		if limit, err = strconv.Atoi(text); err != nil || limit < 1 || limit > maxPage {
			return "", 0, bad("limit: want 1 to 500")
		}
	}
	return q.Get("position"), limit, nil
}
