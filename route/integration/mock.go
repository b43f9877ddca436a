package integration

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// MockConfig configures a [MockHandler].
type MockConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Status is the answer's. 0 means 200; 200 to 599.
	Status int
	// Header is the answer's. Without a Content-Type the answer is application/json, as on a REST
	// API.
	Header http.Header
	// Body is the answer's. 204 and 304 have none.
	Body []byte
}

// MockHandler is an http.Handler that calls no backend and always gives the same answer. Under
// transform.REST, templates make the answer of it; on an HTTP API, which has no mock integration
// when managed, it stands for itself. It is immutable and safe for concurrent use.
type MockHandler struct {
	status int
	header http.Header
	body   []byte
}

// NewMock returns a MockHandler, or one error that lists every field it refuses. It copies cfg.
func NewMock(cfg MockConfig) (*MockHandler, error) {
	m := mistakes.In("integration: MockConfig")
	h := &MockHandler{status: cmp.Or(cfg.Status, http.StatusOK), header: http.Header{}, body: slices.Clone(cfg.Body)}
	mistakes.RangeOrZero(m, "Status", cfg.Status, 200, 599)
	m.Require(httpword.BodyAllowed(h.status) || len(h.body) == 0,
		"Body", "want none with status %d, got %d bytes", h.status, len(h.body))
	for _, name := range slices.Sorted(maps.Keys(cfg.Header)) {
		canonical := http.CanonicalHeaderKey(name)
		m.Require(httpword.IsToken(name), "Header", "want names of headers, got %q", name)
		switch canonical {
		case "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade":
			m.Add("Header", "want no %s, which is the server's to say", canonical)
		}
		for _, value := range cfg.Header[name] {
			m.Under("Header").Key(name).Require(httpword.IsFieldValue(value), "",
				"want a value without control characters, got %q", value)
		}
		h.header[canonical] = append(h.header[canonical], cfg.Header[name]...)
	}
	if err := m.Err(); err != nil {
		return nil, err
	}
	if httpword.BodyAllowed(h.status) {
		if len(h.header["Content-Type"]) == 0 {
			h.header["Content-Type"] = []string{"application/json"}
		}
		h.header["Content-Length"] = []string{strconv.Itoa(len(h.body))}
	}
	return h, nil
}

// ServeHTTP answers.
func (m *MockHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	h := w.Header()
	for name, values := range m.header {
		if prior := h[name]; len(prior) > 0 && name != "Content-Type" && name != "Content-Length" {
			h[name] = append(prior[:len(prior):len(prior)], values...)
		} else {
			h[name] = slices.Clone(values)
		}
	}
	w.WriteHeader(m.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(m.body) // a client that went away is no fault of ours
	}
	gatekit.From(r.Context()).SetIntegration(gatekit.Integration{
		Status: m.status, Latency: time.Since(start), Mock: true,
	})
}

// Station implements [gatekit.Station]. An integration is where a chain ends.
func (m *MockHandler) Station() (kind string, next http.Handler) { return "integration.Mock", nil }
