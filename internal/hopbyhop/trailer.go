package hopbyhop

import "net/http"

// KeepTrailer must be called before r is copied. The server puts the trailers into the request that
// it has made, when the body has ended: into the map that is there, which shallow copies share, or
// into a new one, which they don't see. There is none where no Trailer header has announced them.
// Only a body whose length isn't known is followed by any (RFC 9112, section 7.1.2).
func KeepTrailer(r *http.Request) {
	if r.Trailer == nil && r.ContentLength < 0 && r.Body != nil && r.Body != http.NoBody {
		r.Trailer = http.Header{}
	}
}
