package cloudformation_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

const withFunctions = `
Parameters:
  Secret: {Type: String, NoEcho: true}
Resources:
  Table: {Type: AWS::DynamoDB::Table, Properties: {TableName: orders}}
  Custom: {Type: Custom::Lookup}
  Asset:
    Type: AWS::Lambda::Function
    Metadata: {"aws:asset:path": asset.1}
    Properties:
      MemorySize: "512"
      Code: {S3Bucket: cdk, S3Key: 1.zip}
      Environment: {Variables: {TABLE: !Ref Table, LOOKED_UP: !GetAtt Custom.Value, SECRET: !Ref Secret, NUMBER: 7, WRONG: !Ref Nobody}}
  Inline: {Type: AWS::Lambda::Function, Properties: {Code: {ZipFile: "x"}}}
  Bucket: {Type: AWS::Lambda::Function, Properties: {Code: {S3Bucket: b, S3Key: folder/code}}}
  Local: {Type: AWS::Lambda::Function, Properties: {Code: {S3Key: ./functions/local/}}}
  Climbs: {Type: AWS::Lambda::Function, Properties: {Code: {S3Key: ../../etc}}}
  Image: {Type: AWS::Lambda::Function, Properties: {PackageType: Image, Code: {ImageUri: x}}}
`

// Functions have what they run with, as far as it is known, and what isn't is no finding: nothing
// that is served hangs on it.
func TestFunctionCode(t *testing.T) {
	files := fstest.MapFS{"t/template.yaml": &fstest.MapFile{Data: []byte(withFunctions)}}
	o := cloudformation.Options{Files: map[string]string{"s3://b/folder/code": "unpacked"}, Parameters: map[string]string{"Secret": "s3cret"}}
	doc, err := cloudformation.Read(files, "t/template.yaml", o)
	require.NoError(t, err)
	require.Empty(t, doc.Findings)
	asset := doc.Resources["Asset"]
	require.Equal(t, "t/asset.1", asset.Code)
	require.Equal(t, 512, asset.Memory)
	require.Len(t, asset.Environment, 5)
	require.Equal(t, "orders", asset.Environment["TABLE"])
	require.Equal(t, "s3cret", asset.Environment["SECRET"])
	require.Equal(t, "7", asset.Environment["NUMBER"])
	for _, name := range []string{"LOOKED_UP", "WRONG"} {
		_, unknown := definition.UnknownIn(asset.Environment[name])
		require.True(t, unknown, name)
	}
	require.Equal(t, "x", doc.Resources["Inline"].InlineCode)
	for id, want := range map[string]string{"Inline": "", "Bucket": "unpacked", "Local": "t/functions/local", "Climbs": "", "Image": ""} {
		require.Equal(t, want, doc.Resources[id].Code, id)
	}
}

// What is a finding for what is served stays one, although a function's variable has it, too.
func TestFunctionCodeHidesNothing(t *testing.T) {
	const text = `
Resources:
  Custom: {Type: Custom::Lookup}
  F: {Type: AWS::Lambda::Function, Properties: {Environment: {Variables: {A: !GetAtt Custom.Value}}}}
  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !GetAtt Custom.Value}}
`
	doc, err := cloudformation.Read(fstest.MapFS{"a.yaml": &fstest.MapFile{Data: []byte(text)}}, "a.yaml", cloudformation.Options{})
	require.NoError(t, err)
	require.Len(t, doc.Findings, 1)
	require.Equal(t, definition.UnknownValue, doc.Findings[0].Severity)
}
