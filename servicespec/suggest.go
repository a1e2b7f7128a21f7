package servicespec

// Nearest gives the known name that is most like the given one, "" when none is like it.
func Nearest(name string, known []string) string { return nearest(name, known) }
