package lambdaruntime

import (
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// passedOn are the variables of this process that every function gets. Without the last one no
// program starts on Windows.
var passedOn = []string{"PATH", "HOME", "TMPDIR", "LANG", "SYSTEMROOT"}

// hidden keeps the user's own credentials from SDKs, which HOME would lead them to. Environment and
// Inherit go before it.
var hidden = map[string]string{
	"AWS_CONFIG_FILE":             os.DevNull,
	"AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	"AWS_EC2_METADATA_DISABLED":   "true",
}

// runtimeAPI is where a function's program asks for events.
const runtimeAPI = "AWS_LAMBDA_RUNTIME_API"

// standard are the variables that Lambda sets, but for where the runtime API is. (Lambda developer
// guide, "Defined runtime environment variables".)
func (c *Config) standard() map[string]string {
	return map[string]string{
		"_HANDLER":                        c.Handler,
		"AWS_DEFAULT_REGION":              c.Region,
		"AWS_EXECUTION_ENV":               "AWS_Lambda_" + c.Runtime,
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(c.MemoryMB),
		"AWS_LAMBDA_FUNCTION_NAME":        c.Name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + c.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      "local",
		"AWS_REGION":                      c.Region,
		"LAMBDA_TASK_ROOT":                c.Dir,
		"TZ":                              ":UTC",
	}
}

// isReserved reports whether a variable is the runtime's to set. TZ and a default region are
// anybody's, as in Lambda.
func (c *Config) isReserved(name string) bool {
	_, set := c.standard()[name]
	return name == runtimeAPI || set && name != "TZ" && name != "AWS_DEFAULT_REGION"
}

// environ is the whole environment of a process, but for where the runtime API is.
func (c *Config) environ() []string {
	all := maps.Clone(hidden)
	for _, name := range slices.Concat(passedOn, c.Inherit) {
		if value, set := os.LookupEnv(name); set {
			all[name] = value
		}
	}
	maps.Copy(all, c.standard())
	if c.language() == python { // its files in the folder would look like changed code
		all["PYTHONDONTWRITEBYTECODE"] = "1"
	}
	maps.Copy(all, c.Environment)
	out := make([]string, 0, len(all)+1)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, name+"="+all[name])
	}
	return out
}

// The languages of runtimes.
const (
	provided = "provided"
	node     = "node"
	python   = "python"
)

// language is how a runtime's functions are started; "" of one that isn't known.
func (c *Config) language() string {
	switch {
	case strings.HasPrefix(c.Runtime, "provided"), c.Runtime == "go1.x":
		return provided
	case strings.HasPrefix(c.Runtime, "nodejs"):
		return node
	case strings.HasPrefix(c.Runtime, "python3"):
		return python
	}
	return ""
}
