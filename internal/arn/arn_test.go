package arn_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/arn"
)

func TestARN(t *testing.T) {
	api := arn.API{Region: "us-east-2", AccountID: "123456781977", APIID: "abc123", Stage: "prod"}
	require.Equal(t, "arn:aws:execute-api:us-east-2:123456781977:abc123/prod/GET/pets/1", api.Method("GET", "pets/1"))
	require.Equal(t, "arn:aws:execute-api:us-east-2:123456781977:abc123/prod/$connect", api.Route("$connect"))
	require.Equal(t, "arn:aws:execute-api:us-east-2:********1977:abc123/prod/GET/pets/1", arn.Mask(api.Method("GET", "pets/1")))
	require.Equal(t, "arn:aws:execute-api:unknown:000000000000:unknown/$default/GET/", arn.API{}.Method("GET", ""))
	require.Equal(t, "aws-cn", arn.Partition("cn-north-1"))
	require.Equal(t, "aws-us-gov", arn.Partition("us-gov-west-1"))
	require.Equal(t, "nonsense", arn.Mask("nonsense"))
	require.Equal(t, "aws", arn.Partition("us-government-1"), "a region of another name")
	require.Equal(t, "arn:aws:execute-api:unknown:000000000000:unknown/$default/$connect", arn.API{}.Route("$connect"))
	require.Equal(t, "arn:aws:execute-api:r:123456789:x", arn.Mask("arn:aws:execute-api:r:123456789:x"), "no account has nine digits")
}

// An ARN has six parts whatever is asked for, the path behind the last colon as it is; what isn't
// known is said in words that no policy for a specific API has; and nothing of two APIs, stages,
// methods or paths runs into each other.
func TestPartsOfAnARN(t *testing.T) {
	known := []string{"", "us-east-1", "cn-north-1"}
	seen := map[string]bool{}
	for _, region := range known {
		for _, account := range []string{"", "111122223333"} {
			for _, id := range []string{"", "abc"} {
				for _, stage := range []string{"", "prod"} {
					for _, path := range []string{"", "a", "a/b", "a:b", "a%2Fb", "*"} {
						text := arn.API{Region: region, AccountID: account, APIID: id, Stage: stage}.Method("GET", path)
						require.False(t, seen[text], text)
						seen[text] = true
						parts := strings.SplitN(text, ":", 6)
						require.Len(t, parts, 6)
						require.Equal(t, []string{"arn", arn.Partition(region), "execute-api"}, parts[:3])
						require.Equal(t, cmp.Or(region, arn.UnknownRegion), parts[3])
						require.Equal(t, cmp.Or(account, arn.UnknownAccount), parts[4])
						require.Equal(t, cmp.Or(id, arn.UnknownAPI)+"/"+cmp.Or(stage, arn.UnknownStage)+"/GET/"+path, parts[5])
					}
				}
			}
		}
	}
}

// Mask hides the account of any ARN, and changes nothing else.
func FuzzMask(f *testing.F) {
	f.Add("arn:aws:execute-api:us-east-1:111122223333:abc/prod/GET/a:b")
	f.Add("arn:::::")
	f.Add("::::1234567890ab:")
	f.Fuzz(func(t *testing.T, text string) {
		masked := arn.Mask(text)
		if len(masked) != len(text) || arn.Mask(masked) != masked {
			t.Errorf("Mask(%q) = %q", text, masked)
		}
		parts, was := strings.SplitN(masked, ":", 6), strings.SplitN(text, ":", 6)
		if len(parts) == 6 && len(parts[4]) == 12 && parts[4] != "********"+was[4][8:] {
			t.Errorf("Mask(%q) = %q shows the account", text, masked)
		}
		for i := range parts {
			if i != 4 && parts[i] != was[i] {
				t.Errorf("Mask(%q) = %q", text, masked)
			}
		}
	})
}
