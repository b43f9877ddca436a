package auth

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/gatekit-go/gatekit"
	"github.com/gatekit-go/gatekit/auth/policy"
	"github.com/gatekit-go/gatekit/internal/httpword"
	"github.com/gatekit-go/gatekit/internal/iam"
	"github.com/gatekit-go/gatekit/internal/strictjson"
)

const (
	maxAnswerBytes     = 8 << 10
	maxAnswerDepth     = 20
	maxAnswerResources = 512 // characters of one Resource
)

var (
	errFunction     = errors.New("auth: the authorizer function failed") // with what, its own log tells
	errUnauthorized = errors.New("auth: the authorizer function answered Unauthorized")
)

// functionError is what a function's failure means: its text alone says whether the caller is
// unknown or the function is broken.
func functionError(message string) error {
	if message == "Unauthorized" {
		return &gatekit.Rejection{Type: gatekit.Unauthorized, Cause: errUnauthorized}
	}
	return errFunction
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("auth: malformed answer of the authorizer function: "+format, args...)
}

// answer reads what the function said. It is strict: an answer of which a part isn't understood
// decides nothing. (Developer guide, "Output from an API Gateway Lambda authorizer", "Lambda
// authorizer response format" of HTTP APIs.)
func (l *Lambda) answer(payload []byte, simple, nested bool) (*decision, error) {
	if len(payload) > maxAnswerBytes {
		return nil, malformed("want at most %d bytes, got %d", maxAnswerBytes, len(payload))
	}
	var fields gatekit.AuthorizationFields
	var document []byte
	made := &decision{}
	principal, authorized, failed, message := false, false, false, ""
	wrong := func(name, want string) error { return malformed("%s: want %s", name, want) }
	err := strictjson.Object(payload, maxAnswerDepth, func(name string, value []byte) (err error) {
		ok := true
		switch name {
		case "principalId":
			if fields.Principal, principal = strictjson.Text(value); !principal {
				return wrong(name, "a string")
			}
		case "policyDocument":
			document = value
		case "isAuthorized":
			made.allow, authorized = string(value) == "true", true
			if !made.allow && string(value) != "false" {
				return wrong(name, "true or false")
			}
		case "context":
			fields.Context, err = contextOf(value, nested)
		case "usageIdentifierKey":
			if fields.UsageKey, ok = strictjson.Text(value); !ok && string(value) != "null" {
				return wrong(name, "a string")
			}
		case "errorMessage":
			failed = true
			message, _ = strictjson.Text(value)
		}
		return err
	})
	switch {
	case failed:
		return nil, functionError(message)
	case errors.Is(err, strictjson.ErrSyntax):
		return nil, malformed("want a JSON object without repeated names")
	case err != nil:
		return nil, err
	case simple && (!authorized || document != nil):
		return nil, malformed("want isAuthorized and no policy, as EnableSimpleResponses is set")
	case !simple && (!principal || document == nil || authorized):
		return nil, malformed("want principalId and policyDocument, and no isAuthorized")
	}
	if !simple {
		if made.policy, err = l.policy(document); err != nil {
			return nil, err
		}
	}
	if fields.Principal == "" && fields.Context == nil {
		// so that events tell a caller of whom nothing is known from nobody: {"lambda":null}
		fields.Context = map[string]any{}
	}
	made.authorization = gatekit.NewAuthorization(fields)
	return made, nil
}

// policy parses a policy document, or finds it among those parsed before.
func (l *Lambda) policy(document []byte) (*policy.Policy, error) {
	key := decisionKey(sha256.Sum256(document))
	if e := l.policies.Get(key.hash(), key); e != nil {
		return e.Value, nil
	}
	p, err := iam.Parse(document, iam.Options{MaxResource: maxAnswerResources})
	if err != nil {
		return nil, malformed("policyDocument: %v", err)
	}
	l.warn(p.Findings())
	l.policies.Put(l.policies.Table(), key.hash(), key, p, 1)
	return p, nil
}

// warn logs what is odd in a policy that is taken nevertheless, once a minute at most: a function
// answers alike for all its callers.
func (l *Lambda) warn(findings []string) {
	if len(findings) == 0 {
		return
	}
	now, before := time.Now(), l.warned.Load()
	if before != nil && now.Sub(*before) < time.Minute || !l.warned.CompareAndSwap(before, &now) {
		return
	}
	l.config.Logger.LogAttrs(context.Background(), slog.LevelWarn,
		"auth: the authorizer function's policy is odd (see policy.Lint)",
		slog.Any("findings", findings))
}

// contextOf reads the context map: strings, numbers and booleans; with payload 2.0 lists and
// objects, too. A text with control characters might end a header that it is mapped into.
func contextOf(value []byte, nested bool) (map[string]any, error) {
	if string(value) == "null" {
		return nil, nil
	}
	context := map[string]any{}
	err := strictjson.ObjectOfNames(value, maxAnswerDepth, func(name string, value []byte) error {
		if name == "claims" {
			return malformed("context: want no key claims, which is reserved")
		}
		if httpword.HasControl(name) {
			return malformed("context: want keys without control characters")
		}
		decoded, err := contextValue(value, nested)
		if err != nil {
			return err
		}
		if decoded != nil {
			context[name] = decoded
		}
		return nil
	})
	if errors.Is(err, strictjson.ErrSyntax) {
		return nil, malformed("context: want an object")
	}
	return context, err
}

func contextValue(value []byte, nested bool) (any, error) {
	switch value[0] {
	case '"':
		text, _ := strictjson.Text(value)
		if httpword.HasControl(text) {
			return nil, malformed("context: want texts without control characters")
		}
		return text, nil
	case 't', 'f':
		return value[0] == 't', nil
	case 'n':
		return nil, nil
	case '{', '[':
		if !nested {
			return nil, malformed("context: want strings, numbers and booleans, got a list or an object")
		}
		return nestedValue(value)
	}
	return json.Number(value), nil
}

// nestedValue decodes a list or an object, of whose depth strictjson has taken care.
func nestedValue(value []byte) (any, error) {
	if elements, ok := strictjson.Elements(value); ok {
		list := make([]any, len(elements))
		for i, e := range elements {
			var err error
			if list[i], err = contextValue(e, true); err != nil {
				return nil, err
			}
		}
		return list, nil
	}
	object := map[string]any{}
	err := strictjson.ObjectOfNames(value, maxAnswerDepth, func(name string, value []byte) (err error) {
		if httpword.HasControl(name) {
			return malformed("context: want keys without control characters")
		}
		object[name], err = contextValue(value, true)
		return err
	})
	return object, err
}
