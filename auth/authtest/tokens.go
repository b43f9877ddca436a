package authtest

import (
	"io"
	"net/http"
	"net/url"
	"strconv"
)

const maxClaims = 64 << 10

// ServeTokens mints tokens over HTTP, for programs to try an API with: it answers a POST with a
// token ([Issuer.Mint]) whose claims are the fields of the form in its body. A field that is there
// several times is a list, and exp, iat and nbf are numbers.
//
//	curl -d 'aud=my-api&scope=orders:read' http://127.0.0.1:8081
//
// Whoever reaches it is whoever they like to be: serve it on a loopback address, where it refuses
// requests of web pages.
func (iss *Issuer) ServeTokens(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxClaims))
	form, malformed := url.ParseQuery(string(body)) // whatever the content type: curl -d says what it does
	if r.Method != http.MethodPost || r.Header["Origin"] != nil || err != nil || malformed != nil {
		http.Error(w, "want a POST of claims as a form, and not from a web page", http.StatusBadRequest)
		return
	}
	claims := Claims{}
	for name, values := range form {
		number, err := strconv.ParseInt(values[0], 10, 64)
		switch {
		case len(values) > 1:
			claims[name] = values
		case err == nil && (name == "exp" || name == "iat" || name == "nbf"):
			claims[name] = number
		default:
			claims[name] = values[0]
		}
	}
	_, _ = io.WriteString(w, iss.Mint(claims))
}
