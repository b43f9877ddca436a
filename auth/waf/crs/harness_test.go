package crs_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf/crs"
)

var discard = log.New(io.Discard, "", 0)

// plain is the rule set without any configuration, compiled once for all tests.
var plain = sync.OnceValues(func() (*crs.RuleSet, error) { return crs.New(context.Background(), crs.Config{}) })

func plainSet(tb testing.TB) *crs.RuleSet {
	tb.Helper()
	set, err := plain()
	require.NoError(tb, err)
	return set
}

func newSet(tb testing.TB, cfg crs.Config) *crs.RuleSet {
	tb.Helper()
	set, err := crs.New(context.Background(), cfg)
	require.NoError(tb, err)
	return set
}

// request has the headers that clients send, which rules miss otherwise.
func request(method, target, body string, header ...string) *http.Request {
	var r *http.Request
	if body == "" {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("User-Agent", "test/1")
	r.Header.Set("Accept", "*/*")
	r.Host = "api.example.com"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

// ids are the rules that a verdict has found.
func ids(v *crs.Verdict) (found []int) {
	for _, f := range v.Findings {
		found = append(found, f.RuleID)
	}
	return found
}

// echo answers with the request's body, and its trailers.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("X-Length", r.Header.Get("Content-Length"))
	w.Header().Set("X-Trailer", r.Trailer.Get("Checksum"))
	_, _ = w.Write(body)
}

const (
	sqli     = "/orders?id=1%27%20OR%20%271%27%3D%271%27%20--%20"
	sqliText = "1' OR '1'='1' -- "
)
