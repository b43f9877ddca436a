// Package validate answers whether a request is one that its integration can do something with: the
// models and request validators of REST APIs, as in the pages "Request validation for REST APIs"
// and "Data models for REST APIs" of the API Gateway developer guide.
//
//	models, err := validate.NewModels(validate.ModelsConfig{Schemas: map[string]string{"Pet": `{"type":"object","required":["name"]}`}})
//	…
//	pet, err := validate.New(validate.Config{
//		ValidateBody:  true,
//		Models:        models,
//		RequestModels: map[string]string{"application/json": "Pet"},
//	})
//	…
//	api.Handle("POST /pets", createPet, pet.Middleware)
//
// # Order
//
// A validator stands behind the authorizers and limits of its route, so that only callers who may
// call learn what is wrong with a request, and in front of everything that reads the body.
// Parameters are judged first: a request that lacks one is refused unread.
//
// # Bodies
//
// The model is that of the request's Content-Type, application/json where there is none, or that of
// "$default". A body of another type isn't validated: a route that must not see such bodies sets
// [Config].RequireModel. An empty body is judged as {}. Bodies are read whole, up to
// Config.MaxBodyBytes, and put back for the next handler.
//
// What isn't one JSON text in UTF-8 is refused, and so is what two readers might read in two ways:
// an object that has a name twice. Values nest up to [MaxDepth] deep, a body has up to
// Config.MaxValues values, and a number has up to 400 characters and an exponent from -400 to 400,
// which is more than a 64-bit float can hold.
//
// # Patterns
//
// Regular expressions run in time proportional to the text. Those that Go's engine hasn't got
// (look-ahead, back references) run in dlclark/regexp2, which can take exponential time: all of
// them together get ModelsConfig.PatternBudget a request, and a body that needs more is refused.
// While such an expression runs, and about a second longer, regexp2 keeps a goroutine for the time.
//
// # Notes
//
// Where somebody keeps notes (gatekit.RequestContext.KeepNotes), one names the model that has
// judged the body, or "parameters", and with reasons the place of the first mistake.
//
// # Differences
//
//   - A model may refer to itself, exclusiveMinimum, minItems and maxItems are checked, and models
//     may be of later drafts of JSON Schema (ModelsConfig.Draft, or their own $schema).
//   - Nothing is ever fetched: a $ref that leads anywhere but to a model of the same API, or to a
//     place in its own schema, is an error of [NewModels].
//   - Header names are compared without regard to case, as net/http doesn't keep theirs. Of a
//     parameter that is there several times, the last value counts.
//   - $context.error.validationErrorString has the managed gateway's wording for common mistakes.
//     It names up to 10 of them, in the order of their places.
//   - In draft 4, too, 1.0 is an integer, as in later drafts. In patterns \s is the six blanks of
//     ASCII, where Java's draft 4 has Unicode's. The formats uri, email, ipv4 and hostname are
//     those of the Go library behind this package, stricter or laxer than Java's in corners; an API
//     that depends on one says so by a pattern.
//   - Config.AllowDuplicateNames takes the last of several members with one name, as the managed
//     gateway is believed to.
package validate
