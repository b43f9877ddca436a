package accesslog_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route"
	"github.com/gatekit-go/gatekit/route/accesslog"
)

func ExampleNew() {
	log := gatekit.Must(accesslog.New(accesslog.Config{
		Format: `$context.requestId "$context.httpMethod $context.routeKey" $context.status $context.responseLength ` +
			`$context.error.responseType`,
		Writer: withoutID{os.Stdout},
	}))
	api := gatekit.Must(route.New(route.Config{}))
	api.Use(log.Middleware)
	api.Handle("GET /pets/{id}", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, "a dog")
	}))
	for _, path := range []string{"/pets/1", "/cats"} {
		api.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
	}
	// Output:
	// "GET GET /pets/{id}" 200 5 -
	// "GET -" 404 23 RESOURCE_NOT_FOUND
}

// withoutID leaves the request's ID out, which is another each time.
type withoutID struct{ to *os.File }

func (w withoutID) Write(line []byte) (int, error) {
	_, err := w.to.Write(line[len("Kk2v0hQGDoEEMYw= "):])
	return len(line), err
}

// A mistake in a format is found when the program starts.
func ExampleNew_incorrect() {
	_, err := accesslog.New(accesslog.Config{Format: "$context.requestId $context.identity.sourceIP", Writer: os.Stdout})
	fmt.Println(err)
	// Output:
	// accesslog: Config.Format: want variables of $context that there are, got "$context.identity.sourceIP"; the nearest are "identity.sourceIp", "identity.vpceId", "identity.user"
}

// Records are for who has a pipeline of log/slog. Claims are shown if the configuration says so.
func ExampleConfig_records() {
	log := gatekit.Must(accesslog.New(accesslog.Config{
		Format:   "$context.requestId $context.status $context.authorizer.claims.sub $context.authorizer.claims.email",
		Unmasked: []string{"authorizer.claims.sub"},
		Records: slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "requestId" {
				return slog.Attr{}
			}
			return a
		}})),
	}))
	rc, r := gatekit.Attach(httptest.NewRequest("GET", "/", nil))
	rc.Authorization = gatekit.NewAuthorization(gatekit.AuthorizationFields{
		Claims: map[string]any{"sub": "jane", "email": "jane@example.com"},
	})
	log.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// level=INFO msg="gatekit: request" status=404 authorizer.claims.sub=jane authorizer.claims.email=******
}

// reopened is a file that is opened anew when logrotate has moved it away.
type reopened struct {
	path string
	mu   sync.Mutex
	file *os.File
}

// Reopen is for SIGHUP.
func (f *reopened) Reopen() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return err // the old one goes on
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file != nil {
		_ = f.file.Close()
	}
	f.file = file
	return nil
}

// Write implements io.Writer. Writer gives it whole lines, so each is in one file.
func (f *reopened) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(lines)
}

// Rotation is the system's: it moves the file away and sends SIGHUP.
func ExampleNewWriter() {
	dir, _ := os.MkdirTemp("", "accesslog")
	defer func() { _ = os.RemoveAll(dir) }()
	file := &reopened{path: filepath.Join(dir, "access.log")}
	if err := file.Reopen(); err != nil {
		fmt.Println(err)
	}
	// hangups := make(chan os.Signal, 1)
	// signal.Notify(hangups, syscall.SIGHUP)
	// go func() {
	// 	for range hangups {
	// 		_ = file.Reopen()
	// 	}
	// }()

	ctx := context.Background()
	w := gatekit.Must(accesslog.NewWriter(ctx, accesslog.WriterConfig{To: file, Delay: gatekit.Off}))
	log := gatekit.Must(accesslog.New(accesslog.Config{Format: accesslog.HTTPCLF, Writer: w}))
	log.Middleware(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	_ = w.Close(ctx) // with what is there

	_ = os.Rename(file.path, file.path+".1")
	_ = file.Reopen()
	for _, name := range []string{"access.log.1", "access.log"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		fmt.Println(name, len(text) > 0, err)
	}
	// Output:
	// access.log.1 true <nil>
	// access.log false <nil>
}
