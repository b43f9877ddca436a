//go:build !race

package iam_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/iam"
)

func TestAllocations(t *testing.T) {
	p := parse(t, document("2012-10-17", `"Resource":"arn:aws:execute-api:*:*:abc/*/${aws:UserAgent}*",
		"Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringLike":{"aws:UserAgent":"p?ts"},"DateGreaterThan":{"aws:CurrentTime":"2020-01-01"},"Bool":{"aws:SecureTransport":"true"}}`), iam.Options{})
	r := request(func(r *iam.Request) {
		r.SourceIP, r.UserAgent, r.SecureTransport = netip.MustParseAddr("192.0.2.1"), "pets", true
	})
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if !iam.Evaluate(r, p).Allowed() {
			panic("want it allowed")
		}
	}))
}
