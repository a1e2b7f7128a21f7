package examples

import (
	"embed"
	"fmt"
	"io/fs"
)

// Files holds all example specs and the templates of their config files, by file name.
//
//go:embed *.yml *.mustache
var Files embed.FS

// Kafka is the default service, kafka.yml: a mustache template with the variables of
// servicespec.Options.Environment and FRAMEWORK_USER.
//
//go:embed kafka.yml
var Kafka []byte

// Templates gives the templates of config files by the path that specs name them with, as
// servicespec.Load wants them.
func Templates() map[string]string {
	names, err := fs.Glob(Files, "*.mustache")
	if err != nil {
		panic(fmt.Sprintf("a pattern that is none: %v", err))
	}
	templates := map[string]string{}
	for _, name := range names {
		text, err := Files.ReadFile(name)
		if err != nil {
			panic(fmt.Sprintf("an embedded file that is not there: %v", err))
		}
		templates[name] = string(text)
	}
	return templates
}
