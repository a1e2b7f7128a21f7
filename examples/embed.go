package examples

import (
	"embed"
	"fmt"
	"strings"
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
	entries, err := Files.ReadDir(".")
	if err != nil {
		panic(fmt.Sprintf("the embedded folder cannot be read: %v", err))
	}
	templates := map[string]string{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".mustache") {
			continue
		}
		text, err := Files.ReadFile(e.Name())
		if err != nil {
			panic(fmt.Sprintf("an embedded file cannot be read: %v", err))
		}
		templates[e.Name()] = string(text)
	}
	return templates
}
