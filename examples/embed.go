package examples

import "embed"

// Files holds all example specs, by file name.
//
//go:embed *.yml
var Files embed.FS

// Kafka is the default service, kafka.yml: a mustache template with the variables of
// servicespec.Options.Environment and FRAMEWORK_USER.
//
//go:embed kafka.yml
var Kafka []byte
