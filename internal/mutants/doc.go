// Package mutants plants bugs: it holds a list of small mutations of the scheduler and of what
// guards it, and sees to it that the tests find each.
//
// A mutation is a text of a file that stands there once, another in its place, and what that
// breaks. The ordinary test only looks that each of the texts is still there, so that the list
// cannot rot. `make mutants` applies one at a time with an overlay of the go command, which leaves
// the tree alone, and runs the tests of the package itself, then stories of the scheduler, then
// simulated worlds from fixed seeds, until one of them fails. It prints, last,
// `planted=N caught=N`, and writes the table in docs/reliability.md; with ONLY=text it plants those
// alone whose file or description has the text, and writes their rows.
package mutants
