// Package servicespec is the service as the operator declares it: pods, tasks and plans.
//
// A spec starts as a YAML file with mustache templates. Render fills the templates from
// options and environment, Parse reads the YAML strictly (every mistake with its line and
// column, all of them at once), fills in defaults and validates. What comes out is a Service:
// plain values in which nothing is left to be defaulted, so that two Services can be compared
// and one can be hashed. The language is that of the DC/OS Commons SDK with additions, which
// docs/authoring.md lists.
//
// The package does no IO: template files and environments are passed in as values.
//
// Invariants
//
//  1. A Service that Parse returned without errors satisfies every rule that does not need a
//     cluster; nothing behind it checks again.
//  2. Order in the file is kept, and carries meaning only for plans.
//
// Tested by good and bad specs in testdata with their exact messages, and fuzzed.
package servicespec
