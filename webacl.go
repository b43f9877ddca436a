package gatekit

// WebACL is what a web ACL has made of a request: $context.webaclArn and $context.wafResponseCode.
// It is immutable, and shared by requests.
type WebACL struct {
	// ARN is the web ACL's.
	ARN string
	// ResponseCode is WAF_ALLOW or WAF_BLOCK.
	ResponseCode string
}

// SetWebACL states it, for the station that has judged the request. A later call replaces it.
func (rc *RequestContext) SetWebACL(decision *WebACL) {
	if rc != nil {
		rc.webACL = decision
	}
}

// WebACL returns what a web ACL has made of the request; the zero WebACL if none has judged it.
func (rc *RequestContext) WebACL() WebACL {
	if rc == nil || rc.webACL == nil {
		return WebACL{}
	}
	return *rc.webACL
}
