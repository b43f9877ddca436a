// Package terraform reads what `terraform show -json` prints of a plan or a state into a
// [definition.Document].
//
//	doc, err := terraform.Read(text, terraform.Options{Region: "eu-west-1"})
//
// Resources aws_api_gateway_* and aws_apigatewayv2_* of the provider hashicorp/aws, in all modules
// and with all their instances, are translated to CloudFormation's, and read by
// route/cloudformation: APIs of all flavors. Functions, aliases, user pools and clients,
// certificates, roles, load balancers and listeners, Cloud Map services with instances, and web
// ACLs are what these lead to; other resources are passed over. Logical IDs are Terraform's
// addresses: Functions["module.shop.aws_lambda_function.list[0]"] binds a function.
//
// A state knows all values. In a plan those that are known after apply come from where the
// configuration says, if that is one resource: directly, by the instance of the same key, through
// variables and outputs of modules. Locals, and what is made of two resources, aren't followed.
//
// # Closed
//
// An attribute that isn't known is an unknown value, named by its address, which refuses what
// depends on it. An authorization type that is null or absent isn't NONE. Where it isn't known of
// which API or path a method or policy is, or a resource of an API is of a type that isn't covered,
// all stages that it may belong to refuse. [Options].Attributes give such values.
//
// # Differences
//
// Limits of 0 for all routes of an HTTP stage, which the provider reads of a stage without limits,
// are none in a plan whose configuration has none, be there nothing else to plan, and block all in
// a state. Routing rules, and Cache-Control in settings of methods, aren't followed.
package terraform
