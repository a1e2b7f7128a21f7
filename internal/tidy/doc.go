// Package tidy reads the source of the whole module and checks the rules of the house. It has no
// code but tests: what is written here is this essay, and what is checked is in rules_test.go, one
// line a rule.
//
// A rule is a function from a tree of files to findings. Rules look at syntax; only the rule on
// iterating maps needs types, which it takes from the compiler's own export data. TestModule
// applies all rules to this module. TestPlanted applies each of them to a small module in
// testdata/planted that breaks it in all the ways that it knows, and compares the findings with
// those that the file lists: a rule that finds nothing any more is found itself.
//
// The limits are there to keep code readable. Whoever meets one should look for the better shape,
// and not for the trick that gets below the number.
//
// The tree is what git knows or would add; without git it is all that is not hidden and not a
// product of the build. Set TIDY_ROOT to look at another module.
//
// What the package is not: a style checker. Formatting is gofmt's, correctness is vet's and the
// linters', and what cannot be said without exceptions is for people to say.
package tidy
