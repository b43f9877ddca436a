package invoke_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/internal/invoke"
)

// Callers who share a function at the same time never see each other's answers. Run with -race:
// alone, the library fails it.
func TestAnswersAreNotShared(t *testing.T) {
	f := invoke.New(lambda.NewHandler(func(_ context.Context, in string) (string, error) { return in, nil }))
	var wg sync.WaitGroup
	mixed := make(chan string, 8)
	for i := range 8 {
		wg.Go(func() {
			want := fmt.Sprintf("%q", strings.Repeat(fmt.Sprint(i), 200))
			for range 500 {
				if got, err := f.Invoke(t.Context(), []byte(want)); err != nil || string(got) != want {
					mixed <- string(got)
					return
				}
			}
		})
	}
	wg.Wait()
	require.Empty(t, mixed)
}

type own struct{}

func (own) Invoke(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }

// Whatever a function may return arrives as the library would have sent it.
func TestSameBytes(t *testing.T) {
	failed := errors.New("failed")
	for name, fn := range map[string]any{
		"struct": func(context.Context, any) (events.APIGatewayV2HTTPResponse, error) {
			return events.APIGatewayV2HTTPResponse{StatusCode: 201, Body: "<&>"}, nil
		},
		"nil":        func(context.Context, any) (*events.APIGatewayProxyResponse, error) { return nil, nil },
		"error-only": func(context.Context, any) error { return nil },
		"no-result":  func() {},
		"reader":     func(context.Context, any) (io.Reader, error) { return strings.NewReader("text"), nil },
		"json-reader": func(context.Context, any) (jsonReader, error) {
			return jsonReader{A: 1, Reader: strings.NewReader("x")}, nil
		},
		"stream": func(context.Context, any) (*events.APIGatewayProxyStreamingResponse, error) {
			return &events.APIGatewayProxyStreamingResponse{StatusCode: 200, Body: strings.NewReader("body")}, nil
		},
		"own":      own{},
		"fails":    func(context.Context, any) (string, error) { return "", failed },
		"no-json":  func(context.Context, any) (chan int, error) { return nil, nil },
		"no-event": func(int) (string, error) { return "", nil },
	} {
		want, wantErr := lambda.NewHandler(fn).Invoke(t.Context(), []byte(`{"a":1}`))
		got, err := invoke.New(lambda.NewHandler(fn)).Invoke(t.Context(), []byte(`{"a":1}`))
		require.Equal(t, string(want), string(got), name)
		require.Equal(t, wantErr, err, name)
	}
	require.Nil(t, invoke.New(nil))
	require.Equal(t, gatekit.Invoker(own{}), invoke.New(own{}), "others stay as they are")
}

type jsonReader struct {
	A         int `json:"a"`
	io.Reader `json:"-"`
}
