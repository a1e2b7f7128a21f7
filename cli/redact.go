package cli

import (
	"bytes"
	"encoding/json"
	"regexp"
)

// redacted stands where a secret was.
const redacted = "<redacted>"

// secretWords are parts of the names of settings that hold secrets.
const secretWords = `passw(?:or)?d|passphrase|secret|token|credential|jaas|private[-_.]?key|` +
	`api[-_.]?key|access[-_.]?key|authorization`

var (
	// secretName is a name of a setting that holds a secret.
	secretName = regexp.MustCompile(`(?i)(?:` + secretWords + `)`)
	// secretSetting is such a name with its value: name=value, name: value, "name": "value".
	secretSetting = regexp.MustCompile(`(?i)([\w.-]*(?:` + secretWords + `)[\w.-]*["']?` +
		`[ \t]*[=:][ \t]*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"',;{}][^\n]*)`)
	// secretURL is the part of a URL before the host.
	secretURL = regexp.MustCompile(`(\w+://)[^/\s:@]*:[^/\s@]+@`)
	// secretBlock is a key in PEM form.
	secretBlock = regexp.MustCompile(
		`(?s)(-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(-----END [A-Z ]*PRIVATE KEY-----)`)
)

// redactText leaves the secrets of a text out, as far as the names of settings tell.
func redactText(text string) string {
	text = secretBlock.ReplaceAllString(text, "$1 "+redacted+" $2")
	text = secretURL.ReplaceAllString(text, "$1"+redacted+"@")
	return secretSetting.ReplaceAllString(text, "${1}"+redacted)
}

// redactJSON gives a document as JSON without its secrets: neither the values of keys with such
// names, nor those of objects that have a "name" or "key" and a "value".
func redactJSON(document any) ([]byte, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	err = enc.Encode(redactValue(value))
	return out.Bytes(), err
}

func redactValue(value any) any {
	switch v := value.(type) {
	case string:
		return redactText(v)
	case []any:
		for i := range v {
			v[i] = redactValue(v[i])
		}
	case map[string]any:
		for name, below := range v {
			if secretName.MatchString(name) && isLeaf(below) {
				v[name] = redacted
				continue
			}
			v[name] = redactValue(below)
		}
		if v["value"] != nil && (isSecretName(v["name"]) || isSecretName(v["key"])) {
			v["value"] = redacted
		}
	}
	return value
}

// isLeaf says whether a value may be a secret: objects and lists are looked into instead.
func isLeaf(value any) bool {
	switch value.(type) {
	case string, json.Number:
		return true
	}
	return false
}

func isSecretName(name any) bool {
	text, ok := name.(string)
	return ok && secretName.MatchString(text)
}
