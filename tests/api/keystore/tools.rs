//! Runs openssl and keytool in a folder of this test process, each set of files made once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use rustls::SignatureScheme;
use rustls::pki_types::CertificateDer;

/// keytool, as fast as it starts and runs for a moment.
pub(super) const KEYTOOL: &str = "keytool -J-XX:TieredStopAtLevel=1 -J-XX:+UseSerialGC";

/// The folder of one set of files, empty at first.
pub(super) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Runs a script of shell commands in the folder and fails with its output if any of them fails.
pub(super) fn run(folder: &Path, script: &str) {
    let script = format!("set -euo pipefail\n{script}");
    let output =
        Command::new("bash").args(["-c", &script]).current_dir(folder).env("LC_ALL", "C.UTF-8").output().unwrap();
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
}

/// A CA `root`, an intermediate `mid` under it, and below that one certificate for each kind of key, all with the keys
/// as PKCS#8; `rsa-chain.crt` is end entity, intermediate, root. `self.crt` is a self-signed certificate of version 1.
const PKI: &str = "
key() { openssl genpkey -quiet -out $1.key -algorithm $2 ${3:+-pkeyopt $3} 2> /dev/null; }
key root RSA rsa_keygen_bits:2048; key mid RSA rsa_keygen_bits:2048; key other RSA rsa_keygen_bits:2048
key rsa RSA rsa_keygen_bits:2048; key rsa1024 RSA rsa_keygen_bits:1024; key rsa512 RSA rsa_keygen_bits:512
key p256 EC ec_paramgen_curve:P-256; key p384 EC ec_paramgen_curve:P-384; key p521 EC ec_paramgen_curve:P-521
key k256 EC ec_paramgen_curve:secp256k1; key ed25519 ED25519; key ed448 ED448
openssl req -x509 -key root.key -subj /O=Example/CN=root -days 3650 -out root.crt
cat > ext <<< 'basicConstraints=critical,CA:TRUE
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid'
openssl req -new -key mid.key -subj /O=Example/CN=mid |
    openssl x509 -req -CA root.crt -CAkey root.key -CAcreateserial -extfile ext -days 3650 -out mid.crt 2> /dev/null
sed -i 's/TRUE/FALSE/' ext
for name in rsa rsa1024 p256 p384 p521 k256 ed25519 ed448 other; do
    openssl req -new -key $name.key -subj /O=Example/CN=$name |
        openssl x509 -req -CA mid.crt -CAkey mid.key -CAcreateserial -extfile ext -days 3650 -out $name.crt 2> /dev/null
done
openssl req -x509 -key rsa512.key -subj /O=Example/CN=rsa512 -out rsa512.crt
openssl req -new -key rsa.key -subj /O=Example/CN=self | openssl x509 -req -signkey rsa.key -days 3650 -out self.crt 2> /dev/null
cat rsa.crt mid.crt root.crt > rsa-chain.crt
";

static PKI_FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = folder("pki");
    run(&folder, PKI);
    folder
});

/// A file of the common set of keys and certificates.
pub(super) fn pki(name: &str) -> Vec<u8> {
    fs::read(PKI_FOLDER.join(name)).unwrap()
}

/// Runs the script and returns the file `out`. The common keys and certificates are at `$pki/NAME`.
pub(super) fn made(script: &str) -> Vec<u8> {
    made_from(b"", script)
}

/// The same with these bytes in the file `in`.
pub(super) fn made_from(input: &[u8], script: &str) -> Vec<u8> {
    static NUMBER: Mutex<usize> = Mutex::new(0);
    let number = {
        let mut number = NUMBER.lock().unwrap();
        *number += 1;
        *number
    };
    let folder = folder(&format!("made-{number}"));
    fs::write(folder.join("in"), input).unwrap();
    run(&folder, &format!("pki='{}'\n{script}", PKI_FOLDER.display()));
    fs::read(folder.join("out")).unwrap()
}

/// Verifies a signature with openssl and the certificate's public key.
pub(super) fn verify(certificate: &CertificateDer<'_>, scheme: SignatureScheme, message: &[u8], signature: &[u8]) {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| folder("verify"));
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for (name, bytes) in [("certificate", certificate.as_ref()), ("message", message), ("signature", signature)] {
        fs::write(FOLDER.join(name), bytes).unwrap();
    }
    let dgst = |options: &str| format!("openssl dgst {options} -verify key -signature signature message");
    let command = match scheme {
        SignatureScheme::RSA_PSS_SHA256 => dgst("-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
        SignatureScheme::RSA_PSS_SHA384 => dgst("-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest"),
        SignatureScheme::RSA_PKCS1_SHA256 | SignatureScheme::ECDSA_NISTP256_SHA256 => dgst("-sha256"),
        SignatureScheme::RSA_PKCS1_SHA384 | SignatureScheme::ECDSA_NISTP384_SHA384 => dgst("-sha384"),
        SignatureScheme::RSA_PKCS1_SHA512 | SignatureScheme::ECDSA_NISTP521_SHA512 => dgst("-sha512"),
        SignatureScheme::ED25519 => {
            "openssl pkeyutl -verify -pubin -inkey key -rawin -in message -sigfile signature".to_owned()
        }
        other => panic!("{other:?}"),
    };
    run(&FOLDER, &format!("openssl x509 -inform DER -in certificate -pubkey -noout > key\n{command}"));
}
