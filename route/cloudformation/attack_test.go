package cloudformation_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

const language = "Transform: AWS::LanguageExtensions\n"

// described is a template of which an API's description is evaluated.
func described(expression, more string) string {
	return language + more + "\nResources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Description: " + expression + "}}\n"
}

// A template that means harm is refused before it costs much.
func TestAttackBounds(t *testing.T) {
	laughs := "Metadata:\n  a: &a [1,1,1,1,1,1,1,1,1,1]\n"
	for c := 'b'; c < 'k'; c++ {
		laughs += fmt.Sprintf("  %c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c,", c-1), 9), c-1)
	}
	ten := "[0,1,2,3,4,5,6,7,8,9]"
	loops, last := "", "{'X${A}${B}${C}${D}${E}${F}${G}': {Type: T}}"
	for _, name := range []string{"A", "B", "C", "D", "E", "F", "G"} {
		loops += "{'Fn::ForEach::" + name + "': [" + name + ", " + ten + ", "
	}
	loops += last + strings.Repeat("]}", 7)
	text := "Mappings: {M: {a: {b: '" + strings.Repeat("x", 1<<20) + "'}}}"
	grow := "Outputs:\n  O0: {Value: '" + strings.Repeat("x", 1000) + "', Export: {Name: o0}}\n"
	for i := range 40 {
		grow += fmt.Sprintf("  O%d: {Value: !Join ['', [!ImportValue o%d, !ImportValue o%d]], Export: {Name: o%d}}\n", i+1, i, i, i+1)
	}
	lists := "Mappings: {M: {a: {b: [" + strings.Repeat("x,", 5000) + "x]}}}"
	for _, tt := range []struct{ name, text, want string }{
		{"size", strings.Repeat(" ", 9<<20), "want a file of at most 8388608 bytes"},
		{"depth", `{"Resources":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + "}", "want at most 100 levels"},
		{"depth-if", described(strings.Repeat("{'Fn::If': [C, ", 60)+"a"+strings.Repeat(", b]}", 60), ""), "want at most 100 levels"},
		{"values", `{"Resources":{"a":[` + strings.Repeat("[],", 500_000) + "1]}}", "want at most 400000 values"},
		{"laughs", laughs + "Resources: {}", "want at most 400000 values, aliases counted"},
		{"alias-circle", "Resources: &r {a: *r}", "want at most 100 levels"},
		{"loops", language + "Resources: " + loops, "too large when they are evaluated"},
		{"loop-of-texts", language + text + "\nResources: {'Fn::ForEach::A': [A, [!FindInMap [M, a, b]], {X: {Type: '" + strings.Repeat("${A}", 80) + "'}}]}", "too large when they are evaluated"},
		{"join", described("!Join ['', ["+strings.Repeat("!FindInMap [M, a, b],", 80)+"x]]", text), "too large when they are evaluated"},
		{"join-delimiter", described("!Join [!FindInMap [M, a, b], ["+strings.Repeat("a,", 80)+"x]]", text), "too large when they are evaluated"},
		{"sub", described("!Sub ['"+strings.Repeat("${A}", 80)+"', {A: !FindInMap [M, a, b]}]", text), "too large when they are evaluated"},
		{"doubling", described("!ImportValue o40", grow), "too large when they are evaluated"},
		{"lists", described("!ToJsonString ["+strings.Repeat("!FindInMap [M, a, b],", 2000)+"x]", lists), "too large when they are evaluated"},
		{"split", described("!ToJsonString ["+strings.Repeat("!Split [x, !FindInMap [M, a, b]],", 40)+"x]", text), "too large when they are evaluated"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := tried(tt.text, cloudformation.Options{})
			require.ErrorContains(t, err, tt.want)
			require.Nil(t, doc)
		})
	}
}

// What refers to itself is an unknown value, and reported; nothing goes round for ever.
func TestAttackCircles(t *testing.T) {
	chain := "Conditions:\n"
	for i := range 2000 {
		chain += fmt.Sprintf("  C%d: !Not [!Condition C%d]\n", i, i+1)
	}
	for _, tt := range []struct{ name, text, want string }{
		{"name", "Resources:\n  A: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Ref A}}\n", "the property FunctionName of A refers to itself"},
		{"two", "Resources:\n  A: {Type: AWS::Lambda::Function, Properties: {FunctionName: !Ref B}}\n  B: {Type: AWS::Lambda::Function, Properties: {FunctionName: !GetAtt A.Arn}}\n", "circular dependency"},
		{"condition", "Conditions: {C: !Not [!Condition C]}\nResources:\n  A: {Type: AWS::Lambda::Function, Condition: C}\n", "the condition C refers to itself"},
		{"conditions", "Conditions: {C: !Condition D, D: !Condition C}\nResources:\n  A: {Type: AWS::Lambda::Function, Condition: C}\n", "refers to itself"},
		{"alias", "Resources:\n  A: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !Ref A, Name: x}}\n", "the property FunctionName of A refers to itself"},
		{"url", "Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !GetAtt U.FunctionArn}}\n  U: {Type: AWS::Lambda::Url, Properties: {TargetFunctionArn: !GetAtt U.FunctionArn}}\n", "the property TargetFunctionArn of U refers to itself"},
		{"export", "Outputs: {O: {Value: !ImportValue o, Export: {Name: o}}}\nResources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !ImportValue o}}\n", ""},
		{"export-name", "Outputs: {O: {Value: x, Export: {Name: !ImportValue o}}}\nResources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: !ImportValue o}}\n", ""},
		{"parent", "Resources:\n  R: {Type: AWS::ApiGateway::Resource, Properties: {ParentId: !Ref R}}\n  M: {Type: AWS::ApiGateway::Method, Properties: {ResourceId: !Ref R}}\n", "M belongs to no API"},
		{"include", "Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: t.yaml}}}}\n", ""},
		{"listener", "Resources:\n  L: {Type: AWS::ElasticLoadBalancingV2::Listener, Properties: {LoadBalancerArn: !Ref L}}\n", "the property LoadBalancerArn of L refers to itself"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, tt.text, cloudformation.Options{})
			if tt.want != "" {
				finding(t, doc, definition.Unsupported, tt.want)
			}
		})
	}
	_, err := tried(chain+"  C2000: !Equals [a, a]\nResources: {A: {Type: T, Condition: C0}}\n", cloudformation.Options{})
	require.ErrorContains(t, err, "too large when they are evaluated")
	_, err = cloudformation.Read(fstest.MapFS{
		"t.yaml": {Data: []byte("Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: i.yaml}}}}}}")},
		"i.yaml": {Data: []byte("{'Fn::Transform': {Name: AWS::Include, Parameters: {Location: i.yaml}}}")},
	}, "t.yaml", cloudformation.Options{})
	require.ErrorContains(t, err, "too large when they are evaluated")
}

// Mistakes cost what they are worth: hints compare a name with all others, and are counted.
func TestAttackMistakes(t *testing.T) {
	var typos, refs, secrets, binary strings.Builder
	for i := range 30_000 {
		fmt.Fprintf(&typos, ", '%d%s': a", i, strings.Repeat("x", 200))
	}
	for i := range 20_000 {
		fmt.Fprintf(&refs, "  R%d: {Type: AWS::Lambda::Version, Properties: {FunctionName: !Ref Nobody%d}}\n", i, i)
		fmt.Fprintf(&secrets, "  K%d: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: secret%d, Typo: a}}\n", i, i)
		fmt.Fprintf(&binary, "a/%d, ", i)
	}
	for name, text := range map[string]string{
		"typos":   "Resources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a" + typos.String() + "}}\n",
		"refs":    "Resources:\n" + refs.String(),
		"secrets": "Resources:\n" + secrets.String(),
		"binary":  "Resources:\n  Api: {Type: AWS::ApiGateway::RestApi, Properties: {BinaryMediaTypes: [" + binary.String() + "]}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			hints := 0
			for _, f := range read(t, text, cloudformation.Options{}).Findings {
				if strings.Contains(f.What, "the nearest are") {
					hints++
				}
			}
			require.LessOrEqual(t, hints, 100)
			require.Equal(t, name == "binary", hints == 0)
		})
	}
}

// Only files below the root are read, whatever a template says.
func TestAttackFiles(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "secret.yaml"), []byte("swagger: '2.0'\npaths: {/leaked: {get: {x-amazon-apigateway-integration: {type: mock}}}}"), 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "root"), 0o700))
	require.NoError(t, os.Symlink("../secret.yaml", filepath.Join(dir, "root", "link.yaml")))
	root, err := os.OpenRoot(filepath.Join(dir, "root"))
	require.NoError(t, err)
	defer root.Close()
	for _, location := range []string{"../secret.yaml", filepath.Join(dir, "secret.yaml"), "link.yaml", "./../secret.yaml", "a/../../secret.yaml",
		"file://" + dir + "/secret.yaml", "http://192.0.2.1/secret.yaml", "s3://bucket/secret.yaml"} {
		for _, property := range []string{"BodyS3Location: '" + location + "'", "Body: {'Fn::Transform': {Name: AWS::Include, Parameters: {Location: '" + location + "'}}}"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "root", "t.yaml"), []byte("Resources: {Api: {Type: AWS::ApiGateway::RestApi, Properties: {"+property+"}}}"), 0o600))
			doc, err := cloudformation.Read(root.FS(), "t.yaml", cloudformation.Options{})
			if err == nil {
				require.Empty(t, doc.APIs[0].Routes, property)
			}
		}
	}
	for name, manifest := range map[string]string{
		"template": `{"artifacts":{"S":{"type":"aws:cloudformation:stack","properties":{"templateFile":"../secret.yaml"}}}}`,
		"inner":    `{"artifacts":{"S":{"type":"cdk:cloud-assembly","properties":{"directoryName":"../"}}}}`,
	} {
		_, err := cloudformation.Read(fstest.MapFS{"manifest.json": {Data: []byte(manifest)}}, "manifest.json", cloudformation.Options{})
		require.ErrorContains(t, err, "want a file below the root", name)
	}
}

// reads counts the files that are opened.
type reads struct {
	fs.FS
	n int
}

func (r *reads) Open(name string) (fs.File, error) {
	r.n++
	return r.FS.Open(name)
}

// Stacks in stacks are bounded, also if each has several.
func TestAttackStacks(t *testing.T) {
	fsys := fstest.MapFS{}
	for level := range 9 {
		text := "Resources:\n"
		for i := range 10 {
			text += fmt.Sprintf("  N%d: {Type: AWS::CloudFormation::Stack, Properties: {TemplateURL: l%d.yaml}}\n", i, level+1)
		}
		fsys[fmt.Sprintf("l%d.yaml", level)] = &fstest.MapFile{Data: []byte(text)}
	}
	fsys["l9.yaml"] = &fstest.MapFile{Data: []byte("Resources: {}")}
	counted := &reads{FS: fsys}
	_, err := cloudformation.Read(counted, "l0.yaml", cloudformation.Options{})
	require.ErrorContains(t, err, "want at most 200 stacks")
	require.Less(t, counted.n, 1000)
}

// What closes all APIs of a template does so once, and not for each mistake.
func TestAttackClosing(t *testing.T) {
	var acls, routes strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&acls, "  A%d: {Type: AWS::ApiGateway::RestApi, Properties: {}}\n  S%d: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A%d, StageName: s}}\n  W%d: {Type: AWS::WAFv2::WebACLAssociation}\n", i, i, i, i)
		fmt.Fprintf(&routes, "  A%d: {Type: AWS::ApiGateway::RestApi, Properties: {}}\n  M%d: {Type: AWS::ApiGateway::Method, Properties: {AuthorizationType: AWS_IAM}}\n", i, i)
	}
	for name, text := range map[string]string{"acls": acls.String(), "routes": routes.String()} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		doc := read(t, "Resources:\n"+text, cloudformation.Options{})
		runtime.ReadMemStats(&after)
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(400<<20), name)
		for _, a := range doc.APIs {
			require.True(t, a.RoutesUnknown || a.Stages["s"] != nil && a.Stages["s"].WebACL != "", name)
		}
	}
}
