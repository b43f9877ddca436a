package hopbyhop_test

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

func TestStrip(t *testing.T) {
	for _, tt := range []struct {
		name       string
		connection []string
		gone       []string
		left       []string // of Connection
	}{
		{"options-only", []string{"keep-alive, Upgrade", "close"}, nil, []string{"keep-alive, Upgrade", "close"}},
		{"empty", []string{"", " , ,"}, nil, []string{"", " , ,"}},
		{"one", []string{"x-tenant"}, []string{"X-Tenant"}, nil},
		{"several-lines", []string{"close, x-tenant", "ORIGIN ,\tAccept"}, []string{"X-Tenant", "Origin", "Accept"}, []string{"close"}},
		{"credentials", []string{"authorization, cookie"}, []string{"Authorization", "Cookie"}, nil},
		{"forwarding-stays", []string{"x-forwarded-for, Via, x-tenant"}, []string{"X-Tenant"}, []string{"x-forwarded-for, Via"}},
		{"unknown", []string{"x-nothing"}, nil, nil},
		{"signed", []string{"x-amz-date"}, []string{"X-Amz-Date"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{
				"Connection": tt.connection, "X-Tenant": {"a"}, "Origin": {"o"}, "Accept": {"*/*"}, "Authorization": {"b"}, "Cookie": {"c"},
				"X-Forwarded-For": {"f"}, "Via": {"v"}, "X-Amz-Date": {"d"},
			}
			before := maps.Clone(h)
			got := hopbyhop.Strip(h)
			require.Equal(t, before, h, "the client's own map is never written to")
			want := maps.Clone(h)
			for _, name := range tt.gone {
				delete(want, name)
			}
			if delete(want, "Connection"); tt.left != nil {
				want["Connection"] = tt.left
			}
			require.Equal(t, want, got)
			require.Equal(t, got, hopbyhop.Strip(got))
		})
	}
	h := http.Header{"Connection": {"x-amz-date, x-a"}, "X-Amz-Date": {"d"}, "X-A": {"1"}}
	require.Equal(t, http.Header{"Connection": {"x-amz-date"}, "X-Amz-Date": {"d"}}, hopbyhop.StripUnsigned(h))
}

func TestTwin(t *testing.T) {
	for name, want := range map[string]string{
		"X_forwarded_for": "X-Forwarded-For", "X_forwarded-For": "X-Forwarded-For", "X-Forwarded-For": "", "": "", "_": "-", "X_api_key": "X-Api-Key",
	} {
		require.Equal(t, want, hopbyhop.Twin(name), name)
	}
}

func TestMayTrail(t *testing.T) {
	for _, name := range []string{"X-Sum", "Digest", "Grpc-Status", "Server-Timing", "Etag", "Expiry"} {
		require.True(t, hopbyhop.MayTrail(name), name)
	}
	for _, name := range []string{
		"Authorization", "Cookie", "Set-Cookie", "Host", "Transfer-Encoding", "Content-Length", "Content-Type", "Connection", "Te", "Trailer", "Upgrade",
		"X-Forwarded-For", "X_forwarded_for", "Forwarded", "Via", "Cache-Control", "Range", "If-None-Match", "Expect", "Max-Forwards", "Www-Authenticate",
		"Proxy-Authorization", "X-Amz-Date", "X-Amzn-Trace-Id", "X-Api-Key", "Accept-Encoding", "Access-Control-Allow-Origin", "X-Http-Method-Override",
		"X_http_method", "X-Method-Override", "X-Original-Url", "X_rewrite_url", "True-Client-Ip", "Remote_user",
	} {
		require.False(t, hopbyhop.MayTrail(name), name)
	}
}

// What frames a message is for one connection; what a proxy and its client tell each other is too, and frames nothing.
func TestFraming(t *testing.T) {
	for _, name := range []string{"Connection", "Keep-Alive", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		require.True(t, hopbyhop.Framing(name), name)
		require.True(t, hopbyhop.Is(name), name)
	}
	for _, name := range []string{"Proxy-Authenticate", "Proxy-Authorization"} {
		require.False(t, hopbyhop.Framing(name), name)
		require.True(t, hopbyhop.Is(name), name)
	}
	for _, name := range []string{"", "connection", "Content-Length", "Host", "X-Te"} {
		require.False(t, hopbyhop.Is(name), name)
	}
}
