package terraform

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gatekit-go/gatekit/internal/tfplan"
	"github.com/gatekit-go/gatekit/route/cloudformation"
	"github.com/gatekit-go/gatekit/route/definition"
)

// Options say what a plan or state doesn't. The zero value is account 123456789012 and us-east-1.
type Options struct {
	_ struct{} // keyed literals only, so that fields can be added

	// File is the plan's name, for findings.
	File string
	// Account and Region are where the APIs are.
	Account, Region string
	// Attributes are values that are known after apply only, by the address of the resource and the
	// attribute, as findings name them: "aws_api_gateway_rest_api.shop.policy".
	Attributes map[string]string
}

// Read reads what `terraform show -json` prints of a plan or a state, in format 1, of at most 32
// MB. All APIs are in one document. The error is of text that is no plan, of a plan that failed or
// isn't complete (made with -target, or with deferred changes), and of an OpenAPI document that the
// managed gateway would refuse. What else can't be known or isn't covered is in the document's
// Findings, and refuses to be served. It opens no files and no connections.
func Read(text []byte, o Options) (*definition.Document, error) {
	plan, err := tfplan.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("terraform: %w", err)
	}
	o.File = cmp.Or(o.File, "terraform")
	t := &translator{o: &o, apis: map[string]string{}, out: map[string]*emitted{}, attributes: map[string]string{},
		closed: map[string]string{}, places: map[string]map[string]any{}}
	t.translate(plan.Resources())
	template, err := json.Marshal(map[string]any{"Resources": t.out})
	if err != nil {
		return nil, fmt.Errorf("terraform: %w", err)
	}
	doc, err := cloudformation.ReadText(template, o.File, cloudformation.Options{
		Stack: "terraform", Account: o.Account, Region: o.Region, Attributes: t.attributes})
	if err != nil {
		return nil, fmt.Errorf("terraform: %w", err)
	}
	doc.Findings = append(doc.Findings, t.findings...)
	slices.SortStableFunc(doc.Findings, func(a, b definition.Finding) int {
		return cmp.Compare(a.Origin.LogicalID, b.Origin.LogicalID)
	})
	for _, a := range doc.APIs {
		if arn := strings.Split(t.attributes[a.ID+".ExecuteApiArn"], ":"); len(arn) > 4 {
			a.Region, a.Account = arn[3], arn[4]
		}
		if why := cmp.Or(t.closed[a.ID], t.closed[a.Flavor]); why != "" {
			for _, s := range a.Stages { // that nothing of it answers in the place of what isn't known
				s.WebACL = definition.Unknown("what " + why + " protects")
			}
		}
	}
	return doc, nil
}
