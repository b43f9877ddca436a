package validate_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/transform/validate"
)

func TestMistakes(t *testing.T) {
	for _, tt := range []struct{ schema, body, pointer, keyword, detail string }{
		{`{"required":["b","a"]}`, `{}`, "#", "required", `object has missing required properties (["a","b"])`},
		{`{"type":"string"}`, `1E2`, "#", "type", `instance type (number) does not match any allowed primitive type (allowed: ["string"])`},
		{`{"type":"string"}`, `12`, "#", "type", `instance type (integer) does not match any allowed primitive type (allowed: ["string"])`},
		{`{"items":{"type":["integer","string"]}}`, `[1,null]`, "#/1", "type", `instance type (null) does not match any allowed primitive type (allowed: ["integer","string"])`},
		{`{"enum":["a",1,{"b":null}]}`, `[2]`, "#", "enum", `instance value ([2]) not found in enum (possible values: ["a",1,{"b":null}])`},
		{`{"const":{"a":1}}`, `2`, "#", "const", `instance value (2) is not the one allowed ({"a":1})`},
		{`{"properties":{"a":{}},"additionalProperties":false}`, `{"c":1,"a":1,"b":1}`, "#", "additionalProperties", `object instance has properties which are not allowed by the schema: ["b","c"]`},
		{`{"additionalProperties":false}`, `{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1}`, "#", "additionalProperties", `object instance has properties which are not allowed by the schema: ["a","b","c","d","e","f","g","h","i","j",and 2 more]`},
		{`{"minimum":1.5}`, `1`, "#", "minimum", `numeric instance is lower than the required minimum (minimum: 1.5, found: 1)`},
		{`{"maximum":1}`, `12345678901234567890`, "#", "maximum", `numeric instance is greater than the required maximum (maximum: 1, found: 12345678901234567890)`},
		{`{"exclusiveMinimum":1}`, `1`, "#", "exclusiveMinimum", `numeric instance is not strictly greater than the required minimum 1`},
		{`{"exclusiveMaximum":1}`, `1`, "#", "exclusiveMaximum", `numeric instance is not strictly lower than the required maximum 1`},
		{`{"multipleOf":2}`, `5`, "#", "multipleOf", `remainder of division is not zero (5 and 2)`},
		{`{"minLength":3}`, `"ä"`, "#", "minLength", `string is too short (length: 1, required minimum: 3)`},
		{`{"maxLength":1}`, `"äö"`, "#", "maxLength", `string is too long (length: 2, maximum allowed: 1)`},
		{`{"pattern":"^a$"}`, `"b\""`, "#", "pattern", `ECMA 262 regex "^a$" does not match input string "b\""`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","format":"ipv4"}`, `"x"`, "#", "format", `string "x" is not a valid ipv4`},
		{`{"minItems":2}`, `[1]`, "#", "minItems", `array is too short: must have at least 2 elements but instance has 1 elements`},
		{`{"maxItems":1}`, `[1,2]`, "#", "maxItems", `array is too long: must have at most 1 elements but instance has 2 elements`},
		{`{"uniqueItems":true}`, `[1,1.0]`, "#", "uniqueItems", `array must not contain duplicate elements`},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","items":[{}],"additionalItems":false}`, `[1,2,3]`, "#", "additionalItems", `array has 2 elements which are not allowed by the schema`},
		{`{"minProperties":1}`, `{}`, "#", "minProperties", `object has too few properties (found 0 but schema requires at least 1)`},
		{`{"maxProperties":0}`, `{"a":1}`, "#", "maxProperties", `object has too many properties (found 1 but schema requires at most 0)`},
		{`{"$schema":"http://json-schema.org/draft-04/schema#","dependencies":{"a":["c","b"]}}`, `{"a":1}`, "#", "dependencies", `property "a" of object has missing property dependencies: ["b","c"]`},
		{`{"dependentRequired":{"a":["b"]}}`, `{"a":1}`, "#", "dependentRequired", `property "a" of object has missing property dependencies: ["b"]`},
		{`{"propertyNames":{"maxLength":1}}`, `{"ab":1}`, "#", "propertyNames", `property name "ab" is not allowed`},
		{`{"anyOf":[{"type":"string"},{"type":"null"}]}`, `1`, "#", "anyOf", `instance failed to match at least one required schema among 2`},
		{`{"oneOf":[{"type":"string"},{"type":"null"}]}`, `1`, "#", "oneOf", `instance failed to match exactly one schema (matched 0 out of 2)`},
		{`{"oneOf":[{"type":"number"},{"minimum":0}]}`, `1`, "#", "oneOf", `instance failed to match exactly one schema (matched several)`},
		{`{"allOf":[{"$ref":"#/$defs/n"}],"$defs":{"n":{"properties":{"a":{"minimum":2}}}}}`, `{"a":1}`, "#/a", "minimum", `numeric instance is lower than the required minimum (minimum: 2, found: 1)`},
		{`{"not":{"type":"number"}}`, `1`, "#", "schema", `instance matched a schema which it should not have`},
		{`{"contains":{"type":"string"}}`, `[1]`, "#", "contains", `array has not as many elements of a kind as required`},
		{`{"maxContains":0,"contains":{"type":"string"},"minContains":0}`, `["a"]`, "#", "maxContains", `array has not as many elements of a kind as required`},
		{`{"properties":{"a":false}}`, `{"a":1}`, "#/a", "schema", `instance is not allowed here`},
	} {
		m, err := validate.NewModels(validate.ModelsConfig{Draft: validate.Draft202012, Schemas: map[string]string{"Model": tt.schema}})
		require.NoError(t, err, tt.schema)
		v, err := validate.New(validate.Config{ValidateBody: true, Models: m, RequestModels: map[string]string{"$default": "Model"}})
		require.NoError(t, err)
		why := bodyError(t, v.Check(rest("POST", "/", tt.body)))
		require.Equal(t, []validate.Mistake{{Pointer: tt.pointer, Keyword: tt.keyword, Detail: tt.detail}}, why.Mistakes(), tt.schema)
		require.Equal(t, "["+tt.detail+"]", why.ValidationErrorString())
		require.EqualError(t, why, `validate: the body isn't what model Model says: "`+tt.pointer+`" `+tt.keyword)
	}
}

func TestMistakesAreOrdered(t *testing.T) {
	v := bodies(t, `{"properties":{"a":{"type":"string","minimum":5},"b":{"type":"string"},"c":{"type":"string"}},"required":["d","e"]}`)
	for range 20 { // the schemas' package goes through maps
		why := bodyError(t, v.Check(rest("POST", "/", `{"c":1,"b":1,"a":1}`)))
		require.EqualError(t, why, `validate: the body isn't what model Model says: "#" required, "#/a" type, "#/b" type, "#/c" type`)
		list := why.Mistakes()
		list[0].Detail = "changed"
		require.NotEqual(t, "changed", why.Mistakes()[0].Detail)
	}
}
