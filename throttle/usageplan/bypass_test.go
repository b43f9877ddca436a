package usageplan_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/throttle/usageplan"
)

var (
	oldSecret = []byte("0123456789abcdef0123456789abcdef")
	newSecret = []byte("fedcba9876543210fedcba9876543210")
)

func TestBypass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := quietRig(t, usageplan.Plan{Quota: quota(0, usageplan.Day), Throttle: &usageplan.Throttle{}})
		g.key("other", "other-other-other-other-", "p1")
		both := gatekit.Must(usageplan.NewBypass(newSecret, oldSecret))
		old := gatekit.Must(usageplan.NewBypass(oldSecret))
		token := gatekit.Must(both.Token("shop", time.Hour))
		oldToken := gatekit.Must(old.Token("shop", time.Hour))
		var seen http.Header
		h := g.behind(usageplan.Config{Bypass: both}, "GET /pets", http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			seen = r.Header
			require.NoError(t, usageplan.ChargeOf(r.Context()).Settle(t.Context(), 99))
		}))
		serve := func(h http.Handler, key string, tokens ...string) int {
			r := httptest.NewRequest("GET", "/pets", nil)
			r.Header.Set("X-Api-Key", key)
			r.Header[usageplan.BypassHeader] = tokens
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			return w.Code
		}
		require.Equal(t, 200, serve(h, value, token))
		require.NotContains(t, seen, usageplan.BypassHeader, "who comes next can't use it")
		require.Equal(t, 200, serve(h, value, oldToken))
		require.Zero(t, g.used())
		require.Equal(t, 403, serve(h, "unknown-unknown-unknown-", token), "a key is asked for all the same")
		require.Equal(t, 429, serve(h, "other-other-other-other-", token), "another key's")
		require.Equal(t, 429, serve(h, value))
		require.Equal(t, 429, serve(h, value, token, token))
		require.Equal(t, 429, serve(g.behind(usageplan.Config{}, "GET /pets", answers), value, token), "without Config.Bypass")
		require.Equal(t, 429, serve(g.behind(usageplan.Config{Bypass: old}, "GET /pets", answers), value, token), "signed by a secret that isn't known")
		for i := range token { // no bit of it may change
			for bit := range 8 {
				b := []byte(token)
				b[i] ^= 1 << bit
				require.Equal(t, 429, serve(h, value, string(b)), "%q", b)
			}
		}
		for _, bad := range []string{"", ".", "...", token + "A", token[:len(token)-1], " " + token, strings.Repeat("x", 1<<20), "v1.99999999999.shop.", "v2" + token[2:]} {
			require.Equal(t, 429, serve(h, value, bad), "%.50q", bad)
		}
		time.Sleep(time.Hour - time.Nanosecond)
		require.Equal(t, 200, serve(h, value, token))
		time.Sleep(time.Nanosecond)
		require.Equal(t, 429, serve(h, value, token))
	})
}

func TestBypassMistakes(t *testing.T) {
	for _, secrets := range [][][]byte{nil, {[]byte("short")}, {oldSecret, nil}, make([][]byte, 11)} {
		_, err := usageplan.NewBypass(secrets...)
		require.ErrorContains(t, err, "NewBypass")
	}
	b := gatekit.Must(usageplan.NewBypass(oldSecret))
	for _, tt := range []struct {
		key      string
		lifetime time.Duration
	}{{"", time.Hour}, {"a.b", time.Hour}, {"shop", 0}, {"shop", -1}, {"shop", 25 * time.Hour}} {
		_, err := b.Token(tt.key, tt.lifetime)
		require.Error(t, err)
	}
}
