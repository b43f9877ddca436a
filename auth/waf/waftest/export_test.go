package waftest

import "github.com/gatekit-go/gatekit/auth/waf"

// Judge tells what Run reports.
func Judge(c *Case, acl *waf.ACL) string { return c.judge(acl) }
