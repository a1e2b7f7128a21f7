package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"regexp"
	"strings"

	"github.com/kafka-sched/kafka-sched/api"
)

// parameter is one that a plan is started with, nil for JSON's null.
type parameter struct {
	name  string
	value *string
}

// startParameters reads the body of a start, a JSON object. As with the predecessor it must be
// there: without one the answer is 500, and 415 if it does not say that it is JSON.
func startParameters(w http.ResponseWriter, r *http.Request) ([]parameter, bool) {
	body, ok := readAll(w, r)
	if !ok {
		return nil, false
	}
	said := r.Header.Get("Content-Type")
	if (said != "" || len(body) > 0) && !isJSON(said) {
		page(w, r, http.StatusUnsupportedMediaType)
		return nil, false
	}
	if plain := bytes.TrimSpace(body); len(plain) == 0 || string(plain) == "null" {
		pageWith(w, r, http.StatusInternalServerError, "Request failed.")
		return nil, false
	}
	list, err := decodeParameters(body)
	if err == nil {
		err = checkNames(list)
	}
	if err != nil {
		fail(w, r, http.StatusBadRequest, api.CodeInvalidRequest,
			"Couldn't parse parameters: "+err.Error())
		return nil, false
	}
	return list, true
}

func isJSON(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == api.JSONType
}

// decodeParameters reads exactly one JSON object in its order. Numbers and booleans are taken
// for the text that they are written as; of two of one name the last counts.
func decodeParameters(body []byte) ([]parameter, error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if open, err := decoder.Token(); err != nil {
		return nil, noJSON(err)
	} else if open != json.Delim('{') {
		return nil, errors.New("a JSON object of names and values is needed")
	}
	list, at := []parameter{}, map[string]int{}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, noJSON(err)
		}
		value, err := decoder.Token()
		if err != nil {
			return nil, noJSON(err)
		}
		p := parameter{name: name.(string)}
		switch value := value.(type) {
		case json.Delim:
			return nil, fmt.Errorf("the value of %s is neither a text, a number nor a boolean",
				p.name)
		case nil:
		default:
			text := fmt.Sprint(value)
			p.value = &text
		}
		if i, twice := at[p.name]; twice {
			list[i] = p
			continue
		}
		at[p.name] = len(list)
		list = append(list, p)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, noJSON(err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("there is more after the JSON object")
	}
	return list, nil
}

func noJSON(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errors.New("the JSON ends too early")
	}
	return fmt.Errorf("this is no JSON: %w", err)
}

// envName is what the predecessor takes as the name of a plan's parameter.
var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func checkNames(list []parameter) error {
	for _, p := range list {
		if !envName.MatchString(p.name) {
			return errors.New(p.name + " is not a valid environment variable name")
		}
		if p.value != nil && strings.ContainsRune(*p.value, 0) {
			return errors.New("the value of " + p.name + " has a zero byte")
		}
	}
	return nil
}

// values is what the machine gets; a null is no value, and sets nothing.
func values(list []parameter) map[string]string {
	var set map[string]string
	for _, p := range list {
		if p.value == nil {
			continue
		}
		if set == nil {
			set = map[string]string{}
		}
		set[p.name] = *p.value
	}
	return set
}

// printed is the predecessor's echo: "{A=1, B=null}".
func printed(list []parameter) string {
	var texts []string
	for _, p := range list {
		value := "null"
		if p.value != nil {
			value = *p.value
		}
		texts = append(texts, p.name+"="+value)
	}
	return "{" + strings.Join(texts, ", ") + "}"
}
