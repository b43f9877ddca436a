package cloudformation

import (
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/gatekit-go/gatekit/route/definition"
)

// functionCode fills in what functions run with: where their code is, their environment and size.
// It comes last, and what can't be known of it or is wrong in it is no finding: nothing that is
// served hangs on it, and who runs functions sees it in the values.
func (i *importer) functionCode(doc *definition.Document) {
	findings, seen, errs := i.findings, maps.Clone(i.seen), i.errs
	unknowns, missing := maps.Clone(i.unknowns), maps.Clone(i.missing)
	for _, s := range i.stacks {
		for _, r := range s.order {
			if out := doc.Resources[r.id]; out != nil && r.kind == lambdaFunction && !i.tooLarge {
				s.enter(r, func() { r.code(out) })
			}
		}
	}
	i.findings, i.seen, i.errs = slices.Clip(findings), seen, errs
	i.unknowns, i.missing = unknowns, missing
}

// code is what one function runs with.
func (r *resource) code(out *definition.Resource) {
	if n := r.number(r.get("MemorySize"), "MemorySize"); n != nil {
		out.Memory = *n
	}
	if e := r.get("Environment"); isMap(e) {
		out.Environment = textMap(e.Get("Variables"))
	}
	at := r.node.Get("Metadata").Get("aws:asset:path")
	if at != nil && scalar(at) != "" {
		out.Code = path.Join(path.Dir(r.stack.t.file), at.Text)
	}
	code := r.get("Code")
	if !isMap(code) {
		return
	}
	out.InlineCode = scalar(code.Get("ZipFile"))
	location := scalar(code.Get("S3Key"))
	if bucket := scalar(code.Get("S3Bucket")); bucket != "" && location != "" {
		if file, ok := r.stack.o.Files["s3://"+bucket+"/"+location]; ok {
			location = file
			out.Code = path.Clean(file)
		}
	}
	_, unknown := definition.UnknownIn(location)
	if file, err := r.stack.fileAt(location); err == nil && out.Code == "" && !unknown && fs.ValidPath(file) {
		out.Code = file
	}
}
