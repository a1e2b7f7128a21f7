package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestWatchFlags(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		watch
		says string
	}{
		{watch{}, ""}, {watch{StalledAfter: time.Minute}, ""},
		{watch{Webhook: "https://hooks.test/x", SecretFile: secret}, ""},
		{watch{Webhook: "https://hooks.test/x"}, "need each other"},
		{watch{SecretFile: secret}, "need each other"},
		{watch{Webhook: "hooks.test", SecretFile: secret}, "http:// or https://"},
		{watch{Webhook: "ftp://hooks.test", SecretFile: secret}, "http:// or https://"},
		{watch{Webhook: "http://hooks.test", SecretFile: secret + "s"}, "no such file"},
	} {
		err := c.check()
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%+v: %v, want %q", c.watch, err, c.says)
		}
		if err == nil && c.SecretFile != "" && !filepath.IsAbs(c.SecretFile) {
			t.Errorf("the file %s is not found from elsewhere", c.SecretFile)
		}
	}
}

// What install was told is kept for every later scheduler, whose own flags come first.
func TestWatchIsKept(t *testing.T) {
	kept := cluster{Name: "kafka", Watch: watch{"http://a.test", "/s", time.Hour}}
	text, err := json.Marshal(kept)
	if err != nil {
		t.Fatal(err)
	}
	var read cluster
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	read.Watch = watch{Webhook: "http://b.test", SecretFile: "/t"}.over(read.Watch)
	o, err := schedulerOptions(folder{name: "kafka", dir: t.TempDir()}, read)
	if err != nil || o.Webhook != "http://b.test" || o.WebhookSecretFile != "/t" ||
		o.StalledAfter != time.Hour {
		t.Errorf("%+v, %v", o, err)
	}
	if w := (watch{}).over(kept.Watch); w != kept.Watch {
		t.Errorf("%+v", w)
	}
	if text, _ := json.Marshal(cluster{}); strings.Contains(string(text), "watch") {
		t.Errorf("nothing is kept as %s", text)
	}
}
