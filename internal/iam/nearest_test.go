package iam_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

func TestNearest(t *testing.T) {
	const pets = "arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/pets"
	asked := iam.Request{Action: "execute-api:Invoke", Resource: pets, SourceIP: netip.MustParseAddr("192.0.2.1"), Principal: iam.Principal{Type: iam.User, AccountID: "1"}}
	for _, tt := range []struct{ name, statements, want string }{
		{"none", "", ""},
		{"denies-alone", `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}`, ""},
		{"action", `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}`, "statement 0 of policy 1 but for Action"},
		{"not-action", `{"Effect":"Allow","Principal":"*","NotAction":"execute-api:*","Resource":"*"}`, "statement 0 of policy 1 but for NotAction"},
		{"empty", `{"Effect":"Allow","Principal":"*","NotAction":[],"Resource":"*"}`, "statement 0 of policy 1 but for NotAction"},
		{"resource", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"` + pets + `/7"}`, "statement 0 of policy 1 but for Resource"},
		{"not-resource", `{"Effect":"Allow","Principal":"*","Action":"*","NotResource":"*"}`, "statement 0 of policy 1 but for NotResource"},
		{"principal", `{"Sid":"Bob","Effect":"Allow","Principal":{"AWS":"222233334444"},"Action":"*","Resource":"*"}`, "statement 0 (Bob) of policy 1 but for Principal"},
		{"condition", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}}`, "statement 0 of policy 1 but for Condition aws:sourceip"},
		{"tag", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Team":"a"}}}`, "statement 0 of policy 1 but for Condition aws:principaltag/team"},
		{"own", `{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"my:key":"a"}}}`, "statement 0 of policy 1 but for Condition my:key"},
		{"nearest-of-two", `{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Principal":"*","Action":"*","Resource":"arn:aws:execute-api:*:*:other/*"}`, "statement 1 of policy 1 but for Resource"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := iam.Parse([]byte(`{"Version":"2012-10-17","Statement":[`+tt.statements+`]}`), iam.Options{Principals: true})
			require.NoError(t, err)
			require.Equal(t, iam.ImplicitDeny, iam.Evaluate(&asked, nil, p).Effect)
			require.Equal(t, tt.want, iam.Nearest(&asked, nil, p))
		})
	}
}
