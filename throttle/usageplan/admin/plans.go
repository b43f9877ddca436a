package admin

import (
	"net/http"

	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

func (a *admin) createPlan(r *http.Request) (any, error) {
	p, err := decode[usageplan.Plan](r)
	if err != nil {
		return nil, err
	}
	return a.g.CreatePlan(r.Context(), p)
}

func (a *admin) listPlans(r *http.Request) (any, error) {
	return paged(r, func(after string, limit int) ([]usageplan.Plan, error) {
		return a.g.ListPlans(r.Context(), after, limit)
	}, func(p usageplan.Plan) string { return p.ID }, func(p usageplan.Plan) usageplan.Plan { return p })
}

func (a *admin) plan(r *http.Request) (any, error) {
	return a.g.Plan(r.Context(), r.PathValue("id"))
}

func (a *admin) putPlan(r *http.Request) (any, error) {
	p, err := decode[usageplan.Plan](r)
	if err != nil {
		return nil, err
	}
	if p.ID == "" {
		p.ID = r.PathValue("id")
	}
	if p.ID != r.PathValue("id") {
		return nil, bad("id: want the one in the path, or none")
	}
	return p, a.g.UpdatePlan(r.Context(), p)
}

func (a *admin) deletePlan(r *http.Request) (any, error) {
	return nil, a.g.DeletePlan(r.Context(), r.PathValue("id"))
}

func (a *admin) addKey(r *http.Request) (any, error) {
	in, err := decode[struct {
		KeyID   string `json:"keyId"`
		KeyType string `json:"keyType"`
	}](r)
	if err != nil {
		return nil, err
	}
	if in.KeyType != "" && in.KeyType != "API_KEY" {
		return nil, bad("keyType: want API_KEY")
	}
	if err := a.g.AddKey(r.Context(), r.PathValue("id"), in.KeyID); err != nil {
		return nil, err
	}
	k, err := a.g.Key(r.Context(), in.KeyID)
	return map[string]string{"id": k.ID, "type": "API_KEY", "name": k.Name}, err
}

func (a *admin) removeKey(r *http.Request) (any, error) {
	return nil, a.g.RemoveKey(r.Context(), r.PathValue("id"), r.PathValue("key"))
}
