package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/route/compare"
)

// errDiffers is what compareMain returns where answers differ, for the program's exit code.
var errDiffers = errors.New("answers differ")

// compareOptions are the flags of a comparison.
type compareOptions struct {
	methods           string
	host, prefix      string
	logPrefix         string
	rate              float64
	concurrency, most int
	timeout           time.Duration
	header, ownHeader http.Header
	ignore            []string
}

// compareFlags defines the flags, beside -compare and -log, that say how two gateways are compared.
// They have their values once flags is parsed.
func compareFlags(flags *flag.FlagSet) *compareOptions {
	o := &compareOptions{header: http.Header{}, ownHeader: http.Header{}}
	flags.StringVar(&o.methods, "methods", "GET,HEAD", "with -compare: `methods` of the log to send, without body")
	flags.StringVar(&o.host, "compare-host", "", "with -compare: the `host` to ask this gateway for; empty: remote's")
	flags.StringVar(&o.prefix, "compare-prefix", "",
		"with -compare: the `path` that this gateway's paths begin with; empty: the remote's, /: none")
	flags.StringVar(&o.logPrefix, "log-prefix", "",
		"with -compare: the `path` to cut off the log's paths; empty: the remote's, /: none")
	flags.Float64Var(&o.rate, "rate", 10, "with -compare: requests a second")
	flags.IntVar(&o.concurrency, "concurrency", 4, "with -compare: requests at a time")
	flags.IntVar(&o.most, "most", 1000, "with -compare: requests at most")
	flags.DurationVar(&o.timeout, "timeout", 30*time.Second, "with -compare: for each answer")
	flags.Func("header-from", "with -compare: a header to send to both, as `Authorization=env:TOKEN` or "+
		"X-Api-Key=file:key.txt: a log has no credentials", headerFrom(o.header))
	flags.Func("own-header-from", "with -compare: for this gateway, in place of -header-from's: `NAME=env:VARIABLE`",
		headerFrom(o.ownHeader))
	flags.Func("ignore", "with -compare: a `difference` that doesn't count, as printed: 'body .items[].id'",
		func(what string) error {
			o.ignore = append(o.ignore, what)
			return nil
		})
	return o
}

// headerFrom reads NAME=env:VARIABLE and NAME=file:PATH. A value on the command line isn't taken:
// it would be in the shell's history and in the list of processes.
func headerFrom(to http.Header) func(string) error {
	return func(flag string) error {
		name, from, ok := strings.Cut(flag, "=")
		kind, where, okFrom := strings.Cut(from, ":")
		if !ok || !okFrom || name == "" {
			return errors.New("want NAME=env:VARIABLE or NAME=file:PATH")
		}
		var value string
		switch kind {
		case "env":
			value = os.Getenv(where)
		case "file":
			text, err := os.ReadFile(where)
			if err != nil {
				return err
			}
			value = strings.TrimSpace(string(text))
		default:
			return errors.New("want env: or file: behind the header's name")
		}
		if value == "" {
			return fmt.Errorf("%s:%s is empty", kind, where)
		}
		to.Set(name, value)
		return nil
	}
}

// compareMain sends what logFile has to gateway and to the one at remote, and prints the first
// difference of each kind as it finds it, and a table at the end.
func compareMain(
	ctx context.Context, gateway http.Handler, remote string, logFile io.Reader, opts compareOptions, out io.Writer,
) error {
	report, err := compare.Run(ctx, compare.Config{
		Gateway: gateway, Remote: remote, Log: logFile,
		Host: opts.host, Prefix: opts.prefix, LogPrefix: opts.logPrefix,
		Methods: strings.FieldsFunc(opts.methods, func(c rune) bool { return c == ',' || c == ' ' }),
		Header:  opts.header, GatewayHeader: opts.ownHeader, Ignore: opts.ignore,
		Rate: opts.rate, Concurrency: opts.concurrency, MaxRequests: opts.most, Timeout: opts.timeout,
		Told: func(d compare.Difference) { fmt.Fprintln(out, d) },
	})
	if report != nil {
		fmt.Fprintf(out, "\n%s", report)
	}
	if err == nil && len(report.Differences) > 0 {
		return errDiffers
	}
	return err
}
