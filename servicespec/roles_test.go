package servicespec

import (
	"slices"
	"testing"
)

func TestRoles(t *testing.T) {
	s := Service{Role: "kafka-role", Pods: []Pod{
		{Type: "a"}, {Type: "b", PreReservedRole: "public"}, {Type: "c", PreReservedRole: "*"},
		{Type: "d", PreReservedRole: "public"},
	}}
	if roles := s.Roles(); !slices.Equal(roles, []string{"kafka-role", "public/kafka-role"}) {
		t.Errorf("%q", roles)
	}
	if s.WantsGPUs() {
		t.Error("nobody wants GPUs")
	}
	s.Pods[2].Tasks = []Task{{}, {Resources: ResourceSet{GPUs: 1}}}
	if !s.WantsGPUs() {
		t.Error("one task wants GPUs")
	}
}
