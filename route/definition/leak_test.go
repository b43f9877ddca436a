package definition_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/definition"
)

// A Gateway that is updated keeps nothing of the documents that it doesn't serve any more.
func TestUpdateKeepsNoDocument(t *testing.T) {
	const updates, kilobytes = 30, 256
	socket := func(description string, n int) string {
		return fmt.Sprintf(`{"apis":[{"id":"Chat","flavor":"WEBSOCKET","description":%q,"route_selection":"$request.body.action","routes":{
			"$connect":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","target":{"kind":"lambda","function":"F"}}},
			"$default":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","timeout":%d,"target":{"kind":"lambda","function":"F"}}}},
			"stages":{"prod":{}}}]}`, description, 1000+n/updates)
	}
	for name, doc := range map[string]func(description string, n int) string{
		"changed": func(description string, n int) string {
			return apiOf("REST", fmt.Sprintf(`"GET /a":{"auth":{"type":"NONE"},"integration":{"type":"AWS_PROXY","method":"POST","timeout":%d,"target":{"kind":"lambda","function":"F"}}}`, 1000+n),
				`"description":"`+description+`"`)
		},
		"alike": func(description string, _ int) string {
			return apiOf("REST", calls("GET /a", `{"type":"NONE"}`), `"description":"`+description+`"`)
		},
		"socket": socket,
	} {
		t.Run(name, func(t *testing.T) {
			description := strings.Repeat("x", kilobytes<<10)
			g := build(t, doc(description, 0), definition.Bindings{Functions: functions("F"), InsecureAllowAnyOrigin: true})
			heap := func() uint64 {
				var m runtime.MemStats
				runtime.GC()
				runtime.GC()
				runtime.ReadMemStats(&m)
				return m.HeapAlloc >> 10
			}
			before := heap()
			for n := range updates {
				require.NoError(t, g.Update(t.Context(), parse(t, doc(description, n+1))))
			}
			require.Less(t, heap(), before+updates*kilobytes/3)
			runtime.KeepAlive(g)
		})
	}
}
