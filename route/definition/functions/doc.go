// Package functions runs the Lambda functions of a document as processes of this machine, so that
// an API is served, or tested, with the code that it has:
//
//	doc, err := source.Read("cdk.out/manifest.json", source.Options{})
//	…
//	code, err := functions.New(doc, functions.Config{Root: "cdk.out"})
//	…
//	defer code.Close()
//	gateway, err := definition.Build(ctx, doc, definition.Bindings{OtherFunction: code.Function})
//
// What is run, and with which environment, stands in the document: route/cloudformation has it from
// the template. How processes live is package route/lambdaruntime's. Code is, in this order:
//
//   - what [Config.Code] names for the function;
//   - the folder of its asset (the CDK), CodeUri (SAM) or Code, which has for provided runtimes the
//     program bootstrap, or Go source, which is built by the go command;
//   - the text in the template (ZipFile, InlineCode).
//
// A function that can't be run, such as one of another language or in a container's image, isn't
// bound: [Functions.Findings] says why, and the report that its routes refuse. Where Config.Reload
// is set Go source that can't be built is bound all the same, and built again once it has changed.
//
// # Differences
//
// Layers aren't there. A variable whose value only a deployment knows is left out, with a finding.
// Archives are refused: unpack them. One process serves all versions and aliases of a function.
package functions
