//go:build !race

package terraform_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/terraform"
)

// large is a plan of so many functions, each with a method below the API's root.
func large(functions int) []byte {
	parts := []part{{rest, `{"name":"a"}`, `{"id":true,"root_resource_id":true}`, `{"name":{}}`},
		{"aws_api_gateway_stage.live", `{"stage_name":"live"}`, `{"rest_api_id":true}`, `{` + ofAPI + `,"stage_name":{}}`}}
	for i := range functions {
		at := fmt.Sprintf(`{%s,"resource_id":{"references":["aws_api_gateway_resource.r%d.id","aws_api_gateway_resource.r%[2]d"]}`, ofAPI, i)
		parts = append(parts,
			part{fmt.Sprintf("aws_api_gateway_resource.r%d", i), fmt.Sprintf(`{"path_part":"things%d"}`, i), `{"id":true,"rest_api_id":true,"parent_id":true}`,
				`{` + ofAPI + `,"parent_id":{"references":["aws_api_gateway_rest_api.a.root_resource_id","aws_api_gateway_rest_api.a"]}}`},
			part{fmt.Sprintf("aws_api_gateway_method.m%d", i), `{"http_method":"GET","authorization":"AWS_IAM"}`, `{` + placed + `}`, at + `}`},
			part{fmt.Sprintf("aws_api_gateway_integration.i%d", i), `{"http_method":"GET","type":"AWS_PROXY","integration_http_method":"POST"}`, `{` + placed + `,"uri":true}`,
				at + fmt.Sprintf(`,"uri":{"references":["aws_lambda_function.f%d.invoke_arn","aws_lambda_function.f%[1]d"]}}`, i)},
			part{fmt.Sprintf("aws_lambda_function.f%d", i), fmt.Sprintf(`{"function_name":"f%d"}`, i), `{"arn":true,"invoke_arn":true}`, ``})
	}
	return planned(parts...)
}

// What is allocated doesn't depend on the machine, and so is a test: a plan of 500 functions, which
// are 2,000 resources, takes less than 60 MB in all.
func TestFigures(t *testing.T) {
	text := large(500)
	_, err := terraform.Read(large(1), terraform.Options{}) // what is made once in a process
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	doc, err := terraform.Read(text, terraform.Options{})
	runtime.ReadMemStats(&after)
	require.NoError(t, err)
	require.Empty(t, doc.Findings)
	require.Len(t, doc.APIs[0].Routes, 500)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(60<<20))
}

func BenchmarkRead(b *testing.B) {
	text := large(500)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := terraform.Read(text, terraform.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
