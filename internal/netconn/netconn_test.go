package netconn_test

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/internal/netconn"
)

type over struct{ net.Conn }

func (c *over) NetConn() net.Conn { return c.Conn }

type passes struct{ net.Conn }

func (c *passes) WritesTo() net.Conn { return c.Conn }

type hides struct{ net.Conn }

func TestFind(t *testing.T) {
	at := &passes{}
	for _, tt := range []struct {
		name string
		conn net.Conn
		want *passes
	}{
		{"itself", at, at},
		{"below-two", &over{&over{at}}, at},
		{"hidden", &over{&hides{at}}, nil},
		{"nil", nil, nil},
		{"below-nothing", &over{}, nil},
	} {
		found, ok := netconn.Find[*passes](tt.conn)
		require.Same(t, tt.want, found, tt.name)
		require.Equal(t, tt.want != nil, ok, tt.name)
	}
	endless := &over{}
	endless.Conn = endless
	_, ok := netconn.Find[*passes](endless)
	require.False(t, ok)
}

func TestWritesTo(t *testing.T) {
	at := &hides{}
	require.Same(t, at, netconn.WritesTo(&passes{&passes{at}}))
	require.Same(t, at, netconn.WritesTo(at))
	still := &passes{} // looks at what is written
	require.Same(t, still, netconn.WritesTo(&passes{still}))
	endless := &passes{}
	endless.Conn = endless
	require.Same(t, endless, netconn.WritesTo(endless))
}
