package cloudformation_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// said is what an expression comes to, as the description of an API.
func said(t *testing.T, expression, more string, o cloudformation.Options) (string, *definition.Document) {
	t.Helper()
	text := "Transform: AWS::LanguageExtensions\n" + more + `
Resources:
  Fn: {Type: AWS::Lambda::Function, Properties: {FunctionName: fn}}
  Api:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Description: ` + expression + "\n"
	doc := read(t, text, o)
	return doc.APIs[0].Description, doc
}

const surroundings = `
Parameters:
  Text: {Type: String, Default: hello}
  Number: {Type: Number, Default: 7}
  List: {Type: CommaDelimitedList, Default: 'a, b ,c'}
  Numbers: {Type: List<Number>, Default: '1,2'}
  Stored: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /a/b}
  StoredList: {Type: 'AWS::SSM::Parameter::Value<List<String>>', Default: /a/b}
  Missing: {Type: String}
Mappings:
  M: {us-east-1: {a: one, list: [x, y]}}
Conditions:
  Is: !Equals [!Ref Text, hello]
  Isnt: !Not [!Condition Is]
  Both: !And [!Condition Is, !Condition Isnt]
  Either: !Or [!Condition Is, !Condition Isnt]
  Same: !Equals ['true', true]
  Lists: !Equals [!Ref List, [a, b, c]]
  Open: !Equals [!Ref Missing, x]
  Short: !And [!Condition Open, !Condition Isnt]
  ShortOr: !Or [!Condition Open, !Condition Is]
`

func TestFunctions(t *testing.T) {
	for _, tt := range []struct{ name, expression, want string }{
		{"text", "plain", "plain"},
		{"number", "1.50", "1.50"},
		{"ref", "!Ref Text", "hello"},
		{"ref-number", "!Ref Number", "7"},
		{"ref-long", "{Ref: Text}", "hello"},
		{"get-att", "!GetAtt Fn.Arn", "arn:aws:lambda:us-east-1:123456789012:function:fn"},
		{"get-att-list", "!GetAtt [Fn, Arn]", "arn:aws:lambda:us-east-1:123456789012:function:fn"},
		{"get-att-made", "!GetAtt [Fn, !Sub 'A${R}']", "arn:aws:lambda:us-east-1:123456789012:function:fn"},
		{"sub", "!Sub '${Text}-${AWS::Region}-${!literal}-${Fn.Arn}'", "hello-us-east-1-${literal}-arn:aws:lambda:us-east-1:123456789012:function:fn"},
		{"sub-own", "!Sub ['${ A }${Text}', {A: !Ref Number, Text: mine}]", "7mine"},
		{"sub-nothing", "!Sub 'a${AWS::NoValue}b'", "ab"},
		{"sub-open", "!Sub 'a${b'", "a${b"},
		{"join", "!Join ['-', [a, !Ref AWS::NoValue, !Ref Number]]", "a-7"},
		{"join-list", "!Join ['', !Ref List]", "abc"},
		{"join-numbers", "!Join ['', !Ref Numbers]", "12"},
		{"select", "!Select [1, [a, b]]", "b"},
		{"select-text", "!Select ['0', !Ref List]", "a"},
		{"split", "!Select [2, !Split ['/', a/b/c]]", "c"},
		{"split-empty", "!Join ['.', !Split ['/', /a/]]", ".a."},
		{"stack-id", "!Select [1, !Split ['/', !Ref AWS::StackId]]", "stack"},
		{"notifications", "!Join ['', !Ref AWS::NotificationARNs]", ""},
		{"suffix", "!Ref AWS::URLSuffix", "amazonaws.com"},
		{"partition", "!Ref AWS::Partition", "aws"},
		{"stack-name", "!Ref AWS::StackName", "stack"},
		{"if", "!If [Is, a, b]", "a"},
		{"if-not", "!If [Isnt, a, b]", "b"},
		{"if-nothing", "!If [Is, !Ref AWS::NoValue, b]", ""},
		{"the-text", "AWS::NoValue", "AWS::NoValue"},
		{"and", "!If [Both, a, b]", "b"},
		{"or", "!If [Either, a, b]", "a"},
		{"equal-kinds", "!If [Same, a, b]", "a"},
		{"equal-lists", "!If [Lists, a, b]", "a"},
		{"unknown-and-no", "!If [Short, a, b]", "b"},
		{"unknown-or-yes", "!If [ShortOr, a, b]", "a"},
		{"if-made", "!If [!Sub 'I${S}', a, b]", "a"},
		{"if-inline", "!If [!Equals [a, a], a, b]", "a"},
		{"map", "!FindInMap [M, !Ref AWS::Region, a]", "one"},
		{"map-list", "!Join ['', !FindInMap [M, us-east-1, list]]", "xy"},
		{"map-default", "!FindInMap [M, mars, a, {DefaultValue: !Ref Text}]", "hello"},
		{"base64", "!Base64 hello", "aGVsbG8="},
		{"zones", "!Join [',', !GetAZs '']", "us-east-1a,us-east-1b,us-east-1c"},
		{"cidr", "!Join [' ', !Cidr [10.0.0.0/16, 3, 8]]", "10.0.0.0/24 10.0.1.0/24 10.0.2.0/24"},
		{"cidr-bits", "!Join [' ', !Cidr [10.0.0.0/16, 2, 6]]", "10.0.0.0/26 10.0.0.64/26"},
		{"cidr-default", "!Select [1, !Cidr ['fd00::/56', 2]]", "fd00::100/120"},
		{"json", "!ToJsonString {a: [1, !Ref Text], b: !Ref AWS::NoValue}", `{"a":[1,"hello"]}`},
		{"length", "!Length {Ref: List}", "3"},
		{"condition-value", "{'Fn::Equals': [a, a]}", "true"},
		{"function-in-block", "\n        Fn::Sub:\n          - '${A}'\n          - A: !Join ['', [x, y]]", "xy"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			more := strings.Replace(surroundings, "Text: {", "R: {Type: String, Default: rn}\n  S: {Type: String, Default: s}\n  Text: {", 1)
			got, doc := said(t, tt.expression, more, cloudformation.Options{})
			require.Equal(t, tt.want, got)
			for _, f := range doc.Findings {
				require.NotEqual(t, definition.Unsupported, f.Severity, f.What)
			}
		})
	}
}

// What can't be known goes where its text goes, and is named.
func TestUnknown(t *testing.T) {
	more := surroundings + "  X: !Equals [a, b]\n"
	for _, tt := range []struct{ name, expression, want, unknown string }{
		{"parameter", "!Ref Missing", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"stored", "!Ref Stored", "⟨unknown: parameter Stored⟩", "parameter Stored"},
		{"join", "!Join ['/', [a, !Ref Missing]]", "a/⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"join-list", "!Join ['/', !Ref StoredList]", "⟨unknown: parameter StoredList⟩", "parameter StoredList"},
		{"sub", "!Sub 'a-${Missing}'", "a-⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"split-around", "!Select [1, !Split [':', !Sub 'a:b${Missing}c:d']]", "b⟨unknown: parameter Missing⟩c", "parameter Missing"},
		{"split-beyond", "!Select [4, !Split [':', !Ref Missing]]", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"select", "!Select [0, !Ref StoredList]", "⟨unknown: parameter StoredList⟩", "parameter StoredList"},
		{"select-index", "!Select [!Ref Missing, [a]]", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"length", "!Length {Ref: StoredList}", "⟨unknown: parameter StoredList⟩", "parameter StoredList"},
		{"map", "!FindInMap [M, !Ref Missing, a]", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"base64", "!Base64 {Ref: Missing}", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"cidr", "!Join ['', !Cidr [!Ref Missing, 1, 8]]", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"if", "!If [Open, a, b]", "⟨unknown: condition Open⟩", "condition Open"},
		{"export", "!ImportValue x", "⟨unknown: export x⟩", "export x"},
		{"export-unknown", "!ImportValue {Ref: Missing}", "⟨unknown: parameter Missing⟩", "parameter Missing"},
		{"dynamic", "'a{{resolve:ssm:/x:1}}b'", "a⟨unknown: {{resolve:ssm:/x:1}}⟩b", "{{resolve:ssm:/x:1}}"},
		{"dynamic-made", "!Sub '{{resolve:ssm:/${Text}}}'", "⟨unknown: {{resolve:ssm:/hello}}⟩", "{{resolve:ssm:/hello}}"},
		{"dynamic-open", "'a{{resolve:ssm:/x'", "a{{resolve:ssm:/x", ""},
		{"attribute", "!GetAtt Fn.SnapStartResponse", "⟨unknown: Fn.SnapStartResponse⟩", "Fn.SnapStartResponse"},
		{"include", "{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: s3://b/k}}}", "⟨unknown: the file s3://b/k⟩", "the file s3://b/k"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, doc := said(t, tt.expression, more, cloudformation.Options{})
			require.Equal(t, tt.want, got)
			if tt.unknown == "" {
				return
			}
			for _, f := range doc.Findings {
				if f.Severity == definition.UnknownValue && f.What == tt.unknown+" is known to a deployment only" {
					require.NotEmpty(t, f.Do)
					require.NotZero(t, f.Origin.Line)
					return
				}
			}
			require.Fail(t, "no finding", "%v", doc.Findings)
		})
	}
}

// Options say what a template doesn't.
func TestGiven(t *testing.T) {
	o := cloudformation.Options{Account: "111122223333", Region: "us-gov-west-1", Stack: "mine",
		Parameters: map[string]string{"Text": "given", "mine.Missing": "there", "Stored": "value", "StoredList": "p,q"},
		Exports:    map[string]string{"x": "exported"}, Attributes: map[string]string{"Fn.SnapStartResponse": "on", "Fn": "renamed"},
		Conditions: map[string]bool{"Open": true, "Is": true},
		Resolve:    func(reference string) (string, bool) { return "<" + reference + ">", reference != "ssm:none" }}
	for _, tt := range []struct{ name, expression, want string }{
		{"pseudo", "!Sub '${AWS::AccountId} ${AWS::Region} ${AWS::Partition} ${AWS::StackName}'", "111122223333 us-gov-west-1 aws-us-gov mine"},
		{"parameter", "!Ref Text", "given"},
		{"parameter-of-stack", "!Ref Missing", "there"},
		{"stored", "!Ref Stored", "value"},
		{"stored-list", "!Join ['+', !Ref StoredList]", "p+q"},
		{"export", "!ImportValue x", "exported"},
		{"attribute", "!GetAtt Fn.SnapStartResponse", "on"},
		{"ref", "!Ref Fn", "renamed"},
		{"condition", "!If [Open, a, b]", "a"},
		{"condition-over", "!If [Is, a, b]", "a"},
		{"dynamic", "'{{resolve:ssm:a}}{{resolve:ssm:b}}'", "<ssm:a><ssm:b>"},
		{"dynamic-none", "'{{resolve:ssm:none}}'", "⟨unknown: {{resolve:ssm:none}}⟩"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _ := said(t, tt.expression, surroundings, o)
			require.Equal(t, tt.want, got)
		})
	}
}

// What the service refuses is reported with what is to blame, and is unknown.
func TestFaults(t *testing.T) {
	for _, tt := range []struct{ name, expression, want string }{
		{"ref", "!Ref Fnn", `there is no resource or parameter Fnn; the nearest are "Fn"`},
		{"get-att", "!GetAtt Fnn.Arn", `there is no resource Fnn; the nearest are "Fn"`},
		{"get-att-half", "!GetAtt Fn", "Fn::GetAtt: want a resource and an attribute"},
		{"stage-variable", "!Sub '${stageVariables.x}'", "within Fn::Sub write ${!stageVariables.NAME}"},
		{"sub", "!Sub [a]", "Fn::Sub: want a text"},
		{"sub-list", "!Sub '${List}'", "Fn::Sub: want a text for ${List}"},
		{"join", "!Join [a]", "Fn::Join: want a delimiter and a list"},
		{"join-text", "!Join [a, b]", "Fn::Join: want a list of texts"},
		{"join-map", "!Join [a, [{b: c}]]", "Fn::Join: want a list of texts"},
		{"join-nothing", "!Join [a, {b: c}]", "Fn::Join: want a list of texts"},
		{"split", "!Split [a]", "Fn::Split: want a delimiter and a text"},
		{"split-empty", "!Split ['', a]", "Fn::Split: want a delimiter that isn't empty"},
		{"select", "!Select [a]", "Fn::Select: want an index and a list"},
		{"select-text", "!Select [0, a]", "Fn::Select: want an index and a list"},
		{"select-word", "!Select [x, [a]]", "Fn::Select: want an index and a list"},
		{"select-beyond", "!Select [1, [a]]", "the index 1 is out of the range of 1 values"},
		{"select-before", "!Select [-1, [a]]", "the index -1 is out of the range of 1 values"},
		{"if", "!If [Is, a]", "Fn::If: want a condition and two values"},
		{"if-none", "!If [Iss, a, b]", "there is no condition Iss"},
		{"map", "!FindInMap [M, mars, a]", `the mappings have no "M/mars/a"`},
		{"map-short", "!FindInMap [M]", "Fn::FindInMap: want a map and two keys"},
		{"cidr", "!Cidr [x, 1, 1]", "Fn::Cidr: want a block"},
		{"cidr-many", "!Cidr [10.0.0.0/8, 257, 8]", "Fn::Cidr: want a block"},
		{"cidr-short", "!Cidr [x]", "Fn::Cidr: want a block"},
		{"length", "!Length a", "Fn::Length: want a list"},
		{"function", "{'Fn::Guess': a}", `the function "Fn::Guess" isn't known`},
		{"macro", "{'Fn::Transform': {Name: Mine, Parameters: {}}}", `the macro "Mine" isn't run here`},
		{"equals", "!If [!Equals [a], a, b]", "Fn::Equals: want two values"},
		{"and", "!If [!And a, a, b]", "want a list of conditions"},
		{"not", "!If [!Not [!Ref Text], a, b]", "want a condition"},
		{"include", "{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: ./t.yaml}}, Resources: !Ref Nobody}", "no resource or parameter Nobody"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, doc := said(t, tt.expression, surroundings, cloudformation.Options{})
			for _, f := range doc.Findings {
				if f.Severity == definition.Unsupported && strings.Contains(f.What, tt.want) {
					require.Equal(t, "Api", f.Origin.LogicalID)
					require.NotZero(t, f.Origin.Line)
					return
				}
			}
			require.Fail(t, "no finding", "%v", doc.Findings)
		})
	}
}

func TestWithoutExtensions(t *testing.T) {
	for _, function := range []string{"Fn::Length", "Fn::ToJsonString", "Fn::ForEach::X"} {
		doc := read(t, "Resources: {Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: {'"+function+"': [a, [b], {}]}}}}", cloudformation.Options{})
		require.Contains(t, doc.Findings[0].What, function+" is for templates with the transform AWS::LanguageExtensions")
	}
	doc := read(t, "Mappings: {M: {a: {b: c}}}\nResources: {Api: {Type: 'AWS::ApiGateway::RestApi', Properties: {Name: !FindInMap [M, a, x, {DefaultValue: d}]}}}", cloudformation.Options{})
	require.Contains(t, doc.Findings[0].What, `the mappings have no "M/a/x"`)
}
