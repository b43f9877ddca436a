package cloudformation

import "github.com/gatekit-go/gatekit/route/definition"

// TranslateSAM translates a template and returns it as JSON text before and after, to see that it
// isn't changed, and the translation, which is empty where there is none.
func TranslateSAM(text []byte) (before, after, out string, err error) {
	i := &importer{o: &Options{}, seen: map[definition.Finding]bool{}}
	t, err := i.parseTemplate("t.yaml", text)
	if err != nil || !t.isSAM() {
		return "", "", "", err
	}
	before = string(t.root.AppendJSON(nil))
	made, err := translateSAM(t, Options{}, func(definition.Finding) {})
	if err == nil {
		out = string(made.root.AppendJSON(nil))
	}
	return before, string(t.root.AppendJSON(nil)), out, err
}
