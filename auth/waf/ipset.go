package waf

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/outage"
)

// IPListConfig configures an [IPList]. One of File and URL is required.
type IPListConfig struct {
	_ struct{} // keyed literals only, so that fields can be added

	// File is the path of a file. Whoever changes it writes another and renames it: of one that is
	// half written, half may be read.
	File string
	// URL is where to get the list: https, or http to a host that one trusts as much as the way to
	// it. It holds no user and password; what it holds as a query isn't logged.
	URL string
	// Every is how often the list is looked for. 0 is a minute; 1 second to 24 hours. A file that
	// hasn't changed isn't read, and a server is asked only for what has changed since (RFC 9110,
	// section 13).
	Every time.Duration
	// MaxBytes is how long the list may be, after decompression. 0 is 32 MiB, which is more than a
	// million addresses; at most 1 GiB.
	MaxBytes int64
	// AllowEmpty lets a list that had addresses become one that has none. Else it is taken for a
	// mistake, as the one of a script that found nothing to write.
	AllowEmpty bool
	// HTTPClient asks for the URL. nil is a client that follows no redirect to another origin. A
	// list that takes longer than 30 seconds is given up.
	HTTPClient *http.Client
	// Logger is told of a list that can't be read, and when one can be again. nil is
	// slog.Default.
	Logger *slog.Logger
}

const (
	defaultListEvery = time.Minute
	defaultListBytes = 32 << 20
	maxListBytes     = 1 << 30
)

// IPList is a list of addresses in a file or at a URL of one's own, which is read again when it
// changes: an IPSource for Config.IPSets. Safe for concurrent use.
//
// A list has an address or a prefix a line, of both families; what is behind a # or a ; is a
// comment. Or it is the document of an IP set, as GetIPSet and CloudFormation have it. Where one
// line is wrong, the whole list is: the last good one stays, however old it is, and the logger is
// told. No list may hold all addresses (/0), as no IP set may.
type IPList struct {
	from       ipSource
	name       string // for errors
	every      time.Duration
	allowEmpty bool
	outage     outage.Log

	set     atomic.Pointer[addrset.Set]
	loading sync.Mutex
}

// NewIPList reads the list, and starts to look for changes until ctx ends. It returns an error that
// names every field it refuses, or says why the list couldn't be read.
func NewIPList(ctx context.Context, c IPListConfig) (*IPList, error) {
	m := mistakes.In("waf: IPListConfig")
	m.Require((c.File == "") != (c.URL == ""), "", "want either File or URL, got %q and %q",
		c.File, withoutQuery(c.URL))
	if c.URL != "" {
		u, err := url.Parse(c.URL)
		ok := err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" && u.User == nil
		m.Require(ok && u.Fragment == "", "URL", "want an http or https URL without a user and a fragment")
	}
	mistakes.RangeOrZero(m, "Every", c.Every, time.Second, 24*time.Hour)
	mistakes.RangeOrZero(m, "MaxBytes", c.MaxBytes, 1, maxListBytes)
	if err := m.Err(); err != nil {
		return nil, err
	}
	name := cmp.Or(c.File, withoutQuery(c.URL))
	l := &IPList{name: name, every: cmp.Or(c.Every, defaultListEvery), allowEmpty: c.AllowEmpty}
	l.outage.Logger = cmp.Or(c.Logger, slog.Default())
	l.outage.Away = "waf: the addresses of " + name + " can't be read, the last ones stay"
	if most := cmp.Or(c.MaxBytes, defaultListBytes); c.File != "" {
		l.from = &ipFile{path: c.File, most: most}
	} else {
		l.from = &ipURL{url: c.URL, client: newListClient(c.HTTPClient), most: most}
	}
	if err := l.Reload(ctx); err != nil {
		return nil, err
	}
	go l.run(ctx)
	return l, nil
}

func (l *IPList) run(ctx context.Context) {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if ctx.Err() != nil { // as well
				return
			}
			_ = l.Reload(ctx) // which logs
		}
	}
}

// Contains reports whether a is on the list. An address of IPv4 in the form of IPv6 is one of IPv4.
func (l *IPList) Contains(a netip.Addr) bool { return l.set.Load().Contains(a) }

// Len returns how many different prefixes are on the list.
func (l *IPList) Len() int { return l.set.Load().Len() }
