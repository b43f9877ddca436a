package iam_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "Statement: want one", `[]`: "the document: want a JSON object", ``: "the document", `{"Statement":1}`: "Statement: want a statement or a list",
		`{"Version":"2020-01-01","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`: `Version: want "2012-10-17"`,
		`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"},"Statement":{}}`:         "repeated names",
		`{"Statement":{"Effect":"Allow","Effect":"Deny","Action":"*","Resource":"*"}}`:        "repeated names",
		`{"Statement":{"effect":"Allow","Action":"*","Resource":"*"}}`:                        "Statement.effect: want an element",
		`{"Statement":[{"Effect":"allows","Action":"*","Resource":"*"}]}`:                     `Statement[0].Effect: want "Allow" or "Deny", got "allows"`,
		`{"Statement":[{"Effect":"Allow ","Action":"*","Resource":"*"}]}`:                     `Statement[0].Effect: want "Allow" or "Deny", got "Allow "`,
		`{"Statement":[{"Action":"*","Resource":"*"}]}`:                                       "Statement[0].Effect",
		`{"Statement":[{"Effect":"Allow","Resource":"*"}]}`:                                   "one of Action and NotAction, got 0",
		`{"Statement":[{"Effect":"Allow","Action":"*","NotAction":"s3:*","Resource":"*"}]}`:   "one of Action and NotAction, got 2",
		`{"Statement":[{"Effect":"Allow","Action":[1],"Resource":"*"}]}`:                      "Statement[0].Action: want a string or a list",
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":1}]}`:                        "Statement[0].Resource: want a string",
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*",}]}`:                     "the document",
		`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]} // x`:                 "the document",
	} {
		_, err := iam.Parse([]byte(text), iam.Options{})
		require.ErrorContains(t, err, want, text)
	}
	for more, want := range map[string]string{
		`"Principal":"*"`: "want 0 of Principal and NotPrincipal, got 1", `"Action":"Invoke"`: "want an action such as",
		`"Resource":"arn"`: "six parts", `"Resource":"pets/*"`: "six parts", `"Resource":"aws:execute-api:*"`: "six parts", `"Resource":"ARN:aws:execute-api:*:*:*"`: "six parts", `"Resource":"execute-api:/*"`: "six parts",
		`"Resource":"arn:aws:execute-api:${aws:username}:1:x"`: "behind the fifth colon", `"Resource":"arn:aws:execute-api:us-east-1:1:${x"`: "want } after",
		`"Resource":""`: "six parts", `"Condition":{"StringEqual":{"aws:userid":"x"}}`: "want a condition operator", `"Condition":{"NullIfExists":{"aws:userid":"x"}}`: "want a condition operator",
		`"Condition":{"StringEquals":{}}`: "want at least one key", `"Condition":{"StringEquals":{"aws:userid":[null]}}`: "want a string, number",
		`"Condition":{"StringEquals":{"userid":"x"}}`: "want a key such as", `"Condition":{"StringEquals":{"aws:userid":null}}`: "want a string, number or boolean",
		`"Condition":{"StringEquals":{"aws:SourceIp":"a","AWS:sourceip":"b"}}`: "repeated names", `"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/33"}}`: "want an address or a range",
		`"Condition":{"IpAddress":{"aws:SourceIp":"192.000.2.1"}}`: "want an address", `"Condition":{"IpAddress":{"aws:SourceIp":"::ffff:0.0.0.0/95"}}`: "want an address",
		`"Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","::ffff:10.0.0.0/0"]}}`: "want an address", `"Condition":{"IpAddress":{"aws:SourceIp":"fe80::1%eth0"}}`: "want an address",
		`"Condition":{"NumericEquals":{"my:n":"0x1"}}`: "want a number", `"Condition":{"DateEquals":{"aws:CurrentTime":"2026-12-31T23:59:60Z"}}`: "want a date", `"Condition":{"DateEquals":{"aws:CurrentTime":"999"}}`: "want a date",
		`"Condition":{"Bool":{"aws:SecureTransport":"1"}}`: "want true or false", `"Condition":{"BinaryEquals":{"my:b":"?"}}`: "want base64",
		`"Condition":{"StringEquals":{"aws:PrincipalOrgPaths":"x"}}`: "want ForAllValues: or ForAnyValue:", `"Condition":{"ArnLike":{"aws:PrincipalArn":"role/x"}}`: "six parts",
		`"Condition":[]`: "Condition: want a JSON object",
	} {
		_, err := iam.Parse([]byte(document("2012-10-17", more)), iam.Options{})
		require.ErrorContains(t, err, want, more)
	}
	for more, want := range map[string]string{
		`"Sid":"a"`: "want 1 of Principal and NotPrincipal, got 0", `"Principal":"111122223333"`: `want "*" or an object`, `"Principal":{"AWS":"arn:aws:iam::111122223333:role/*"}`: "without wildcards",
		`"Principal":{"AWS":[1]}`: "want a string or a list", `"Principal":[]`: "want a JSON object", `"Principal":{"Aws":"*"}`: "want AWS, Service", `"Principal":{"AWS":"bob"}`: "want *, an account",
	} {
		_, err := iam.Parse([]byte(document("2012-10-17", more)), iam.Options{Principals: true})
		require.ErrorContains(t, err, want, more)
	}
	_, err := iam.Parse([]byte(document("2012-10-17", `"Resource":"arn:aws:execute-api:*:*:`+strings.Repeat("x", 500)+`"`)), iam.Options{MaxResource: 512})
	require.ErrorContains(t, err, "want at most 512 characters, got 524")
	parse(t, document("2012-10-17", `"Resource":"arn:aws:execute-api:*:*:`+strings.Repeat("é", 512-len("arn:aws:execute-api:*:*:"))+`"`), iam.Options{MaxResource: 512})
	_, err = iam.Parse([]byte(`{"Statement":{"Effect":"`+strings.Repeat("x", 1<<20)+`"}}`), iam.Options{})
	require.ErrorContains(t, err, "want at most 1048576 bytes")
	_, err = iam.Parse([]byte(`{"Statement":[`+strings.Repeat(`{"Effect":"no","Action":"*","Resource":"*"},`, 10000)+`{}]}`), iam.Options{})
	require.Less(t, len(err.Error()), 10_000)
}
