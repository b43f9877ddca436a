package lambdaruntime

import (
	"io"
	"time"
)

// CopyLines has lines take all of from, and returns when it is written to to.
func CopyLines(name string, to io.Writer, from io.Reader) {
	l := newLines(name, to)
	l.copy(from)
	l.close(time.Minute)
}

// Addresses are where the processes that there are ask for events.
func (f *Function) Addresses() (all []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.all {
		all = append(all, p.addr)
	}
	return all
}

// Calls are how many there are.
func (f *Function) Calls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls
}
