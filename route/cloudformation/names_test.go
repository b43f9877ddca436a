package cloudformation_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// What is called Yes, No, On or Off is found by its name, though YAML reads the name as a boolean.
func TestNamesThatAreBooleans(t *testing.T) {
	const text = `
Parameters: {Off: {Type: String, Default: off-value}}
Mappings: {On: {Yes: {No: found}}}
Conditions: {Yes: !Equals [a, a], No: !Not [Condition: Yes]}
Resources:
  On: {Type: AWS::ApiGatewayV2::Api, Condition: Yes, Properties: {Name: NAME, ProtocolType: HTTP}}
  Other: {Type: AWS::ApiGatewayV2::Api, Condition: No, Properties: {Name: other, ProtocolType: HTTP}}
`
	for name, want := range map[string]string{
		"!FindInMap [On, Yes, No]": "found", "{'Fn::FindInMap': [on, yes, no]}": "found",
		"!If [Yes, a, b]": "a", "!If [No, a, b]": "b", "!If [!Condition No, a, b]": "b", "{Ref: Off}": "off-value",
		"!Ref Off": "off-value", "!Sub '${Off}'": "off-value",
	} {
		doc := read(t, strings.ReplaceAll(text, "NAME", name), cloudformation.Options{})
		require.Len(t, doc.APIs, 1, name)
		require.Equal(t, want, doc.APIs[0].Name, name)
	}
	doc := read(t, strings.ReplaceAll(text, "NAME", "!GetAtt [On, ApiId]"), cloudformation.Options{})
	require.Equal(t, doc.APIs[0].APIID, doc.APIs[0].Name)

	// Of two that it may be it is neither, and what hangs on it isn't known.
	doc = read(t, "Conditions: {Yes: !Equals [a, a], On: !Equals [a, b]}\n"+
		"Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: !If [Yes, a, b], ProtocolType: HTTP}}}", cloudformation.Options{})
	_, unknown := definition.UnknownIn(doc.APIs[0].Name)
	require.True(t, unknown)
}

// A nested stack's template in a bucket is the file that it was uploaded from.
func TestNestedInBucket(t *testing.T) {
	const child = "Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: NAME, ProtocolType: HTTP}}}"
	files := fstest.MapFS{
		"app/child.yaml": {Data: []byte(strings.ReplaceAll(child, "NAME", "beside"))}, "child.yaml": {Data: []byte(strings.ReplaceAll(child, "NAME", "root"))},
		"app/deep/child.yaml": {Data: []byte(strings.ReplaceAll(child, "NAME", "deep"))}, "top.yaml": {Data: []byte(strings.ReplaceAll(child, "NAME", "top"))},
	}
	for url, want := range map[string]string{
		"child.yaml": "beside", "./deep/child.yaml": "deep", "../child.yaml": "root",
		"https://bucket.s3.amazonaws.com/child.yaml": "beside", "https://s3.amazonaws.com/bucket/v1/child.yaml": "beside",
		"https://bucket.s3.eu-west-1.amazonaws.com/v1/deep/child.yaml": "deep", "s3://bucket/top.yaml": "top",
		"'https://bucket.s3.amazonaws.com/child.yaml?versionId=1'": "beside", "!Sub 'https://${Bucket.Name}.s3.amazonaws.com/child.yaml'": "beside",
		"https://bucket.s3.amazonaws.com/other.yaml": "", "https://bucket.s3.amazonaws.com/deep": "", "https://bucket.s3.amazonaws.com/": "",
		"https://bucket.s3.amazonaws.com/../../child.yaml": "beside", "https://bucket.s3.amazonaws.com/..": "", "!GetAtt Bucket.Name": "",
	} {
		files["app/t.yaml"] = &fstest.MapFile{Data: []byte("Resources: {Bucket: {Type: Custom::Bucket}, N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: " + url + "}}}")}
		doc, err := cloudformation.Read(files, "app/t.yaml", cloudformation.Options{})
		require.NoError(t, err, url)
		if want == "" {
			require.Empty(t, doc.APIs, url)
			require.Contains(t, doc.Findings[0].What, "the template of the nested stack N isn't here", url)
			continue
		}
		require.Len(t, doc.APIs, 1, "%s: %v", url, doc.Findings)
		require.Equal(t, want, doc.APIs[0].Name, url)
	}
	files["app/t.yaml"] = &fstest.MapFile{Data: []byte("Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: 's3://b/child.yaml'}}}")}
	doc, err := cloudformation.Read(files, "app/t.yaml", cloudformation.Options{Files: map[string]string{"s3://b/child.yaml": "top.yaml"}})
	require.NoError(t, err)
	require.Equal(t, "top", doc.APIs[0].Name)
}

// A template in memory is read as one in a file, and has no files beside it.
func TestReadText(t *testing.T) {
	const api = "Resources: {Api: {Type: AWS::ApiGatewayV2::Api, Properties: {Name: a, ProtocolType: HTTP}}}"
	got, err := cloudformation.ReadText([]byte(api), "t.yaml", cloudformation.Options{})
	require.NoError(t, err)
	want, err := cloudformation.Read(fstest.MapFS{"t.yaml": {Data: []byte(api)}}, "t.yaml", cloudformation.Options{})
	require.NoError(t, err)
	require.Equal(t, want, got)

	got, err = cloudformation.ReadText([]byte("Resources: {N: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: t.yaml}}}"), "t.yaml", cloudformation.Options{})
	require.NoError(t, err)
	require.Contains(t, got.Findings[0].What, "file does not exist")
	for text, want := range map[string]string{"": "t.yaml", "[]": "want a template", strings.Repeat(" ", 9<<20): "want at most"} {
		_, err = cloudformation.ReadText([]byte(text), "t.yaml", cloudformation.Options{})
		require.ErrorContains(t, err, want)
	}
	_, err = cloudformation.ReadText([]byte(api), "t.yaml", cloudformation.Options{Region: "x"})
	require.ErrorContains(t, err, "Region")
}
