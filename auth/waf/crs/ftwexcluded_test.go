package crs_test

// Why a case of the rule set's isn't ours to pass.
const (
	apacheRefuses = "it expects the 400 of Apache, which refuses such a request; net/http hands it on, and the rules find it"
	otherVersion  = "net/http answers 505 to an HTTP version that it doesn't speak, before any handler"
	oldestHTTP    = "net/http answers 400 to a request line without a version, before any handler"
	noHost        = "net/http doesn't tell an empty Host from none: rule 920280 finds it in place of 920290"
	joinsHeaders  = "it expects the single Content-Type that Apache makes of two; net/http keeps both, and rule 920620 finds them"
	unreadable    = "it expects ModSecurity's text; the engine refuses the multipart body as rules 200002 and 200003"
)

// notOurs are cases that can't pass here, by rule and test.
var notOurs = map[string]string{
	"920100-5": apacheRefuses, "920100-8": apacheRefuses, "920270-4": apacheRefuses, "920274-1": apacheRefuses,
	"920290-1": apacheRefuses, "920610-2": apacheRefuses,
	"920280-3": otherVersion, "920430-3": otherVersion, "920430-8": otherVersion, "920430-9": otherVersion,
	"920430-5": oldestHTTP,
	"920290-4": noHost,
	"920620-1": joinsHeaders,
	"922130-1": unreadable, "922130-2": unreadable, "922130-7": unreadable,
}
