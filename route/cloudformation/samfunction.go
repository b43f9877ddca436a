package cloudformation

import (
	"slices"

	"github.com/gatekit-go/gatekit/internal/doctree"
	"github.com/gatekit-go/gatekit/internal/nearest"
)

// functionProperties are those of AWS::Serverless::Function that AWS::Lambda::Function has, too.
var functionProperties = []string{"FunctionName", "Handler", "Runtime", "Timeout", "MemorySize", "Description",
	"PackageType", "ImageConfig", "Architectures", "Environment", "VpcConfig", "Layers", "KmsKeyArn",
	"EphemeralStorage", "ReservedConcurrentExecutions", "FileSystemConfigs", "SnapStart", "LoggingConfig",
	"RuntimeManagementConfig", "RecursiveLoop", "TenancyConfig", "DurableConfig", "CodeSigningConfigArn", "Role"}

// invoked is what an event calls: a function or its alias, or a state machine.
type invoked struct {
	*samResource
	arn       string // as Fn::Sub has it
	condition string
}

// function makes the function with its alias, version, role and URL, and has its events write their
// integrations.
func (s *sam) function(r *samResource) error {
	if err := r.checkFunction(); err != nil {
		return err
	}
	f := invoked{samResource: r, arn: "${" + r.id + ".Arn}", condition: textOf(r.node.Get("Condition"))}
	props := newMap(r.line)
	for _, name := range functionProperties {
		if v := said(r.props, name); v != nil {
			props.Set(name, v)
		}
	}
	code := newMap(r.line)
	for from, to := range inPairs("CodeUri", "S3Key", "InlineCode", "ZipFile", "ImageUri", "ImageUri") {
		if v := said(r.props, from); v != nil {
			code.Set(to, v)
		}
	}
	props.Set("Code", code)
	role := said(r.props, "Role")
	if role == nil {
		props.Set("Role", getAttNode(r.line, r.id+"Role", "Arn"))
	}
	r.main("AWS::Lambda::Function", props)
	if role == nil || intrinsic(role) && role.Members[0].Name == "Fn::If" {
		r.derived(r.id+"Role", "AWS::IAM::Role", newMap(r.line))
		r.refer("Role", r.id+"Role")
	}
	if alias := s.resolve(said(r.props, "AutoPublishAlias")); truthy(alias) {
		if !isText(alias) {
			return r.refuse(alias, "AutoPublishAlias: want text, or a Ref to a parameter")
		}
		f.arn = "${" + r.alias(alias.Text, code) + "}"
	}
	r.url()

	problems := []error{r.checkEvents(functionEvents)}
	for _, event := range events(r) {
		switch textOf(event.Value.Get("Type")) {
		case restEvents.event:
			problems = append(problems, s.restEvent(f, event))
		case httpEvents.event:
			problems = append(problems, s.httpEvent(f, event))
		}
	}
	return joined(problems)
}

// The types of events. All but those for APIs are passed over, but a type that there isn't may be a
// route's, misspelled.
var (
	functionEvents = []string{"Api", "HttpApi", "AlexaSkill", "CloudWatchEvent", "CloudWatchLogs", "Cognito",
		"DocumentDB", "DynamoDB", "EventBridgeRule", "IoTRule", "Kinesis", "MQ", "MSK", "S3", "SNS", "SQS", "Schedule",
		"ScheduleV2", "SelfManagedKafka"}
	machineEvents = []string{"Api", "CloudWatchEvent", "EventBridgeRule", "Schedule", "ScheduleV2"}
)

func (r *samResource) checkEvents(known []string) error {
	list := said(r.props, "Events")
	if list == nil {
		return nil
	}
	if !isMap(list) || intrinsic(list) {
		return r.refuse(list, "Events: want a map")
	}
	var problems []error
	for name, event := range eachMember(list) {
		switch typ := textOf(said(event, "Type")); {
		case !isMap(event):
			problems = append(problems, r.refuseEvent(name, event, "want a map"))
		case !slices.Contains(known, typ):
			problems = append(problems, r.refuseEvent(name, event, "Type: there are no events of type %q here%s", typ,
				nearest.Hint(typ, slices.Values(known))))
		}
	}
	return joined(problems)
}

// alias makes the version of the function's code and the alias that points at it.
func (r *samResource) alias(name string, code *doctree.Node) string {
	version, alias := r.id+"Version"+hash(code), r.id+"Alias"+name
	if !isAlphanumeric(name) {
		alias = r.id + "Alias" + words(name) + hash(textNode(r.line, name))
	}
	r.derived(version, "AWS::Lambda::Version", newMap(r.line, member("FunctionName", refNode(r.line, r.id))))
	r.derived(alias, "AWS::Lambda::Alias", newMap(r.line,
		member("Name", textNode(r.line, name)),
		member("FunctionName", refNode(r.line, r.id)),
		member("FunctionVersion", getAttNode(r.line, version, "Version"))))
	r.refer("Alias", alias)
	r.refer("Version", version)
	return alias
}

// url makes the function's URL.
func (r *samResource) url() {
	config := said(r.props, "FunctionUrlConfig")
	if !isMap(config) || intrinsic(config) {
		return
	}
	props := newMap(config.Line, slices.Clone(config.Members)...)
	props.Set("TargetFunctionArn", refNode(r.line, r.id))
	r.derived(r.id+"Url", "AWS::Lambda::Url", props)
}

// stateMachine makes the state machine and has its events write theirs.
func (s *sam) stateMachine(r *samResource) error {
	if err := r.checkMachine(); err != nil {
		return err
	}
	props := newMap(r.line)
	for _, m := range r.props.Members {
		switch m.Name {
		case "Events", "Policies", "Definition", "DefinitionUri", "Tags", "PropagateTags", "PermissionsBoundary",
			"RolePath":
		case "Name":
			props.Set("StateMachineName", m.Value)
		case "Type":
			props.Set("StateMachineType", m.Value)
		case "Role":
			props.Set("RoleArn", m.Value)
		case "Logging":
			props.Set("LoggingConfiguration", m.Value)
		case "Tracing":
			props.Set("TracingConfiguration", m.Value)
		default:
			props.Set(m.Name, m.Value)
		}
	}
	if said(r.props, "Role") == nil {
		props.Set("RoleArn", getAttNode(r.line, r.id+"Role", "Arn"))
		r.derived(r.id+"Role", "AWS::IAM::Role", newMap(r.line))
	}
	r.main("AWS::StepFunctions::StateMachine", props)

	problems := []error{r.checkEvents(machineEvents)}
	for _, event := range events(r) {
		switch textOf(event.Value.Get("Type")) {
		case restEvents.event:
			machine := invoked{samResource: r, arn: "${" + r.id + "}", condition: textOf(r.node.Get("Condition"))}
			problems = append(problems, s.stateMachineEvent(machine, event))
		}
	}
	return joined(problems)
}

// stateMachineEvent has the method start an execution.
func (s *sam) stateMachineEvent(f invoked, m doctree.Member) error {
	e, err := s.event(f, restEvents, m, machineEventProperties)
	if err != nil {
		return err
	}
	role := f.id + m.Name + "Role"
	f.derived(role, "AWS::IAM::Role", newMap(e.line))
	if e.api == nil || !s.managed[e.api.id] {
		return nil
	}
	b, err := e.restBody(false)
	if err != nil || b == nil {
		return err
	}
	uri := subNode(e.line, "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution")
	if f.condition != "" {
		uri = ifNode(f.condition, uri)
	}
	template := `{"input": "$util.escapeJavaScript($input.json('$'))", "stateMachineArn": "` + f.arn + `"}`
	if truthy(e.props.Get("UnescapeMappingTemplate")) {
		template = `{"input": "$util.escapeJavaScript($input.json('$')).replaceAll("\\'","'")", "stateMachineArn": "` +
			f.arn + `"}`
	}
	integration := textsNode(e.line, "type", "aws", "httpMethod", "POST")
	integration.Set("uri", uri)
	integration.Set("responses", newMap(e.line,
		member("200", textsNode(e.line, "statusCode", "200")), member("400", textsNode(e.line, "statusCode", "400"))))
	integration.Set("credentials", getAttNode(e.line, role, "Arn"))
	integration.Set("requestTemplates", newMap(e.line, member("application/json", subNode(e.line, template))))
	responses := newMap(e.line,
		member("200", textsNode(e.line, "description", "OK")),
		member("400", textsNode(e.line, "description", "Bad Request")))
	if err := e.write(b, integration, responses); err != nil {
		return err
	}
	if auth := said(e.props, "Auth"); truthy(auth) {
		if !isMap(auth) {
			return e.refuse(auth, "Auth: want a map")
		}
		return e.writeAuth(b, auth)
	}
	return nil
}

// otherTypes are what the rest of SAM's types are made of. It has no part in an API but as
// something that a template refers to.
var otherTypes = map[string]string{
	samPrefix + "SimpleTable":  "AWS::DynamoDB::Table",
	samPrefix + "LayerVersion": "AWS::Lambda::LayerVersion",
	samPrefix + "Application":  "AWS::CloudFormation::Stack",
	samPrefix + "GraphQLApi":   "AWS::AppSync::GraphQLApi",
}

// other makes the resources of types without events. Connectors are policies, which have no effect
// on a request. What isn't known stays as it is, for the report.
func (s *sam) other(r *samResource) error {
	if err := r.checkOther(); err != nil {
		return err
	}
	switch r.typ {
	case samFunction, samStateMachine, samAPI, samHTTPAPI:
	case samWebSocketAPI:
		return s.webSocketAPI(r)
	case samConnector:
		s.made[r.id] = []doctree.Member{}
	case samPrefix + "Application":
		props := newMap(r.line)
		if location := said(r.props, "Location"); isText(location) {
			props.Set("TemplateURL", location)
		}
		if v := said(r.props, "Parameters"); v != nil {
			props.Set("Parameters", v)
		}
		r.main(otherTypes[r.typ], props)
	default:
		typ := otherTypes[r.typ]
		if typ == "" {
			typ = r.typ
		}
		r.main(typ, r.props)
	}
	return nil
}
