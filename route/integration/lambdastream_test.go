package integration_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/route/integration"
)

const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00"

// What a function writes reaches the client before it writes more, over a real connection.
func TestStream(t *testing.T) {
	for _, flavor := range []gatekit.Flavor{gatekit.REST, gatekit.HTTP} {
		next := make(chan string)
		f := integration.StreamFunction(func(_ context.Context, e events.APIGatewayProxyRequest) (*events.APIGatewayProxyStreamingResponse, error) {
			out, in := io.Pipe()
			go func() {
				for word := range next {
					fmt.Fprintln(in, word)
				}
				in.Close()
			}()
			return &events.APIGatewayProxyStreamingResponse{
				StatusCode: 201, Headers: map[string]string{"Content-Type": "text/event-stream", "X-Own": "1", "Connection": "close"}, MultiValueHeaders: map[string][]string{"X-Multi": {"a", "b"}},
				Cookies: []string{"c=1", "d=2"}, Body: out,
			}, nil
		})
		h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{Stream: true}))
		server := httptest.NewServer(apiOf(flavor, "prod", h))
		w, err := http.Get(server.URL)
		require.NoError(t, err)
		require.Equal(t, 201, w.StatusCode)
		require.Equal(t, "text/event-stream", w.Header.Get("Content-Type"))
		require.Equal(t, []string{"c=1", "d=2"}, w.Header["Set-Cookie"])
		require.Equal(t, []string{"a", "b"}, w.Header["X-Multi"])
		require.Equal(t, flavor == gatekit.REST, w.Header.Get("X-Amzn-Trace-Id") != "")
		require.Equal(t, flavor == gatekit.REST, w.Header.Get("X-Amzn-Remapped-Connection") == "close")
		lines := bufio.NewScanner(w.Body)
		for i := range 3 {
			next <- fmt.Sprint("word ", i)
			require.True(t, lines.Scan())
			require.Equal(t, fmt.Sprint("word ", i), lines.Text())
		}
		close(next)
		require.False(t, lines.Scan())
		require.NoError(t, lines.Err())
		w.Body.Close()
		server.Close()
		require.NoError(t, h.Shutdown(t.Context()))
	}
}

// chunks is a Streamer that sends what it is given, each with a pause before, and then err or the
// end.
type chunks struct {
	list  []string
	pause time.Duration
	err   error
}

func (c chunks) Invoke(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("not this one")
}
func (c chunks) InvokeStream(context.Context, []byte) (io.ReadCloser, error) {
	out, in := io.Pipe()
	go func() {
		for _, chunk := range c.list {
			time.Sleep(c.pause)
			if _, err := io.WriteString(in, chunk); err != nil {
				return
			}
		}
		_ = in.CloseWithError(c.err)
	}()
	return out, nil
}

func TestStreamMetadata(t *testing.T) {
	for _, tt := range []struct {
		name   string
		chunks []string
		err    error
		status int
		body   string
	}{
		{"split", []string{`{"statusC`, `ode":404}` + zeros[:3], zeros[:5] + "a\x00b", "c"}, nil, 404, "a\x00bc"},
		{"no-status", []string{"{}" + zeros}, nil, 200, ""},
		{"more-zeros", []string{"{}" + zeros + zeros}, nil, 200, zeros},
		{"no-delimiter", []string{`{"statusCode":200,"body":"x"}`}, nil, 502, failedREST},
		{"unknown-key", []string{`{"statusCode":200,"body":"x"}` + zeros}, nil, 502, failedREST},
		{"not-json", []string{`{"statusCode"` + zeros}, nil, 502, failedREST},
		{"no-object", []string{`"x"` + zeros}, nil, 502, failedREST},
		{"status", []string{`{"statusCode":99}` + zeros}, nil, 502, failedREST},
		{"too-long", []string{`{"headers":{"a":"` + strings.Repeat("x", 17<<10) + `"}}` + zeros}, nil, 502, failedREST},
		{"endless", []string{strings.Repeat(" ", 1<<20)}, nil, 502, failedREST},
		{"fails", []string{`{"sta`}, errors.New("gone"), 502, failedREST},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, rc := outcome(t, gatekit.REST, integration.LambdaConfig{Stream: true}, chunks{list: tt.chunks, err: tt.err})
			require.Equal(t, tt.status, w.Code)
			require.Equal(t, tt.body, w.Body.String())
			if tt.err != nil {
				require.Equal(t, "gone", rc.Integration().FunctionError)
			}
		})
	}
}

func TestStreamFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			name   string
			f      integration.Streamer
			after  time.Duration
			status int // 0: the connection breaks
		}{
			{"no-answer", chunks{list: []string{"{}" + zeros}, pause: time.Hour}, 5 * time.Minute, 504},
			{"half", chunks{list: []string{"{}" + zeros, "late"}, pause: 4 * time.Minute, err: errors.New("gone")}, 8 * time.Minute, 0},
			{"idle", chunks{list: []string{"{}" + zeros + "a", "late"}, pause: 4*time.Minute + 59*time.Second}, 9*time.Minute + 58*time.Second, 200},
			{"too-idle", struct{ integration.Streamer }{integration.StreamFunction(func(context.Context, any) (io.Reader, error) {
				return io.MultiReader(strings.NewReader("{}"+zeros+"a"), sleeper(time.Hour)), nil
			})}, 5 * time.Minute, 0},
			{"too-long", integration.StreamFunction(func(context.Context, any) (io.Reader, error) {
				return io.MultiReader(strings.NewReader("{}"+zeros), ticker{}), nil
			}), 15 * time.Minute, 0},
			{"panics-on-its-way", integration.StreamFunction(func(context.Context, any) (io.Reader, error) {
				return io.MultiReader(strings.NewReader("{}"+zeros), panicker{}), nil
			}), 0, 0},
		} {
			h := gatekit.Must(integration.NewLambda(tt.f, integration.LambdaConfig{Stream: true}))
			began := time.Now()
			w := httptest.NewRecorder()
			serve := func() { apiOf(gatekit.REST, "", h).ServeHTTP(w, httptest.NewRequest("GET", "/", nil)) }
			if tt.status == 0 {
				require.PanicsWithValue(t, http.ErrAbortHandler, serve, tt.name)
			} else {
				serve()
				require.Equal(t, tt.status, w.Code, tt.name)
			}
			require.Equal(t, tt.after, time.Since(began), tt.name)
		}
		time.Sleep(2 * time.Hour) // readers that don't heed anything end by themselves
	})
}

type sleeper time.Duration

func (s sleeper) Read([]byte) (int, error) { time.Sleep(time.Duration(s)); return 0, io.EOF }

type ticker struct{}

func (ticker) Read(p []byte) (int, error) { time.Sleep(time.Minute); return copy(p, "tick"), nil }

type panicker struct{}

func (panicker) Read([]byte) (int, error) { panic("half way") }

// A client that goes away ends its stream.
func TestStreamClientGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := make(chan struct{})
		f := integration.StreamFunction(func(ctx context.Context, _ any) (io.Reader, error) {
			context.AfterFunc(ctx, func() { close(ended) })
			return io.MultiReader(strings.NewReader("{}"+zeros), ticker{}), nil
		})
		h := gatekit.Must(integration.NewLambda(f, integration.LambdaConfig{Stream: true}))
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		require.Panics(t, func() {
			apiOf(gatekit.REST, "", h).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil).WithContext(ctx))
		})
		<-ended
		time.Sleep(time.Hour)
	})
}

// A function that isn't a Streamer sends its stream in whole; without Stream a stream is no reply.
func TestStreamInWhole(t *testing.T) {
	f := lambda.NewHandler(func(context.Context, any) (*events.LambdaFunctionURLStreamingResponse, error) {
		return &events.LambdaFunctionURLStreamingResponse{StatusCode: 203, Body: strings.NewReader("whole")}, nil
	})
	w := answerTo(t, gatekit.REST, integration.LambdaConfig{Stream: true}, f)
	require.Equal(t, 203, w.Code)
	require.Equal(t, "whole", w.Body.String())
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{}, f).Code)
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{Stream: true}, returns(`{"statusCode":200}`)).Code)
	failing := integration.StreamFunction(func(context.Context, any) (io.Reader, error) { return nil, errors.New("no") })
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{Stream: true}, failing).Code)
	wrongEvent := integration.StreamFunction(func(context.Context, int) (io.Reader, error) { return nil, nil })
	require.Equal(t, 502, answerTo(t, gatekit.REST, integration.LambdaConfig{Stream: true}, wrongEvent).Code)
	buffered := integration.StreamFunction(func(context.Context, any) (io.Reader, error) {
		return io.NopCloser(strings.NewReader(`{"statusCode":202}`)), nil
	})
	require.Equal(t, 202, answerTo(t, gatekit.REST, integration.LambdaConfig{}, buffered).Code)
	require.Panics(t, func() { integration.StreamFunction[any, io.Reader](nil) })
}
