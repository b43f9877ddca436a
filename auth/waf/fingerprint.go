package waf

import (
	"context"
	"crypto/md5" // JA3 is defined by it; nothing here is kept secret by it
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/gatekit-go/gatekit/internal/netconn"
)

// Fingerprints makes srv know the TLS fingerprints of its clients, for [JA3] and [JA4], where TLS
// ends in this program. It returns the listener to serve:
//
//	srv := &http.Server{Handler: h, TLSConfig: d.TLSConfig()}
//	log.Fatal(srv.ServeTLS(waf.Fingerprints(srv, l), "", ""))
//
// It sets srv.TLSConfig, to a clone that looks at each ClientHello, and srv.ConnContext, which
// calls the ones that were there. A connection costs it two hashes and half a kilobyte.
//
// The listener may stand inside of that of throttle.Connections.Guard, or around it, and around
// domain/proxyprotocol's. Behind a wrapper of connections that has no method NetConn() net.Conn,
// such as netutil.LimitListener's, there are no fingerprints: that one has to stand inside.
func Fingerprints(srv *http.Server, l net.Listener) net.Listener {
	config := &tls.Config{}
	if srv.TLSConfig != nil {
		config = srv.TLSConfig.Clone()
	}
	choose := config.GetConfigForClient
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if c, ok := netconn.Find[*greetedConn](hello.Conn); ok {
			c.ja3, c.ja4 = ja3(hello), ja4(hello)
		}
		if choose == nil {
			return nil, nil
		}
		return choose(hello)
	}
	srv.TLSConfig = config
	before := srv.ConnContext
	srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if before != nil {
			ctx = before(ctx, c)
		}
		if greeted, ok := netconn.Find[*greetedConn](c); ok {
			return context.WithValue(ctx, greetedKey{}, greeted)
		}
		return ctx
	}
	return &greetedListener{l}
}

// JA3 returns the JA3 fingerprint of the client's TLS, 32 hexadecimal digits, for Config.JA3; "" if
// [Fingerprints] isn't on the server. (github.com/salesforce/ja3.)
func JA3(r *http.Request) string {
	if c, ok := r.Context().Value(greetedKey{}).(*greetedConn); ok {
		return c.ja3
	}
	return ""
}

// JA4 returns the JA4 fingerprint of the client's TLS, 36 characters, for Config.JA4; "" if
// [Fingerprints] isn't on the server. (github.com/FoxIO-LLC/ja4, "JA4 technical details".)
func JA4(r *http.Request) string {
	if c, ok := r.Context().Value(greetedKey{}).(*greetedConn); ok {
		return c.ja4
	}
	return ""
}

// greetedConn is a connection that remembers who has greeted. The handshake writes, before the
// first request that reads: both are of the connection's own goroutine, or started by it.
type greetedConn struct {
	net.Conn
	ja3, ja4 string
}

// NetConn returns the connection below, as that of tls.Conn does.
func (c *greetedConn) NetConn() net.Conn { return c.Conn }

// WritesTo returns the connection below, which gets what is written as it is.
func (c *greetedConn) WritesTo() net.Conn { return c.Conn }

// CloseWrite is for the server, which ends its half first where a client is still sending.
func (c *greetedConn) CloseWrite() error {
	if below, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return below.CloseWrite()
	}
	return errors.ErrUnsupported
}

// ReadFrom keeps sendfile where there is no TLS.
func (c *greetedConn) ReadFrom(r io.Reader) (int64, error) { return io.Copy(c.Conn, r) }

type greetedKey struct{}

type greetedListener struct{ net.Listener }

func (l *greetedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &greetedConn{Conn: c}, nil
}

// The extensions that fingerprints are about.
const (
	extensionSNI      = 0
	extensionALPN     = 16
	extensionVersions = 43
)

// grease reports whether a number is one of those that clients make up, so that servers learn to
// pass over what they don't know. (RFC 8701.)
func grease(n uint16) bool { return n&0x0f0f == 0x0a0a && n>>8 == n&0xff }

func plainOnes[N ~uint16](list []N) (plain []uint16) {
	for _, n := range list {
		if !grease(uint16(n)) {
			plain = append(plain, uint16(n))
		}
	}
	return plain
}

// ja3 joins version, ciphers, extensions, curves and point formats in decimal.
func ja3(hello *tls.ClientHelloInfo) string {
	version := slices.Max(append(plainOnes(hello.SupportedVersions), 0))
	if slices.Contains(hello.Extensions, extensionVersions) {
		version = tls.VersionTLS12 // what the hello itself then says (RFC 8446, section 4.1.2)
	}
	points := make([]uint16, len(hello.SupportedPoints))
	for i, p := range hello.SupportedPoints {
		points[i] = uint16(p)
	}
	text := strconv.Itoa(int(version))
	for _, list := range [][]uint16{
		plainOnes(hello.CipherSuites), plainOnes(hello.Extensions), plainOnes(hello.SupportedCurves), points,
	} {
		text += "," + joined(list, "-", func(n uint16) string { return strconv.Itoa(int(n)) })
	}
	sum := md5.Sum([]byte(text))
	return hex.EncodeToString(sum[:])
}

func joined(list []uint16, separator string, spell func(uint16) string) string {
	texts := make([]string, len(list))
	for i, n := range list {
		texts[i] = spell(n)
	}
	return strings.Join(texts, separator)
}

func inHex(n uint16) string { return fmt.Sprintf("%04x", n) }

// ja4 is counts and the ALPN in clear, and then hashes of the ciphers and of the extensions, each
// sorted.
func ja4(hello *tls.ClientHelloInfo) string {
	ciphers, extensions := plainOnes(hello.CipherSuites), plainOnes(hello.Extensions)
	sni := "i"
	if slices.Contains(extensions, extensionSNI) {
		sni = "d"
	}
	head := fmt.Sprintf("t%s%s%02d%02d%s", ja4Version(plainOnes(hello.SupportedVersions)), sni,
		min(len(ciphers), 99), min(len(extensions), 99), ja4ALPN(hello.SupportedProtos))
	slices.Sort(ciphers)
	slices.Sort(extensions)
	extensions = slices.DeleteFunc(extensions, func(n uint16) bool { return n == extensionSNI || n == extensionALPN })
	text := joined(extensions, ",", inHex)
	if signatures := plainOnes(hello.SignatureSchemes); len(signatures) > 0 && text != "" {
		text += "_" + joined(signatures, ",", inHex)
	}
	return head + "_" + shortHash(joined(ciphers, ",", inHex)) + "_" + shortHash(text)
}

func ja4Version(versions []uint16) string {
	switch slices.Max(append(versions, 0)) {
	case tls.VersionTLS13:
		return "13"
	case tls.VersionTLS12:
		return "12"
	case tls.VersionTLS11:
		return "11"
	case tls.VersionTLS10:
		return "10"
	}
	return "00"
}

// ja4ALPN is the first and the last character of the first protocol, or of its hexadecimal form
// where one of them is neither letter nor digit.
func ja4ALPN(protocols []string) string {
	if len(protocols) == 0 || protocols[0] == "" {
		return "00"
	}
	text := protocols[0]
	if plain := func(c byte) bool { return ofWord(c) && c != '_' }; !plain(text[0]) || !plain(text[len(text)-1]) {
		text = hex.EncodeToString([]byte(text))
	}
	return text[:1] + text[len(text)-1:]
}

func shortHash(text string) string {
	if text == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
