//! Peers that sign the handshake as they must not: refused before any host is asked, in both roles and versions.

use std::sync::{Arc, Mutex};

use brokertls::host::{HandshakeHost, HelloFacts, IdentityRequest, PeerToJudge};
use brokertls::keystore::{Identity, OpenOptions, open};
use brokertls::{ClientAuth, Code, ConnectionSettings, Context, IdentitySource, Result};
use rustls::pki_types::CertificateDer;
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::rig::pair::{Authority, Pair, context};

/// A host that accepts everybody, and every proof that it is asked about.
#[derive(Debug, Default)]
struct Trusting {
    proofs: Mutex<Vec<SignatureScheme>>,
}

impl HandshakeHost for Trusting {
    fn client_hello(&self, _: &HelloFacts<'_>) -> Result<Option<Vec<u8>>> {
        Ok(None)
    }

    fn choose_identity(&self, _: &IdentityRequest<'_>) -> Result<Option<Arc<Identity>>> {
        Ok(None)
    }

    fn check_peer(&self, _: &PeerToJudge<'_>) -> Result<()> {
        Ok(())
    }

    fn check_proof(&self, _: &CertificateDer<'_>, scheme: SignatureScheme, _: &[u8], _: &[u8]) -> Result<()> {
        self.proofs.lock().unwrap().push(scheme);
        Ok(())
    }
}

/// A key that signs with `real` and claims the scheme `told`.
#[derive(Debug)]
struct LyingKey {
    key: Arc<dyn SigningKey>,
    real: SignatureScheme,
    told: SignatureScheme,
}

impl SigningKey for LyingKey {
    fn choose_scheme(&self, _: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        Some(Box::new(LyingSigner { signer: self.key.choose_scheme(&[self.real])?, told: self.told }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }
}

#[derive(Debug)]
struct LyingSigner {
    signer: Box<dyn Signer>,
    told: SignatureScheme,
}

impl Signer for LyingSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        self.signer.sign(message)
    }

    fn scheme(&self) -> SignatureScheme {
        self.told
    }
}

/// The authority, and a peer of it with each kind of key.
struct World {
    authority: Authority,
    ec: Identity,
    rsa: Identity,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new("ca");
        let read = |pem: String| {
            open("peer", pem.as_bytes(), &OpenOptions::default()).unwrap().identities().unwrap().remove(0)
        };
        let ec = read(authority.issue(&["broker.example"], |_| {}));
        let rsa = read(authority.issue_rsa("broker.example"));
        Self { authority, ec, rsa }
    }

    fn liar(&self, identity: &Identity, real: SignatureScheme, told: SignatureScheme) -> Context {
        let key = Arc::new(LyingKey { key: Arc::clone(&identity.signing_key), real, told });
        let identity = Arc::new(Identity::new(identity.chain.clone(), key, "liar").unwrap());
        context(|builder| builder.identity(IdentitySource::ready(identity)).trust(self.authority.trust()))
    }

    /// Lets a liar be a client and a server of one that trusts the authority, and of one with a host that trusts all.
    /// Both must refuse it with the same words.
    #[track_caller]
    fn assert_refused(&self, version: &str, identity: &Identity, real: SignatureScheme, told: SignatureScheme) {
        let liar = self.liar(identity, real, told);
        let own = self.authority.identity(&["broker.example"]);
        let native = context(|builder| builder.identity(own.clone()).trust(self.authority.trust()));
        let host = Arc::new(Trusting::default());
        let hosted = context(|builder| builder.identity(own).host_trust(Arc::clone(&host) as _, Vec::new()));
        for judge in [&native, &hosted] {
            for liar_is_server in [true, false] {
                let (judged, told_peer) = run(judge, &liar, version, liar_is_server);
                let (failure, alert) = (judged.failure().unwrap(), told_peer.failure().unwrap());
                let case = format!("{version} {told:?} {liar_is_server}: {failure}, {alert}");
                assert_eq!(failure.code(), Code::HandshakeSignatureIllegal, "{case}");
                assert_eq!(alert.code(), Code::AlertIllegalParameter, "{case}");
                assert!(failure.to_string().contains("signed the handshake with an algorithm"), "{case}");
            }
        }
        assert_eq!(*host.proofs.lock().unwrap(), [], "{told:?}");
    }
}

/// Runs a handshake of `judge` and `peer`; gives both connections in this order.
fn run(
    judge: &Context,
    peer: &Context,
    version: &str,
    peer_is_server: bool,
) -> (brokertls::Connection, brokertls::Connection) {
    let versions = ConnectionSettings { versions: Some(version.to_owned()), ..ConnectionSettings::default() };
    let needs = ConnectionSettings { client_auth: Some(ClientAuth::Need), ..ConnectionSettings::default() };
    let connect = |client: &Context| client.connect_with(Some("broker.example"), &versions).unwrap();
    let mut pair = match peer_is_server {
        true => Pair { server: peer.accept().unwrap(), client: connect(judge) },
        false => Pair { server: judge.accept_with(&needs).unwrap(), client: connect(peer) },
    };
    pair.run();
    match peer_is_server {
        true => (pair.client, pair.server),
        false => (pair.server, pair.client),
    }
}

const ED448: SignatureScheme = SignatureScheme::Unknown(0x0808);
const RSA_PSS_PSS_SHA256: SignatureScheme = SignatureScheme::Unknown(0x0809);
const DSA_SHA256: SignatureScheme = SignatureScheme::Unknown(0x0402);

#[test]
fn scheme_that_was_not_offered_is_refused_in_every_version_and_role_without_asking_a_host() {
    let world = World::new();
    let (ec, rsa) = (SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PKCS1_SHA256);
    for version in ["TLSv1.2", "TLSv1.3"] {
        for told in [SignatureScheme::ECDSA_SHA1_Legacy, ED448, SignatureScheme::Unknown(0xfe00)] {
            world.assert_refused(version, &world.ec, ec, told);
        }
        for told in [SignatureScheme::RSA_PKCS1_SHA1, DSA_SHA256] {
            world.assert_refused(version, &world.rsa, rsa, told);
        }
    }
}

#[test]
fn pkcs1_padding_is_refused_in_tls_1_3_without_asking_a_host() {
    let world = World::new();
    for scheme in
        [SignatureScheme::RSA_PKCS1_SHA256, SignatureScheme::RSA_PKCS1_SHA384, SignatureScheme::RSA_PKCS1_SHA512]
    {
        world.assert_refused("TLSv1.3", &world.rsa, scheme, scheme);
    }
}

#[test]
fn ml_dsa_is_refused_in_tls_1_2_without_asking_a_host() {
    let world = World::new();
    for told in [SignatureScheme::ML_DSA_44, SignatureScheme::ML_DSA_65, SignatureScheme::ML_DSA_87] {
        world.assert_refused("TLSv1.2", &world.ec, SignatureScheme::ECDSA_NISTP256_SHA256, told);
    }
}

#[test]
fn scheme_that_does_not_go_with_the_key_is_refused_without_asking_a_host() {
    let world = World::new();
    let (ec, rsa) = (SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::RSA_PSS_SHA256);
    for told in [SignatureScheme::ECDSA_NISTP384_SHA384, SignatureScheme::ED25519, SignatureScheme::ML_DSA_65, rsa] {
        world.assert_refused("TLSv1.3", &world.ec, ec, told);
    }
    for version in ["TLSv1.2", "TLSv1.3"] {
        // The padding is the same; the key's object identifier is not (RFC 8446 section 4.2.3).
        world.assert_refused(version, &world.rsa, rsa, RSA_PSS_PSS_SHA256);
        world.assert_refused(version, &world.rsa, rsa, ec);
        world.assert_refused(version, &world.ec, ec, SignatureScheme::ED25519);
    }
}

#[test]
fn wrong_signature_of_a_legal_scheme_is_told_apart_with_decrypt_error() {
    let world = World::new();
    let told = SignatureScheme::RSA_PSS_SHA384;
    for (version, real) in
        [("TLSv1.2", SignatureScheme::RSA_PKCS1_SHA256), ("TLSv1.3", SignatureScheme::RSA_PSS_SHA256)]
    {
        let liar = world.liar(&world.rsa, real, told);
        let judge = context(|builder| builder.trust(world.authority.trust()));
        let (judged, peer) = run(&judge, &liar, version, true);
        assert_eq!(judged.failure().unwrap().code(), Code::CertProofInvalid);
        assert_eq!(peer.failure().unwrap().code(), Code::AlertDecryptError);
    }
}

#[test]
fn legal_schemes_are_accepted_from_every_kind_of_key() {
    let world = World::new();
    for (version, identity, scheme) in [
        ("TLSv1.2", &world.ec, SignatureScheme::ECDSA_NISTP256_SHA256),
        ("TLSv1.3", &world.ec, SignatureScheme::ECDSA_NISTP256_SHA256),
        ("TLSv1.2", &world.rsa, SignatureScheme::RSA_PKCS1_SHA512),
        ("TLSv1.2", &world.rsa, SignatureScheme::RSA_PSS_SHA256),
        ("TLSv1.3", &world.rsa, SignatureScheme::RSA_PSS_SHA512),
    ] {
        let peer = world.liar(identity, scheme, scheme);
        let own = world.authority.identity(&["broker.example"]);
        let judge = context(|builder| builder.identity(own).trust(world.authority.trust()));
        for is_server in [true, false] {
            let (judged, _) = run(&judge, &peer, version, is_server);
            assert!(judged.failure().is_none() && !judged.is_handshaking(), "{version} {scheme:?}");
        }
    }
}
