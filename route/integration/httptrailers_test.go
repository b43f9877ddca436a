package integration_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
	"github.com/gatekit-go/gatekit/transform"
)

// told answers with all trailers and headers that it was told, sorted.
func told(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	lines := []string{string(body)}
	for name, values := range r.Trailer {
		lines = append(lines, fmt.Sprintf("trailer %s=%s", name, strings.Join(values, "|")))
	}
	for name, values := range r.Header {
		lines = append(lines, fmt.Sprintf("header %s=%s", name, strings.Join(values, "|")))
	}
	slices.Sort(lines)
	fmt.Fprint(w, strings.Join(lines, "\n"), "\n")
}

// Of a client's trailers those reach the upstream that were announced, and that no rule about
// headers forbids.
func TestRequestTrailers(t *testing.T) {
	mapping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{
		"overwrite:header.x-user": "ann", "remove:header.x-secret": "",
	}}))
	for _, flavor := range flavors {
		p := newProxy(t, integration.HTTPConfig{URI: backend(t, told).URL, GatewayHeaders: []string{"X-Team"}})
		s := front(t, flavor, mapping.Middleware(p))
		send := func(announce, trailers string) string {
			return speak(t, addressOf(s), "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Own: header\r\nTransfer-Encoding: chunked\r\n"+announce+"\r\n2\r\nhi\r\n0\r\n"+trailers+"\r\n")
		}
		got := send("Trailer: X-Sum, X-Absent\r\n", "X-Sum: 1\r\nX-More: 2\r\nAuthorization: evil\r\nX_Forwarded_For: 6.6.6.6\r\n")
		require.Contains(t, got, "trailer X-Sum=1\n")
		require.Contains(t, got, "trailer X-Absent=\n")
		require.NotContains(t, got, "X-More", "which wasn't announced")
		require.NotContains(t, got, "evil")
		require.NotContains(t, got, "6.6.6.6")
		for _, name := range []string{
			"Authorization", "Cookie", "Host", "X-Forwarded-For", "X_Forwarded_For", "Forwarded", "Via", "X-Amzn-Trace-Id", "X-Amzn-Apigateway-Api-Id", "Content-Type",
			"X-User", "X_User", "X-Secret", "X_Secret", "X-Team", "X_Team", "X-Own", "Cache-Control", "Connection", "Te", "If-Match", "X-Amz-Date", "Max-Forwards",
		} {
			got := send("Trailer: "+name+", X-Sum\r\n", name+": evil\r\nX-Sum: 1\r\n")
			require.Contains(t, got, "trailer X-Sum=1\n", name)
			require.NotContains(t, got, "evil", name)
			require.Contains(t, got, "header X-User=ann\n", name)
		}
	}
}

// Nor does an upstream say behind its body what is a header's to say, or the gateway's.
func TestResponseTrailers(t *testing.T) {
	for _, announced := range []bool{true, false} {
		b := backend(t, func(w http.ResponseWriter, r *http.Request) {
			names := []string{"X-Sum", "Set-Cookie", "Apigw-Requestid", "X-Amzn-Requestid", "Access-Control-Allow-Origin", "Strict-Transport-Security"}
			if announced {
				w.Header()["Trailer"] = names
			}
			fmt.Fprint(w, "ok")
			_ = http.NewResponseController(w).Flush()
			for _, name := range names {
				if !announced {
					name = http.TrailerPrefix + name
				}
				w.Header().Set(name, "1")
			}
		})
		for _, flavor := range flavors {
			s := front(t, flavor, gatekit.Chain(newProxy(t, integration.HTTPConfig{URI: b.URL}), func(next http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Strict-Transport-Security", "max-age=1")
					next.ServeHTTP(w, r)
				})
			}))
			w := do(t, "GET", s.URL, nil)
			require.NoError(t, w.err)
			require.Equal(t, http.Header{"X-Sum": {"1"}}, w.Trailer)
		}
	}
}

// What backends that read headers as variables take for a header of the gateway's, of a station's,
// or of one that was judged, is no client's to send.
func TestUnderscores(t *testing.T) {
	b := backend(t, told)
	for _, flavor := range flavors {
		p := newProxy(t, integration.HTTPConfig{URI: b.URL, GatewayHeaders: []string{"X-Team"}, XForwarded: true})
		mapping := gatekit.Must(transform.NewParameters(transform.ParametersConfig{RequestParameters: map[string]string{
			"overwrite:header.x-user": "ann", "remove:header.x-secret": "",
		}}))
		s := front(t, flavor, mapping.Middleware(p))
		for _, name := range []string{
			"X_Forwarded_For", "x_forwarded_for", "X_Forwarded-For", "X-Forwarded_For", "X_Forwarded_Proto", "X_Forwarded_Host", "X_Forwarded_Port", "X_Amzn_Trace_Id",
			"X_Amzn_Apigateway_Api_Id", "X_Team", "X_User", "X_Secret", "X_Api_Key", "Proxy_Authorization", "Keep_Alive", "Content_Type",
		} {
			got := speak(t, addressOf(s), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: a/b\r\nX-Api-Key: k\r\n"+name+": evil\r\n\r\n")
			require.Contains(t, got, "header X-Api-Key=k\n")
			require.NotContains(t, got, "evil", name)
		}
		got := speak(t, addressOf(s), "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX_My_Own: mine\r\n\r\n")
		require.Contains(t, strings.ToLower(got), "header x_my_own=mine\n", "others pass")
	}
}

// A client can't name the API that the request came through, whether or not the gateway can.
func TestAPIIDIsTheGateways(t *testing.T) {
	b := backend(t, told)
	for _, id := range []string{"", "a1b2c3"} {
		for _, flavor := range flavors {
			s := frontAt(t, gatekit.API{Flavor: flavor, APIID: id}, "$default", newProxy(t, integration.HTTPConfig{URI: b.URL}))
			got := do(t, "GET", s.URL, nil, "X-Amzn-Apigateway-Api-Id", "forged").body
			require.NotContains(t, got, "forged")
			if flavor == gatekit.REST && id != "" {
				require.Contains(t, got, "header X-Amzn-Apigateway-Api-Id=a1b2c3\n")
			} else {
				require.NotContains(t, got, "Api-Id")
			}
		}
	}
	bare := newProxy(t, integration.HTTPConfig{URI: b.URL})
	require.NotContains(t, do(t, "GET", backend(t, bare.ServeHTTP).URL, nil, "X-Amzn-Apigateway-Api-Id", "forged").body, "forged")
}
