package arn_test

import (
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
