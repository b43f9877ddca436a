package iam

import (
	"net/netip"
	"strconv"
	"time"
)

// Request is what a policy is asked about. It is only read.
type Request struct {
	// Action is such as "execute-api:Invoke". Its letter case doesn't matter.
	Action string
	// Resource is the ARN that the action is for.
	Resource string
	// Principal is who asks. The zero value is anonymous.
	Principal Principal
	// Time is now. Without one aws:CurrentTime and aws:EpochTime are missing, so that nothing is
	// allowed because it is early.
	Time time.Time
	// SecureTransport is whether the request came over TLS.
	SecureTransport bool
	// SourceIP is the caller's address. It is aws:SourceIp, or aws:VpcSourceIp where SourceVPC or
	// SourceVPCE is set.
	SourceIP netip.Addr
	// SourceVPC and SourceVPCE are the ids of the VPC and of its endpoint that the request came
	// through.
	SourceVPC, SourceVPCE string
	// UserAgent and Referer are the client's headers, which it may set as it likes.
	UserAgent, Referer string
	// Region and ResourceAccount are where the API lives and who owns it.
	Region, ResourceAccount string
	// ViaDomainARN is the private custom domain that the request came through.
	ViaDomainARN string
	// Extra has the values of further keys, by their names in lower case.
	Extra map[string][]string
}

// PrincipalType is the kind of a [Principal].
type PrincipalType uint8

// The kinds of principals, in the words of aws:PrincipalType.
const (
	Anonymous PrincipalType = iota
	Account
	User
	FederatedUser
	AssumedRole
)

// String returns the value of aws:PrincipalType.
func (t PrincipalType) String() string {
	names := [...]string{"Anonymous", "Account", "User", "FederatedUser", "AssumedRole"}
	if int(t) < len(names) {
		return names[t]
	}
	return "PrincipalType(" + strconv.Itoa(int(t)) + ")"
}

// Principal is who makes a request.
type Principal struct {
	// Type is the kind of principal. The zero value is Anonymous.
	Type PrincipalType
	// AccountID is the 12-digit account.
	AccountID string
	// ARN is the user's, or the session's where a role was assumed.
	ARN string
	// RoleARN is the assumed role's.
	RoleARN string
	// UserID is such as AIDA…, or AROA…:session.
	UserID string
	// UserName is a user's friendly name.
	UserName string
	// OrgID is the organization's id. OrgPaths are where in it the account is.
	OrgID    string
	OrgPaths []string
	// Tags are the principal's tags.
	Tags map[string]string
	// Temporary is whether the credentials are temporary, TokenIssued when they were issued.
	Temporary   bool
	TokenIssued time.Time
	// MFA is whether temporary credentials were got with multi-factor authentication, MFAAge how
	// long ago that was.
	MFA    bool
	MFAAge time.Duration
}
