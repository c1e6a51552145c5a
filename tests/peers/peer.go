// Go's crypto/tls as a peer of tests/peers/run.sh: one connection, and the words of its failure as one line.
//
//	peer connect|serve PORT VERSION CERTIFICATE TRUST SUITE ALPN
//
// CERTIFICATE is the common part of NAME.pem and NAME.key; `-` stands for none. A server prints its port first.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"
)

const patience = 20 * time.Second

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func config(version, certificate, trust, suite, alpn string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(trust)))
	config := &tls.Config{RootCAs: pool, ServerName: "localhost"}
	config.ClientCAs, config.ClientAuth = pool, tls.RequireAndVerifyClientCert
	switch version {
	case "TLSv1.2":
		config.MinVersion, config.MaxVersion = tls.VersionTLS12, tls.VersionTLS12
	case "TLSv1.3":
		config.MinVersion, config.MaxVersion = tls.VersionTLS13, tls.VersionTLS13
	}
	if certificate != "-" {
		config.Certificates = []tls.Certificate{must(tls.LoadX509KeyPair(certificate+".pem", certificate+".key"))}
	}
	if suite != "-" {
		config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
	}
	if alpn != "-" {
		config.NextProtos = []string{alpn}
	}
	return config
}

// The first failure of the handshake or of the read after it.
func talk(connection *tls.Conn) error {
	if err := connection.Handshake(); err != nil {
		return err
	}
	_, err := connection.Read(make([]byte, 100))
	return err
}

func main() {
	role, port := os.Args[1], os.Args[2]
	config := config(os.Args[3], os.Args[4], os.Args[5], os.Args[6], os.Args[7])
	var raw net.Conn
	if role == "serve" {
		listener := must(net.Listen("tcp", "127.0.0.1:0"))
		fmt.Println(listener.Addr().(*net.TCPAddr).Port)
		raw = must(listener.Accept())
	} else {
		raw = must(net.Dial("tcp", "127.0.0.1:"+port))
	}
	raw.SetDeadline(time.Now().Add(patience))
	if role == "serve" {
		fmt.Println(talk(tls.Server(raw, config)))
	} else {
		fmt.Println(talk(tls.Client(raw, config)))
	}
	raw.Close()
}
