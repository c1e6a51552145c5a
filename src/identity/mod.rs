//! Selects the identity of a connection: by the server name, then by the signatures that the peer can verify.

mod after_trust;
mod foreign;
mod limit;

pub(crate) use after_trust::AfterTrust;
pub(crate) use foreign::refusal_of;

use std::iter;
use std::sync::Arc;

use rustls::client::ResolvesClientCert;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{CipherSuite, SignatureAlgorithm, SignatureScheme, SupportedCipherSuite};

use crate::certificate::{AlternativeNameKind, CertificateFacts, names_text};
use crate::error::{Code, Error, Result};
use crate::keystore::Identity;
use crate::policy::{are_sha1_alone, key_kind, signature_names};
use crate::revocation::Staple;
use crate::verify::host::{HandshakeHost, IdentityRequest};
use crate::verify::{HandshakeNotes, Purpose, ShownIdentity};

use limit::Limit;

/// An identity ready to sign.
#[derive(Debug)]
struct Signer {
    /// Without a staple.
    key: Arc<CertifiedKey>,
    staple: Option<Arc<Staple>>,
    /// The DNS names of the end entity in lower case, or its common name if there are none.
    names: Vec<String>,
}

impl Signer {
    fn new(identity: &Identity, staple: Option<Arc<Staple>>) -> Result<Self> {
        Ok(Self { key: certified(identity), staple, names: names_served(identity)? })
    }

    fn serves(&self, host: &str) -> bool {
        serves_name(&self.names, host)
    }

    /// Makes the identity for rustls, which sends the staple to clients that request one.
    fn with_staple(&self) -> Arc<CertifiedKey> {
        let stapled = self.staple.as_ref().and_then(|staple| staple.key());
        stapled.unwrap_or_else(|| Arc::clone(&self.key))
    }

    fn can_sign(&self, schemes: &[SignatureScheme]) -> bool {
        self.key.key.choose_scheme(schemes).is_some()
    }

    /// Returns true if a supported suite of the offer fits this type of key. Those of TLS 1.3 fit all.
    fn suits(&self, offered: &[CipherSuite], served: &[SupportedCipherSuite]) -> bool {
        suits(self.key.key.algorithm(), offered, served)
    }
}

/// The names that an identity serves.
///
/// # Errors
/// `CERTIFICATE_MALFORMED`.
pub(crate) fn names_served(identity: &Identity) -> Result<Vec<String>> {
    let facts = identity.chain.first().map(CertificateFacts::from_der).transpose()?;
    Ok(facts.map_or_else(Vec::new, |facts| server_names(&facts)))
}

/// Returns true if one of the names is that of the host, which is in lower case.
pub(crate) fn serves_name(names: &[String], host: &str) -> bool {
    names.iter().any(|name| match name.strip_prefix("*.") {
        // RFC 9525 section 6.3: the wildcard is the whole left-most label.
        Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => name == host,
    })
}

/// Removes the trailing dot of a complete host name (RFC 6066 section 3 sends none).
pub(crate) fn without_dot(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

fn suits(kind: SignatureAlgorithm, offered: &[CipherSuite], served: &[SupportedCipherSuite]) -> bool {
    served.iter().any(|suite| suite.usable_for_signature_algorithm(kind) && offered.contains(&suite.suite()))
}

fn server_names(facts: &CertificateFacts) -> Vec<String> {
    let dns = facts.subject_alternative_names.iter().filter(|name| name.kind == AlternativeNameKind::Dns);
    let names: Vec<String> = dns.filter_map(|name| name.value.as_deref()).map(str::to_ascii_lowercase).collect();
    match names.is_empty() {
        true => facts.common_name().into_iter().map(|name| name.to_ascii_lowercase()).collect(),
        false => names,
    }
}

/// Makes the chain and key for rustls. A key that was not read from bytes may fail.
pub(crate) fn certified(identity: &Identity) -> Arc<CertifiedKey> {
    identity.certified(|key| if identity.is_foreign() { foreign::fallible(key) } else { key })
}

/// The identities of a context in the configured order.
#[derive(Debug)]
pub(crate) struct Identities {
    signers: Arc<[Signer]>,
    suites: Vec<SupportedCipherSuite>,
    limit: Limit,
}

impl Identities {
    /// Prepares the identities with their staples for connections with these suites.
    pub(crate) fn new(
        identities: &[Arc<Identity>],
        staples: Vec<Option<Arc<Staple>>>,
        suites: &[SupportedCipherSuite],
    ) -> Result<Self> {
        let staples = staples.into_iter().chain(iter::repeat(None));
        let signers = identities.iter().zip(staples).map(|(identity, staple)| Signer::new(identity, staple));
        let signers = signers.collect::<Result<_>>()?;
        Ok(Self { signers, suites: suites.to_vec(), limit: Limit::default() })
    }

    /// Returns the same identities for connections that sign with these schemes alone.
    pub(crate) fn limited(&self, schemes: &[SignatureScheme]) -> Self {
        Self { signers: Arc::clone(&self.signers), suites: self.suites.clone(), limit: Limit::to(schemes) }
    }

    /// The types of the keys, each once.
    fn kinds(&self) -> String {
        let mut kinds: Vec<&str> = self.signers.iter().map(|signer| kind_of(&signer.key)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.join(", ")
    }

    /// The error for a client that cannot verify the signatures of any identity.
    fn nothing_to_sign_with(&self, schemes: &[SignatureScheme]) -> Error {
        let taken = signature_names(schemes);
        let detail = format!("the client takes {taken}; the keys here are of {}", self.kinds());
        let error = Error::new(Code::NoCommonSignature, detail);
        let mut kinds: Vec<&str> = schemes.iter().filter_map(|scheme| key_kind(*scheme)).collect();
        kinds.dedup();
        match kinds.first() {
            _ if are_sha1_alone(schemes) => error.with_hint(ASKS_FOR_SHA1),
            Some(kind) => error.with_hint(format!("Add an identity with a key that the client takes, such as {kind}.")),
            None => error.with_hint("Update the client: it takes no signature that is served."),
        }
    }
}

/// The hint for a client that accepts SHA-1 only, also if it names no algorithm (RFC 5246 section 7.4.1.4.1).
pub(crate) const ASKS_FOR_SHA1: &str = "The client requests SHA-1, which is not supported: update it, or \
    let it offer SHA-256. Another identity does not help.";

/// The type of the key by the name of one of its algorithms.
fn kind_of(key: &CertifiedKey) -> &'static str {
    const SCHEMES: &[SignatureScheme] = &[
        SignatureScheme::ECDSA_NISTP256_SHA256,
        SignatureScheme::ECDSA_NISTP384_SHA384,
        SignatureScheme::ECDSA_NISTP521_SHA512,
        SignatureScheme::ED25519,
        SignatureScheme::RSA_PSS_SHA256,
        SignatureScheme::RSA_PKCS1_SHA256,
    ];
    let signer = SCHEMES.iter().find(|scheme| key.key.choose_scheme(&[**scheme]).is_some());
    signer.and_then(|scheme| key_kind(*scheme)).unwrap_or("another kind")
}

impl ResolvesServerCert for Identities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().map(without_dot);
        host.into_iter().for_each(HandshakeNotes::add_server_name);
        let host = host.map(str::to_ascii_lowercase);
        let schemes = self.limit.of(hello.signature_schemes());
        let named = |signer: &&Signer| host.as_deref().is_some_and(|host| signer.serves(host));
        let usable = |signer: &&Signer| signer.can_sign(&schemes) && signer.suits(hello.cipher_suites(), &self.suites);
        let chosen = (self.signers.iter().find(|signer| named(signer) && usable(signer)))
            .or_else(|| self.signers.iter().find(usable))
            .or_else(|| {
                // rustls then refuses the first one. In TLS 1.2, it has no error for a lack of signatures.
                if !self.signers.iter().any(|signer| signer.can_sign(&schemes)) {
                    HandshakeNotes::add_refusal(self.nothing_to_sign_with(&schemes));
                }
                self.signers.first()
            });
        // A connection outlives its staple, so it gets the identity alone.
        chosen.map(|signer| {
            HandshakeNotes::add_identity(&signer.key);
            self.limit.key(signer.with_staple())
        })
    }
}

/// Gives the identity to rustls and its number to the connection.
fn present(key: &Arc<CertifiedKey>) -> Arc<CertifiedKey> {
    HandshakeNotes::add_identity(key);
    Arc::clone(key)
}

impl ResolvesClientCert for Identities {
    /// Prefers an identity issued by a CA that the server names. Otherwise, any usable one is sent, so that the log and
    /// alert of the server name the fault.
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let schemes = &*self.limit.of(schemes);
        let hinted = |signer: &&Signer| signer.key.cert.iter().any(|der| has_issuer(der, hints));
        let usable = |signer: &&Signer| signer.can_sign(schemes);
        let chosen = (self.signers.iter().find(|signer| usable(signer) && hinted(signer)))
            .or_else(|| self.signers.iter().find(usable));
        if chosen.is_none() {
            HandshakeNotes::add_withheld(match self.signers.is_empty() {
                true => String::new(),
                false => {
                    let taken = signature_names(schemes);
                    format!("its key is of kind {}, and the server takes {taken}", self.kinds())
                }
            });
        }
        if let Some(signer) = chosen.filter(|signer| !hints.is_empty() && !hinted(signer)) {
            let named = names_text(hints);
            HandshakeNotes::add_unnamed(format!(
                "its issuer is {}, and the server names {named}",
                issuer_of(&signer.key)
            ));
        }
        chosen.map(|signer| self.limit.key(present(&signer.key)))
    }

    fn has_certs(&self) -> bool {
        !self.signers.is_empty()
    }
}

/// Identities that the host of the context chooses, one handshake at a time.
#[derive(Debug)]
pub(crate) struct HostIdentities {
    host: Arc<dyn HandshakeHost>,
    suites: Vec<SupportedCipherSuite>,
    limit: Limit,
}

impl HostIdentities {
    /// Prepares the choice for connections with these suites.
    pub(crate) fn new(host: Arc<dyn HandshakeHost>, suites: &[SupportedCipherSuite]) -> Self {
        Self { host, suites: suites.to_vec(), limit: Limit::default() }
    }

    /// Returns the same choice for connections that sign with these schemes alone.
    pub(crate) fn limited(&self, schemes: &[SignatureScheme]) -> Self {
        Self { limit: Limit::to(schemes), ..Self::new(Arc::clone(&self.host), &self.suites) }
    }

    fn choose(&self, request: &IdentityRequest<'_>) -> Result<Option<Arc<CertifiedKey>>> {
        let chosen = HandshakeNotes::aside(|| self.host.choose_identity(request))?;
        Ok(chosen.map(|identity| self.limit.key(present(&certified(&identity)))))
    }
}

impl ResolvesServerCert for HostIdentities {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let host = hello.server_name().map(without_dot);
        host.into_iter().for_each(HandshakeNotes::add_server_name);
        let schemes = &*self.limit.of(hello.signature_schemes());
        // The error if the host chooses none. Its own error replaces this one.
        HandshakeNotes::add_refusal(Error::from(Code::NoCommonSignature));
        let settled = HandshakeNotes::settled();
        let mut key_types = key_types(schemes, |kind| suits(kind, hello.cipher_suites(), &self.suites));
        // Suites of TLS 1.2 have no such signature in rustls.
        key_types.retain(|kind| *kind != PSS_KEYS || settled.version == Some("TLSv1.3"));
        let chosen = self.choose(&IdentityRequest {
            purpose: Purpose::Server,
            server_name: host,
            key_types,
            signature_schemes: schemes,
            issuers: hello.certificate_authorities().unwrap_or_default().iter().map(AsRef::as_ref).collect(),
            version: settled.version,
            settled: &settled,
            peer_chain: &[],
        });
        match chosen {
            Ok(None) => None,
            Ok(chosen) => {
                HandshakeNotes::take_refusal();
                chosen
            }
            Err(refusal) => {
                HandshakeNotes::add_refusal(refusal);
                None
            }
        }
    }
}

impl HostIdentities {
    /// Chooses what a client shows to this server; without certificates, to one that another engine has judged.
    fn show(
        &self,
        server: &[CertificateDer<'_>],
        hints: &[&[u8]],
        schemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        let schemes = &*self.limit.of(schemes);
        let settled = HandshakeNotes::settled();
        let request = IdentityRequest {
            purpose: Purpose::Client,
            server_name: None,
            key_types: key_types(schemes, |_| true),
            signature_schemes: schemes,
            issuers: hints.to_vec(),
            version: Some(HandshakeNotes::version()),
            settled: &settled,
            peer_chain: server,
        };
        let chosen = self.choose(&request);
        if let Ok(chosen) = &chosen {
            let end_entity = chosen.as_ref().and_then(|chosen| chosen.cert.first().cloned());
            HandshakeNotes::set_shown(Some(Arc::new(ShownIdentity::new(&request, end_entity))));
        }
        if matches!(chosen, Ok(None)) {
            let named = if hints.is_empty() { String::new() } else { format!(", issued by {}", names_text(hints)) };
            let kinds = request.key_types.join(", ");
            HandshakeNotes::add_withheld(format!(
                "the application chose none; the server takes keys of {kinds}{named}"
            ));
        }
        chosen.unwrap_or_else(|refusal| Some(foreign::refusing(refusal)))
    }
}

impl ResolvesClientCert for HostIdentities {
    fn resolve(&self, hints: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.show(&[], hints, schemes)
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The keys for RSASSA-PSS alone (RFC 8446 section 4.2.3: rsa_pss_pss).
const PSS_KEYS: &str = "RSASSA-PSS";

/// The types of key of these schemes, in their order.
fn key_types(schemes: &[SignatureScheme], suits: impl Fn(SignatureAlgorithm) -> bool) -> Vec<&'static str> {
    use SignatureScheme as Scheme;
    let mut kinds = Vec::new();
    for scheme in schemes {
        let (kind, algorithm) = match *scheme {
            Scheme::ECDSA_NISTP256_SHA256 | Scheme::ECDSA_NISTP384_SHA384 | Scheme::ECDSA_NISTP521_SHA512 => {
                ("EC", SignatureAlgorithm::ECDSA)
            }
            Scheme::RSA_PSS_SHA256
            | Scheme::RSA_PSS_SHA384
            | Scheme::RSA_PSS_SHA512
            | Scheme::RSA_PKCS1_SHA256
            | Scheme::RSA_PKCS1_SHA384
            | Scheme::RSA_PKCS1_SHA512 => ("RSA", SignatureAlgorithm::RSA),
            Scheme::ED25519 => ("EdDSA", SignatureAlgorithm::ED25519),
            Scheme::Unknown(0x0809..=0x080b) => (PSS_KEYS, SignatureAlgorithm::RSA),
            _ => continue,
        };
        if !kinds.contains(&kind) && suits(algorithm) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The issuer of the last certificate of the chain, for a message.
fn issuer_of(key: &CertifiedKey) -> String {
    let facts = key.cert.last().and_then(|der| CertificateFacts::from_der(der).ok());
    facts.map_or_else(|| "unreadable".to_owned(), |facts| names_text(&[facts.issuer.der()]))
}

fn has_issuer(der: &[u8], hints: &[&[u8]]) -> bool {
    use x509_parser::prelude::{FromDer, X509Certificate};
    X509Certificate::from_der(der).is_ok_and(|(_, certificate)| hints.contains(&certificate.issuer().as_raw()))
}
