package bench

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit/transform/vtl"
)

// Three templates as REST APIs have them, and how much they write.
var realTemplates = []struct{ size, text string }{
	{"1KB", `#set($user = $items[7])
{
  "requestedBy": "$text.replaceAll('"',' ').trim()",
  "tenant": "#if($word == 'tea')house#{else}guest#end",
  "user": {"id": $user.id, "name": "$user.name", "active": $yes, "score": $num},
  "tags": [#foreach($tag in $user.tags)"$tag.toUpperCase()"#if($foreach.hasNext), #end#end],
  "recent": [
#foreach($n in [0..9])
#set($item = $items[$n])
    {"id": $item.id, "name": "$item.name", "price": $item.price}#if($foreach.hasNext),#end

#end
  ],
  "note": "#if($undefined != '')$undefined#{else}none#end"
}`},
	{"10KB", `{
  "count": 100,
  "items": [
#foreach($n in [0..99])
#set($item = $items[$n])
#set($next = $n + 1)
    {"id": "$item.id", "name": "$item.name.toLowerCase()", "price": $item.price, "next": $next, "#if($item.id > 50)new#{else}old#end": true}#if($foreach.hasNext),#end

#end
  ]
}`},
	{"100KB", `#set($total = 0)
{"Items": [#foreach($item in $items)#set($total = $total + $item.id)
  {
    "id": {"N": "$item.id"},
    "name": {"S": "$item.name.replace('Item', 'Article')"},
    "price": {"N": "$item.price"},
    "tags": {"L": [#foreach($tag in $item.tags){"S": "$tag"}#if($foreach.hasNext),#end#end]},
#if($item.id % 2 == 0)
    "even": {"BOOL": true},
#else
    "odd": {"BOOL": true},
#end
    "position": {"S": "$foreach.count of $items.size()"}
  }#if($foreach.hasNext),#end
#end], "total": $total}`},
}

// templateVars are those of Oracle.java.
func templateVars() map[string]any {
	m := vtl.NewMap()
	m.Put("k", "v")
	m.Put("n", 2)
	m.Put("sub", vtl.NewList(1, 2))
	items := vtl.NewList()
	for i := range 500 {
		item := vtl.NewMap()
		item.Put("id", i)
		item.Put("name", "Item number "+strconv.Itoa(i))
		item.Put("price", float64(i)*0.25)
		item.Put("tags", vtl.NewList("red", "green", "blue"))
		items.Append(item)
	}
	return map[string]any{
		"word": "tea", "text": "Zoë's 5 \"cups\"", "empty": "", "one": 1, "num": 42, "neg": -7, "long": int64(5000000000), "half": 0.5,
		"yes": true, "no": false, "list": vtl.NewList("a", "b", 3, "b"), "map": m, "a-b": "hyphen", "items": items,
	}
}

// recordedTemplates are those of the recorded cases that need no variables of the gateway.
func recordedTemplates(b *testing.B) []string {
	data := must[[]byte](b)(os.ReadFile("../../transform/testdata/templates.jsonl"))
	var texts []string
	for line := range bytes.Lines(data) {
		var c struct {
			Template string          `json:"t"`
			Input    json.RawMessage `json:"in"`
			Fails    bool            `json:"err"`
		}
		if err := json.Unmarshal(line, &c); err != nil {
			b.Fatal(err)
		}
		if !c.Fails && c.Input == nil && !strings.Contains(c.Template, "$util.") && !strings.Contains(c.Template, "$context.") {
			texts = append(texts, c.Template)
		}
	}
	return texts
}

// A velocity is a process that runs Velocity 1.7.
type velocity struct {
	in  *bufio.Writer
	out *bufio.Reader
}

func startVelocity(b *testing.B) *velocity {
	cmd := exec.Command("java", "-cp",
		"/usr/share/java/velocity.jar:/usr/share/java/commons-collections3.jar:/usr/share/java/commons-lang.jar", "../../transform/vtl/testdata/velocity/Oracle.java")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	in := must[io.WriteCloser](b)(cmd.StdinPipe())
	out := must[io.ReadCloser](b)(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		b.Fatalf("%v: apt-get install velocity default-jdk-headless", err)
	}
	b.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("java: %v: apt-get install velocity default-jdk-headless\n%s", err, stderr.Bytes())
		}
	})
	return &velocity{bufio.NewWriter(in), bufio.NewReader(out)}
}

// measure returns the nanoseconds of one turn through the templates, once the machine is warm.
func (v *velocity) measure(b *testing.B, warmMillis, turns int32, texts []string) float64 {
	v.in.WriteByte('B')
	binary.Write(v.in, binary.BigEndian, []int32{warmMillis, turns, int32(len(texts))})
	for _, text := range texts {
		binary.Write(v.in, binary.BigEndian, int32(len(text)))
		v.in.WriteString(text)
	}
	if err := v.in.Flush(); err != nil {
		b.Fatalf("java: %v: apt-get install velocity default-jdk-headless", err)
	}
	var ns int64
	if err := binary.Read(v.out, binary.BigEndian, &ns); err != nil {
		b.Fatalf("java: %v: apt-get install velocity default-jdk-headless", err)
	}
	return float64(ns) / float64(turns)
}

// Executing parsed templates beside Velocity 1.7, which measures itself after three seconds of warming up. An operation of template=recorded is all
// recorded cases, one after the other.
func BenchmarkVTL(b *testing.B) {
	v := startVelocity(b)
	compare := func(name string, turns int32, texts ...string) {
		b.Run("template="+name+"/by=gatekit", func(b *testing.B) {
			var templates []*vtl.Template
			size := 0
			for _, text := range texts {
				t := must[*vtl.Template](b)(vtl.Parse(name, text))
				var out bytes.Buffer
				if err := t.Execute(&out, templateVars()); err != nil {
					b.Fatal(err)
				}
				size += out.Len()
				templates = append(templates, t)
			}
			vars := templateVars()
			b.ReportAllocs()
			for b.Loop() {
				for _, t := range templates {
					if err := t.Execute(io.Discard, vars); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(size), "output-bytes")
		})
		warmMillis := int32(3000)
		if benchtimeIsOnce() {
			warmMillis, turns = 0, 1
		}
		ns := v.measure(b, warmMillis, turns, texts)
		b.Run("template="+name+"/by=velocity-1.7", func(b *testing.B) {
			for b.Loop() { // it was measured there
			}
			b.ReportMetric(ns, "ns/op")
		})
	}
	compare("recorded", 2000, recordedTemplates(b)...)
	turns := int32(20000)
	for _, t := range realTemplates {
		compare(t.size, turns, t.text)
		turns /= 6
	}
}
