package iam

import (
	"fmt"
	"strings"
)

// principals are the entries of Principal or NotPrincipal. (IAM user guide, "AWS JSON policy
// elements: Principal".)
type principals struct {
	named    bool // there is an entry, of whatever type
	everyone bool
	accounts []string
	arns     []string // compared whole: there are no wildcards here
}

// add takes an entry of the type AWS. An account's id and its root's ARN are the same.
func (p *principals) add(entry string) error {
	if entry == "*" {
		p.everyone = true
		return nil
	}
	if isAccountID(entry) {
		p.accounts = append(p.accounts, entry)
		return nil
	}
	arn, ok := splitARN(entry, false)
	if !ok || (arn[2] != "iam" && arn[2] != "sts") || !isAccountID(arn[4]) || arn[5] == "" ||
		strings.ContainsAny(entry, "*?") {
		return fmt.Errorf("want *, an account of 12 digits "+
			"or the ARN of a user, role or session without wildcards, got %q",
			clip(entry))
	}
	if arn[2] == "iam" && arn[5] == "root" {
		p.accounts = append(p.accounts, arn[4])
	} else {
		p.arns = append(p.arns, entry)
	}
	return nil
}

func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// apply reports whether a statement with these entries is about who. A caller has up to three
// names: account, role, and user or session. The guide's rules for the two elements aren't each
// other's opposite:
//
// Principal: one of the names is enough, whatever the effect. A statement that allows an account
// allows all who are in it, and one that denies it denies them all.
//
// NotPrincipal with Allow: one of the names in the list is enough to be left out, as in doubt less
// must be allowed. NotPrincipal with Deny spares only whom it lists by all names: the guide wants
// account, role and session listed, and who lists the user alone denies the user ("AWS JSON policy
// elements: NotPrincipal", specifying NotPrincipal with Deny).
func (p *principals) apply(who *Principal, not, deny bool) bool {
	if !not {
		return p.everyone || who.Type != Anonymous && (p.lists(p.accounts, who.AccountID) ||
			p.lists(p.arns, who.ARN) || p.lists(p.arns, who.RoleARN))
	}
	if p.everyone {
		return false
	}
	if !p.named {
		return deny // all but nobody: to deny all is meant, to allow all nobody has written
	}
	if who.Type == Anonymous {
		return true
	}
	if !deny {
		return !p.apply(who, false, deny)
	}
	named := func(list []string, name string) bool { return name == "" || p.lists(list, name) }
	return !named(p.accounts, who.AccountID) || !named(p.arns, who.ARN) || !named(p.arns, who.RoleARN)
}

func (p *principals) lists(list []string, name string) bool {
	for _, entry := range list {
		if entry == name && name != "" {
			return true
		}
	}
	return false
}
