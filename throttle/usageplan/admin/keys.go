package admin

import (
	"net/http"
	"time"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

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

func view(k usageplan.Key) keyView { return viewWithValue(k, "") }

func viewWithValue(k usageplan.Key, value string) keyView {
	v := keyView{
		ID: k.ID, Value: value, Name: k.Name, Description: k.Description, CustomerID: k.CustomerID, Enabled: k.Enabled,
		Created: k.Created, Updated: k.Updated, LastUsed: k.LastUsed,
		Secrets: []secretView{}, Plans: append([]string{}, k.Plans...), // [] where there are none, and not null
	}
	for _, s := range k.Secrets {
		v.Secrets = append(v.Secrets, secretView(s))
	}
	return v
}

func (a *admin) createKey(r *http.Request) (any, error) {
	if q := r.URL.Query(); q.Get("mode") == "import" {
		if q.Get("format") != "csv" {
			return nil, bad("format: want csv")
		}
		return ImportKeys(r.Context(), a.g, r.Body, q.Get("failonwarnings") == "true")
	}
	in, err := decode[struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		Description string `json:"description"`
		CustomerID  string `json:"customerId"`
		Enabled     bool   `json:"enabled"`
		Value       string `json:"value"`
	}](r)
	if err != nil {
		return nil, err
	}
	made, value, err := a.g.CreateKey(r.Context(), usageplan.NewKey{
		ID: in.ID, Name: in.Name, Description: in.Description, CustomerID: in.CustomerID, Enabled: in.Enabled,
		Value: in.Value,
	})
	return viewWithValue(made, value), err
}

func keyID(k usageplan.Key) string { return k.ID }

func (a *admin) listKeys(r *http.Request) (any, error) {
	return paged(r, func(after string, limit int) ([]usageplan.Key, error) {
		return a.g.ListKeys(r.Context(), after, limit)
	}, keyID, view)
}

func (a *admin) planKeys(r *http.Request) (any, error) {
	return paged(r, func(after string, limit int) ([]usageplan.Key, error) {
		return a.g.KeysOf(r.Context(), r.PathValue("id"), after, limit)
	}, keyID, view)
}

func (a *admin) key(r *http.Request) (any, error) {
	k, err := a.g.Key(r.Context(), r.PathValue("id"))
	return view(k), err
}

func (a *admin) patchKey(r *http.Request) (any, error) {
	in, err := decode[[]patch](r)
	if err != nil {
		return nil, err
	}
	var c usageplan.KeyChange
	for _, p := range in {
		switch {
		case p.Op != "replace":
			return nil, bad("op: want replace")
		case p.Path == "/name":
			c.Name = &p.Value
		case p.Path == "/description":
			c.Description = &p.Value
		case p.Path == "/customerId":
			c.CustomerID = &p.Value
		case p.Path == "/enabled" && (p.Value == "true" || p.Value == "false"):
			enabled := p.Value == "true"
			c.Enabled = &enabled
		default:
			return nil, bad("path: want /name, /description, /customerId, or /enabled with true or false")
		}
	}
	k, err := a.g.UpdateKey(r.Context(), r.PathValue("id"), c)
	return view(k), err
}

func (a *admin) deleteKey(r *http.Request) (any, error) {
	return nil, a.g.DeleteKey(r.Context(), r.PathValue("id"))
}

func (a *admin) rotateKey(r *http.Request) (any, error) {
	var overlap time.Duration
	if text := r.URL.Query().Get("overlap"); text != "" {
		var err error
		if overlap, err = time.ParseDuration(text); err != nil || overlap <= 0 {
			return nil, bad("overlap: want a duration such as 24h")
		}
	}
	k, value, err := a.g.RotateKey(r.Context(), r.PathValue("id"), overlap)
	return viewWithValue(k, value), err
}

func (a *admin) retireKey(r *http.Request) (any, error) {
	k, err := a.g.RetireKey(r.Context(), r.PathValue("id"))
	return view(k), err
}
