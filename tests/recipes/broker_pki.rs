//! A root, a signing CA below it, a broker, two clients and two lists, made by openssl as the broker's own test data
//! is.

use crate::files::Files;

/// The parts of a message about the revoked client.
pub(crate) const REVOKED: [&str; 3] = ["test client revoked", "serial 06", "2025-11-15T10:30:00Z"];

/// The lists: one with the revoked client, one with nothing.
const LISTS: &str = "[ca]
default_ca = signing
[signing]
database = index.txt
certificate = signing.crt
private_key = signing.key
default_md = sha256
default_crl_days = 30
";

const CA: &str = "-addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign";

/// A folder of a test's own with the files.
pub(crate) fn files(test: &str) -> Files {
    let files = Files::new(test);
    let run = |line: &str| files.run(line, &[]);
    files.write("ca.cnf", LISTS);
    files.write("leaf.cnf", "basicConstraints = critical, CA:FALSE\n");
    files.write("signing.cnf", "basicConstraints = critical, CA:TRUE\nkeyUsage = keyCertSign, cRLSign\n");
    run(&format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.crt -days 30 \
        -subj '/O=Recipe/CN=Root CA' {CA}"
    ));
    let issue = |name: &str, subject: &str, serial: u8, ca: &str, extensions: &str| {
        run(&format!("openssl req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj '{subject}'"));
        run(&format!(
            "openssl x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.key -set_serial {serial} -days 20 \
             -extfile {extensions}.cnf -out {name}.crt"
        ));
    };
    issue("signing", "/O=Recipe/CN=Signing CA", 1, "root", "signing");
    // The broker has its name in the subject alone.
    issue("server", "/O=Recipe/CN=localhost", 2, "signing", "leaf");
    issue("client", "/O=Recipe/CN=test client", 5, "signing", "leaf");
    issue("client-revoked", "/O=Recipe/CN=test client revoked", 6, "signing", "leaf");
    run("cat root.crt signing.crt > all-ca.crt");
    files.write("index.txt", "");
    run("openssl ca -config ca.cnf -gencrl -out crl-empty.pem");
    files.write("index.txt", "R\t360101000000Z\t251115103000Z\t06\tunknown\t/CN=test client revoked\n");
    run("openssl ca -config ca.cnf -gencrl -out crl.pem");
    files
}
