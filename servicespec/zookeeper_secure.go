package servicespec

import "fmt"

// How the servers of an ensemble keep from others what is said to them, and know who says it. What
// they need for it are secrets, which the scheduler never sees (see the package scheduler); those
// that name them in zookeeper are given to the brokers of the ensemble as well.

// ZooKeeperTLS names the secrets of servers that answer over TLS alone, clients and each other. All
// are in PEM form.
type ZooKeeperTLS struct {
	// Certificate is the path of the secret with the servers' private key and certificates.
	Certificate string `json:"certificate"`
	// Authority is the path of the secret with the certificates of whoever signed these.
	Authority string `json:"authority"`
}

// The files of the sandbox that secrets of an ensemble are in.
const (
	ZooKeeperCertificate = "zookeeper-secrets/server.pem"
	ZooKeeperAuthority   = "zookeeper-secrets/authority.pem"
	ZooKeeperJAAS        = "zookeeper-secrets/jaas.conf"
)

var zooKeeperTLSLanguage = languageOf(podPath + ".zookeeper.tls")

// secure reads which secrets an ensemble has.
func (p *parser) secure(f fields, z *ZooKeeper) {
	z.JAAS, _ = f.filled("jaas")
	v, ok := f.get("tls")
	if !ok {
		return
	}
	t, ok := p.fieldsOf(v, join(f.path, "tls"), zooKeeperTLSLanguage)
	if !ok {
		return
	}
	z.TLS = &ZooKeeperTLS{}
	z.TLS.Certificate, _ = t.required("certificate")
	z.TLS.Authority, _ = t.required("authority")
}

// serverSecrets are those of the servers.
func (z ZooKeeper) serverSecrets() []Secret {
	list := z.brokerSecrets()
	if z.TLS != nil {
		list = append(list, Secret{Name: "zookeeper-certificate", Secret: z.TLS.Certificate,
			File: ZooKeeperCertificate})
	}
	return list
}

// brokerSecrets are those of the brokers that use the ensemble.
func (z ZooKeeper) brokerSecrets() []Secret {
	var list []Secret
	if z.TLS != nil {
		list = append(list, Secret{Name: "zookeeper-authority", Secret: z.TLS.Authority,
			File: ZooKeeperAuthority})
	}
	if z.JAAS != "" {
		list = append(list, Secret{Name: "zookeeper-jaas", Secret: z.JAAS, File: ZooKeeperJAAS})
	}
	return list
}

// shareSecrets gives the pods of servers, and of their brokers, the secrets of the ensemble.
func (p *parser) shareSecrets(root fields, pods []Pod) {
	ensembles := map[string]*ZooKeeper{}
	for _, pod := range pods {
		ensembles[pod.Type] = pod.ZooKeeper
	}
	for i := range pods {
		pod := &pods[i]
		switch {
		case pod.ZooKeeper != nil:
			p.give(root, pod, pod.ZooKeeper.serverSecrets())
		case pod.Kafka != nil && ensembles[pod.Kafka.Ensemble()] != nil:
			p.give(root, pod, ensembles[pod.Kafka.Ensemble()].brokerSecrets())
		}
	}
}

// give adds secrets to those that a pod names itself.
func (p *parser) give(root fields, pod *Pod, secrets []Secret) {
	for _, s := range secrets {
		for _, own := range pod.Secrets {
			if own.Name == s.Name || own.File == s.File {
				p.addAt(root, []string{"pods", pod.Type, "secrets", own.Name}, Duplicate,
					fmt.Sprintf("the name %s and the file %s are those of a secret of the "+
						"ensemble", s.Name, s.File), "give the pod's own another one")
			}
		}
		pod.Secrets = append(pod.Secrets, s)
	}
}

// addAt reports a mistake at a path, or as near to it as the file goes.
func (p *parser) addAt(root fields, path []string, code Code, message, hint string) {
	at, whole := root.value, ""
	for _, key := range path {
		if inner, ok := at.get(key); ok {
			at = inner
		}
		whole = join(whole, key)
	}
	p.add(Error{Line: at.line, Column: at.column, Path: whole, Code: code, Message: message,
		Hint: hint})
}

// guardsOtherwise reports whether a path below the section is of what one form of it has and
// another one has not, so that servers and brokers of the two could not talk to each other.
func (z ZooKeeper) guardsOtherwise(o ZooKeeper, path []string) bool {
	switch {
	case len(path) == 0:
		return false
	case path[0] == "tls":
		return (z.TLS == nil) != (o.TLS == nil)
	case path[0] == "jaas":
		return (z.JAAS == "") != (o.JAAS == "")
	}
	return false
}
