package awsservice

import (
	"cmp"
	"strings"
)

// Service is a service in a region.
type Service struct {
	Partition, Region string
	// Name is the service's in integration URIs: "dynamodb", "runtime.sagemaker".
	Name string
	// Subdomain stands before the service's host, "" if nothing does: a bucket of S3, an endpoint
	// of IoT.
	Subdomain string
}

// known is what differs from the rule: a service is called NAME, listens at NAME.REGION.SUFFIX, and
// takes requests that are signed for NAME.
type known struct {
	host     string // before the region; "" is the name
	signing  string // "" is the name
	target   string // what an action's X-Amz-Target begins with; "" has none
	json     string // the version of the JSON protocol of a target
	version  string // of the query protocol
	isGlobal bool   // it has one host, and is signed for us-east-1
	paths    bool   // what it does is said by method and path, and not by an action's name
}

// services are those with something to know. Actions of others are called in the query protocol,
// without a version. (The services' API references, "Making API requests".)
var services = map[string]known{
	"athena":            {target: "AmazonAthena", json: "1.1"},
	"autoscaling":       {version: "2011-01-01"},
	"appconfig":         {paths: true},
	"bedrock-runtime":   {signing: "bedrock", paths: true},
	"cloudformation":    {version: "2010-05-15"},
	"cloudfront":        {isGlobal: true, paths: true},
	"codebuild":         {target: "CodeBuild_20161006", json: "1.1"},
	"codepipeline":      {target: "CodePipeline_20150709", json: "1.1"},
	"cognito-identity":  {target: "AWSCognitoIdentityService", json: "1.1"},
	"cognito-idp":       {target: "AWSCognitoIdentityProviderService", json: "1.1"},
	"comprehend":        {target: "Comprehend_20171127", json: "1.1"},
	"dynamodb":          {target: "DynamoDB_20120810", json: "1.0"},
	"ec2":               {version: "2016-11-15"},
	"ecs":               {target: "AmazonEC2ContainerServiceV20141113", json: "1.1"},
	"email":             {signing: "ses", version: "2010-12-01"},
	"events":            {target: "AWSEvents", json: "1.1"},
	"firehose":          {target: "Firehose_20150804", json: "1.1"},
	"glue":              {target: "AWSGlue", json: "1.1"},
	"iam":               {version: "2010-05-08", isGlobal: true},
	"execute-api":       {paths: true},
	"iotdata":           {host: "iot", paths: true},
	"kinesis":           {target: "Kinesis_20131202", json: "1.1"},
	"kms":               {target: "TrentService", json: "1.1"},
	"logs":              {target: "Logs_20140328", json: "1.1"},
	"monitoring":        {version: "2010-08-01"},
	"rds":               {version: "2014-10-31"},
	"rekognition":       {target: "RekognitionService", json: "1.1"},
	"route53":           {isGlobal: true, paths: true},
	"runtime.lex":       {signing: "lex", paths: true},
	"runtime.sagemaker": {signing: "sagemaker", paths: true},
	"s3":                {paths: true},
	"sagemaker":         {target: "SageMaker", json: "1.1", host: "api.sagemaker"},
	"secretsmanager":    {target: "secretsmanager", json: "1.1"},
	"ses":               {host: "email", version: "2010-12-01"},
	"sns":               {version: "2010-03-31"},
	"sqs":               {version: "2012-11-05"},
	"ssm":               {target: "AmazonSSM", json: "1.1"},
	"states":            {target: "AWSStepFunctions", json: "1.0"},
	"streams.dynamodb":  {signing: "dynamodb", target: "DynamoDBStreams_20120810", json: "1.0"},
	"sts":               {version: "2011-06-15"},
	"textract":          {target: "Textract", json: "1.1"},
	"translate":         {target: "AWSShineFrontendService_20170701", json: "1.1"},
}

// setName takes a URI's service apart: the longest known name at its end, else its last label, is
// the service's, what stands before a subdomain.
func (s *Service) setName(text string) bool {
	labels := strings.Split(text, ".")
	if len(text) > 200 {
		return false
	}
	for _, label := range labels {
		if !isLabel(strings.ToLower(label)) {
			return false
		}
	}
	at := len(labels) - 1
	if at > 0 {
		if _, ok := services[labels[at-1]+"."+labels[at]]; ok {
			at--
		}
	}
	s.Name, s.Subdomain = strings.Join(labels[at:], "."), strings.Join(labels[:at], ".")
	return s.Name == strings.ToLower(s.Name)
}

// Host is where the service listens. For an action that is the same host but for the synchronous
// executions of Step Functions.
func (s *Service) Host(action string) string {
	k := services[s.Name]
	host := cmp.Or(k.host, s.Name)
	switch {
	case s.Name == "states" && action == "StartSyncExecution":
		host = "sync-states"
	case s.Name == "iotdata" && s.Subdomain == "":
		host = "data.iot"
	}
	if s.Subdomain != "" {
		host = s.Subdomain + "." + host
	}
	if !k.isGlobal || s.Partition != "aws" {
		host += "." + s.Region
	}
	return host + "." + suffix(s.Partition)
}

// suffix is what the host names of a partition end with.
func suffix(partition string) string {
	switch partition {
	case "aws-cn":
		return "amazonaws.com.cn"
	case "aws-iso":
		return "c2s.ic.gov"
	case "aws-iso-b":
		return "sc2s.sgov.gov"
	}
	return "amazonaws.com"
}

// Signing is the service and the region of the scope that requests are signed for.
func (s *Service) Signing() (service, region string) {
	k := services[s.Name]
	service, region = cmp.Or(k.signing, s.Name), s.Region
	if k.isGlobal && s.Partition == "aws" {
		region = "us-east-1"
	}
	return service, region
}

// Target is the X-Amz-Target and the Content-Type of an action in a JSON protocol. ok is false
// where the service's actions aren't called in one, as far as is known.
func (s *Service) Target(action string) (target, contentType string, ok bool) {
	k := services[s.Name]
	if k.target == "" {
		return "", "", false
	}
	return k.target + "." + action, "application/x-amz-json-" + k.json, true
}

// ByPath reports whether what the service does is said by method and path, so that an action's name
// calls nothing.
func (s *Service) ByPath() bool { return services[s.Name].paths }

// Version is the version of an action in the query protocol, "" where it isn't known.
func (s *Service) Version() string { return services[s.Name].version }

// KeepsPath reports whether the service's signers take paths as they are on the wire.
func (s *Service) KeepsPath() bool { return s.Name == "s3" }
