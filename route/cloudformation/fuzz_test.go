package cloudformation_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Whatever is read is a document that can be kept, and the same when it is read again. Of what is
// refused there is nothing.
func FuzzRead(f *testing.F) {
	for _, tt := range templates {
		if !strings.HasSuffix(tt.file, ".yaml") && !strings.HasSuffix(tt.file, ".json") {
			continue // an assembly
		}
		text, err := os.ReadFile("testdata/" + tt.file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, seed := range []string{"Resources: {}", described("!Select [1, !Split [x, !Ref AWS::StackId]]", ""), method("", ", AuthorizationType: !ImportValue x", ""), body("security: []", ""),
		"Resources: &a {A: {Type: AWS::Lambda::Alias, Properties: {FunctionName: !GetAtt A.Arn}}}", `{"Resources":{"A":{"Type":"AWS::CloudFormation::Stack","Properties":{"TemplateURL":"t.yaml"}}}}`,
		language + "Resources: {'Fn::ForEach::X': [X, [a, b], {'A${X}': {Type: AWS::ApiGateway::RestApi}}]}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		fsys := fstest.MapFS{"t.yaml": {Data: text}}
		doc, err := cloudformation.Read(fsys, "t.yaml", cloudformation.Options{})
		if err != nil {
			if doc != nil {
				t.Fatal("a document beside an error")
			}
			return
		}
		kept, err := doc.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := definition.Unmarshal(kept); err != nil {
			t.Fatalf("%v, of %s", err, kept)
		}
		again, err := cloudformation.Read(fsys, "t.yaml", cloudformation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if second, _ := again.MarshalJSON(); string(second) != string(kept) {
			t.Fatalf("first %s\nthen %s", kept, second)
		}
	})
}
