package function_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
)

var identity = gatekit.API{AccountID: "123456789012", APIID: "a1b2c3d4e5", Region: "eu-west-1"}

// apiOf is an API whose routes one handler answers.
func apiOf(flavor gatekit.Flavor, stage string, h http.Handler, keys ...string) *route.API {
	of := identity
	of.Flavor, of.Stage = flavor, stage
	api := gatekit.Must(route.New(route.Config{API: of}))
	for _, key := range keys {
		api.Handle(key, h)
	}
	return api
}

func serve(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func decoded(t *testing.T, text string) map[string]any {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &m))
	return m
}

func certificate(t *testing.T) *x509.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "c"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func claimsOf(fields gatekit.AuthorizationFields) *gatekit.Authorization {
	fields.RawClaims = []byte(`{"sub":"u7","aud":["a","b"],"exp":1680633579,"ok":true,"no":null,"cognito:groups":["x","y"]}`)
	return gatekit.NewAuthorization(fields)
}
