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
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// WithCurl puts the stand-in for curl into PATH on machines that have none, or if always is set:
// the tests need no more than Go. CI installs the real one.
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

// Main is TestMain's body. The test program has the example's main linked in, so that nothing is
// built a second time: with a variable of the environment it is the example, and under the name
// curl the stand-in.
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

// curl does what the printed commands use of it.
func curl(args []string, out io.Writer) error {
	c, err := parse(args)
	if err != nil {
		return err
	}
	if c.method == "" {
		c.method = http.MethodGet
		if c.body != "" {
			c.method = http.MethodPost
		}
	}
	r, err := http.NewRequest(c.method, c.target, strings.NewReader(c.body))
	if err != nil {
		return err
	}
	r.Header, r.Host = c.header, c.header.Get("Host")
	w, err := (&http.Client{Transport: c.transport}).Do(r)
	if err != nil {
		return err
	}
	defer w.Body.Close()
	if c.discard {
		out = io.Discard
	}
	if _, err := io.Copy(out, w.Body); err != nil {
		return err
	}
	fmt.Print(written(c.format, w))
	return nil
}

// written is what -w writes of an answer.
func written(format string, w *http.Response) string {
	format = strings.NewReplacer("%{http_code}", strconv.Itoa(w.StatusCode), `\n`, "\n").Replace(format)
	return headerVariable.ReplaceAllStringFunc(format, func(v string) string {
		return w.Header.Get(headerVariable.FindStringSubmatch(v)[1])
	})
}

var headerVariable = regexp.MustCompile(`%header\{([^}]*)\}`)

// curlCommand is a command line that has been read.
type curlCommand struct {
	method, target, format, body string
	header                       http.Header
	discard                      bool
	transport                    *http.Transport
}

func parse(args []string) (*curlCommand, error) {
	c := &curlCommand{
		header:    http.Header{},
		transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{}},
	}
	certificate := ""
	for i := 0; i < len(args); i++ {
		next := func() string { i++; return args[i] }
		switch arg := args[i]; arg {
		case "-s":
		case "-w", "-sw":
			c.format = next()
		case "-o", "-so": // no printed command keeps an answer
			next()
			c.discard = true
		case "-d":
			c.body = next()
		case "-X":
			c.method = next()
		case "-H":
			name, value, _ := strings.Cut(next(), ": ")
			c.header.Set(name, value)
		case "--cacert":
			pem, err := os.ReadFile(next())
			if err != nil {
				return nil, err
			}
			c.transport.TLSClientConfig.RootCAs = x509.NewCertPool()
			c.transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
		case "--cert":
			certificate = next()
		case "--key": // behind --cert
			pair, err := tls.LoadX509KeyPair(certificate, next())
			if err != nil {
				return nil, err
			}
			c.transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
		case "--connect-to": // for every host and port: ::host:port
			addr := strings.TrimPrefix(next(), "::")
			c.transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, addr)
			}
		default:
			if strings.HasPrefix(arg, "-") {
				return nil, fmt.Errorf("the stand-in for curl knows no %s", arg)
			}
			c.target = arg
		}
	}
	return c, nil
}
