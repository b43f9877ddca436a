package waf

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/gatekit-go/gatekit/auth/waf/internal/addrset"
	"github.com/gatekit-go/gatekit/internal/mistakes"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

// readIPList reads a list of addresses in either of its forms: an IP set's document, or lines.
func readIPList(text []byte) (*addrset.Set, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '{' {
		return readIPSetDocument(trimmed)
	}
	return readIPLines(text)
}

// maxLineMistakes is how many lines are named that are none: a page in HTML has thousands.
const maxLineMistakes = 10

// readIPLines reads an address or a prefix a line. A # or a ; and what is behind it is a comment,
// as in lists that are published.
func readIPLines(text []byte) (*addrset.Set, error) {
	var list []netip.Prefix
	var wrong []error
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if i := bytes.IndexAny(line, "#;"); i >= 0 {
			line = line[:i]
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		// A line of megabytes is no address, and needn't be copied to find that out.
		prefix, err := addrset.Prefix(string(line[:min(len(line), 100)]))
		if err != nil {
			if wrong = append(wrong, fmt.Errorf("line %d: %w", number, err)); len(wrong) == maxLineMistakes {
				return nil, errors.Join(wrong...)
			}
			continue
		}
		list = append(list, prefix)
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return addrset.Of(list), nil
}

// maxIPSetDepth is more than any document of an IP set nests.
const maxIPSetDepth = 16

// readIPSetDocument reads an IP set as GetIPSet gives it, as {"IPSet": {…}}, as CloudFormation has
// it, under Properties, or by itself. What else there is, such as its name, doesn't matter.
func readIPSetDocument(text []byte) (*addrset.Set, error) {
	var version string
	var addresses []string
	found := false
	var member func(name string, value []byte) error
	member = func(name string, value []byte) error {
		ok := true
		switch name {
		case "IPSet", "Properties":
			return strictjson.Object(value, maxIPSetDepth, member)
		case "IPAddressVersion":
			version, ok = strictjson.Text(value)
		case "Addresses":
			addresses, ok = strictjson.Texts(value)
			found = true
		}
		if !ok {
			return fmt.Errorf("%s: want text, or a list of texts, got %.64q", name, value)
		}
		return nil
	}
	if err := strictjson.Object(text, maxIPSetDepth, member); err != nil {
		return nil, err
	}
	m := mistakes.In("IPSet")
	m.Require(version == "IPV4" || version == "IPV6", "IPAddressVersion", "want IPV4 or IPV6, got %.64q", version)
	m.Require(found, "Addresses", "want a list of prefixes, which may be empty, got none")
	if err := m.Err(); err != nil {
		return nil, err
	}
	set, err := addrset.Parse(version == "IPV6", addresses)
	if err != nil {
		return nil, fmt.Errorf("IPSet: %w", err)
	}
	return set, nil
}

// withoutQuery is a URL as logs and errors may show it: without what may be a secret.
func withoutQuery(u string) string {
	u, _, _ = strings.Cut(u, "?")
	return u
}
