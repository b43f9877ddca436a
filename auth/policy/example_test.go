package policy_test

import (
	"fmt"
	"net/netip"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
)

func ExampleEvaluate() {
	p := gatekit.Must(policy.Parse(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:aws:execute-api:*:*:a1b2c3/prod/GET/*"},
		{"Sid": "OfficeOnly", "Effect": "Deny", "Action": "*", "Resource": "*",
		 "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}]}`))
	for _, from := range []string{"192.0.2.7", "198.51.100.7"} {
		d := policy.Evaluate(&policy.Request{
			Action:   policy.Invoke,
			Resource: "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/prod/GET/pets",
			SourceIP: netip.MustParseAddr(from),
		}, p)
		fmt.Println(from, d.Allowed(), "-", d)
	}
	// Output:
	// 192.0.2.7 true - allow by statement 0 of policy 0
	// 198.51.100.7 false - explicit deny by statement 1 (OfficeOnly) of policy 0
}

// A list that only allows is no fence where something else allows, too: deny what is outside.
func ExampleParseResource() {
	p := gatekit.Must(policy.ParseResource(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"},
		{"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/prod/*/admin*"}]}`))
	d := policy.Evaluate(&policy.Request{Action: policy.Invoke, Resource: "arn:aws:execute-api:us-east-1:111122223333:a1b2c3/prod/GET/admin/users"}, p)
	fmt.Println(d.Allowed(), "-", d)
	// Output:
	// false - explicit deny by statement 1 of policy 0
}

func ExampleParse_mistakes() {
	_, err := policy.Parse(`{"Statement": [{"Effect": "permit", "Action": "Invoke", "Resource": "*"}]}`)
	fmt.Println(err)
	// Output:
	// policy: Statement[0].Effect: want "Allow" or "Deny", got "permit"
	// Statement[0].Action: want an action such as "execute-api:Invoke", got "Invoke"
}

// What authorizer functions get away with on the managed gateway works here, too. Lint says what to write.
func ExampleLint() {
	for _, finding := range policy.Lint(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "allow", "Action": "execute-api:Invoke", "Resource": ["arn:aws:execute-api:*", "arn:aws:lambda:*"]},
		{"Effect": "Deny", "Action": "execute-api:Invoke", "Resource": []}]}`) {
		fmt.Println(finding)
	}
	// Output:
	// Statement[0].Effect: want "Allow" or "Deny" in these letters, got "allow"
	// Statement[0].Resource: want an ARN of six parts, as arn:aws:execute-api:*:*:*, got "arn:aws:execute-api:*"
	// Statement[0].Resource: want an ARN of six parts, as arn:aws:execute-api:*:*:*, got "arn:aws:lambda:*"
	// Statement[1].Resource: want at least one entry, as the statement has no effect without
}
