package lambdaruntime_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gatekit-go/gatekit/route/lambdaruntime"
)

func TestSmoke(t *testing.T) {
	f := start(t, lambdaruntime.Config{})
	t.Log(f.call("", "hi"))
	t.Log(f.call("context", "hi"))
	t.Log(f.fails("fail", "hi"))
	t.Log(f.fails("panic", "hi"))
	t.Log(f.call("", "hi"))
	t.Log(f.fails("exit", "hi"))
	t.Log(f.fails("kill", "hi"))
	t.Log(f.call("", "hi"))
	t.Log(f.fails("large", "hi"))
	t.Log(f.environment())
	for _, h := range []string{"index.handler", "src/callbacks.api.get", "src/callbacks.api.succeed",
		"src/callbacks.api.silent", "src/modern.handler", "module/index.handler"} {
		n := start(t, lambdaruntime.Config{Runtime: "nodejs22.x", Handler: h, Dir: "testdata/node"})
		t.Log(h, n.call("", "hi"))
		t.Log(n.call("", "hi"))
	}
	n := start(t, lambdaruntime.Config{Runtime: "nodejs22.x", Handler: "index.handler", Dir: "testdata/node"})
	for _, do := range []string{"throw", "throw-text", "exit", "reject", "crash", "bigint"} {
		t.Log(do, n.fails(do, "hi"))
	}
	t.Log(n.call("never", "hi"))
	t.Log(n.call("context", "hi"))
	p := start(t, lambdaruntime.Config{Runtime: "python3.13", Handler: "index.handler", Dir: "testdata/python"})
	t.Log(p.call("", "hi"))
	for _, do := range []string{"raise", "exit", "object"} {
		t.Log(do, p.fails(do, "hi"))
	}
	t.Log(p.call("decimal", "hi"))
	t.Log(p.call("context", "hi"))
	require.True(t, true)
	t.Log(n.log)
}
