package compat_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/oschwald/maxminddb-golang/v2"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/auth/waf"
)

// place is what a city database of MaxMind's, such as GeoLite2-City.mmdb, says of an address, as far as rules ask.
type place struct {
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Subdivisions []struct { // the largest first; none where nobody knows it, and in databases of countries
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"subdivisions"`
}

// geoOf is waf.Config.Geo of a database that maxminddb.Open has opened. A country whose region isn't known is a country all the same.
func geoOf(db *maxminddb.Reader) func(netip.Addr) (country, region string) {
	return func(addr netip.Addr) (country, region string) {
		var p place
		if err := db.Lookup(addr).Decode(&p); err != nil {
			return "", ""
		}
		if len(p.Subdivisions) > 0 {
			region = p.Subdivisions[0].ISOCode
		}
		return p.Country.ISOCode, region
	}
}

// asnOf is waf.Config.ASN of a database such as GeoLite2-ASN.mmdb.
func asnOf(db *maxminddb.Reader) func(netip.Addr) uint32 {
	return func(addr netip.Addr) uint32 {
		var number uint32
		if err := db.Lookup(addr).DecodePath(&number, "autonomous_system_number"); err != nil {
			return 0
		}
		return number
	}
}

// database makes a database of a few networks, also of those that are reserved for documentation.
func database(networks map[string]mmdbtype.DataType) (*maxminddb.Reader, error) {
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test", IncludeReservedNetworks: true})
	if err != nil {
		return nil, err
	}
	for text, record := range networks {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			return nil, err
		}
		if err := tree.Insert(network, record); err != nil {
			return nil, err
		}
	}
	var file bytes.Buffer
	if _, err := tree.WriteTo(&file); err != nil {
		return nil, err
	}
	return maxminddb.OpenBytes(file.Bytes())
}

func located(country string, regions ...string) mmdbtype.Map {
	of := mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String(country)}}
	if len(regions) > 0 {
		list := mmdbtype.Slice{}
		for _, r := range regions {
			list = append(list, mmdbtype.Map{"iso_code": mmdbtype.String(r)})
		}
		of["subdivisions"] = list
	}
	return of
}

// Rules go by what the databases say, and a country is known without a region.
func TestMaxMindDatabases(t *testing.T) {
	cities, err := database(map[string]mmdbtype.DataType{
		"192.0.2.0/24": located("GB", "ENG", "WSX"), "198.51.100.0/24": located("AT"), "2001:db8::/32": located("DE", "BE"),
	})
	require.NoError(t, err)
	systems, err := database(map[string]mmdbtype.DataType{
		"192.0.2.0/24": mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(64500)},
	})
	require.NoError(t, err)
	block := &waf.Action{Block: &waf.BlockAction{}}
	acl, err := waf.New(t.Context(), waf.Config{Geo: geoOf(cities), ASN: asnOf(systems), ACL: &waf.WebACL{
		Name: "acl", DefaultAction: waf.DefaultAction{Allow: &waf.AllowAction{}},
		Rules: []waf.Rule{
			{Name: "country", Priority: 0, Action: block, Statement: waf.Statement{GeoMatchStatement: &waf.GeoMatchStatement{CountryCodes: []string{"AT"}}}},
			{Name: "system", Priority: 1, Action: block, Statement: waf.Statement{AsnMatchStatement: &waf.AsnMatchStatement{AsnList: []int64{64500}}}},
		},
	}})
	require.NoError(t, err)
	for addr, want := range map[string]string{
		"192.0.2.1:1":     "BLOCK by system [awswaf:clientip:geo:country:GB awswaf:clientip:geo:region:GB-ENG]",
		"198.51.100.1:1":  "BLOCK by country [awswaf:clientip:geo:country:AT awswaf:clientip:geo:region:AT-XX]",
		"[2001:db8::1]:1": "ALLOW by Default_Action [awswaf:clientip:geo:country:DE awswaf:clientip:geo:region:DE-BE]",
		"203.0.113.1:1":   "ALLOW by Default_Action [awswaf:clientip:geo:country:XX awswaf:clientip:geo:region:XX-XX]",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		d := acl.Check(r)
		require.Equal(t, want, fmt.Sprintf("%s by %s %v", d.Action, d.Rule, d.Labels), addr)
	}
}
