package localmesos

import (
	"fmt"
	"testing"
)

func TestOfferConstraints(t *testing.T) {
	a := &agentNode{cfg: Agent{Hostname: "h1", Region: "eu", Zone: "eu-1",
		TypedAttributes: "rack:r1;os:linux;size:10"}}
	for _, test := range []struct {
		selector, predicate string
		want                bool
	}{
		{`"attribute_name":"rack"`, `"text_equals":{"value":"r1"}`, true},
		{`"attribute_name":"rack"`, `"text_equals":{"value":"r2"}`, false},
		{`"attribute_name":"none"`, `"text_equals":{"value":"r1"}`, false},
		{`"attribute_name":"rack"`, `"text_not_equals":{"value":"r1"}`, false},
		{`"attribute_name":"none"`, `"text_not_equals":{"value":"r1"}`, true},
		{`"attribute_name":"rack"`, `"text_matches":{"regex":"r[0-9]"}`, true},
		{`"attribute_name":"os"`, `"text_matches":{"regex":"lin"}`, false},
		{`"attribute_name":"os"`, `"text_not_matches":{"regex":"win.*"}`, true},
		{`"attribute_name":"size"`, `"text_equals":{"value":"r1"}`, true},
		{`"attribute_name":"size"`, `"exists":{}`, true},
		{`"attribute_name":"none"`, `"exists":{}`, false},
		{`"attribute_name":"none"`, `"not_exists":{}`, true},
		{`"pseudoattribute_type":"HOSTNAME"`, `"text_equals":{"value":"h1"}`, true},
		{`"pseudoattribute_type":"ZONE"`, `"text_equals":{"value":"eu-2"}`, false},
		{`"pseudoattribute_type":"REGION"`, `"text_equals":{"value":"eu"}`, true},
	} {
		o, err := offerConstraintsOf([]byte(constraintCall(test.selector, test.predicate)))
		if err != nil {
			t.Fatal(err)
		}
		if got := o.admit("kafka", a); got != test.want {
			t.Errorf("%s %s: %v", test.selector, test.predicate, got)
		}
		if !o.admit("other", a) {
			t.Errorf("%s %s is for another role, too", test.selector, test.predicate)
		}
	}
}

func constraintCall(selector, predicate string) string {
	return fmt.Sprintf(`{"type":"SUBSCRIBE","subscribe":{"offer_constraints":{"role_constraints":`+
		`{"kafka":{"groups":[{"attribute_constraints":[{"selector":{%s},"predicate":{%s}}]}]}}}}}`,
		selector, predicate)
}

func TestOfferConstraintsRefused(t *testing.T) {
	const head = "Offer constraints are not valid: A role kafka has an invalid " +
		"'AttributeConstraint': "
	for _, test := range []struct{ selector, predicate, want string }{
		{`"attribute_name":"rack"`, `"text_matches":{"regex":"("}`,
			"Failed to construct regex from pattern '(': missing ): ("},
		{`"attribute_name":"rack"`, ``, "Unknown predicate type"},
		{``, `"exists":{}`, "Exactly one of 'AttributeConstraint::Selector::name' and " +
			"'AttributeConstraint::Selector::pseudoattribute_type' must be set"},
	} {
		_, err := offerConstraintsOf([]byte(constraintCall(test.selector, test.predicate)))
		if err == nil || err.Error() != head+test.want {
			t.Errorf("%s %s: %v", test.selector, test.predicate, err)
		}
	}
	if o, err := offerConstraintsOf([]byte(`{"type":"REVIVE"}`)); o != nil || err != nil {
		t.Errorf("a call without constraints has %v, %v", o, err)
	}
}
