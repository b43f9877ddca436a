package iam

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Key names one value of a request that conditions and variables can ask for. Names don't care
// about letter case. (IAM user guide, "AWS global condition context keys"; developer guide, "AWS
// condition keys that can be used in API Gateway resource policies".)
type Key struct {
	id   keyID
	name string // of an extra key or a tag, in lower case
}

type keyID uint8

const (
	keyExtra keyID = iota
	keyCurrentTime
	keyEpochTime
	keySecureTransport
	keySourceIP
	keyVPCSourceIP
	keySourceVPC
	keySourceVPCE
	keyUserAgent
	keyReferer
	keyRequestedRegion
	keyResourceAccount
	keyPrincipalAccount
	keyPrincipalARN
	keyPrincipalType
	keyUserID
	keyUserName
	keyPrincipalOrgID
	keyPrincipalOrgPaths
	keyPrincipalTag
	keyTokenIssueTime
	keyMFAPresent
	keyMFAAge
	keyViaDomainARN
)

var keysByName = map[string]keyID{
	"aws:currenttime":            keyCurrentTime,
	"aws:epochtime":              keyEpochTime,
	"aws:securetransport":        keySecureTransport,
	"aws:sourceip":               keySourceIP,
	"aws:vpcsourceip":            keyVPCSourceIP,
	"aws:sourcevpc":              keySourceVPC,
	"aws:sourcevpce":             keySourceVPCE,
	"aws:useragent":              keyUserAgent,
	"aws:referer":                keyReferer,
	"aws:requestedregion":        keyRequestedRegion,
	"aws:resourceaccount":        keyResourceAccount,
	"aws:principalaccount":       keyPrincipalAccount,
	"aws:principalarn":           keyPrincipalARN,
	"aws:principaltype":          keyPrincipalType,
	"aws:userid":                 keyUserID,
	"aws:username":               keyUserName,
	"aws:principalorgid":         keyPrincipalOrgID,
	"aws:principalorgpaths":      keyPrincipalOrgPaths,
	"aws:tokenissuetime":         keyTokenIssueTime,
	"aws:multifactorauthpresent": keyMFAPresent,
	"aws:multifactorauthage":     keyMFAAge,
	"execute-api:viadomainarn":   keyViaDomainARN,
}

const tagPrefix = "aws:principaltag/"

// ParseKey returns the key called name. A name that isn't known is one that the request may have
// among its extra values.
func ParseKey(name string) (Key, error) {
	prefix, rest, ok := strings.Cut(name, ":")
	lower := strings.ToLower(name)
	if tag, ok := strings.CutPrefix(lower, tagPrefix); ok && tag != "" {
		return Key{keyPrincipalTag, tag}, nil
	}
	if !ok || prefix == "" || rest == "" || strings.ContainsAny(name, " \t\r\n${}*?'\"") {
		return Key{}, fmt.Errorf("want a key such as aws:SourceIp, got %q", clip(name))
	}
	if id, ok := keysByName[lower]; ok {
		return Key{id: id}, nil
	}
	return Key{name: lower}, nil
}

// String returns the key's name, in lower case.
func (k Key) String() string {
	if k.id == keyPrincipalTag {
		return tagPrefix + k.name
	}
	for name, id := range keysByName {
		if id == k.id {
			return name
		}
	}
	return k.name
}

func (k Key) multiValued() bool { return k.id == keyPrincipalOrgPaths || k.name == "aws:tagkeys" }

// list returns the values of k, in one's room if there is only one. None means that the request
// doesn't have the key.
func (r *Request) list(k Key, one *[1]string) []string {
	switch k.id {
	case keyExtra:
		return r.Extra[k.name]
	case keyPrincipalOrgPaths:
		return r.Principal.OrgPaths
	}
	text, ok := r.text(k)
	if !ok {
		return nil
	}
	one[0] = text
	return one[:]
}

// text returns the only value of k as text.
func (r *Request) text(k Key) (text string, ok bool) {
	switch k.id {
	case keyExtra:
		if values := r.Extra[k.name]; len(values) == 1 {
			return values[0], true
		}
		return "", false
	case keyCurrentTime:
		return r.Time.UTC().Format(time.RFC3339), !r.Time.IsZero()
	case keyEpochTime:
		return strconv.FormatInt(r.Time.Unix(), 10), !r.Time.IsZero()
	case keySecureTransport:
		return strconv.FormatBool(r.SecureTransport), true
	case keySourceIP, keyVPCSourceIP:
		if addr, ok := r.addr(k); ok {
			return addr.String(), true
		}
		return "", false
	case keySourceVPC:
		text = r.SourceVPC
	case keySourceVPCE:
		text = r.SourceVPCE
	case keyUserAgent:
		text = r.UserAgent
	case keyReferer:
		text = r.Referer
	case keyRequestedRegion:
		text = r.Region
	case keyResourceAccount:
		text = r.ResourceAccount
	case keyViaDomainARN:
		text = r.ViaDomainARN
	default:
		return r.Principal.text(k)
	}
	return text, text != ""
}

// text returns the value of a key that tells who asks.
func (p *Principal) text(k Key) (text string, ok bool) {
	switch k.id {
	case keyPrincipalAccount:
		if text = p.AccountID; p.Type == Anonymous {
			text = "anonymous"
		}
	case keyPrincipalARN:
		if text = p.ARN; p.RoleARN != "" {
			text = p.RoleARN
		}
	case keyPrincipalType:
		text = p.Type.String()
	case keyUserID:
		text = p.UserID
	case keyUserName:
		if p.Type == User {
			text = p.UserName
		}
	case keyPrincipalOrgID:
		text = p.OrgID
	case keyPrincipalTag:
		for name, value := range p.Tags { // few, and the key's case doesn't count
			if strings.EqualFold(name, k.name) {
				return value, true
			}
		}
	case keyTokenIssueTime:
		if !p.TokenIssued.IsZero() {
			text = p.TokenIssued.UTC().Format(time.RFC3339)
		}
	case keyMFAPresent:
		if p.Temporary {
			return strconv.FormatBool(p.MFA), true
		}
	case keyMFAAge:
		if p.Temporary && p.MFA {
			return strconv.FormatInt(int64(p.MFAAge/time.Second), 10), true
		}
	}
	return text, text != ""
}

// addr returns the value of a key that is an address, without writing it out and parsing it again.
func (r *Request) addr(k Key) (netip.Addr, bool) {
	addr := r.SourceIP
	viaEndpoint := r.SourceVPCE != "" || r.SourceVPC != ""
	if k.id == keyVPCSourceIP != viaEndpoint {
		return netip.Addr{}, false // each of the two exists only on its own way in
	}
	return addr.Unmap().WithZone(""), addr.IsValid()
}

// time returns the value of a key that is a time.
func (r *Request) time(k Key) (time.Time, bool) {
	switch k.id {
	case keyCurrentTime, keyEpochTime:
		return r.Time, !r.Time.IsZero()
	case keyTokenIssueTime:
		return r.Principal.TokenIssued, !r.Principal.TokenIssued.IsZero()
	}
	return time.Time{}, false
}

func clip(s string) string {
	const enough = 100
	if len(s) > enough {
		return s[:enough] + "…"
	}
	return s
}
