package gatekit

// Choice is what has been chosen for a request, as it was when its last note was made.
type Choice struct {
	// API and Route are nil where none is known yet.
	API   *API
	Route *Route
	// APIKeyID is the ID of the key that a usage plan has found, or "".
	APIKeyID string
}

// RequestID returns the request's ID as it was when the last note was made, or "".
func (n Notes) RequestID() string {
	if n.n == nil {
		return ""
	}
	n.n.mu.Lock()
	of, s := n.n.of, n.n.seen
	n.n.mu.Unlock()
	if of != n.of || s.api == nil {
		return ""
	}
	about := RequestContext{API: s.api, id: s.id}
	return about.RequestID()
}

// Choice returns what had been chosen when the last note was made. It is for stations in front,
// which look when the request is answered: a handler that outlives its request, as under
// http.TimeoutHandler, may still be writing to the RequestContext then.
func (n Notes) Choice() Choice {
	if n.n == nil {
		return Choice{}
	}
	n.n.mu.Lock()
	defer n.n.mu.Unlock()
	if n.n.of != n.of {
		return Choice{}
	}
	return Choice{n.n.seen.api, n.n.seen.route, n.n.seen.apiKeyID}
}
