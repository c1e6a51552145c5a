//! The facts that a handshake settles before it asks a host, read from the hellos. rustls reports them only later.

use brokertls_legacy_abi::Fields;
use rustls::{ProtocolVersion, ServerConfig, SignatureScheme};

use crate::legacy::Offer;
use crate::policy::{cipher_suite_name, version_name};
use crate::verify::host::Settled;

/// Extensions (RFC 7301, RFC 8446 sections 4.2.1 and 4.2.3).
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const IN_CERTIFICATES: u16 = 50;
const SUPPORTED_VERSIONS: u16 = 43;

/// Returns the facts that a server with this configuration settles for the offer, by the rules of rustls.
pub(super) fn of_offer(config: &ServerConfig, offer: &Offer) -> Settled {
    let offered = offer.offered();
    let suites = &config.crypto_provider().cipher_suites;
    let of_version = |version: ProtocolVersion| suites.iter().filter(move |suite| suite.version().version == version);
    let version = [ProtocolVersion::TLSv1_3, ProtocolVersion::TLSv1_2]
        .into_iter()
        .find(|version| offered.versions.contains(&u16::from(*version)) && of_version(*version).next().is_some());
    // A suite of TLS 1.2 is chosen for the kind of the key, which is not known.
    let cipher_suite = version.filter(|version| *version == ProtocolVersion::TLSv1_3).and_then(|version| {
        let own: Vec<u16> = of_version(version).map(|suite| u16::from(suite.suite())).collect();
        let (first, second) = match config.ignore_client_order {
            true => (own.as_slice(), offered.suites),
            false => (offered.suites, own.as_slice()),
        };
        first.iter().find(|suite| second.contains(suite)).map(|suite| cipher_suite_name(*suite))
    });
    let own = &config.alpn_protocols;
    let protocol = match own.iter().find(|own| offer.protocols.contains(own)) {
        Some(common) => Some(Box::from(common.as_slice())),
        None => (own.is_empty() || offer.protocols.is_empty()).then(Box::default),
    };
    Settled {
        version: version.and_then(|version| version_name(version.into())),
        cipher_suite,
        protocol,
        certificate_schemes: schemes(offer.in_certificates()),
    }
}

pub(super) fn schemes(numbers: &[u16]) -> Vec<SignatureScheme> {
    numbers.iter().map(|number| SignatureScheme::from(*number)).collect()
}

/// Returns the signature schemes in certificates of a CertificateRequest. `None` for a damaged one.
pub(super) fn schemes_of_request(message: &[u8], is_tls13: bool) -> Option<Vec<SignatureScheme>> {
    let mut request = Fields(message);
    // The types of certificates, or the context.
    request.vector(1)?;
    if !is_tls13 {
        return numbers(request.vector(2)?);
    }
    let mut extensions = Fields(request.vector(2)?);
    let mut found = None;
    while !extensions.is_empty() {
        let (kind, content) = (extensions.number()?, extensions.vector(2)?);
        if kind == IN_CERTIFICATES || kind == SIGNATURES && found.is_none() {
            found = Some(numbers(Fields(content).vector(2)?)?);
        }
    }
    found
}

fn numbers(bytes: &[u8]) -> Option<Vec<SignatureScheme>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|pair| SignatureScheme::from(u16::from_be_bytes(*pair))).collect())
}

/// Returns the facts in a ServerHello. The protocol of TLS 1.3 comes later. `None` for a damaged one.
pub(super) fn of_server_hello(hello: &[u8]) -> Option<Settled> {
    let mut hello = Fields(hello);
    let mut version = hello.number()?;
    // Random and session ID.
    hello.take(32)?;
    hello.vector(1)?;
    let suite = hello.number()?;
    // Compression method.
    hello.take(1)?;
    let mut protocol = None;
    if !hello.is_empty() {
        let mut extensions = Fields(hello.vector(2)?);
        while !extensions.is_empty() {
            let (kind, content) = (extensions.number()?, extensions.vector(2)?);
            match kind {
                SUPPORTED_VERSIONS => version = Fields(content).number()?,
                ALPN => protocol = Some(protocol_of(content)?),
                _ => {}
            }
        }
    }
    let is_tls13 = version == u16::from(ProtocolVersion::TLSv1_3);
    Some(Settled {
        version: version_name(version),
        cipher_suite: Some(cipher_suite_name(suite)),
        protocol: if is_tls13 { None } else { Some(protocol.unwrap_or_default()) },
        certificate_schemes: Vec::new(),
    })
}

/// Returns the protocol in the EncryptedExtensions; empty if there is none. `None` for damaged ones.
pub(super) fn protocol_of_extensions(message: &[u8]) -> Option<Box<[u8]>> {
    let mut extensions = Fields(Fields(message).vector(2)?);
    while !extensions.is_empty() {
        let (kind, content) = (extensions.number()?, extensions.vector(2)?);
        if kind == ALPN {
            return protocol_of(content);
        }
    }
    Some(Box::default())
}

/// Returns the single protocol of a server's extension (RFC 7301 section 3.1).
fn protocol_of(content: &[u8]) -> Option<Box<[u8]>> {
    let mut names = Fields(Fields(content).vector(2)?);
    names.vector(1).map(Box::from)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider};
    use rustls::server::ResolvesServerCertUsingSni;

    use crate::legacy::{HelloReader, Reading};

    use super::*;

    const AES128: [u8; 2] = [0x13, 0x01];
    const AES256: [u8; 2] = [0x13, 0x02];
    const OF_TLS12: [u8; 2] = [0xc0, 0x2b];

    fn vector(length_bytes: usize, content: &[u8]) -> Vec<u8> {
        [&content.len().to_be_bytes()[size_of::<usize>() - length_bytes..], content].concat()
    }

    fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &vector(2, content)].concat()
    }

    fn names(protocols: &[&[u8]]) -> Vec<u8> {
        let names: Vec<u8> = protocols.iter().flat_map(|name| vector(1, name)).collect();
        extension(ALPN, &vector(2, &names))
    }

    /// A ClientHello in one record.
    fn client_hello(suites: &[[u8; 2]], extensions: &[Vec<u8>]) -> Vec<u8> {
        let start = [&[3, 3][..], &[7; 32], &[0]].concat();
        let body = [start, vector(2, suites.as_flattened()), vec![1, 0], vector(2, &extensions.concat())].concat();
        let message = [vec![1], vector(3, &body)].concat();
        [vec![22, 3, 1], vector(2, &message)].concat()
    }

    fn config(suites: Vec<rustls::SupportedCipherSuite>, prefers_own: bool, protocols: &[&[u8]]) -> ServerConfig {
        let provider = rustls::crypto::CryptoProvider { cipher_suites: suites, ..default_provider() };
        let builder = ServerConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
        let resolver = Arc::new(ResolvesServerCertUsingSni::new());
        let mut config = builder.unwrap().with_no_client_auth().with_cert_resolver(resolver);
        config.ignore_client_order = prefers_own;
        config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
        config
    }

    fn settled(config: &ServerConfig, hello: &[u8]) -> Settled {
        let Reading::Whole(offer) = HelloReader::default().read(hello) else { panic!("a whole hello") };
        of_offer(config, &offer)
    }

    #[test]
    fn suite_of_tls13_follows_the_preference_of_the_configured_side() {
        let own = vec![cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS13_AES_128_GCM_SHA256];
        let hello = client_hello(&[AES128, AES256], &[extension(SUPPORTED_VERSIONS, &[2, 3, 4])]);
        for (prefers_own, suite) in [(true, "TLS_AES_256_GCM_SHA384"), (false, "TLS_AES_128_GCM_SHA256")] {
            let expected = Settled {
                version: Some("TLSv1.3"),
                cipher_suite: Some(suite),
                protocol: Some(Box::default()),
                certificate_schemes: Vec::new(),
            };
            assert_eq!(settled(&config(own.clone(), prefers_own, &[]), &hello), expected);
        }
    }

    #[test]
    fn suite_of_tls12_is_open_and_a_version_that_is_not_shared_is_none() {
        let own = vec![cipher_suite::TLS13_AES_256_GCM_SHA384, cipher_suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256];
        let config = config(own, true, &[]);
        let old = settled(&config, &client_hello(&[OF_TLS12], &[extension(SUPPORTED_VERSIONS, &[2, 3, 3])]));
        assert_eq!((old.version, old.cipher_suite), (Some("TLSv1.2"), None));
        let without_extension = settled(&config, &client_hello(&[OF_TLS12], &[]));
        assert_eq!(without_extension.version, Some("TLSv1.2"));
        let none = settled(&config, &client_hello(&[AES128], &[extension(SUPPORTED_VERSIONS, &[2, 3, 2])]));
        assert_eq!((none.version, none.cipher_suite), (None, None));
    }

    #[test]
    fn protocol_is_the_first_common_one_of_the_server() {
        let config = |own: &[&[u8]]| config(vec![cipher_suite::TLS13_AES_256_GCM_SHA384], true, own);
        let offer = client_hello(&[AES256], &[extension(SUPPORTED_VERSIONS, &[2, 3, 4]), names(&[b"mqtt", b"h2"])]);
        let protocol = |own: &[&[u8]]| settled(&config(own), &offer).protocol;
        assert_eq!(protocol(&[b"x", b"h2", b"mqtt"]).as_deref(), Some(&b"h2"[..]));
        assert_eq!(protocol(&[]).as_deref(), Some(&b""[..]));
        assert_eq!(protocol(&[b"x"]), None, "the handshake will fail");
    }

    fn server_hello(extensions: &[Vec<u8>]) -> Vec<u8> {
        [&[3, 3][..], &[7; 32], &[0], &AES128, &[0], &vector(2, &extensions.concat())].concat()
    }

    #[test]
    fn server_hello_gives_version_suite_and_the_protocol_of_tls12() {
        let new = of_server_hello(&server_hello(&[extension(SUPPORTED_VERSIONS, &[3, 4])])).unwrap();
        assert_eq!((new.version, new.cipher_suite), (Some("TLSv1.3"), Some("TLS_AES_128_GCM_SHA256")));
        assert_eq!(new.protocol, None, "it comes in the EncryptedExtensions");
        let old = of_server_hello(&server_hello(&[names(&[b"mqtt"])])).unwrap();
        assert_eq!((old.version, old.protocol.as_deref()), (Some("TLSv1.2"), Some(&b"mqtt"[..])));
        assert_eq!(of_server_hello(&server_hello(&[])).unwrap().protocol, Some(Box::default()));
        let extensions = [extension(10, &[0, 0]), names(&[b"mqtt"])].concat();
        assert_eq!(protocol_of_extensions(&vector(2, &extensions)).as_deref(), Some(&b"mqtt"[..]));
        assert_eq!(protocol_of_extensions(&[0, 0]), Some(Box::default()));
    }

    #[test]
    fn schemes_in_certificates_are_those_of_their_own_extension_if_there_is_one() {
        let (both, pss) = (extension(SIGNATURES, &vector(2, &[4, 3, 8, 4])), [8, 4]);
        let own = extension(IN_CERTIFICATES, &vector(2, &[4, 1]));
        let of_hello = |extensions: &[Vec<u8>]| {
            let config = config(vec![cipher_suite::TLS13_AES_256_GCM_SHA384], true, &[]);
            settled(&config, &client_hello(&[AES256], extensions)).certificate_schemes
        };
        let of_request = |extensions: &[Vec<u8>]| {
            schemes_of_request(&[vec![0], vector(2, &extensions.concat())].concat(), true).unwrap()
        };
        let (first, second) = (schemes(&[0x0403, 0x0804]), schemes(&[0x0401]));
        for order in [[both.clone(), own.clone()], [own, both.clone()]] {
            assert_eq!((of_hello(&order), of_request(&order)), (second.clone(), second.clone()));
        }
        let both = [both];
        assert_eq!((of_hello(&both), of_request(&both)), (first.clone(), first));
        let old = [vector(1, &[1, 64]), vector(2, &pss), vector(2, &[])].concat();
        assert_eq!(schemes_of_request(&old, false), Some(schemes(&[0x0804])));
        assert_eq!(schemes_of_request(&old[..4], false), None);
    }

    #[test]
    fn damaged_hello_settles_nothing_and_is_never_a_panic() {
        let whole = server_hello(&[extension(SUPPORTED_VERSIONS, &[3, 4]), names(&[b"mqtt"])]);
        for end in 0..whole.len() {
            // The end before the extensions is that of an old ServerHello.
            let is_old = end == 38;
            assert_eq!(of_server_hello(&whole[..end]).is_some(), is_old, "{end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0xff;
            let _ = of_server_hello(&damaged);
            let _ = protocol_of_extensions(&damaged);
        }
    }
}
