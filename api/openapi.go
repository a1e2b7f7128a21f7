package api

import (
	_ "embed"
	"strings"
)

// The document's parts. That of the predecessor begins the document; each has paths, and
// then components in sections such as schemas.
var (
	//go:embed openapi.yaml
	openAPIV1 string
	//go:embed openapi_v2.yaml
	openAPIV2 string
	//go:embed openapi_kafka.yaml
	openAPIKafka string
	//go:embed openapi_upgrade.yaml
	openAPIUpgrade string
	//go:embed openapi_migrate.yaml
	openAPIMigrate string
)

// OpenAPI is the OpenAPI 3.1 document of the API, in YAML. It is made when it is asked for: most
// processes never are.
func OpenAPI() []byte {
	return []byte(together(openAPIV1, openAPIV2, openAPIKafka, openAPIUpgrade, openAPIMigrate))
}

// together joins the parts of the document, one behind the other.
func together(first string, more ...string) string {
	for _, next := range more {
		first = joined(first, next)
	}
	return first
}

// joined puts the paths and the components of a second document behind those of a first.
func joined(first, second string) string {
	const begin = "\ncomponents:\n"
	paths, components, _ := strings.Cut(first, begin)
	_, second, _ = strings.Cut(second, "paths:\n")
	morePaths, moreComponents, _ := strings.Cut(second, begin)
	return paths + "\n" + morePaths + begin + strings.Join(
		sections(components+moreComponents), "")
}

// sections are the parts of components that have a name, in the order in which the names come
// first; parts of the same name become one.
func sections(components string) []string {
	var lines [][]string
	place, at := map[string]int{}, 0
	for line := range strings.Lines(components) {
		name := strings.TrimPrefix(line, "  ")
		if name == line || name[0] == ' ' {
			lines[at] = append(lines[at], line)
			continue
		}
		known := false
		if at, known = place[name]; !known {
			at = len(lines)
			place[name], lines = at, append(lines, []string{line})
		}
	}
	list := make([]string, len(lines))
	for i := range lines {
		list[i] = strings.Join(lines[i], "")
	}
	return list
}
