//! Mutated key stores of every type through everything that reads them.

use brokertls::Source;
use brokertls::convert::Conversion;
use brokertls::keystore::{OpenOptions, Password, Secret, open, pair};

use super::mutation::{Random, mutate};
use super::tools::{KEYTOOL, made, pki};

/// One store of every type and encryption, with as little key derivation as the tools allow.
fn stores() -> Vec<Vec<u8>> {
    let p12 = "openssl pkcs12 -export -inkey $pki/p256.key -in $pki/p256.crt -certfile $pki/mid.crt -name a \
               -passout pass:secret -out out -iter 1";
    let java = |store_type: &str, more: &str| {
        made(&format!(
            "openssl pkcs12 -export -inkey $pki/p256.key -in $pki/p256.crt -certfile $pki/mid.crt -name a -out in \
             -passout pass:secret
            {KEYTOOL} -importkeystore -srckeystore in -srcstorepass secret -destkeystore out -deststoretype {store_type} \
             -deststorepass secret -J-Djdk.jceks.iterationCount=10000
            {KEYTOOL} -importcert -noprompt -alias ca -file $pki/root.crt -keystore out -storepass secret
            {more}"
        ))
    };
    let secret_key = format!(
        "{KEYTOOL} -genseckey -alias s -keyalg AES -keysize 128 -keystore out -storepass secret \
         -J-Djdk.jceks.iterationCount=10000"
    );
    vec![
        [pki("p256.key"), pki("p256.crt"), pki("mid.crt"), pki("root.crt")].concat(),
        [pki("rsa1024.key"), pki("rsa1024.crt")].concat(),
        made("(openssl ec -in $pki/p256.key -aes128 -passout pass:secret; cat $pki/p256.crt) > out 2> /dev/null"),
        made("(openssl pkcs8 -topk8 -in $pki/ed25519.key -passout pass:secret -iter 1; cat $pki/ed25519.crt) > out"),
        made("openssl pkcs8 -topk8 -in $pki/p256.key -passout pass:secret -scrypt -scrypt_N 16 -outform DER -out out"),
        made("openssl rsa -in $pki/rsa1024.key -traditional -outform DER -out out 2> /dev/null"),
        made("openssl ec -in $pki/p384.key -outform DER -out out 2> /dev/null"),
        made("openssl x509 -in $pki/mid.crt -outform DER -out out"),
        made("openssl crl2pkcs7 -nocrl -certfile $pki/root.crt -certfile $pki/mid.crt -outform DER -out out"),
        made("openssl crl2pkcs7 -nocrl -certfile $pki/root.crt -out out; cat $pki/p256.key $pki/p256.crt >> out"),
        made(p12),
        made(&format!("{p12} -nomac")),
        made(&format!("{p12} -nomac -certpbe AES-128-CBC")),
        made(&format!("{p12} -nomac -legacy -certpbe PBE-SHA1-RC2-40")),
        made(&format!("{p12} -nomac -keypbe NONE")),
        java("JKS", ""),
        java("JCEKS", &secret_key),
    ]
}

#[test]
fn ten_thousand_mutated_stores_are_read_or_refused_without_a_panic() {
    let password = Password::Bytes(Secret::new("secret"));
    let mut options = OpenOptions { password, insecure_allow_missing_mac: true, ..OpenOptions::default() };
    options.limits.max_kdf_iterations = 50_000;
    options.limits.max_kdf_memory_bytes = 1 << 20;
    let stores = stores();
    let certificates = open("certificates", &pki("rsa-chain.crt"), &options).unwrap();
    for store in &stores {
        open("unchanged", store, &options).unwrap();
    }
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut conversion = Conversion::new();
    for (name, value) in [("to", "pkcs12"), ("iterations", "1000"), ("insecure-allow-missing-mac", "yes")] {
        conversion.set(name, value).unwrap();
    }
    conversion.set("max-kdf-iterations", "50000").unwrap();
    conversion.password(options.password.clone()).out_password(options.password.clone());
    let (mut opened, mut identities, mut converted) = (0, 0, 0);
    for round in 0..10_000 {
        let bytes = mutate(&stores[round % stores.len()], &mut random);
        let Ok(store) = open("mutated", &bytes, &options) else { continue };
        opened += 1;
        identities += usize::from(store.identities().is_ok());
        // One in eight: a conversion derives keys.
        if opened % 8 == 0
            && let Ok(done) = conversion.convert(&Source::memory("mutated", &bytes))
        {
            open("converted", done.content.reveal(), &options).unwrap();
            converted += 1;
        }
        let _ = (store.identity("a"), store.trusted(), pair(&certificates, &store), pair(&store, &store));
    }
    assert!(
        opened > 500 && identities > 50 && converted > 20,
        "too few survive to show anything: {opened} opened, {identities} identities, {converted} converted"
    );
}
