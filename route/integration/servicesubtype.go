package integration

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/internal/awsservice"
	"github.com/gatekit-go/gatekit/internal/jsonlex"
	"github.com/gatekit-go/gatekit/internal/requestpath"
	"github.com/gatekit-go/gatekit/internal/selector"
)

// subtype is what an HTTP API's integration can call.
type subtype struct {
	service, action string
	parameters      []parameter
	build           func(to *serviceRequest, values map[string]string) error
}

type parameter struct {
	name     string
	required bool
	kind     valueKind
	member   string // the name in a JSON body, where it differs
}

// valueKind is what a service takes a parameter for.
type valueKind uint8

const (
	asText    valueKind = iota
	asList              // an array of JSON strings, or texts separated by commas
	asTime              // RFC 3339, or seconds since 1970
	asMembers           // an object of JSON, as message attributes are
)

// serviceParameter is a parameter with what it is filled with.
type serviceParameter struct {
	parameter
	value selector.Text
}

// regionParameter says where the service is, and isn't sent.
const regionParameter = "Region"

func req(name string) parameter        { return parameter{name: name, required: true} }
func opt(name string) parameter        { return parameter{name: name} }
func as(name, member string) parameter { return parameter{name: name, member: member} }
func must(name, member string) parameter {
	return parameter{name: name, member: member, required: true}
}
func list(name, member string) parameter {
	return parameter{name: name, member: member, kind: asList}
}

// subtypes are the one table of what HTTP APIs can call. (Developer guide, "Integration subtype
// reference"; the services' API references.)
var subtypes = map[string]*subtype{
	"EventBridge-PutEvents": {service: "events", action: "PutEvents", build: putEvents, parameters: []parameter{
		req("Detail"), req("DetailType"), req("Source"), {name: "Time", kind: asTime}, opt("EventBusName"),
		{name: "Resources", kind: asList}, opt("TraceHeader"), opt(regionParameter),
	}},
	"SQS-SendMessage": {service: "sqs", action: "SendMessage", build: query, parameters: []parameter{
		req("QueueUrl"), req("MessageBody"), opt("DelaySeconds"),
		{name: "MessageAttributes", kind: asMembers, member: "MessageAttribute"}, opt("MessageDeduplicationId"),
		opt("MessageGroupId"), {name: "MessageSystemAttributes", kind: asMembers, member: "MessageSystemAttribute"},
		opt(regionParameter),
	}},
	"SQS-ReceiveMessage": {service: "sqs", action: "ReceiveMessage", build: query, parameters: []parameter{
		req("QueueUrl"), list("AttributeNames", "AttributeName"), list("AttributeName", "AttributeName"),
		opt("MaxNumberOfMessages"),
		list("MessageAttributeNames", "MessageAttributeName"), opt("ReceiveRequestAttemptId"),
		opt("VisibilityTimeout"), opt("WaitTimeSeconds"), opt(regionParameter),
	}},
	"SQS-DeleteMessage": {service: "sqs", action: "DeleteMessage", build: query, parameters: []parameter{
		req("ReceiptHandle"), req("QueueUrl"), opt(regionParameter),
	}},
	"SQS-PurgeQueue": {service: "sqs", action: "PurgeQueue", build: query, parameters: []parameter{
		req("QueueUrl"), opt(regionParameter),
	}},
	"AppConfig-GetConfiguration": {service: "appconfig", build: getConfiguration, parameters: []parameter{
		req("Application"), req("Environment"), req("Configuration"), req("ClientId"),
		opt("ClientConfigurationVersion"), opt(regionParameter),
	}},
	"Kinesis-PutRecord": {service: "kinesis", action: "PutRecord", build: jsonBody, parameters: []parameter{
		req("StreamName"), req("Data"), req("PartitionKey"), opt("SequenceNumberForOrdering"), opt("ExplicitHashKey"),
		opt(regionParameter),
	}},
	"StepFunctions-StartExecution": states("StartExecution",
		must("StateMachineArn", "stateMachineArn"), as("Name", "name"), as("Input", "input"), opt(regionParameter)),
	"StepFunctions-StartSyncExecution": states("StartSyncExecution",
		must("StateMachineArn", "stateMachineArn"), as("Name", "name"), as("Input", "input"),
		as("TraceHeader", "traceHeader"), opt(regionParameter)),
	"StepFunctions-StopExecution": states("StopExecution",
		must("ExecutionArn", "executionArn"), as("Cause", "cause"), as("Error", "error"), opt(regionParameter)),
}

func states(action string, parameters ...parameter) *subtype {
	return &subtype{service: "states", action: action, build: jsonBody, parameters: parameters}
}

// Subtypes are what [ServiceConfig].Subtype can be, in order.
func Subtypes() []string { return slices.Sorted(maps.Keys(subtypes)) }

func (s *subtype) has(name string) bool { return slices.Contains(s.names(), name) }

func (s *subtype) names() (names []string) {
	for _, p := range s.parameters {
		names = append(names, p.name)
	}
	return names
}

// in is the subtype's service in a region.
func (s *subtype) in(region string) awsservice.Service {
	return awsservice.Service{Partition: arn.Partition(region), Region: region, Name: s.service}
}

// query makes a request in the query protocol, which answers in XML, as HTTP APIs pass it on
// (reported). A queue's URL is a parameter here and not where the request goes: whoever may fill it
// in would choose the host.
func query(to *serviceRequest, values map[string]string) error {
	form := url.Values{"Action": {to.subtype.action}, "Version": {to.service.Version()}}
	for _, p := range to.subtype.parameters {
		text, given := values[p.name]
		if !given || p.name == regionParameter {
			continue
		}
		switch p.kind {
		case asList:
			list, err := listOf(text)
			if err != nil {
				return badParameter(p.name, err)
			}
			for i, item := range list {
				form.Set(p.member+"."+strconv.Itoa(i+1), item)
			}
		case asMembers:
			if err := flatten(form, p.member, text); err != nil {
				return badParameter(p.name, err)
			}
		default:
			form.Set(p.name, text)
		}
	}
	to.body = []byte(form.Encode())
	to.header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	return nil
}

// flatten writes message attributes, an object of objects, in the query protocol's way.
func flatten(form url.Values, member, text string) error {
	var attributes map[string]struct{ DataType, StringValue, BinaryValue string }
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(&attributes) != nil || d.More() || len(attributes) > maxAttributes {
		return fmt.Errorf("want an object of JSON, of at most %d attributes with DataType and StringValue or "+
			"BinaryValue, each a text", maxAttributes)
	}
	for i, name := range slices.Sorted(maps.Keys(attributes)) {
		at, a := member+"."+strconv.Itoa(i+1), attributes[name]
		form.Set(at+".Name", name)
		form.Set(at+".Value.DataType", a.DataType)
		if a.BinaryValue != "" {
			form.Set(at+".Value.BinaryValue", a.BinaryValue)
		} else {
			form.Set(at+".Value.StringValue", a.StringValue)
		}
	}
	return nil
}

const maxAttributes = 100

// jsonBody makes a request in a JSON protocol, of the parameters that there are.
func jsonBody(to *serviceRequest, values map[string]string) error {
	b, err := appendMembers(nil, to.subtype.parameters, values)
	if err != nil {
		return err
	}
	return to.setJSON(b)
}

func putEvents(to *serviceRequest, values map[string]string) error {
	b, err := appendMembers([]byte(`{"Entries":[`), to.subtype.parameters, values)
	if err != nil {
		return err
	}
	return to.setJSON(append(b, "]}"...))
}

func (to *serviceRequest) setJSON(body []byte) error {
	target, contentType, _ := to.service.Target(to.subtype.action)
	to.body = body
	to.header["X-Amz-Target"], to.header["Content-Type"] = []string{target}, []string{contentType}
	return nil
}

func appendMembers(b []byte, parameters []parameter, values map[string]string) ([]byte, error) {
	open := byte('{')
	for _, p := range parameters {
		text, given := values[p.name]
		if !given || p.name == regionParameter {
			continue
		}
		member := p.member
		if member == "" {
			member = p.name
		}
		b = append(jsonlex.AppendString(append(b, open), member), ':')
		open = ','
		var err error
		switch p.kind {
		case asList:
			var list []string
			if list, err = listOf(text); err == nil {
				var array []byte
				array, err = json.Marshal(list)
				b = append(b, array...)
			}
		case asTime:
			var seconds string
			seconds, err = secondsOf(text)
			b = append(b, seconds...)
		default:
			b = jsonlex.AppendString(b, text)
		}
		if err != nil {
			return nil, badParameter(p.name, err)
		}
	}
	return append(b, '}'), nil
}

// listOf reads a list: an array of texts in JSON, or texts separated by commas.
func listOf(text string) ([]string, error) {
	if strings.HasPrefix(strings.TrimLeft(text, " \t\r\n"), "[") {
		var list []string
		if json.Unmarshal([]byte(text), &list) != nil {
			return nil, errors.New("want an array of texts in JSON")
		}
		return list, nil
	}
	list := strings.Split(text, ",")
	for i := range list {
		list[i] = strings.Trim(list[i], " \t")
	}
	return list, nil
}

// secondsOf reads a time. The JSON protocols have times as seconds since 1970.
func secondsOf(text string) (string, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return strconv.FormatInt(t.Unix(), 10), nil
	}
	if _, err := strconv.ParseInt(text, 10, 64); err != nil {
		return "", errors.New("want a time as in RFC 3339, or seconds since 1970")
	}
	return text, nil
}

// getConfiguration makes a request of AppConfig's, whose names are segments of the path.
func getConfiguration(to *serviceRequest, values map[string]string) error {
	to.method = "GET"
	for _, segment := range []struct{ word, name string }{
		{"applications", "Application"}, {"environments", "Environment"}, {"configurations", "Configuration"},
	} {
		to.path += "/" + segment.word + "/" + requestpath.Spell(values[segment.name], false)
	}
	to.query = "client_id=" + url.QueryEscape(values["ClientId"])
	if version := values["ClientConfigurationVersion"]; version != "" {
		to.query += "&client_configuration_version=" + url.QueryEscape(version)
	}
	return nil
}
