package api

import (
	_ "embed"
	"strings"
)

// The document's halves: the one of the predecessor begins the document, and each has paths
// and then components, schemas first.
var (
	//go:embed openapi.yaml
	openAPIV1 string
	//go:embed openapi_v2.yaml
	openAPIV2 string
)

// OpenAPI is the OpenAPI 3.1 document of the API, in YAML.
var OpenAPI = []byte(joined(openAPIV1, openAPIV2))

// joined puts the paths and the schemas of a second document behind those of a first.
func joined(first, second string) string {
	const components = "\ncomponents:\n  schemas:\n"
	paths, schemas, _ := strings.Cut(first, components)
	_, second, _ = strings.Cut(second, "paths:\n")
	morePaths, moreSchemas, _ := strings.Cut(second, components)
	return paths + "\n" + morePaths + components + schemas + moreSchemas
}
