package cli

import (
	"net/url"
	"time"

	"github.com/spf13/pflag"
)

// watch is who is told of what plans do, and when one counts as stalled: flags of install,
// which cluster.json keeps, and of the scheduler, which override that.
type watch struct {
	Webhook    string `json:"webhook,omitempty"`
	SecretFile string `json:"webhook_secret_file,omitempty"`
	// StalledAfter 0 is the scheduler's default.
	StalledAfter time.Duration `json:"stalled_after,omitempty"`
}

func (w *watch) flags(f *pflag.FlagSet) {
	f.StringVar(&w.Webhook, "webhook", "", "URL that is told when plans start, end and halt")
	f.StringVar(&w.SecretFile, "webhook-secret-file", "",
		"file with the secret that signs what is sent to --webhook")
	f.Var((*patience)(&w.StalledAfter), "stalled-after",
		"time without progress after which a plan counts as stalled (default 15m)")
}

// check says what makes no sense, and makes the file's path one that holds everywhere.
func (w *watch) check() error {
	if (w.Webhook == "") != (w.SecretFile == "") {
		return fail(exitUsage, "--webhook and --webhook-secret-file need each other")
	}
	if w.Webhook == "" {
		return nil
	}
	if at, err := url.Parse(w.Webhook); err != nil || at.Host == "" ||
		at.Scheme != "http" && at.Scheme != "https" {
		return fail(exitUsage, "--webhook %s: it must be a URL of http:// or https://", w.Webhook)
	}
	return fileFlag{"--webhook-secret-file", &w.SecretFile}.check()
}

// over gives what is said here, and what was said before for the rest.
func (w watch) over(before watch) watch {
	if w.Webhook != "" {
		before.Webhook, before.SecretFile = w.Webhook, w.SecretFile
	}
	if w.StalledAfter > 0 {
		before.StalledAfter = w.StalledAfter
	}
	return before
}
