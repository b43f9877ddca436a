package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// options are what the flags say.
type options struct {
	addr, template, issuer, report, export string
	remote, log                            string
	watch, strict, own                     bool
	compare                                *compareOptions

	functions, endpoints, upstreams, parameters, variables pairs
}

// pairs are the values of a flag that may be repeated: NAME=VALUE.
type pairs map[string]string

func (p pairs) String() string { return "" }

func (p pairs) Set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" {
		return errors.New("want NAME=VALUE")
	}
	p[name] = value
	return nil
}

func defineFlags(f *flag.FlagSet) *options {
	o := &options{functions: pairs{}, endpoints: pairs{}, upstreams: pairs{}, parameters: pairs{}, variables: pairs{}}
	f.StringVar(&o.addr, "addr", "127.0.0.1:0", "address to listen on; port 0 takes a free one, as further APIs do")
	f.StringVar(&o.template, "template", "",
		"the `file` to serve: the CDK's manifest.json, a CloudFormation or SAM template, an OpenAPI document")
	f.Var(o.functions, "function", "`NAME=CODE`: a program, a folder with code, or the http URL of an Invoke API")
	f.StringVar(&o.issuer, "issuer", "",
		"`URL` of an issuer in place of all others; empty is one of this program's, and own the document's")
	f.Var(o.endpoints, "endpoint", "`SERVICE=URL` of an AWS service, such as sqs=http://localhost:4566")
	f.Var(o.upstreams, "upstream", "`NAME=HOST:PORT` behind a VPC link, by the name of its listener or balancer")
	f.Var(o.parameters, "parameter", "`NAME=VALUE` of a template's parameter")
	f.Var(o.variables, "env", "`NAME=VALUE` for all functions; NAME=$ is this shell's")
	f.BoolVar(&o.watch, "watch", false, "serve the file anew when it changes; no request is lost")
	f.BoolVar(&o.strict, "strict", false, "end with an error where not all is served")
	f.StringVar(&o.report, "report", "", "`json` prints what isn't served, or not alike, and ends")
	f.StringVar(&o.remote, "compare", "", "`URL` of the gateway to compare this one with, by -log, and end")
	f.StringVar(&o.log, "log", "", "with -compare: a `file` with an access log")
	o.compare = compareFlags(f)
	f.StringVar(&o.export, "export", "", "`openapi` prints each API as an OpenAPI document, and ends")
	return o
}

// find finds the app of this folder where no file is named.
func (o *options) find() error {
	switch {
	case flag.NArg() > 0:
		return fmt.Errorf("serve: want flags alone, got %q: a file to serve is named with -template", flag.Arg(0))
	case o.report != "" && o.report != "json" || o.export != "" && o.export != "openapi":
		return errors.New("serve: want -report json, and -export openapi")
	case (o.remote == "") != (o.log == ""):
		return errors.New("serve: want -compare URL and -log FILE together")
	}
	for _, file := range []string{"cdk.out/manifest.json", "examples/serve/cdk.out/manifest.json"} {
		if _, err := os.Stat(file); err == nil && o.template == "" {
			o.template, o.own = file, true
		}
	}
	if o.template == "" {
		return errors.New("serve: no cdk.out here nor in examples/serve: name a file with -template")
	}
	return nil
}

// root is the folder that the template's files are in.
func (o *options) root() string {
	if info, err := os.Stat(o.template); err == nil && info.IsDir() {
		return o.template
	}
	return filepath.Dir(o.template)
}
