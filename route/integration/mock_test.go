package integration_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

func TestMock(t *testing.T) {
	cfg := integration.MockConfig{Status: 418, Header: http.Header{"x-a": {"1"}, "X-A": {"2"}, "Content-Type": {"text/plain"}}, Body: []byte("short and stout")}
	m := gatekit.Must(integration.NewMock(cfg))
	cfg.Body[0], cfg.Header["X-A"][0] = 'X', "changed"
	var outcome *gatekit.Integration
	h := gatekit.Chain(m, gatekit.Must(gatekit.Describe(gatekit.API{})), func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-A", "0")
			next.ServeHTTP(w, r)
			outcome = gatekit.From(r.Context()).Integration()
		})
	})
	for _, method := range []string{"GET", "POST", "HEAD"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/", nil))
		require.Equal(t, 418, w.Code)
		require.Equal(t, method != "HEAD", w.Body.String() == "short and stout")
		require.ElementsMatch(t, []string{"0", "1", "2"}, w.Header()["X-A"])
		require.Equal(t, "text/plain", w.Header().Get("Content-Type"))
		require.Equal(t, "15", w.Header().Get("Content-Length"))
		require.Equal(t, 418, outcome.Status)
		w.Header()["X-A"][0] = "x" // no answer changes the next
	}
	kind, next := m.Station()
	require.Equal(t, "integration.Mock", kind)
	require.Nil(t, next)
	w := httptest.NewRecorder()
	gatekit.Must(integration.NewMock(integration.MockConfig{})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	w = httptest.NewRecorder()
	gatekit.Must(integration.NewMock(integration.MockConfig{Status: 204})).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	require.Equal(t, 204, w.Code)
	require.Empty(t, w.Header())
}

func TestMockConfigErrors(t *testing.T) {
	_, err := integration.NewMock(integration.MockConfig{Status: 204, Body: []byte("x"), Header: http.Header{"a b": {"x"}, "Content-Length": {"1"}, "X-A": {"a\r\nb"}}})
	for _, want := range []string{"Body: want none with status 204", `want names of headers, got "a b"`, "want no Content-Length", `Header["X-A"]: want a value without control characters`} {
		require.ErrorContains(t, err, want)
	}
	for _, status := range []int{1, 101, 199, 600, -1} {
		_, err = integration.NewMock(integration.MockConfig{Status: status})
		require.ErrorContains(t, err, "MockConfig.Status: want 0, or 200 to 599")
	}
}
