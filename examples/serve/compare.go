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

	"github.com/gatekit-go/gatekit/route/compare"
)

// errDiffers is what compareMain returns where answers differ, for the program's exit code.
var errDiffers = errors.New("answers differ")

// compareOptions say how two gateways are compared.
type compareOptions struct {
	compare.Config
	methods string
}

// compareFlags defines the flags of a comparison, beside -compare and -log. They have their values
// once f is parsed.
func compareFlags(f *flag.FlagSet) *compareOptions {
	o := &compareOptions{Config: compare.Config{Header: http.Header{}, GatewayHeader: http.Header{}}}
	f.StringVar(&o.methods, "methods", "GET,HEAD", "with -compare: `methods` of the log to send, without bodies")
	f.StringVar(&o.Host, "compare-host", "", "with -compare: the `host` to ask this gateway for; empty: the remote's")
	f.StringVar(&o.Prefix, "compare-prefix", "",
		"with -compare: the `path` that this gateway's paths begin with; empty: the remote's, /: none")
	f.StringVar(&o.LogPrefix, "log-prefix", "",
		"with -compare: the `path` to cut off the log's paths; empty: the remote's, /: none")
	f.Float64Var(&o.Rate, "rate", 10, "with -compare: requests a second")
	f.IntVar(&o.MaxRequests, "most", 1000, "with -compare: requests at most")
	f.Func("header-from", "with -compare: a header to send to both, as `Authorization=env:TOKEN` or "+
		"X-Api-Key=file:key.txt: a log has no credentials", headerFrom(o.Header))
	f.Func("own-header-from", "with -compare: for this gateway, in place of -header-from's: `NAME=env:VARIABLE`",
		headerFrom(o.GatewayHeader))
	f.Func("ignore", "with -compare: a `difference` that doesn't count, as printed: 'body .items[].id'",
		func(what string) error {
			o.Ignore = append(o.Ignore, what)
			return nil
		})
	return o
}

// headerFrom reads NAME=env:VARIABLE and NAME=file:PATH. A value on the command line isn't taken:
// it would be in the shell's history and in the list of processes.
func headerFrom(to http.Header) func(string) error {
	return func(text string) error {
		name, from, _ := strings.Cut(text, "=")
		kind, where, ok := strings.Cut(from, ":")
		value := os.Getenv(where)
		switch {
		case kind == "file":
			file, err := os.ReadFile(where)
			if err != nil {
				return err
			}
			value = strings.TrimSpace(string(file))
		case kind != "env" || !ok || name == "":
			return errors.New("want NAME=env:VARIABLE or NAME=file:PATH")
		}
		if value == "" {
			return fmt.Errorf("%s is empty", from)
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
	c := opts.Config
	c.Gateway, c.Remote, c.Log = gateway, remote, logFile
	c.Methods = strings.FieldsFunc(opts.methods, func(c rune) bool { return c == ',' || c == ' ' })
	c.Told = func(d compare.Difference) { fmt.Fprintln(out, d) }
	report, err := compare.Run(ctx, c)
	if report != nil {
		fmt.Fprintf(out, "\n%s", report)
	}
	if err == nil && len(report.Differences) > 0 {
		return errDiffers
	}
	return err
}
