package mediatype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/mediatype"
)

func TestBinary(t *testing.T) {
	for _, tt := range []struct {
		list   []string
		header string
		want   bool
	}{
		{nil, "image/png", false},
		{[]string{"image/png"}, "IMAGE/PNG; q=1", true},
		{[]string{"image/png"}, "image/pngx", false},
		{[]string{"image/*"}, "image/webp", true},
		{[]string{"image/*"}, "image", false},
		{[]string{"application/*"}, "application", false},
		{[]string{"image/*"}, "imagery/webp", false},
		{[]string{"image/*"}, "text/html, image/png", false},
		{[]string{"image/*"}, "image/png, text/html", true},
		{[]string{"*/png"}, "image/png", false},
		{[]string{"*/png"}, "*/png", false},
		{[]string{"*/*"}, "", true},
		{[]string{"*/*"}, "image", true},
	} {
		b, err := mediatype.NewBinary(tt.list)
		require.NoError(t, err)
		require.Equal(t, tt.want, b.Has(tt.header), "%v %q", tt.list, tt.header)
	}
	for _, bad := range []string{"", "png", "image/", "/png", "a b/c", "image/p*", "image/png;q=1"} {
		_, err := mediatype.NewBinary([]string{"image/png", bad})
		require.ErrorContains(t, err, "[1]: want a type such as image/png", bad)
	}
}

func TestTypes(t *testing.T) {
	for _, tt := range []struct{ header, of, body string }{
		{"", "", ""},
		{"application/json", "application/json", "application/json"},
		{" Application/JSON ; charset=utf-8", "application/json", "application/json"},
		{"text/html, application/json;q=0.9", "text/html", "text/html, application/json"},
		{"text/html;a=b, application/json", "text/html", "text/html"},
		{",application/json", "", ",application/json"},
	} {
		require.Equal(t, tt.of, mediatype.Of(tt.header), "%q", tt.header)
		require.Equal(t, tt.body, mediatype.OfBody(tt.header), "%q", tt.header)
	}
}
