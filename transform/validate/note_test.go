package validate_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/notetest"
	"github.com/gatekit-go/gatekit/transform/validate"
)

func TestNotes(t *testing.T) {
	config := func(c validate.Config) *validate.Validator {
		c.ValidateBody, c.Models = true, models(t, map[string]string{"Pet": petSchema})
		c.RequestModels = map[string]string{"application/json": "Pet"}
		v, err := validate.New(c)
		require.NoError(t, err)
		return v
	}
	needs := config(validate.Config{ValidateParameters: true, RequestParameters: map[string]bool{"method.request.querystring.q": true}})
	pet := config(validate.Config{})
	nothing, err := validate.New(validate.Config{})
	require.NoError(t, err)
	const good = `{"type":"dog","price":30,"note":"s3cret"}`
	for _, tt := range []struct {
		name      string
		v         *validate.Validator
		r         *http.Request
		want, why string
	}{
		{"nothing", nothing, rest("POST", "/", good), "", ""},
		{"model", pet, rest("POST", "/?s3cret", good), "validate passed (Pet)", ""},
		{"price", pet, rest("POST", "/", `{"type":"s3cret","price":1}`), "validate refused (Pet) 400", "minimum at #/price: validate: the body isn't what model Pet says: "},
		{"not-json", pet, rest("POST", "/", `{"type":"s3cret`), "validate refused (Pet) 400", "validate: the body: "},
		{"no-model", pet, rest("POST", "/", "s3cret", "Content-Type", "text/plain"), "validate skipped", "no model"},
		{"model-required", config(validate.Config{RequireModel: true}), rest("POST", "/", "s3cret", "Content-Type", "text/plain"), "validate refused 415", ""},
		{"types", pet, rest("POST", "/", good, "Content-Type", "a/b", "Content-Type", "c/d"), "validate refused 400", "several content types"},
		{"parameter", needs, rest("POST", "/", good), "validate refused (parameters) 400", "[q]"},
		{"both", needs, rest("POST", "/?q=s3cret", good), "validate passed (Pet)", ""},
		{"parameter-alone", needs, rest("POST", "/?q=s3cret", "", "Content-Type", "text/plain"), "validate passed (parameters)", ""},
		{"too-large", config(validate.Config{MaxBodyBytes: 2}), rest("POST", "/", good), "validate refused (Pet) 413", ""},
		{"problem", config(validate.Config{ProblemDetails: true}), rest("POST", "/", "{}"), "validate refused (Pet) 400", "required at #"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			notes, r := notetest.Keep(t, tt.r)
			tt.v.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
			require.Equal(t, tt.want, notes.String())
			require.Contains(t, notes.Verbose(), tt.why)
			require.NotContains(t, notes.Verbose(), "s3cret")
		})
	}
}

// A client that chooses the names of members chooses no more than 128 bytes of a reason.
func TestReasonsAreCut(t *testing.T) {
	v := bodies(t, `{"type":"object","additionalProperties":{"type":"string"}}`)
	notes, r := notetest.Keep(t, rest("POST", "/", `{"`+strings.Repeat("k", 1000)+`":1}`))
	v.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	reason, _, _ := strings.Cut(notes.Verbose(), ": validate: ")
	require.Len(t, reason, len("validate refused (Model) 400: ")+128)
}
