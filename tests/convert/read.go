// Prints the entries of the stores that standard input names, by go-pkcs12. It shows no aliases.
package main

import (
	"bufio"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"os"
	"sort"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

func shown(certificates ...*x509.Certificate) string {
	var all []string
	for _, certificate := range certificates {
		digest := sha256.Sum256(certificate.Raw)
		all = append(all, fmt.Sprintf("%x", digest[:8]))
	}
	return strings.Join(all, ",")
}

func read(file, password string) []string {
	content, err := os.ReadFile(file)
	if err != nil {
		panic(err)
	}
	if key, certificate, issuers, err := pkcs12.DecodeChain(content, password); err == nil {
		public := key.(crypto.Signer).Public().(interface{ Equal(crypto.PublicKey) bool })
		kind := "key"
		if !public.Equal(certificate.PublicKey) {
			kind = "wrong-key"
		}
		return []string{kind + " - " + shown(append([]*x509.Certificate{certificate}, issuers...)...)}
	}
	certificates, err := pkcs12.DecodeTrustStore(content, password)
	if err != nil {
		return []string{"refused"}
	}
	var lines []string
	for _, certificate := range certificates {
		lines = append(lines, "trusted - "+shown(certificate))
	}
	sort.Strings(lines)
	return lines
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		parts := strings.Split(lines.Text(), "\t")
		for _, line := range read(parts[0], parts[2]) {
			fmt.Println(parts[0] + ": " + line)
		}
	}
}
