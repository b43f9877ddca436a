package route_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

// A route's operation name is known to every station behind the choice of the route, wherever it
// stands among them.
func TestOperationName(t *testing.T) {
	seen := ""
	see := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			seen += gatekit.From(r.Context()).OperationName() + ","
			next.ServeHTTP(w, r)
		})
	}
	api := gatekit.Must(route.New(route.Config{}))
	api.UseMatched(see)
	getPet := gatekit.Must(route.OperationName("getPet"))
	api.Handle("GET /pets/{id}", http.NotFoundHandler(), see, getPet, see)
	api.Handle("GET /pets", http.NotFoundHandler(), see)
	for target, want := range map[string]string{"/pets/1": "getPet,getPet,getPet,", "/pets": ",,"} {
		seen = ""
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", target, nil))
		require.Equal(t, want, seen, target)
	}
	mux := http.NewServeMux()
	mux.Handle("/", getPet(see(http.NotFoundHandler())))
	seen = ""
	mux.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	require.Equal(t, "getPet,", seen)
	for _, bad := range []string{"", "a\nb", strings.Repeat("x", 1025)} {
		_, err := route.OperationName(bad)
		require.ErrorContains(t, err, "route: OperationName: want 1 to 1024 bytes")
	}
	_, err := route.OperationName("GET HTTP")
	require.NoError(t, err)
}
