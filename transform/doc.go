// Package transform answers in what shape a request reaches an integration, and an answer the
// client: the mapping templates and parameter mappings of REST APIs ([REST]), the parameter mapping
// of HTTP APIs ([Parameters]), what refusals look like ([GatewayResponses]), and payload
// compression ([Compression]).
//
//	shop, err := restapi.New(restapi.Config{
//		Models:            map[string]string{"Order": orderSchema},
//		RequestValidators: map[string]restapi.RequestValidator{"body": {ValidateRequestBody: true}},
//	})
//	…
//	createOrder, err := shop.Method(restapi.MethodConfig{
//		RequestValidator: "body",
//		RequestModels:    map[string]string{"application/json": "Order"},
//		Integration: transform.RESTConfig{
//			Type:             transform.HTTP,
//			RequestTemplates: map[string]string{"application/json": `{"customer":$input.json('$.cust')}`},
//			IntegrationResponses: []transform.IntegrationResponse{
//				{StatusCode: 200, ResponseTemplates: map[string]string{"application/json": `{"orderNo":"$input.path('$.id')"}`}},
//				{StatusCode: 404, SelectionPattern: "404"},
//			},
//		},
//	})
//	…
//	api.Use(shop.Middleware)
//	api.Handle("POST /orders", integration, createOrder.Middleware)
//
// Package restapi says once what its methods share; one method alone is a [NewREST]. The
// integration is any handler: one that calls a Lambda function, a reverse proxy, or one that does
// the work itself; a mock is its own. It is given the integration request, and what it writes
// becomes the method's response. Mapping templates run in transform/vtl, bodies are checked by
// transform/validate, and transform/transformtest renders templates in tests.
//
// # Order
//
// From the client to the integration and back:
//
//	api.Use(shop.Middleware)                 // the API's gateway responses: outside all that refuses
//	api.Handle("POST /orders", integration,
//		auth.Require(…),                 // who isn't let in costs no body
//		limit.Middleware,
//		createOrder.Middleware)          // key, compression, validator, REST: around the integration
//
// Within a REST, the request template runs before the parameters are mapped, and what it set in
// $context.requestOverride counts over the mapping. The integration response is chosen by what the
// integration answered; its template runs, headers are mapped, and $context.responseOverride counts
// over both.
//
// # What an integration sees
//
// Of an integration of type HTTP or AWS nothing of the client's request is visible but what was
// mapped: no headers, no query. r.PathValue has the path parameters of the integration request, and
// those of the route that no mapping replaced. With a URI, r.URL is the whole address with the
// parameters in their places, and r.Host its host, ready for integration.NewHTTP, which adds and
// renames no header behind a REST, httputil.ReverseProxy or an http.Client; without one, the path
// is the client's, and the URI may be said once at integration.NewHTTP, whose variables are then
// the path parameters and whose Host is a mapped one. gatekit.From(r.Context()) is what it was, but
// for Mapped.
//
// Path variables are decoded in headers, queries and templates. In the path of a URI, or of
// overwrite:path, they stay as the client spelled them, so that an encoded slash makes no segment;
// what a template sets in $context.requestOverride.path is text, whose slashes are separators.
//
// # Bodies
//
// Bodies of up to 10 MB, or RESTConfig.MaxBodyBytes, are read where a template, a mapping or a
// conversion needs them, and otherwise streamed. A template gets single fields of a body by
// JSONPath, which looks at the text once and decodes only what it finds. Text that isn't UTF-8 has
// U+FFFD in its place. Of members of an object with one name the last counts, and is the only one
// that templates pass on.
//
// A template that does too much fails: the engine has the limits of vtl.Options, and $input, $util
// and $context pay from the same account, a step for 24 bytes of a body that are looked at. By
// default a field can be looked up in a body of 10 MB some forty times, and one rendering takes
// less than a second of a processor and 128 MiB. What a template overrides comes to 1 MiB at most.
//
// # Notes
//
// Where somebody keeps notes (gatekit.RequestContext.KeepNotes), [REST] notes the template that it
// has chosen for the request, by content type, and for the response, by selection pattern and
// content type, or passthrough in their place; [Parameters] the mappings that found nothing;
// [GatewayResponses] by which type's response a refusal is answered; [Compression] what it did.
//
// # Differences
//
//   - Templates that don't parse and integrations without responses, which would make every request
//     fail, are refused when the REST is made. What else answers 500 to every request on the
//     managed gateway, such as a mapping to Content-Length, does so here, and [REST.Findings] names
//     it beside the settings that have no effect.
//   - A body is JSON or isn't (RFC 8259, UTF-8, nested up to 512 deep, numbers of up to 4096
//     characters); the managed gateway's reader is more lenient. $input.json keeps the spelling of
//     numbers, where the managed gateway may print 1.50 as 1.5.
//   - Regular expressions, in selection patterns and in JSONPath filters, are Go's: they take
//     linear time and have no look-around, and those of filters are bounded in size. A selection
//     pattern describes how the text begins, or all of it with RESTConfig.SelectWholeText.
//   - JSONPath has neither functions (length(), keys(), min() and the like) nor filters with words
//     (in, nin, subsetof, size, empty): the fact sheet behind this package needs none of them, and
//     no recording shows what the managed gateway's version makes of them. A template that
//     evaluates one fails, by an error that names the place; $list.size() in place of length()
//     works in both.
//   - net/http keeps one spelling of each header's name. $input.params('name') finds a header in
//     any spelling; the map of $input.params().header has the canonical one, in the order of names.
//   - A parameter in the integration's URI stays within its place: slashes in it are escaped unless
//     it is a greedy variable of the route or comes from a template; a path with a dot segment, a
//     NUL or a backslash is 400, a host that isn't one 500.
//   - A header that a mapping of an HTTP_PROXY integration is about is never the client's own, also
//     where the mapping's source is absent: then none is sent.
//   - Content-Encoding passes HTTP_PROXY where it names a compression, as the body would be
//     unreadable without. Of answers of an HTTP_PROXY integration the length is passed on beside
//     its renamed header.
//   - A status below 200 in $context.responseOverride is passed over, since HTTP has no final
//     answers of that kind. Setting the same parameter twice is no error: the last value counts.
//   - A backend's trailers pass an HTTP_PROXY integration, a client's pass none: no source says
//     what the managed gateway does with either. What a mapping of [Parameters] says of a header is
//     true of trailers of that name as well, in both directions: none gets past it. Answers of 204
//     and 304 have no body, whatever their template makes.
//   - A value that is mapped to a header has blanks in the place of control characters.
//   - With several response templates and none for the Accept header or JSON, the first by name is
//     taken, as a map has no first.
//   - The functions of $util take text and make nothing of anything else, $util.escapeJavaScript(1)
//     included, as a Java method that has no such argument. Write "$n" for a number's text.
//   - Arrays of JSON print / as it is. Stock Velocity's JSON library writes \/; what the managed
//     gateway does isn't known.
//   - $util.parseJson, urlDecode and base64Decode fail the template if their argument isn't what it
//     should be; what the managed gateway does there isn't known.
package transform
