package cloudformation

import (
	"cmp"
	"regexp"

	"github.com/gatekit-go/gatekit/internal/arn"
	"github.com/gatekit-go/gatekit/internal/mistakes"
)

// Options say what a template doesn't. The zero value takes the defaults of the template's
// parameters, the account 123456789012 and the region us-east-1.
type Options struct {
	_ struct{} // keyed literals only, so that fields can be added

	// Stack is the name of the stack that a template makes, AWS::StackName. Empty: "stack". The
	// stacks of a cloud assembly have names.
	Stack string
	// Account and Region are AWS::AccountId and AWS::Region, where a cloud assembly doesn't say
	// them.
	Account, Region string
	// Parameters are values of the template's parameters, by name; lists with commas. Of those that
	// name a parameter of the Systems Manager they are what it holds. "STACK.NAME" is for one
	// stack of a cloud assembly, and goes before NAME.
	Parameters map[string]string
	// Exports are values for Fn::ImportValue of what no template of the import exports.
	Exports map[string]string
	// Attributes are values that only a deployment knows, by "LOGICALID.ATTRIBUTE" ("LOGICALID" for
	// a Ref), as findings name them; in a nested stack "Nested/LOGICALID.ATTRIBUTE".
	Attributes map[string]string
	// Conditions decide conditions by name, in place of what the template says. Those that hang on
	// an unknown value have to be decided so.
	Conditions map[string]bool
	// Resolve gives the values of dynamic references: it is called with "ssm:NAME",
	// "secretsmanager:ID:SecretString:KEY". False means that it has none.
	Resolve func(reference string) (string, bool)
	// Files are files below the root for locations outside of it, such as
	// "s3://bucket/openapi.yaml" or the URL of a nested stack's template.
	Files map[string]string
}

const (
	defaultStack   = "stack"
	defaultAccount = "123456789012"
	defaultRegion  = "us-east-1"
)

var (
	accounts = regexp.MustCompile(`^[0-9]{12}$`)
	regions  = regexp.MustCompile(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
)

func (o *Options) check() error {
	m := mistakes.In("cloudformation: Options")
	if o.Account != "" && !accounts.MatchString(o.Account) {
		m.Add("Account", "want twelve digits, got %q", o.Account)
	}
	if o.Region != "" && !regions.MatchString(o.Region) {
		m.Add("Region", "want a region such as us-east-1, got %q", o.Region)
	}
	return m.Err()
}

func (o *Options) account() string { return cmp.Or(o.Account, defaultAccount) }
func (o *Options) region() string  { return cmp.Or(o.Region, defaultRegion) }
func (o *Options) stack() string   { return cmp.Or(o.Stack, defaultStack) }

func partition(region string) string { return arn.Partition(region) }
