// Go is a function as it is built for Lambda. What it does is in its event.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct{ Do, Text string }

func main() {
	switch os.Getenv("INIT") {
	case "exit":
		fmt.Println("no table")
		os.Exit(3)
	case "hang":
		select {}
	}
	if os.Getenv("STREAM") != "" {
		lambda.Start(stream)
	}
	lambda.Start(handle)
}

func stream(_ context.Context, e event) (io.Reader, error) {
	out, in := io.Pipe()
	go func() {
		_, _ = io.WriteString(in, "first")
		if e.Do == "exit" {
			os.Exit(4)
		}
		_, _ = io.WriteString(in, " second")
		_ = in.Close()
	}()
	return out, nil
}

func handle(ctx context.Context, e event) (any, error) {
	switch e.Do {
	case "fail":
		return nil, errors.New(e.Text)
	case "panic":
		panic(e.Text)
	case "exit":
		os.Exit(7)
	case "kill":
		self, _ := os.FindProcess(os.Getpid())
		_ = self.Kill()
		select {}
	case "hang":
		select {}
	case "large":
		return strings.Repeat("x", 7<<20), nil
	case "print":
		line := strings.Repeat(e.Text, 1000)
		for range 20_000 {
			fmt.Println(line)
		}
	case "long-line":
		fmt.Print(strings.Repeat("y", 40_000), "\nlast, without an end")
	case "child": // which would live for a minute
		child := exec.Command("sleep", "60")
		if err := child.Start(); err != nil {
			return nil, err
		}
		return child.Process.Pid, nil
	case "environment":
		return os.Environ(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return []any{lc.InvokedFunctionArn, lc.AwsRequestID != "", time.Until(deadline) > 0, ctx.Value("x-amzn-trace-id")}, nil
	case "directory":
		return os.Getwd()
	}
	return []any{os.Getpid(), e.Text}, nil
}
