// Package notetest shows the notes of a request as text, for the tests of the stations that make
// them.
package notetest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gatekit-go/gatekit"
)

// Everything is all that can be kept.
const Everything = gatekit.KeepOutcomes | gatekit.KeepTimes | gatekit.KeepReasons | gatekit.KeepTexts

// Notes are those of one request.
type Notes struct{ kept gatekit.Notes }

// Keep has everything noted of r until the test ends, and returns the request to serve.
func Keep(t testing.TB, r *http.Request) (Notes, *http.Request) {
	rc, r := gatekit.Attach(r)
	n := Notes{rc.KeepNotes(Everything)}
	t.Cleanup(n.kept.Release)
	return n, r
}

// String returns the notes as "phase verdict (rule) status, …", without what isn't there.
func (n Notes) String() string { return n.join(", ", short) }

// Verbose returns all that the notes say, one in a line: what mustn't hold a secret.
func (n Notes) Verbose() string {
	return n.join("\n", func(n *gatekit.Note) string {
		return fmt.Sprintf("%s: %s: %v: %s: %v", short(n), n.Reason, n.Err, n.RequestID, n.Left)
	})
}

// Each calls f with each note.
func (n Notes) Each(f func(*gatekit.Note)) { n.kept.Each(f) }

func (n Notes) join(by string, text func(*gatekit.Note) string) string {
	var texts []string
	n.kept.Each(func(n *gatekit.Note) { texts = append(texts, text(n)) })
	return strings.Join(texts, by)
}

func short(n *gatekit.Note) string {
	text := n.Phase.String() + " " + n.Verdict.String()
	if n.Rule != "" {
		text += " (" + n.Rule + ")"
	}
	if n.Status != 0 {
		text += fmt.Sprintf(" %d", n.Status)
	}
	return text
}
