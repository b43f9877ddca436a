package event

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"time"

	"github.com/gatekit-go/gatekit/internal/jsonlex"
)

// ClientCert is a client's certificate as events show it.
type ClientCert struct {
	ClientCertPem string   `json:"clientCertPem"`
	SubjectDN     string   `json:"subjectDN"`
	IssuerDN      string   `json:"issuerDN"`
	SerialNumber  string   `json:"serialNumber"`
	Validity      Validity `json:"validity"`
}

// Validity is when a certificate is valid.
type Validity struct {
	NotBefore string `json:"notBefore"`
	NotAfter  string `json:"notAfter"`
}

// NewClientCert returns nil for nil.
func NewClientCert(c *x509.Certificate) *ClientCert {
	if c == nil {
		return nil
	}
	return &ClientCert{
		ClientCertPem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})),
		SubjectDN:     name(c.RawSubject, c.Subject), IssuerDN: name(c.RawIssuer, c.Issuer),
		SerialNumber: serialNumber(c.SerialNumber),
		Validity:     Validity{certTime(c.NotBefore), certTime(c.NotAfter)},
	}
}

// CertificateNames are a certificate's names and times as [ClientCert] has them, in a map of its
// own.
func CertificateNames(c *x509.Certificate) map[string]any {
	return map[string]any{
		"subjectDN": name(c.RawSubject, c.Subject), "issuerDN": name(c.RawIssuer, c.Issuer),
		"serialNumber": serialNumber(c.SerialNumber),
		"notBefore":    certTime(c.NotBefore), "notAfter": certTime(c.NotAfter),
	}
}

func certTime(t time.Time) string { return t.UTC().Format("Jan _2 15:04:05 2006 GMT") }

// serialNumber is decimal, as in events and in the lists of serial numbers that their functions
// compare them with. (The announcement of mutual TLS; the documentation's example alone has hex
// with colons.)
func serialNumber(n *big.Int) string {
	if n == nil {
		return ""
	}
	return n.String()
}

// name is a distinguished name in the certificate's own order, as a rule the country first:
// C=US,O=Org,CN=client. (As the announcement's event has it.) RFC 2253, and [pkix.Name.String] with
// it, reverses the order: functions that compare whole names would refuse everybody. raw is the
// certificate's; one that was made by hand may have none.
func name(raw []byte, parsed pkix.Name) string {
	var parts pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &parts); err != nil || len(rest) > 0 {
		parts = parsed.ToRDNSequence()
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		texts[i] = relativeName(part)
	}
	return strings.Join(texts, ",")
}

// relativeName is one part of a name, several attributes joined by +. The escapes are RFC 2253's,
// which net/pkix knows; it writes the attributes that it has no name for in hex, among them three
// that are common in names of clients.
func relativeName(part pkix.RelativeDistinguishedNameSET) string {
	texts := make([]string, len(part))
	for i, attribute := range part {
		short, ok := attributes[attribute.Type.String()]
		if _, isText := attribute.Value.(string); ok && isText {
			attribute.Type = commonName
		}
		texts[i] = pkix.RDNSequence{{attribute}}.String()
		if attribute.Type.Equal(commonName) && ok {
			texts[i] = short + strings.TrimPrefix(texts[i], "CN")
		}
	}
	return strings.Join(texts, "+")
}

var (
	commonName = asn1.ObjectIdentifier{2, 5, 4, 3}
	attributes = map[string]string{
		"1.2.840.113549.1.9.1": "E", "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
	}
)

// AppendClientCert appends a client's certificate, which isn't nil.
func AppendClientCert(b []byte, c *ClientCert) []byte {
	b = jsonlex.AppendString(append(b, `{"clientCertPem":`...), c.ClientCertPem)
	b = jsonlex.AppendString(append(b, `,"subjectDN":`...), c.SubjectDN)
	b = jsonlex.AppendString(append(b, `,"issuerDN":`...), c.IssuerDN)
	b = jsonlex.AppendString(append(b, `,"serialNumber":`...), c.SerialNumber)
	b = jsonlex.AppendString(append(b, `,"validity":{"notBefore":`...), c.Validity.NotBefore)
	b = jsonlex.AppendString(append(b, `,"notAfter":`...), c.Validity.NotAfter)
	return append(b, "}}"...)
}
