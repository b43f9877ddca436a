package openapi

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/route/definition"
)

// What the managed gateway says of a URI. (Public answers; aws-apigateway-importer and others.)
var (
	errFunction = errors.New("Invalid function ARN or invalid uri") //lint:ignore ST1005 its words
	errPart     = errors.New("AWS ARN for integration must contain path or action")
	errARN      = errors.New("Invalid ARN specified in the request")                      //lint:ignore ST1005 its words
	errEndpoint = errors.New("Invalid HTTP endpoint specified for URI")                   //lint:ignore ST1005 its words
	errListener = errors.New("want the ARN of a listener or of a Cloud Map service here") // our words
)

// The paths of functions in the ARNs of integrations.
const (
	functionPath  = "2015-03-31/functions/"
	functionEnd   = "/invocations"
	streamingPath = "2021-11-15/functions/"
	streamingEnd  = "/response-streaming-invocations"
)

// awsTarget reads the URI of an integration of type AWS or AWS_PROXY, or of an authorizer.
func awsTarget(uri string, rest bool) (definition.Target, error) {
	parts := strings.SplitN(uri, ":", 6)
	switch {
	case len(parts) < 6 || parts[0] != "arn":
		return definition.Target{}, errARN
	case parts[2] == "lambda" && !rest:
		return function(uri, false)
	case parts[2] != "apigateway":
		return definition.Target{}, errPart
	}
	name, rest5 := parts[4], parts[5]
	if path, ok := strings.CutPrefix(rest5, "path/"); ok && name == "lambda" {
		return functionTarget(path)
	}
	t := definition.Target{Kind: definition.KindService, Region: parts[3], Service: name}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		t.Subdomain, t.Service = name[:dot], name[dot+1:]
	}
	if path, ok := strings.CutPrefix(rest5, "path/"); ok && t.Service != "" {
		t.Path = path
		return t, nil
	}
	action, ok := strings.CutPrefix(rest5, "action/")
	if !ok || action == "" || t.Service == "" {
		return definition.Target{}, errPart
	}
	t.Action, action, _ = strings.Cut(action, "&")
	for pair := range strings.SplitSeq(action, "&") {
		if name, v, _ := strings.Cut(pair, "="); name != "" {
			put(&t.Arguments, name, v)
		}
	}
	return t, nil
}

func functionTarget(path string) (definition.Target, error) {
	if rest, ok := strings.CutPrefix(path, streamingPath); ok {
		if arn, ok := strings.CutSuffix(rest, streamingEnd); ok {
			return function(arn, true)
		}
	}
	rest, begins := strings.CutPrefix(path, functionPath)
	arn, ends := strings.CutSuffix(rest, functionEnd)
	if !begins || !ends {
		return definition.Target{}, errFunction
	}
	return function(arn, false)
}

// function reads a function's ARN. What is no ARN stays as it is: a program may still bind it.
func function(text string, streaming bool) (definition.Target, error) {
	if strings.TrimSpace(text) == "" {
		return definition.Target{}, errFunction
	}
	t := definition.Target{Kind: definition.KindLambda, Streaming: streaming}
	parts := strings.Split(text, ":")
	if _, unknown := definition.UnknownIn(text); unknown || (len(parts) != 7 && len(parts) != 8) ||
		parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" || parts[6] == "" {
		t.URI = text
		return t, nil
	}
	t.Name = parts[6]
	t.ARN = strings.Join(parts[:7], ":")
	if len(parts) == 8 {
		t.Qualifier = parts[7]
	}
	return t, nil
}

// httpTarget reads the URI of an integration of type HTTP or HTTP_PROXY.
func httpTarget(uri string) (definition.Target, error) {
	scheme, rest, ok := strings.Cut(uri, "://")
	if !ok || scheme != "http" && scheme != "https" || rest == "" {
		return definition.Target{}, errEndpoint
	}
	return definition.Target{Kind: definition.KindHTTP, URI: uri}, nil
}

// privateTarget reads what an HTTP API's VPC link leads to.
func privateTarget(uri string) (definition.Target, error) {
	if strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://") {
		return httpTarget(uri)
	}
	if parts := strings.SplitN(uri, ":", 6); len(parts) < 6 || parts[0] != "arn" ||
		parts[2] != "elasticloadbalancing" && parts[2] != "servicediscovery" {
		return definition.Target{}, errListener
	}
	return definition.Target{Kind: definition.KindPrivate, ARN: uri}, nil
}

// uriOf is the URI that a target is read from, "" for a mock and a subtype.
func uriOf(t *definition.Target, a *definition.API) string {
	region := cmp.Or(a.Region, defaultRegion)
	begin := "arn:" + arn.Partition(region) + ":apigateway:"
	switch t.Kind {
	case definition.KindLambda:
		path, end := functionPath, functionEnd
		if t.Streaming {
			path, end = streamingPath, streamingEnd
		}
		return begin + region + ":lambda:path/" + path + functionARN(t, a) + end
	case definition.KindService:
		name := t.Service
		if t.Subdomain != "" {
			name = t.Subdomain + "." + name
		}
		uri := begin + cmp.Or(t.Region, region) + ":" + name + ":"
		if t.Action == "" {
			return uri + "path/" + t.Path
		}
		uri += "action/" + t.Action
		for _, name := range slices.Sorted(maps.Keys(t.Arguments)) {
			uri += "&" + name + "=" + t.Arguments[name]
		}
		return uri
	case definition.KindPrivate:
		return cmp.Or(t.URI, t.ARN, t.Resource)
	}
	return t.URI
}

func functionARN(t *definition.Target, a *definition.API) string {
	region := cmp.Or(a.Region, defaultRegion)
	if t.ARN == "" && t.URI != "" {
		return t.URI
	}
	text := cmp.Or(t.ARN, "arn:"+arn.Partition(region)+":lambda:"+region+":"+cmp.Or(a.Account, defaultAccount)+
		":function:"+cmp.Or(t.Name, t.Function))
	if t.Qualifier != "" {
		text += ":" + t.Qualifier
	}
	return text
}
