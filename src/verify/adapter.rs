//! The verifier for rustls, and its results for the connection that rustls cannot carry.
//!
//! rustls runs verification in the middle of processing a record and passes on only a kind of error and, from it, an
//! alert. What was found in detail is handed over through [`HandshakeNotes`], which stay on the thread for the length
//! of that one call; connection/ clears them before and takes them after.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, SignatureScheme};

use crate::certificate::{describe, visible};
use crate::error::{Code, Error, Result};
use crate::keystore::TrustedCertificate;
use crate::logging::{Level, Log};
use crate::revocation::Revocation;

use super::approval::{PeerCertificate, PeerConnection, VerifyCallback};
use super::foreseen::{EarlyVerdict, Foreseen, Foresight, Outcome};
use super::host::{HandshakeHost, PeerToJudge, Settled};
use super::{Authenticated, Deviation, PeerVerifier, Purpose, ShownIdentity};

/// The most characters of an application's reason to refuse a peer. It may hold text of the peer.
const MAX_REASON_CHARS: usize = 1024;

/// The events inside a call of rustls, for the connection that made it.
#[derive(Debug, Default)]
pub(crate) struct HandshakeNotes {
    /// The error that refused the peer's certificate.
    pub(crate) refusal: Option<Error>,
    /// The deviations that were needed to accept it.
    pub(crate) deviations: Vec<Deviation>,
    /// The server name in the ClientHello.
    pub(crate) server_name: Option<Arc<str>>,
    /// The identity that was chosen to be shown.
    pub(crate) identity: Option<Arc<CertifiedKey>>,
    /// The peer that was accepted.
    pub(crate) verified: Option<Arc<Authenticated>>,
    /// The peer of the session that may be resumed, the last that was looked at.
    pub(crate) session: Option<Arc<Authenticated>>,
    /// On a client with a host that chooses identities, what was asked for and shown.
    pub(crate) shown: Option<Arc<ShownIdentity>>,
    /// The ID under which the session has been stored.
    stored_id: Option<Vec<u8>>,
    /// Sessions of the client's that were looked at.
    offered: u8,
    /// Bytes of the tickets that were made.
    ticket_bytes: usize,
    /// Clients: why no identity is sent though the server asks for one; empty if there is none.
    pub(crate) withheld: Option<String>,
    /// Clients: how the CAs that the server names differ from that of the identity that is sent.
    pub(crate) unnamed: Option<String>,
    /// Servers that need a certificate: the CAs that the client was named.
    pub(crate) named: Option<Arc<[DistinguishedName]>>,
    /// The server, if a client has seen its certificates before the call.
    foresight: Foresight,
    /// The facts from before the call.
    input: HandshakeInput,
}

/// The facts of a connection that rustls does not give to a verifier.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandshakeInput {
    /// [`crate::Connection::id`], 0 before there is a connection.
    pub(crate) connection_id: u64,
    /// [`crate::Connection::user`].
    pub(crate) user: usize,
    /// On a server the name that the client sent, once it is known; on a client the host.
    pub(crate) server_name: Option<Arc<str>>,
    /// On a client, the name that is verified if another one is sent.
    pub(crate) verified_name: Option<Arc<ServerName<'static>>>,
    /// The protocol version, if it is known yet.
    pub(crate) version: Option<&'static str>,
    /// Clients: whether a full handshake is refused.
    pub(crate) resumes_only: bool,
    /// The peer, as far as it is known yet.
    pub(crate) peer: Option<Arc<Authenticated>>,
    /// On a client, what it has shown.
    pub(crate) shown: Option<Arc<ShownIdentity>>,
    /// On a client, with the server's name, by what its sessions are remembered; none for one that has none.
    pub(crate) session_scope: Option<Arc<str>>,
    /// The settled facts for a host; none without a host.
    pub(crate) settled: Option<Arc<Settled>>,
    /// The own identity for a host that has not chosen it.
    pub(crate) identity: Option<Arc<CertifiedKey>>,
    /// True if a host is told by what it knows the session.
    pub(crate) keeps_session_facts: bool,
}

thread_local! {
    static NOTES: RefCell<HandshakeNotes> = RefCell::default();
}

impl HandshakeNotes {
    /// Starts a call of rustls.
    pub(crate) fn begin(input: HandshakeInput) {
        NOTES.replace(Self { input, ..Self::default() });
    }

    /// Gives the call the certificates of a server that it will be asked about.
    pub(crate) fn foresee(server: Option<Foreseen>) {
        NOTES.with_borrow_mut(|notes| notes.foresight = Foresight::of(server));
    }

    /// Judges the server before rustls does.
    pub(crate) fn judge_foreseen(judge: impl FnOnce(&Foreseen) -> Outcome) -> EarlyVerdict {
        let Some(server) = NOTES.with_borrow(|notes| notes.foresight.server()) else { return EarlyVerdict::NotRead };
        let outcome = judge(&server);
        NOTES.with_borrow_mut(|notes| notes.foresight.keep(outcome.clone()));
        outcome.map_or(EarlyVerdict::Refused, |()| EarlyVerdict::Accepted(server))
    }

    /// Returns the verdict about certificates that have been judged before.
    fn judged(end_entity: &CertificateDer<'_>, intermediates: &[CertificateDer<'_>], staple: &[u8]) -> Option<Outcome> {
        let verdict = NOTES.with_borrow(|notes| notes.foresight.verdict(end_entity, intermediates, staple));
        verdict.unwrap_or_else(|refusal| Some(Err(Self::refuse(refusal))))
    }

    pub(crate) fn take() -> Self {
        NOTES.take()
    }

    /// Runs code of the application, which may move other connections on: the notes of this one are out of its way.
    pub(crate) fn aside<T>(call: impl FnOnce() -> T) -> T {
        struct Back(HandshakeNotes);
        impl Drop for Back {
            fn drop(&mut self) {
                NOTES.replace(std::mem::take(&mut self.0));
            }
        }
        let _back = Back(Self::take());
        call()
    }

    /// The number of the connection of this call, and the number that the application gave it.
    pub(crate) fn numbers() -> (u64, usize) {
        NOTES.with_borrow(|notes| (notes.input.connection_id, notes.input.user))
    }

    /// The host of the connection, if it is known yet.
    pub(crate) fn host() -> Option<Arc<str>> {
        NOTES.with_borrow(|notes| notes.input.server_name.as_ref().map(Arc::clone))
    }

    /// Clients: returns true if a full handshake is refused.
    pub(crate) fn resumes_only() -> bool {
        NOTES.with_borrow(|notes| notes.input.resumes_only)
    }

    pub(crate) fn add_server_name(name: &str) {
        NOTES.with_borrow_mut(|notes| notes.server_name = Some(Arc::from(name)));
    }

    pub(crate) fn add_identity(identity: &Arc<CertifiedKey>) {
        NOTES.with_borrow_mut(|notes| notes.identity = Some(Arc::clone(identity)));
    }

    /// Takes back [`HandshakeNotes::add_identity`] for an identity that is not sent.
    pub(crate) fn drop_identity() {
        NOTES.with_borrow_mut(|notes| {
            notes.identity = None;
            notes.unnamed = None;
        });
    }

    /// Keeps why no identity is sent though the server asks for one.
    pub(crate) fn add_withheld(why: String) {
        NOTES.with_borrow_mut(|notes| notes.withheld = Some(why));
    }

    /// Keeps how the CAs that the server names differ from that of the identity that is sent.
    pub(crate) fn add_unnamed(why: String) {
        NOTES.with_borrow_mut(|notes| notes.unnamed = Some(why));
    }

    /// Keeps the peer that was accepted.
    fn set_verified(peer: Authenticated) {
        NOTES.with_borrow_mut(|notes| {
            let origin = notes.input.connection_id;
            notes.verified = Some(Arc::new(Authenticated { origin, ..peer }));
        });
    }

    /// Keeps the peer of a session that may be resumed.
    pub(crate) fn set_session(peer: Arc<Authenticated>) {
        NOTES.with_borrow_mut(|notes| notes.session = Some(peer));
    }

    /// Takes back [`HandshakeNotes::set_session`] for a session that is not resumed.
    pub(crate) fn drop_session() {
        NOTES.with_borrow_mut(|notes| notes.session = None);
    }

    /// Returns true if the session that may be resumed is of a peer with these certificates, as far as they are kept.
    pub(crate) fn is_session_of(chain: &[CertificateDer<'_>]) -> bool {
        NOTES.with_borrow(|notes| {
            let peer = notes.session.as_ref().and_then(|session| session.peer.as_ref());
            peer.is_none_or(|peer| peer.chain.encodings().eq(chain.iter().map(|der| der.as_ref())))
        })
    }

    /// The peer, for a session that is about to be kept; none if a server's client showed no certificate.
    pub(crate) fn authenticated() -> Option<Arc<Authenticated>> {
        NOTES.with_borrow(|notes| {
            // With TLS 1.2 a server resumes a session and makes the next ticket in one call.
            notes.verified.as_ref().or(notes.session.as_ref()).or(notes.input.peer.as_ref()).map(Arc::clone)
        })
    }

    /// The same, or a client without a certificate that is connected since now.
    pub(crate) fn authenticated_or(now_s: u64) -> Arc<Authenticated> {
        let unknown = || Authenticated { origin: Self::connection_id(), ..Authenticated::anonymous(now_s) };
        Self::authenticated().unwrap_or_else(|| Arc::new(unknown()))
    }

    /// Keeps what a client's host has chosen to show.
    pub(crate) fn set_shown(shown: Option<Arc<ShownIdentity>>) {
        NOTES.with_borrow_mut(|notes| notes.shown = shown);
    }

    pub(crate) fn shown() -> Option<Arc<ShownIdentity>> {
        NOTES.with_borrow(|notes| notes.shown.as_ref().or(notes.input.shown.as_ref()).map(Arc::clone))
    }

    /// The connection, for the application.
    pub(super) fn connection(version: &'static str) -> PeerConnection {
        NOTES.with_borrow(|notes| PeerConnection {
            id: notes.input.connection_id,
            user: notes.input.user,
            version,
            server_name: notes.server_name.as_ref().or(notes.input.server_name.as_ref()).map(Arc::clone),
        })
    }

    /// The name that this client verifies, if it sends another one.
    pub(crate) fn verified_name() -> Option<Arc<ServerName<'static>>> {
        NOTES.with_borrow(|notes| notes.input.verified_name.as_ref().map(Arc::clone))
    }

    /// By what, with the server's name, the sessions of this client's connection are remembered.
    pub(crate) fn session_scope() -> Option<Arc<str>> {
        NOTES.with_borrow(|notes| notes.input.session_scope.as_ref().map(Arc::clone))
    }

    /// Keeps the ID under which a session was stored, until a ticket takes its place.
    pub(crate) fn set_stored_id(id: Vec<u8>) {
        NOTES.with_borrow_mut(|notes| notes.stored_id = Some(id));
    }

    pub(crate) fn take_stored_id() -> Option<Vec<u8>> {
        NOTES.with_borrow_mut(|notes| notes.stored_id.take())
    }

    /// Counts a session that a client offers.
    pub(super) fn count_offered() -> u8 {
        NOTES.with_borrow_mut(|notes| {
            notes.offered = notes.offered.saturating_add(1);
            notes.offered
        })
    }

    /// Counts a ticket, if all tickets of the call have no more than `most` bytes with it; gives that.
    pub(crate) fn add_ticket(bytes: usize, most: usize) -> bool {
        NOTES.with_borrow_mut(|notes| {
            let fits = notes.ticket_bytes + bytes <= most;
            notes.ticket_bytes += if fits { bytes } else { 0 };
            fits
        })
    }

    /// The version of the current connection.
    ///
    /// A server's certificate of TLS 1.3 is encrypted, so it comes after the record that settled the version. One that
    /// comes with it is of TLS 1.2.
    pub(crate) fn version() -> &'static str {
        NOTES.with_borrow(|notes| notes.input.version).unwrap_or("TLSv1.2")
    }

    /// The settled facts for a host.
    pub(crate) fn settled() -> Arc<Settled> {
        NOTES.with_borrow(|notes| notes.input.settled.clone()).unwrap_or_default()
    }

    /// The own identity for a host that has not chosen it.
    fn own_identity() -> Option<Arc<CertifiedKey>> {
        NOTES.with_borrow(|notes| notes.input.identity.clone())
    }

    /// Keeps the facts that a ClientHello has settled.
    pub(crate) fn settle(settled: Settled) {
        NOTES.with_borrow_mut(|notes| notes.input.settled = Some(Arc::new(settled)));
    }

    /// Takes the settled facts, for the next call.
    pub(crate) fn take_settled(&mut self) -> Option<Arc<Settled>> {
        self.input.settled.take()
    }

    /// Returns true if a host is told by what it knows the session.
    pub(crate) fn keeps_session_facts() -> bool {
        NOTES.with_borrow(|notes| notes.input.keeps_session_facts)
    }

    /// The number of the current connection.
    pub(crate) fn connection_id() -> u64 {
        NOTES.with_borrow(|notes| notes.input.connection_id)
    }

    /// Sets the version, if it has become known during the call.
    pub(crate) fn set_version(version: &'static str) {
        NOTES.with_borrow_mut(|notes| notes.input.version = Some(version));
    }

    /// Keeps what will be wrong with the handshake, for where rustls does not say it.
    pub(crate) fn add_refusal(refusal: Error) {
        NOTES.with_borrow_mut(|notes| notes.refusal = Some(refusal));
    }

    /// The alert of what refused the peer's certificate.
    pub(crate) fn refusal_alert() -> Option<u8> {
        NOTES.with_borrow(|notes| notes.refusal.as_ref().and_then(|error| error.code().alert_in(notes.input.version)))
    }

    /// Takes back [`HandshakeNotes::add_refusal`]. Returns what was kept.
    pub(crate) fn take_refusal() -> Option<Error> {
        NOTES.with_borrow_mut(|notes| notes.refusal.take())
    }

    /// Keeps the refusal for the connection. Returns the error for rustls.
    fn refuse(refusal: Error) -> rustls::Error {
        let error = rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        Self::add_refusal(refusal);
        error
    }
}

/// The judge of a peer's certificate.
#[derive(Clone, Debug)]
pub(crate) enum Judge {
    /// This library, by its own rules.
    Own(Arc<PeerVerifier>),
    /// The host alone. The verifier trusts no certificate, and only checks proofs of possession as far as it can.
    Host(Arc<dyn HandshakeHost>, Arc<PeerVerifier>),
}

impl Judge {
    /// The check of earlier sessions for revoked peers, if it is on.
    pub(crate) fn rechecker(&self) -> Option<&Arc<PeerVerifier>> {
        match self {
            Self::Own(verifier) => Some(verifier).filter(|verifier| verifier.checks_revocation()),
            Self::Host(..) => None,
        }
    }

    /// The check of revocation, if there is one.
    pub(crate) fn revocation(&self) -> Option<&Revocation> {
        self.verifier().revocation()
    }

    /// The certificates that are trusted here, none if a host decides.
    pub(crate) fn trusted(&self) -> &[TrustedCertificate] {
        self.verifier().trusted()
    }

    /// The first check of signatures of the handshake.
    pub(crate) fn verifier(&self) -> &PeerVerifier {
        let (Self::Own(verifier) | Self::Host(_, verifier)) = self;
        verifier
    }

    /// Takes a proof that the verifier could not check, for a key it does not serve, to the host. By then its scheme is
    /// known to be offered and legal.
    fn proof(
        &self,
        outcome: Result<()>,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        const NOT_SERVED: &[Code] = &[Code::CertKeyTooSmall, Code::CertAlgorithmUnsupported];
        let outcome = match (self, outcome) {
            (Self::Host(host, _), Err(error)) if NOT_SERVED.contains(&error.code()) => {
                HandshakeNotes::aside(|| host.check_proof(cert, dss.scheme, message, dss.signature()))
            }
            (_, outcome) => outcome,
        };
        outcome.map(|()| HandshakeSignatureValid::assertion()).map_err(HandshakeNotes::refuse)
    }
}

/// The checks of one side of a context.
pub(crate) struct RustlsVerifier {
    pub(crate) judge: Judge,
    pub(crate) callback: Option<VerifyCallback>,
    pub(crate) log: Log,
    /// Clients: whether the server's name counts.
    pub(crate) checks_name: bool,
    /// Clients: whether anything of the server's certificate counts.
    pub(crate) accepts_any: bool,
    /// Servers: whether a client must have a certificate.
    pub(crate) is_mandatory: bool,
    /// Servers: the CA names to send.
    pub(crate) subjects: Arc<[DistinguishedName]>,
    /// True if sessions keep the peer's certificates.
    pub(crate) keeps_peer: bool,
    /// True if a check of revocation may wait for the network.
    pub(crate) may_wait: bool,
    /// The only schemes that prove the peer's key, if there are fewer than all.
    pub(crate) schemes: Option<Vec<SignatureScheme>>,
}

impl RustlsVerifier {
    /// Refuses a proof by a scheme that was not offered.
    fn check_offered(&self, cert: &CertificateDer<'_>, dss: &DigitallySignedStruct) -> Result<(), rustls::Error> {
        match &self.schemes {
            Some(schemes) if !schemes.contains(&dss.scheme) => {
                Err(HandshakeNotes::refuse(super::signature::unoffered(dss.scheme, cert)))
            }
            _ => Ok(()),
        }
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let borrowed = |der: &CertificateDer<'_>| CertificateDer::from(der.to_vec());
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).map(borrowed).collect();
        match &self.judge {
            Judge::Own(verifier) => {
                // Servers staple; there is no way for clients to (RFC 8446 section 4.4.2.1 needs the server to ask).
                let staple = (purpose == Purpose::Server).then_some(staple);
                self.verify(verifier, &chain, purpose, name, staple, now)
            }
            Judge::Host(host, _) => {
                let (version, settled) = (HandshakeNotes::version(), HandshakeNotes::settled());
                let identity = HandshakeNotes::own_identity();
                let own_chain = identity.as_ref().map(|identity| identity.cert.as_slice()).unwrap_or_default();
                let peer = PeerToJudge { chain: &chain, purpose, version, staple, settled: &settled, own_chain };
                super::check_chain_length(&chain)
                    .and_then(|()| HandshakeNotes::aside(|| host.check_peer(&peer)))
                    .map(|()| self.note(Authenticated::by_host(&chain, staple, now.as_secs())))
            }
        }
        .map_err(HandshakeNotes::refuse)
    }

    fn verify(
        &self,
        verifier: &PeerVerifier,
        chain: &[CertificateDer<'_>],
        purpose: Purpose,
        name: Option<&ServerName<'_>>,
        staple: Option<&[u8]>,
        now: UnixTime,
    ) -> Result<()> {
        // A fetch may write to the log.
        let verdict =
            HandshakeNotes::aside(|| verifier.verify_within(chain, purpose, name, (staple, self.may_wait), now))?;
        if let Some(callback) = &self.callback {
            let connection = HandshakeNotes::connection(HandshakeNotes::version());
            let peer =
                PeerCertificate { chain, purpose, verdict: &verdict, connection: &connection, is_resumed: false };
            HandshakeNotes::aside(|| callback(&peer))
                .map_err(|why| Error::new(Code::CertRejectedByCallback, visible(&why, MAX_REASON_CHARS)))?;
        }
        let connection_id = NOTES.with_borrow(|notes| notes.input.connection_id);
        for deviation in &verdict.deviations {
            let subject = chain.first().map(describe).unwrap_or_default();
            let line = format!("accepted only by {}: {subject}", deviation.name());
            HandshakeNotes::aside(|| self.log.write_about(connection_id, Level::Warn, &line));
        }
        self.note(Authenticated::verified(chain, &verdict, staple.unwrap_or_default(), now.as_secs()));
        NOTES.with_borrow_mut(|notes| notes.deviations.extend(verdict.deviations));
        Ok(())
    }

    /// HandshakeNotes the peer that was accepted, for its sessions.
    fn note(&self, peer: Authenticated) {
        HandshakeNotes::set_verified(if self.keeps_peer { peer } else { peer.without_certificates() });
    }
}

impl fmt::Debug for RustlsVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RustlsVerifier").field("judge", &self.judge).finish_non_exhaustive()
    }
}

/// The part that both of rustls' traits ask for in the same words.
macro_rules! handshake_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.check_offered(cert, dss)?;
            let outcome = self.judge.verifier().verify_tls12_signature(message, cert, dss);
            self.judge.proof(outcome, message, cert, dss)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            cert: &CertificateDer<'_>,
            dss: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, rustls::Error> {
            self.check_offered(cert, dss)?;
            let outcome = self.judge.verifier().verify_tls13_signature(message, cert, dss);
            self.judge.proof(outcome, message, cert, dss)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.schemes.clone().unwrap_or_else(|| self.judge.verifier().signature_schemes())
        }
    };
}

impl ServerCertVerifier for RustlsVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        staple: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(verdict) = HandshakeNotes::judged(end_entity, intermediates, staple) {
            return verdict.map(|()| ServerCertVerified::assertion());
        }
        if HandshakeNotes::resumes_only() {
            return Err(HandshakeNotes::refuse(Error::from(Code::SessionNotResumed)));
        }
        if !self.accepts_any {
            let verified = HandshakeNotes::verified_name();
            let name = self.checks_name.then(|| verified.as_deref().unwrap_or(server_name));
            self.check(end_entity, intermediates, Purpose::Server, name, staple, now)?;
        } else {
            HandshakeNotes::set_verified(Authenticated::anonymous(now.as_secs()));
        }
        Ok(ServerCertVerified::assertion())
    }

    handshake_signatures!();
}

impl ClientCertVerifier for RustlsVerifier {
    /// Asked when the client's certificates are here, and may be none.
    fn client_auth_mandatory(&self) -> bool {
        if self.is_mandatory {
            NOTES.with_borrow_mut(|notes| notes.named = Some(Arc::clone(&self.subjects)));
        }
        self.is_mandatory
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, Purpose::Client, None, &[], now)?;
        Ok(ClientCertVerified::assertion())
    }

    handshake_signatures!();
}
