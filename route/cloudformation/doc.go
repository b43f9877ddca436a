// Package cloudformation reads CloudFormation templates, and the cloud assemblies that the CDK
// synthesizes, into a [definition.Document].
//
//	doc, err := cloudformation.Read(os.DirFS("cdk.out"), "manifest.json", cloudformation.Options{})
//
// It takes JSON, and YAML with short tags; several stacks with what they export to each other and
// give to stacks nested in them; SAM templates, which are translated first; and
// AWS::LanguageExtensions. What comes out has all REST, HTTP and WebSocket APIs with their stages,
// authorizers, models, plans, keys and domain names, functions and whatever else a program has to
// bring by the names of their resources. An API's OpenAPI document is read by route/openapi.
//
// # Values
//
// A template is evaluated, and not searched for shapes: functions, conditions, parameters and
// mappings come to values as they do in a deployment. What a deployment makes up, such as the ID
// of an API or the name of a function, is made up here, out of the names of stack and resource:
// always the same, and in the service's form, so that ARNs that are taken apart and joined are
// well-formed. A function is then found by its ARN, however it was written.
//
// What can't be made up (an attribute of a custom resource, a stored parameter, another import's
// export, a condition that hangs on one of these) is an unknown value: it goes where the text goes
// of which it is a part, doesn't keep the rest from being served, and is named in the findings.
// [Options] can give it. A route, an authorizer, a policy or a key that depends on it refuses, and
// the stage with a limit that does.
//
// # Resources
//
// [Types] lists by which rule each type of resource is built, bound, followed, reported or ignored.
// A property that its type doesn't have is reported with the nearest that it has.
//
// A nested stack's template in a bucket is the file that ends like its key, beside the template or
// at the root. Cloud Map services are reached at their instances, if these are written out, where a
// program binds no upstream.
//
// # SAM
//
// A template of AWS SAM is first translated to the CloudFormation template that it stands for, in
// the order of work of the service's own translator, and then read as any other: Globals are merged
// (maps deeply, lists one after the other, a function of the template counts as a value); functions
// and state machines write their events of type Api and HttpApi into the bodies of APIs, of
// ServerlessRestApi and ServerlessHttpApi where they name none; then APIs write CORS, authorizers
// and their default, API keys, resource policies, gateway responses, models and binary types into
// them, and get deployments, stages (the one named Stage, too, unless OpenApiVersion is set),
// domain names with mappings, and usage plans. WebSocketApi becomes routes and integrations.
// References such as API.Stage and Function.Alias name what was made, whose logical IDs are the
// translator's, and which has the line of what it was made of.
//
// A template that the translator refuses is refused, with an error that names each resource, and
// each event, that is to blame, by its line. Its wording is ours.
//
// (CloudFormation user guide, "Intrinsic function reference", "Pseudo parameters reference",
// "AWS::LanguageExtensions transform"; AWS SAM developer guide; the resource types of API Gateway;
// CDK, "Cloud assemblies".)
//
// # Differences
//
// Rules of parameters aren't enforced, nor their AllowedValues and AllowedPattern. Macros other
// than the ones above aren't run. What the service would refuse for a reference to nothing or a
// condition that is false is reported, and refuses where it is needed; the rest is served.
//
// A method that names an authorizer and no AuthorizationType asks the authorizer, where the managed
// gateway would leave it open. A route with a property that isn't known and looks like one of
// security refuses, as the service refuses its template; so do APIs, stages and domain names. What
// a request validator says that isn't known is taken for true.
//
// Nothing that protects is lost by a slip. A route that can't be placed, for a resource, an API or
// a nested stack that isn't there, closes its API: its requests would come to another route. One
// that may not be there, by a condition that isn't known, refuses; of two with one key that differ
// in who may call, neither answers. A web ACL that is given to no stage by mistake closes those
// that may be meant. A type that is nearly one of API Gateway's is an error, and so are a resource
// without a type, and a name that is twice in a map where what is lost says who may call.
//
// Each stage serves the API as the template has it: what older deployments have isn't in a
// template. A stage of an HTTP API to which nothing is deployed is served, and reported. A
// document with FailOnWarnings whose only warning is about the path $default is taken.
//
// A resource that has the logical ID of another stack's has its stack's name in front: "Web/Api".
//
// Of SAM: a template without the line Transform that has APIs of SAM, or events that make some, is
// translated as well. A DefinitionUri without a scheme is a file beside the template, which
// packaging would upload. OpenAPI 3.1 is read as 3.0, with a finding.
//
// What would leave a route open by a slip isn't followed: a DefaultAuthorizer without Authorizers
// is refused, where the translator passes it over; an API key that an event asks for under
// MergeDefinitions is asked for, although the translator loses its definition; the AuthType of a
// WebSocket API may be of any case, where the translator makes NONE of "custom". Refused are, too,
// what looks like a member of Auth, an authorizer, a ResourcePolicy or a Domain, misspelled; a
// function of the template in the place of one of them; a whitelist without an element; an Auth
// that is null over that of Globals; a file that is put in where a default is to be written; and an
// API named as the implicit one whose protection that would lose.
//
// Policies, Connectors, DNS records and CodeDeploy are left out, as are Lambda permissions'
// sources: they have no effect on a request here. Templates of policies aren't known by name, and
// CodeUri may be a file. IDs of deployments and versions end in a hash of ours, since the
// translator's is of its language's own texts. An event of a type that there isn't is refused, and
// those of other known types are passed over.
package cloudformation
