package waf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
)

// ipSource is where a list is.
type ipSource interface {
	// get returns the list, or false if it hasn't changed since keep was called last. keep says
	// that what get returned is good.
	get(ctx context.Context) (text []byte, changed bool, err error)
	keep()
}

var errEmptied = errors.New("it had addresses and has none: want AllowEmpty, if that is meant")

// Reload looks for a change of the list now, as on a signal. On an error the last good list stays.
func (l *IPList) Reload(ctx context.Context) error {
	l.loading.Lock()
	defer l.loading.Unlock()
	had := l.set.Load()
	err := l.load(ctx, had)
	switch {
	case err == nil:
		l.outage.Worked(ctx)
		return nil
	case had != nil && ctx.Err() == nil: // else NewIPList returns it, or nobody wants to know
		l.outage.Failed(ctx, err)
	}
	return fmt.Errorf("waf: read %s: %w", l.name, err)
}

func (l *IPList) load(ctx context.Context, had *addrset.Set) error {
	text, changed, err := l.from.get(ctx)
	if err != nil || !changed {
		return err
	}
	set, err := readIPList(text)
	if err != nil {
		return err
	}
	if set.Len() == 0 && had != nil && had.Len() > 0 && !l.allowEmpty {
		return errEmptied
	}
	l.set.Store(set)
	l.from.keep()
	return nil
}

// readAtMost reads all of r, unless that is more than most bytes.
func readAtMost(r io.Reader, most int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(text)) > most {
		return nil, fmt.Errorf("longer than %d bytes", most)
	}
	return text, err
}

// ipFile is a list in a file.
type ipFile struct {
	path     string
	most     int64
	last, is os.FileInfo // of the good list, and of what was read
}

func (f *ipFile) get(context.Context) ([]byte, bool, error) {
	is, err := os.Stat(f.path) // before it is opened, which may take forever of what is no file
	switch {
	case err != nil:
		return nil, false, withoutPath(err)
	case !is.Mode().IsRegular():
		return nil, false, errors.New("not a file")
	case f.last != nil && os.SameFile(f.last, is) && f.last.ModTime().Equal(is.ModTime()) && f.last.Size() == is.Size():
		return nil, false, nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, false, withoutPath(err)
	}
	defer file.Close()
	if f.is, err = file.Stat(); err != nil {
		return nil, false, withoutPath(err)
	}
	text, err := readAtMost(file, f.most)
	return text, true, withoutPath(err)
}

func (f *ipFile) keep() { f.last = f.is }

// withoutPath is the cause of an error whose path is told already.
func withoutPath(err error) error {
	var inner *os.PathError
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

// ipURL is a list on a server.
type ipURL struct {
	url    string
	client *http.Client
	most   int64
	// What the server called the good list, and what it called the one that was read.
	last, is validators
}

type validators struct{ etag, modified string }

// newListClient returns user's client, or one of our own.
func newListClient(user *http.Client) *http.Client {
	if user != nil {
		return user
	}
	return &http.Client{
		// An hour's few requests need no connection between them, whose goroutines would outlive
		// the list.
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true, ForceAttemptHTTP2: true},
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if first := via[0].URL; len(via) > 3 || r.URL.Scheme != first.Scheme || r.URL.Host != first.Host {
				return errors.New("refused a redirect to another origin")
			}
			return nil
		},
	}
}

// listTimeout is how long a server may take, the list's last byte included.
const listTimeout = 30 * time.Second

func (u *ipURL) get(ctx context.Context) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.url, nil)
	if err != nil {
		return nil, false, withoutURL(err)
	}
	if u.last.etag != "" {
		r.Header.Set("If-None-Match", u.last.etag)
	}
	if u.last.modified != "" {
		r.Header.Set("If-Modified-Since", u.last.modified)
	}
	w, err := u.client.Do(r)
	if err != nil {
		return nil, false, withoutURL(err)
	}
	defer w.Body.Close()
	switch {
	case w.StatusCode == http.StatusNotModified && u.last != validators{}:
		return nil, false, nil
	case w.StatusCode != http.StatusOK:
		return nil, false, fmt.Errorf("want 200 OK, got %.64q", w.Status)
	}
	u.is = validators{w.Header.Get("Etag"), w.Header.Get("Last-Modified")}
	text, err := readAtMost(w.Body, u.most)
	return text, true, err
}

func (u *ipURL) keep() { u.last = u.is }

// withoutURL is the cause of an error whose URL is told already, but for its query.
func withoutURL(err error) error {
	var inner *url.Error
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}
