package compare

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"golang.org/x/time/rate"
)

// maxFailures is after how many requests in a row without an answer from a side it is taken for
// away.
const maxFailures = 20

// Run reads the log to its end, asks both for what is in it, and returns what it found. The error
// is of a configuration, which names every field that it refuses; of the log; of a side that
// doesn't answer any more; or ctx's, if that ends before. A report is there in each case but the
// first.
//
// It starts what it needs and has ended it when it returns; a handler that doesn't mind its
// request's context is left behind.
func Run(ctx context.Context, c Config) (*Report, error) {
	c, remote, err := c.checked()
	if err != nil {
		return nil, err
	}
	here, err := startGateway(c)
	if err != nil {
		return nil, fmt.Errorf("compare: %w", err)
	}
	defer here.close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &run{Config: c, here: here, there: newRemote(c, remote), stop: stop,
		secrets: newSecrets(c), report: newReport(), limit: rate.NewLimiter(rate.Limit(c.Rate), 1)}
	defer r.there.close()

	questions := make(chan question)
	var workers sync.WaitGroup
	for range c.Concurrency {
		workers.Go(func() {
			for q := range questions {
				r.ask(ctx, q)
			}
		})
	}
	err = r.read(ctx, questions)
	close(questions)
	workers.Wait()
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return r.report, err
}

// run is one comparison.
type run struct {
	Config
	here, there *side
	limit       *rate.Limiter
	secrets     *secrets
	stop        context.CancelCauseFunc

	mu     sync.Mutex // guards the report, the sides' failures, and calls of Told
	report *Report
}

// read sends the log's requests to the workers, as fast as the rate allows.
func (r *run) read(ctx context.Context, questions chan<- question) error {
	in := bufio.NewReaderSize(r.Log, maxLine)
	seen := map[string]bool{}
	for number := 1; ctx.Err() == nil; number++ {
		line, ok, err := readLine(in)
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("compare: read the log, line %d: %w", number, err)
		}
		q, why := r.question(line, ok)
		q.line = number
		key := q.method + " " + q.target
		switch {
		case why == "" && q.method == "":
			continue // blank
		case why == "" && seen[key]:
			why = skipSeen
		}
		if why != "" {
			r.skip(why, number)
			continue
		}
		if len(seen) == r.MaxRequests {
			r.mu.Lock()
			r.report.Stopped = number
			r.mu.Unlock()
			return nil
		}
		seen[key] = true
		if err := r.limit.Wait(ctx); err != nil {
			return fmt.Errorf("compare: %w", err) // ctx has ended, or will before it is this one's turn
		}
		select {
		case questions <- q:
		case <-ctx.Done():
		}
	}
	return nil
}

// question is what is asked for because of a line, without the log's prefix.
func (r *run) question(line string, whole bool) (question, string) {
	if !whole {
		return question{}, skipLong
	}
	q, isRoute, why := parseLine(line)
	switch {
	case why != "" || q.method == "":
		return q, why
	case !slices.Contains(r.Methods, q.method):
		return q, skipMethod
	}
	if rest, ok := strings.CutPrefix(q.target, r.LogPrefix); ok && !isRoute {
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			q.target = rest
		}
	}
	return q, ""
}

func (r *run) skip(why string, line int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.skip(why, line)
}

// ask asks both sides, one after the other, and holds their answers against each other.
func (r *run) ask(ctx context.Context, q question) {
	there, errThere := r.askOne(ctx, r.there, q)
	here, errHere := r.askOne(ctx, r.here, q)
	if ctx.Err() != nil {
		return // what there is may be half of it
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	failed := false
	for _, s := range []struct {
		*side
		err error
	}{{r.there, errThere}, {r.here, errHere}} {
		if s.err == nil {
			s.failures = 0
			continue
		}
		failed = true
		r.report.skip(s.name+" gave no answer", q.line)
		if s.failures++; s.failures == maxFailures {
			r.stop(fmt.Errorf("compare: %s has given no answer to %d requests in a row: %w",
				s.name, maxFailures, s.err))
		}
	}
	if failed {
		return
	}
	r.report.Sent++
	different := false
	known := r.secrets.with(q)
	for _, d := range r.differences(here, there, known) {
		d.Line, d.Request, d.Count = q.line, known.request(q), 1
		different = true
		if r.report.add(d) && r.Told != nil {
			r.Told(d.Difference)
		}
	}
	if !different {
		r.report.Same++
	}
}

// askOne is one side's answer.
func (r *run) askOne(ctx context.Context, s *side, q question) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.Timeout)
	defer cancel()
	a, err := s.ask(ctx, q)
	return a, cause(err)
}

var errNoHTTP = errors.New("the connection broke off, or the answer isn't HTTP")

// cause is what may be told of an error. Errors of net/http have parts of answers in them, and
// those of net say no more than what the operator has configured.
func cause(err error) error {
	var op *net.OpError
	var certificate *tls.CertificateVerificationError
	switch {
	case err == nil, errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &certificate):
		return certificate
	case errors.As(err, &op):
		return op
	}
	return errNoHTTP
}
