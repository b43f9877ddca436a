package auth_test

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth"
)

// Policies that functions answer in use, and that the managed gateway takes, aren't a 500 here.
func TestOddPoliciesOfFunctions(t *testing.T) {
	const all = `{"Action":"execute-api:Invoke","Effect":"Allow","Resource":"*"}`
	for name, tt := range map[string]struct{ statements, want string }{
		"blueprint":       {`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["*"],"Condition":{}},{"Action":"execute-api:Invoke","Effect":"Deny","Resource":[],"Condition":{}}`, "200"},
		"blueprint-deny":  {`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":[]},{"Action":"execute-api:Invoke","Effect":"Deny","Resource":["*"]}`, "403"},
		"short":           {`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["arn:aws:execute-api:*","arn:aws:lambda:*"]}`, "200"},
		"only-foreign":    {`{"Action":"execute-api:Invoke","Effect":"Allow","Resource":["arn:aws:lambda:*"]}`, "403"},
		"foreign-denied":  {all + `,{"Action":"*","Effect":"Deny","Resource":["arn:aws:lambda:*"]}`, "200"},
		"lower-case":      {`{"Action":"execute-api:Invoke","Effect":"allow","Resource":"*"}`, "200"},
		"lower-case-deny": {all + `,{"Action":"execute-api:Invoke","Effect":"deny","Resource":"*"}`, "403"},
		"no-statement":    {``, "403"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				f := &answering{text: `{"principalId":"u7","context":{"user":"1","User":"2"},"policyDocument":{"Version":"2012-10-17","Statement":[` + tt.statements + `]}}`}
				mw := behind(t, flavored(gatekit.REST), newLambda(t, f, auth.LambdaConfig{Logger: slog.New(slog.NewTextHandler(&out, nil)), CacheConfig: auth.CacheConfig{TTL: auth.Off, IdentitySource: []string{"$request.header.Authorization"}}}))
				for n := range 3 { // other texts, so that each is parsed
					f.text = strings.Replace(f.text, `"u7"`, ` "u7"`, 1)
					f.text = strings.Replace(f.text, `"Statement":[`, `"Statement":[ `, 1)
					require.Equal(t, tt.want, strconv.Itoa(serve(mw, request("GET", "/pets", "t"+strconv.Itoa(n))).Code))
				}
				require.Equal(t, 1, strings.Count(out.String(), "\n"), out.String())
				require.Contains(t, out.String(), "level=WARN")
				require.Contains(t, out.String(), "Statement")
				time.Sleep(time.Minute)
				f.text = strings.Replace(f.text, `"Statement":[`, `"Statement":[ `, 1)
				serve(mw, request("GET", "/pets", "t"))
				require.Equal(t, 2, strings.Count(out.String(), "\n"), "once a minute")
			})
		})
	}
}
