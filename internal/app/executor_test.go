package app

import (
	"os"
	"path/filepath"
	"testing"
)

// TestOwnJava says that a Java which was fetched into the sandbox comes before the agent's.
func TestOwnJava(t *testing.T) {
	t.Setenv("JAVA_HOME", "/the/agents")
	sandbox := t.TempDir()
	if err := ownJava(sandbox); err != nil || os.Getenv("JAVA_HOME") != "/the/agents" {
		t.Errorf("%s, %v", os.Getenv("JAVA_HOME"), err)
	}
	java := filepath.Join(sandbox, "jre", "bin", "java")
	if err := os.MkdirAll(filepath.Dir(java), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(java, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ownJava(sandbox); err != nil ||
		os.Getenv("JAVA_HOME") != filepath.Join(sandbox, "jre") {
		t.Errorf("%s, %v", os.Getenv("JAVA_HOME"), err)
	}
}
