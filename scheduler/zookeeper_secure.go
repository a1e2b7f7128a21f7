package scheduler

import "github.com/kafka-sched/kafka-sched/servicespec"

// How the servers of an ensemble and its brokers talk over TLS and authenticate by SASL, in which
// the scheduler has no part: it asks servers for their roles, which they tell everybody.

// secureLines are the lines of zoo.cfg of servers that answer over TLS, or have clients
// authenticate. The scheduler has no certificate, so none is demanded of clients; of one another
// servers demand one.
func secureLines(z servicespec.ZooKeeper) map[string]string {
	lines := map[string]string{}
	if z.TLS != nil {
		lines["serverCnxnFactory"] = "org.apache.zookeeper.server.NettyServerCnxnFactory"
		lines["sslQuorum"] = "true"
		lines["ssl.clientAuth"] = "none"
		for _, side := range []string{"ssl.", "ssl.quorum."} {
			lines[side+"keyStore.location"] = servicespec.ZooKeeperCertificate
			lines[side+"keyStore.type"] = "PEM"
			lines[side+"trustStore.location"] = servicespec.ZooKeeperAuthority
			lines[side+"trustStore.type"] = "PEM"
		}
	}
	if z.JAAS != "" {
		lines["authProvider.sasl"] = "org.apache.zookeeper.server.auth.SASLAuthenticationProvider"
		lines["sessionRequireClientSASLAuth"] = "true"
	}
	return lines
}

// secureProperties are those of brokers whose ensemble answers over TLS.
func secureProperties(z servicespec.ZooKeeper) map[string]string {
	if z.TLS == nil {
		return nil
	}
	return map[string]string{
		"zookeeper.ssl.client.enable":       "true",
		"zookeeper.clientCnxnSocket":        "org.apache.zookeeper.ClientCnxnSocketNetty",
		"zookeeper.ssl.truststore.location": servicespec.ZooKeeperAuthority,
		"zookeeper.ssl.truststore.type":     "PEM",
	}
}

// loginFlags are those of the JVM of a server or a broker that authenticates, before the
// operator's.
func loginFlags(z servicespec.ZooKeeper, own []string) []string {
	if z.JAAS == "" {
		return own
	}
	return append([]string{"-Djava.security.auth.login.config=" + servicespec.ZooKeeperJAAS},
		own...)
}

// ensembleSpec is the section of the ensemble of the service that brokers use, empty if they use
// none.
func (m *Machine) ensembleSpec(k servicespec.Kafka) servicespec.ZooKeeper {
	m.derive()
	if spec := m.index.pods[k.Ensemble()]; spec != nil && spec.ZooKeeper != nil {
		return *spec.ZooKeeper
	}
	return servicespec.ZooKeeper{}
}
