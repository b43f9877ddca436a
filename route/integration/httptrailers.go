package integration

import (
	"net/http"

	"github.com/gatekit-go/gatekit/internal/hopbyhop"
)

// announceTrailers says which trailers follow the request's body: those that the client has
// announced and that no rule about headers forbids. net/http puts into the request's Trailer
// whatever arrives, also what wasn't announced, so the upstream gets a map of its own, which is
// filled in when the body has been read. A header that the client, a mapping or the gateway has set
// isn't set again behind the body: some readers take the last.
func (x *exchange) announceTrailers() {
	if !x.HasBody() {
		return
	}
	var out http.Header
	for name := range x.In.Trailer {
		if x.mayTrail(name) {
			if out == nil {
				out = http.Header{}
			}
			out[name] = nil
		}
	}
	if out == nil {
		return
	}
	x.Out.Trailer = out
	in := x.In.Trailer
	x.OnBodyRead(func() {
		for name := range out {
			out[name] = in[name]
		}
	})
}

// mayTrail reports whether a trailer of the client's is passed on.
func (x *exchange) mayTrail(name string) bool {
	for _, n := range [2]string{name, hopbyhop.Twin(name)} {
		if _, set := x.Out.Header[n]; set || x.proxy.ruled[n] {
			return false
		}
	}
	return hopbyhop.MayTrail(name)
}

// announcedTo returns the trailers of the upstream's that the client is told of: none that is a
// header's to say, or that the answer's header section has already.
func (x *exchange) announcedTo(trailer http.Header) (names []string) {
	for name := range trailer {
		if hopbyhop.MayTrail(name) && x.W.Header()[name] == nil {
			names = append(names, name)
		}
	}
	return names
}
