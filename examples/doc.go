// Package examples holds specs to copy, and the one that install uses when none is named.
//
// Each file is a complete service with comments for those who read the language for the first
// time; docs/authoring.md explains it in full. The package embeds the files, and the templates of
// config files beside them, and does nothing with them.
//
// Invariant: every file parses without errors, kafka.yml with the variables of default options,
// and says in its first lines what it shows, and whether the scheduler does not run it yet.
//
// Tested by parsing every file and by looking at what came out.
package examples
