package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/jsonscan"
)

var texts = []string{
	`{}`, `[]`, ` { } `, ` [ ] `, `{"a":1}`, `[1]`, `{"a" : [1 , {"b":"]}"}] , "c" : "\"}" , "a":null}`,
	"[\n1,\t[2,\"]\"] , {} ,true, \"a\\\\\" ]",
	`{"":"","\u0061":"a","a":"\ud83d"}`, `[[[[]]],{"a":{"b":{}}}]`, `[-1.5e+3,true,false,null,"\\",""]`, `"a"`, `1`,
	`null`, ``,
	`{"` + strings.Repeat("long name ", 10) + `":"` + strings.Repeat("long text ", 10) + `\n"}`,
}

// parts are an object's names and values or an array's elements, as encoding/json finds them.
func parts(t *testing.T, text string) (found []string) {
	d := json.NewDecoder(strings.NewReader(text))
	bracket, err := d.Token()
	require.NoError(t, err)
	for d.More() {
		if bracket == json.Delim('{') {
			name, err := d.Token()
			require.NoError(t, err)
			found = append(found, name.(string))
		}
		var value json.RawMessage
		require.NoError(t, d.Decode(&value))
		found = append(found, string(value))
	}
	return found
}

// checkParts compares what is found of text with what encoding/json finds; of text that isn't valid
// it only sees that it ends.
func checkParts(t *testing.T, text string) {
	t.Helper()
	var members, elements, spans []string
	for name, value := range jsonscan.Members(text) {
		said, ok := jsonscan.Text(name)
		require.True(t, ok || !json.Valid([]byte(text)), "%q", text)
		members = append(members, said, value)
	}
	for value := range jsonscan.Elements(text) {
		elements = append(elements, value)
	}
	for name, value := range jsonscan.MembersAt([]byte("  "+text), 2) {
		said, _ := jsonscan.Text(("  " + text)[name.From:name.To])
		spans = append(spans, said, ("  " + text)[value.From:value.To])
	}
	for value := range jsonscan.ElementsAt([]byte("  "+text), 2) {
		spans = append(spans, ("  " + text)[value.From:value.To])
	}
	if text != strings.TrimLeft(text, " \t\r\n") {
		require.Empty(t, spans, "%q: nothing begins at a blank", text)
	} else {
		require.Equal(t, append(members, elements...), spans, "%q", text)
	}
	if !json.Valid([]byte(text)) {
		return
	}
	switch trimmed := strings.TrimLeft(text, " \t\r\n"); trimmed[0] {
	case '{':
		require.Empty(t, elements)
		if strings.ToValidUTF8(text, "") == text {
			require.Equal(t, parts(t, text), members, "%q", text)
		}
	case '[':
		require.Empty(t, members)
		require.Equal(t, parts(t, text), elements, "%q", text)
	default:
		require.Empty(t, members)
		require.Empty(t, elements)
	}
}

func TestPartsAreThoseOfEncodingJSON(t *testing.T) {
	for _, text := range texts {
		checkParts(t, text)
		if text != "" {
			for cut := range len(text) { // no panic, no endless loop, nothing beyond the end
				checkParts(t, text[:cut])
			}
		}
	}
	for _, text := range []string{`[:1]`, `[,]`, `{:}`, `{"a"`, `{"a":`, `{"a"}`, `{"a",`, `[1:2]`, `[}`, `{]`, `["`,
		`{"\`, `[1`, `[1,`, `{"a":1,1}`} {
		checkParts(t, text)
	}
}

// FuzzParts: what is found in valid text is what encoding/json finds; other text ends.
func FuzzParts(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(checkParts)
}

// FuzzIs: Is says what Text and a comparison say, and AppendText what Text says.
func FuzzIs(f *testing.F) {
	f.Add(`"a"`, "a")
	f.Add(`"\u0061bc"`, "abc")
	f.Add(`"\ud83d"`, "\ufffd")
	f.Add(`"a`, "a")
	f.Add(`"`+strings.Repeat(`\n`, 100)+`"`, strings.Repeat("\n", 100))
	f.Fuzz(func(t *testing.T, value, s string) {
		text, ok := jsonscan.Text(value)
		for _, candidate := range []string{s, text, text + "x", strings.TrimSuffix(text, "x")} {
			require.Equal(t, ok && text == candidate, jsonscan.Is(value, candidate), "%q is %q", value, candidate)
			require.Equal(t, ok && text == candidate, jsonscan.Is([]byte(value), candidate), "%q is %q", value,
				candidate)
		}
		appended, okAppended := jsonscan.AppendText([]byte("x"), value)
		require.Equal(t, ok, okAppended, "%q", value)
		require.Equal(t, "x"+text, string(appended), "%q", value)
		ofBytes, _ := jsonscan.Text(bytes.Clone([]byte(value)))
		require.Equal(t, text, ofBytes, "%q", value)
	})
}

func TestScanningAllocatesNothing(t *testing.T) {
	require.Zero(t, testing.AllocsPerRun(100, func() {
		for name, value := range jsonscan.Members(event) {
			if jsonscan.Is(name, "headers") {
				for range jsonscan.Members(value) {
				}
			}
		}
	}))
}
