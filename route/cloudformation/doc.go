// Package cloudformation reads CloudFormation templates, and the cloud assemblies that the CDK
// synthesizes, into a [definition.Document].
package cloudformation
