// Go is a function whose source is in the document's folder.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(context.Context, any) (string, error) { return "go for " + os.Getenv("SHOP"), nil })
}
