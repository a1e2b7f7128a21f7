// Package servicespec is the service as the operator declares it: pods, tasks and plans.
//
// A spec starts as a YAML file with mustache templates. Render fills the templates from
// options and environment, Parse reads the YAML strictly (every mistake with its line and
// column, all of them at once), fills in defaults and validates. What comes out is a Service:
// plain values in which nothing is left to be defaulted, so that two Services can be compared
// and one can be hashed. The language is that of the DC/OS Commons SDK with additions, which
// docs/authoring.md lists.
//
// Load does both and reports mistakes at their lines in the template.
//
// An operator who writes no spec says Options instead: dotted names with the defaults and
// bounds of KnownOptions, which become the variables of a template. Encode and DecodeService
// turn a Service into canonical JSON and back, for the store and for the API, and Diff lists
// what differs between two, with what each difference does to what runs. WithTaskConfig puts in
// the variables that the predecessor takes from its environment, and PredecessorJSON prints a
// Service as the predecessor's API does.
//
// # Spec and Service
//
// The language is larger than what the scheduler of this release acts on. Parse and Load read
// for the scheduler: they give a Service, and refuse all else at its place. ParseSpec, LoadSpec
// and LoadLenient read the whole language into a Spec, which is a Service and what goes beyond
// it; Spec.Beyond says in sentences what that is. Once the scheduler acts on something, it moves
// from the Spec into the Service, and with it into the store. So what would be ignored cannot
// get there.
//
// Keys lists the whole language. The parser takes its keys from the same table.
//
// # How Parse is built
//
// document.go makes a tree of plain values out of YAML, within bounds of size, depth and
// expansion: aliases and merge keys are gone after it, and hostile files too; syntax.go says
// where a file stops being YAML. fields.go reads typed values out of mappings and reports what
// does not fit, with its place. The parse_*.go files, one a part of the language, say which keys
// there are and what must hold between them. A key that is not known is refused by name, never
// ignored.
//
// The package does no IO: template files and environments are passed in as values.
//
// Invariants
//
//  1. A Service that Parse returned without errors satisfies every rule that does not need a
//     cluster; nothing behind it checks again. What parses with the predecessor and is in error
//     for ever there, parses here too, and Conflicts says what it is.
//  2. Order in the file is kept, and carries meaning only for plans.
//  3. DecodeService(s.Encode()) is s, and equal services have equal bytes.
//  4. What Parse takes, ParseSpec takes to the same Service, with nothing beyond it.
//  5. A change restarts a pod's tasks if, and only if, it changes LaunchHash; but for what
//     Kafka took while it runs (LiveLaunchHash).
//
// Tested by good and bad specs in testdata with their exact messages, by two specs of the
// predecessor with what its scheduler answered for them, by properties, and fuzzed: every input
// must end soon, and never have more than 64 MB in use.
package servicespec
