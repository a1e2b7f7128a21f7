package cli

import (
	"debug/buildinfo"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// ourModule is what a binary of this program says that it was built of.
const ourModule = "github.com/kafka-sched/kafka-sched"

// executorsOf finds out for which platforms the files that --executor names were built. Each is a
// file, or "linux/arm64=FILE" to be sure.
func executorsOf(files []string) (map[string]string, error) {
	var found map[string]string
	for _, said := range files {
		platform, file, named := strings.Cut(said, "=")
		if !named {
			platform, file = "", said
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fail(exitUsage, "--executor %s: %w", said, err)
		}
		built, err := platformOf(path)
		switch {
		case err != nil:
			return nil, fail(exitUsage, "--executor %s: %w", said, err)
		case named && built != platform:
			return nil, fail(exitUsage, "--executor %s: it is built for %s", said, built)
		case built == runtime.GOOS+"/"+runtime.GOARCH:
			return nil, fail(exitUsage, "--executor %s: it is built for %s, for which this "+
				"program itself is used", said, built)
		case found[built] != "":
			return nil, fail(exitUsage, "--executor %s: there is one for %s already, %s", said,
				built, found[built])
		}
		if found == nil {
			found = map[string]string{}
		}
		found[built] = path
	}
	return found, nil
}

// platformOf is what a file of this program was built for: "linux/arm64".
func platformOf(path string) (string, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("it is no program that can be used: %w", plain(err))
	}
	if info.Main.Path != ourModule {
		return "", fmt.Errorf("it is no kafka-sched but %s", info.Main.Path)
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	return settings["GOOS"] + "/" + settings["GOARCH"], nil
}

// executorsText prints what --executor said.
func executorsText(files map[string]string) string {
	var parts []string
	for _, platform := range slices.Sorted(maps.Keys(files)) {
		parts = append(parts, platform+"="+files[platform])
	}
	return strings.Join(parts, " ")
}
