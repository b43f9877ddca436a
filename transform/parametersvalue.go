package transform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/selector"
)

var (
	requestValues = selector.Grammar{
		Forms: []selector.Form{selector.Request},
		Kinds: selector.Header | selector.Query | selector.Body | selector.BodyPart | selector.Path |
			selector.PathVariable |
			selector.Context | selector.StageVariable,
	}
	responseValues = selector.Grammar{
		Forms: []selector.Form{selector.Response},
		Kinds: selector.Header | selector.Body | selector.BodyPart | selector.Context | selector.StageVariable,
	}
)

// parseValue reads the right side of a mapping.
func parseValue(text string, from selector.Grammar) (selector.Text, error) {
	if text == "" {
		return nil, errors.New(`want a value; to drop what is there, use remove`)
	}
	if httpword.HasControl(text) {
		return nil, fmt.Errorf("want a value without control characters, got %q", text)
	}
	return from.ParseText(text)
}

// peek reads the beginning of a body, and returns it with a body that begins with it.
func peek(body io.ReadCloser) ([]byte, io.ReadCloser) {
	if body == nil || body == http.NoBody {
		return nil, body
	}
	head, err := io.ReadAll(io.LimitReader(body, maxMappedBody))
	rest := io.Reader(body)
	if err != nil {
		rest = failed{err} // for who reads that far
	}
	return head, &peeked{io.MultiReader(bytes.NewReader(head), rest), body}
}

type peeked struct {
	io.Reader
	io.Closer
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }
