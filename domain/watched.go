package domain

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// maxFileBytes is the largest file that is read: a truststore's bound. (Developer guide,
// "Configuring mutual TLS authentication".)
const maxFileBytes = 1 << 20

// watched is a value made from files. Who asks for it looks at the files again if nobody has for
// some time, so that there is no goroutine to end, and files on every kind of mount are seen to
// change. It is safe for concurrent use: one caller looks, the others go on with what there is.
type watched[T any] struct {
	files  []string
	parse  func(contents [][]byte) (*T, error)
	every  time.Duration
	report func(error) // why what is in the files now wasn't taken; once for each content

	current atomic.Pointer[T]
	start   time.Time    // by whose monotonic clock nextLook is told
	next    atomic.Int64 // when to look again, as a time since start

	looking sync.Mutex // over what follows
	seen    [sha256.Size]byte
	failure string // of the last reading
}

// watch returns the value, or why there is none.
func watch[T any](files []string, every time.Duration, report func(error),
	parse func([][]byte) (*T, error)) (*watched[T], error) {
	w := &watched[T]{files: files, parse: parse, every: every, report: report, start: time.Now()}
	contents, err := w.read()
	if err != nil {
		return nil, err
	}
	value, err := parse(contents)
	if err != nil {
		return nil, err
	}
	w.current.Store(value)
	w.seen = digest(contents)
	w.next.Store(int64(every))
	return w, nil
}

// get returns the value.
func (w *watched[T]) get() *T {
	if int64(time.Since(w.start)) >= w.next.Load() && w.looking.TryLock() {
		w.look()
		w.next.Store(int64(time.Since(w.start) + w.every))
		w.looking.Unlock()
	}
	return w.current.Load()
}

// look takes what is in the files, unless it is what was there, or bad. Two files that are replaced
// one after the other don't fit for a moment; the next look finds both.
func (w *watched[T]) look() {
	contents, err := w.read()
	if err != nil {
		if err.Error() != w.failure {
			w.failure = err.Error()
			w.report(err)
		}
		return
	}
	w.failure = ""
	sum := digest(contents)
	if sum == w.seen {
		return
	}
	w.seen = sum
	value, err := w.parse(contents)
	if err != nil {
		w.report(err)
		return
	}
	w.current.Store(value)
}

func (w *watched[T]) read() ([][]byte, error) {
	contents := make([][]byte, len(w.files))
	for i, name := range w.files {
		var err error
		if contents[i], err = readFile(name); err != nil {
			return nil, err
		}
	}
	return contents, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() { // a pipe or a device would never end
		return nil, fmt.Errorf("%s: want a regular file", name)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err == nil && len(data) > maxFileBytes {
		err = fmt.Errorf("%s: want at most 1 MiB", name)
	}
	return data, err
}

// digest stands for the contents, of which some are keys.
func digest(contents [][]byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	for _, c := range contents {
		part := sha256.Sum256(c)
		h.Write(part[:])
	}
	h.Sum(sum[:0])
	return sum
}
