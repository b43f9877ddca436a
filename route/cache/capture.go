package cache

import (
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/internal/latewriter"
)

// capture passes an answer on to the client and keeps a copy, until it turns out that the answer
// isn't one to keep.
type capture struct {
	latewriter.Writer
	cache  *Cache
	before http.Header // what outer stations had set
	head   bool
	status string // Cache-Status of an answer that wasn't there, or empty
	own    *call  // whom others wait for; may be nil
	// passing, if not nil, is set where the backend's answer, and not what became of the client,
	// says that it isn't one to keep.
	passing *atomic.Int64

	held    int64 // of Cache.copies
	dropped bool
	why     string // it was dropped, for notes
	entry   Entry
	length  int // Content-Length as declared, or -1
}

func (cache *Cache) newCapture(w http.ResponseWriter, r *http.Request, status string, own *call) *capture {
	c := &capture{
		cache: cache, before: maps.Clone(w.Header()), head: r.Method == http.MethodHead,
		status: status, own: own, length: -1,
	}
	c.Init(w, c)
	return c
}

// drop ends the keeping of a copy.
func (w *capture) drop(why string) {
	if w.dropped {
		return
	}
	w.dropped, w.why = true, why
	if w.passing != nil && w.entry.Status < 400 && !ofTheRequest[w.entry.Status] {
		w.passing.Store(time.Now().Add(passFor).UnixNano())
	}
	w.entry.Body = nil
	w.release()
	if w.own != nil {
		w.own.End(nil, nil) // nobody needs to wait any longer
	}
}

// Commit takes the headers down, right before they are sent.
func (w *capture) Commit(status int) int {
	h := w.Header()
	e := &w.entry
	e.Status = status
	var keep bool
	e.Tags, keep = w.cache.takeTags(h)
	e.Vary, keep = varyOf(h, keep)
	why := whyTags
	if keep {
		why = unkeepable(status, h)
	}
	if why != "" {
		w.drop(why)
	} else {
		e.Header = fields(h, w.before)
		if v := h["Content-Length"]; len(v) == 1 {
			if n, err := strconv.Atoi(v[0]); err == nil && n >= 0 {
				w.length = n
			}
		}
		if w.length > w.cache.maxBody {
			w.drop(whyLarge)
		} else if size := min(max(w.length, 0), preallocated); !w.head && w.hold(size) {
			e.Body = make([]byte, 0, size)
		}
	}
	if w.status != "" {
		h["Cache-Status"] = []string{w.status}
	}
	return status
}

// preallocated is how much of a body's declared length is believed.
const preallocated = 1 << 20

func varyOf(h http.Header, keep bool) ([]string, bool) {
	vary, ok := varies(h)
	return vary, ok && keep
}

// ofTheRequest are statuses that tell a client something about its own request, its headers or the
// moment, none of which is in the key: one client could have the others get them. (James Kettle,
// "Web Cache Entanglement"; Nguyen, Lo Iacono, Federrath, "Your Cache Has Fallen".)
var ofTheRequest = map[int]bool{
	http.StatusPartialContent:               true,
	http.StatusNotModified:                  true,
	http.StatusBadRequest:                   true,
	http.StatusUnauthorized:                 true,
	http.StatusNotAcceptable:                true,
	http.StatusProxyAuthRequired:            true,
	http.StatusRequestTimeout:               true,
	http.StatusLengthRequired:               true,
	http.StatusPreconditionFailed:           true,
	http.StatusRequestEntityTooLarge:        true,
	http.StatusRequestURITooLong:            true,
	http.StatusUnsupportedMediaType:         true,
	http.StatusRequestedRangeNotSatisfiable: true,
	http.StatusExpectationFailed:            true,
	http.StatusMisdirectedRequest:           true,
	http.StatusTooEarly:                     true,
	http.StatusUpgradeRequired:              true,
	http.StatusPreconditionRequired:         true,
	http.StatusTooManyRequests:              true,
	http.StatusRequestHeaderFieldsTooLarge:  true,
}

// unkeepable says why an answer with this status and these headers may not be kept, or "".
func unkeepable(status int, h http.Header) string {
	switch {
	case status < 200 || status >= 500 || ofTheRequest[status]:
		return whyStatus
	case len(h["Set-Cookie"]) > 0 || len(h["Trailer"]) > 0 || len(h["Content-Range"]) > 0:
		return whyHeaders
	case directive(h, "private") || directive(h, "no-store"):
		return whyPrivate
	}
	return ""
}

// takeTags removes the tag header, which isn't the client's.
func (c *Cache) takeTags(h http.Header) ([]string, bool) {
	if c.tagHeader == "" {
		return nil, true
	}
	list, ok := tags(h[c.tagHeader])
	delete(h, c.tagHeader)
	return list, ok
}

// WriteBody passes a part of the body on, and keeps a copy.
func (w *capture) WriteBody(to http.ResponseWriter, b []byte) (n int, err error) {
	w.copy(b)
	if w.own != nil && !w.dropped {
		n, err = w.own.write(to, b)
	} else {
		n, err = to.Write(b)
	}
	if err != nil {
		w.passing = nil
		w.drop(whyClient)
	}
	return n, err
}

func (w *capture) copy(b []byte) {
	if w.dropped || w.head {
		return
	}
	if len(w.entry.Body)+len(b) > w.cache.maxBody {
		w.drop(whyLarge)
		return
	}
	if w.hold(len(w.entry.Body) + len(b)) {
		w.entry.Body = append(w.entry.Body, b...)
	}
}

// hold makes the copy count as size bytes, or drops it if all copies together would be too large.
func (w *capture) hold(size int) bool {
	more := int64(size) - w.held
	if more <= 0 {
		return true
	}
	if w.cache.copies.Add(more) > w.cache.maxCopies {
		w.cache.copies.Add(-more)
		w.passing = nil // it isn't the backend's answer that is at fault
		w.drop(whyCrowded)
		return false
	}
	w.held += more
	return true
}

// release gives back what hold has taken: the answer is kept now, or not at all.
func (w *capture) release() {
	w.cache.copies.Add(-w.held)
	w.held = 0
}

// ReadFrom keeps sendfile for what isn't copied.
func (w *capture) ReadFrom(r io.Reader) (int64, error) {
	if !w.Committed() {
		w.WriteHeader(http.StatusOK)
	}
	if w.dropped {
		return io.Copy(w.ResponseWriter, r)
	}
	return w.Writer.ReadFrom(r)
}

// Stream says that the answer comes bit by bit: it may never end, so nobody waits for it any
// longer, and no copy is kept.
func (w *capture) Stream() { w.drop(whyStreamed) }

// done returns the answer once the handler has returned, or nil if it isn't one to keep.
func (w *capture) done(now time.Time, ttl, stale time.Duration) *Entry {
	w.Finish()
	if w.dropped {
		return nil
	}
	if w.length >= 0 && w.length != len(w.entry.Body) && !w.head {
		w.why = whyCut
		return nil
	}
	for name := range w.Header() { // trailers that weren't announced
		if len(name) > len(http.TrailerPrefix) && name[:len(http.TrailerPrefix)] == http.TrailerPrefix {
			w.why = whyCut
			return nil
		}
	}
	e := w.entry
	e.Made, e.Expires, e.Stale = now, now.Add(ttl), now.Add(ttl+stale)
	return &e
}
