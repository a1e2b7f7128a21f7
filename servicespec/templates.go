package servicespec

import "gopkg.in/yaml.v3"

// TemplatePaths names the config templates that a rendered spec uses, as it writes their paths:
// what Parse wants the text of. A text that is no YAML has none; Parse says what is wrong.
func TemplatePaths(text []byte) []string {
	var root yaml.Node
	if len(text) > maxFileBytes || yaml.Unmarshal(text, &root) != nil {
		return nil
	}
	return templatePaths(&root, nil)
}

// templatePaths collects the values of all keys "template"; aliases are not followed, since
// what they stand for is found where it is written.
func templatePaths(n *yaml.Node, paths []string) []string {
	for i, child := range n.Content {
		isKey := n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "template"
		if isKey && child.Kind == yaml.ScalarNode {
			paths = append(paths, child.Value)
		}
		paths = templatePaths(child, paths)
	}
	return paths
}
