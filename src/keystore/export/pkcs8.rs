//! Private keys as PKCS#8, the one encoding that every program reads.

use rustls::pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use crate::der::{CONTEXT_0, Cursor, INTEGER, NULL, OCTET_STRING, OID, SEQUENCE, element};
use crate::error::{Code, Error, Result};
use crate::keystore::pkcs12::ber;
use crate::keystore::signing_key;

const RSA_ENCRYPTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const EC_PUBLIC_KEY: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

/// Returns a private key as PKCS#8 of version 1 (RFC 5208), without attributes and public half: older programs read no
/// other.
///
/// # Errors
/// `KEY_MALFORMED`, and what [`signing_key`] reports for a key of SEC 1 that does not name its curve.
pub fn pkcs8(key: &PrivateKeyDer<'_>) -> Result<Zeroizing<Vec<u8>>> {
    match key {
        PrivateKeyDer::Pkcs8(key) => version_1(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => {
            let algorithm = element(SEQUENCE, &[&element(OID, &[RSA_ENCRYPTION]), &element(NULL, &[])]);
            Ok(wrapped(&algorithm, key.secret_pkcs1_der()))
        }
        PrivateKeyDer::Sec1(sec1) => {
            let algorithm = match curve(sec1.secret_sec1_der())? {
                Some(curve) => element(SEQUENCE, &[&element(OID, &[EC_PUBLIC_KEY]), &curve]),
                None => algorithm_of(key)?,
            };
            Ok(wrapped(&algorithm, sec1.secret_sec1_der()))
        }
        _ => Err(Error::new(Code::KeyMalformed, "neither PKCS#8, PKCS#1 nor SEC1")),
    }
}

/// RFC 5958 section 2: version 2 adds what version 1 does not have behind the key.
fn version_1(der: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut content = Cursor::new(der, Code::KeyMalformed).enter(SEQUENCE, "PKCS#8 key")?;
    content.unsigned("version of the PKCS#8 key")?;
    let algorithm = content.take(SEQUENCE, "algorithm of the PKCS#8 key")?.whole;
    Ok(wrapped(algorithm, content.take(OCTET_STRING, "private key")?.content))
}

fn wrapped(algorithm: &[u8], key: &[u8]) -> Zeroizing<Vec<u8>> {
    // Room for all of it, so that no copy of the key is left behind.
    let room = |bytes: usize| Zeroizing::new(Vec::with_capacity(bytes.saturating_add(ber::MAX_HEADER_BYTES)));
    let mut content = room(key.len().saturating_add(algorithm.len()).saturating_add(3));
    content.extend_from_slice(&[INTEGER, 1, 0]);
    content.extend_from_slice(algorithm);
    ber::write(OCTET_STRING, key, &mut content);
    let mut whole = room(content.len());
    ber::write(SEQUENCE, &content, &mut whole);
    whole
}

/// The parameters of the curve that a key of SEC 1 has with it (RFC 5915 section 3).
fn curve(sec1: &[u8]) -> Result<Option<Vec<u8>>> {
    let mut content = Cursor::new(sec1, Code::KeyMalformed).enter(SEQUENCE, "EC key")?;
    content.unsigned("version of the EC key")?;
    content.take(OCTET_STRING, "private value of the EC key")?;
    let parameters = content.optional(CONTEXT_0, "parameters of the EC key")?;
    Ok(parameters.map(|parameters| parameters.content.to_vec()))
}

/// The AlgorithmIdentifier of the public half.
fn algorithm_of(key: &PrivateKeyDer<'_>) -> Result<Vec<u8>> {
    let signer = signing_key(key)?;
    let public = signer.public_key().ok_or(Code::KeyAlgorithmUnsupported)?;
    let mut public = Cursor::new(&public, Code::KeyMalformed).enter(SEQUENCE, "public key")?;
    Ok(public.take(SEQUENCE, "algorithm of the public key")?.whole.to_vec())
}
