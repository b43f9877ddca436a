package exampletest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WithCurl puts the stand-in for curl into PATH on machines that have none, or if always is set: the tests need no more than Go. CI installs
// the real one.
func WithCurl(t *testing.T, always bool) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err == nil && !always {
		return
	}
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "curl")))
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// asProgram is set in the environment of a test program that is to be the example.
const asProgram = "GATEKIT_EXAMPLE"

// Main is TestMain's body. The test program has the example's main linked in, so that nothing is built a second time: with a variable of the
// environment it is the example, and under the name curl the stand-in.
func Main(m *testing.M, program func()) {
	switch {
	case filepath.Base(os.Args[0]) == "curl":
		if err := curl(os.Args[1:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	case os.Getenv(asProgram) != "":
		program()
	default:
		os.Exit(m.Run())
	}
}

// Command returns the example with arguments, to be started. It ends with the test, if not before.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = os.Stderr
	return cmd
}

// curl understands what the printed lines use of it.
func curl(args []string, out io.Writer) error {
	method, target, format, body := "GET", "", "", ""
	header := http.Header{}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{}}
	client := &http.Client{Transport: transport}
	certificate := ""
	for i := 0; i < len(args); i++ {
		next := func() string { i++; return args[i] }
		switch args[i] {
		case "-s":
		case "-A":
			header.Set("User-Agent", next())
		case "-o":
			next()
			out = io.Discard
		case "-w":
			format = next()
		case "-d":
			body = next()
		case "-X":
			method = next()
		case "-H":
			name, value, _ := strings.Cut(next(), ": ")
			header.Set(name, value)
		case "--cacert":
			pem, err := os.ReadFile(next())
			if err != nil {
				return err
			}
			transport.TLSClientConfig.RootCAs = x509.NewCertPool()
			transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
		case "--cert":
			certificate = next()
		case "--key": // behind --cert
			pair, err := tls.LoadX509KeyPair(certificate, next())
			if err != nil {
				return err
			}
			transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
		case "--connect-to": // for every host and port: ::host:port
			addr := strings.TrimPrefix(next(), "::")
			transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
		default:
			target = args[i]
		}
	}
	r, err := http.NewRequest(method, target, strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header, r.Host = header, header.Get("Host")
	w, err := client.Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	if _, err := io.Copy(out, w.Body); err != nil {
		return err
	}
	format = strings.NewReplacer("%{http_code}", strconv.Itoa(w.StatusCode), `\n`, "\n").Replace(format)
	for {
		before, rest, ok := strings.Cut(format, "%header{")
		fmt.Print(before)
		if !ok {
			return nil
		}
		name, after, _ := strings.Cut(rest, "}")
		fmt.Print(w.Header.Get(name))
		format = after
	}
}
