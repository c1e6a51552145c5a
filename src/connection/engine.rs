//! The part of a connection that speaks TLS: rustls' unbuffered connection during the handshake, our layer of records
//! after it. For what rustls does not serve, it is the second engine from beginning to end.

use std::sync::Arc;

use rustls::client::UnbufferedClientConnection;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, EncodeTlsData, UnbufferedStatus};
use rustls::{CipherSuite, ClientConfig, CommonState, HandshakeKind, NamedGroup};
use rustls::{ProtocolVersion, ServerConfig};

use crate::certificate::{KeptChain, KeptFacts, KeptPeer};
use crate::error::{Error, Result};
use crate::legacy::{Chosen, Client, Session};
use crate::verify::HandshakeNotes;
use crate::verify::host::Settled;

use super::choosing::{Choosing, DecideBoth, Engines, ServerEngine};
use super::hello::{Decide, Fault, Undecided};
use super::record::{self, Cipher, Floods, Layer, Lent};

pub(super) enum Engine {
    Client(Box<Handshake<UnbufferedClientConnection>>),
    Server(Box<Handshake<UnbufferedServerConnection>>),
    /// A server that waits for the ClientHello.
    Undecided(Box<Undecided>),
    /// A client that has not begun: rustls takes the session that it offers when its connection is made.
    Unstarted(Box<Unstarted>),
    /// A server with two engines that waits for the ClientHello.
    Choosing(Box<Choosing>),
    /// The second engine, during the handshake and after it.
    Second(Box<Second>),
    /// The handshake is complete.
    Traffic(Box<Traffic>),
    /// A connection that has failed.
    Ended(Box<Known>),
    /// None, while one variant takes the place of another.
    Taken,
}

/// The engine of a client, which its settings choose.
#[derive(Clone)]
pub(crate) enum ClientEngine {
    First(Arc<ClientConfig>),
    Second(Arc<Client>),
}

/// A client that has not begun, with the name of its server.
pub(super) struct Unstarted {
    engine: ClientEngine,
    name: ServerName<'static>,
}

/// A connection of the second engine.
pub(super) struct Second {
    session: Session,
    /// Empty during the handshake.
    known: Known,
    /// The identity of the key that a client has used.
    own_identity: Option<Box<[u8]>>,
    floods: Floods,
}

/// A connection of rustls', with the ciphers that it has borrowed.
pub(super) struct Handshake<C> {
    connection: C,
    lent: Lent,
}

/// Room for messages that go out together. Allocators keep blocks of up to 1 KiB at hand for each thread. More messages
/// make the buffer grow.
const FLIGHT_BYTES: usize = 1000;

/// The state of a connection after its handshake, in one allocation.
pub(super) struct Traffic {
    known: Known,
    layer: Layer,
}

/// Facts of a connection that stay known.
#[derive(Default)]
pub(super) struct Known {
    is_client: bool,
    is_handshaking: bool,
    version: Option<ProtocolVersion>,
    suite: Option<CipherSuite>,
    group: Option<NamedGroup>,
    alpn: Option<Box<[u8]>>,
    handshake_kind: Option<HandshakeKind>,
    peer: KeptPeer,
}

/// The result of one step of the handshake.
pub(super) enum Step {
    /// Appended records to the outgoing ones, or noticed that they are on their way.
    Emitted,
    /// The application has refused the peer.
    Refused(Error),
    /// Nothing more can be done without the outside.
    Idle,
}

impl<C> Handshake<C> {
    fn new(connection: C, lent: Lent) -> Box<Self> {
        Box::new(Self { connection, lent })
    }

    /// Drops rustls' part. Returns the cipher of this side.
    fn end(self) -> Option<Cipher> {
        let Self { connection, mut lent } = self;
        lent.take_over(|| drop(connection)).write
    }
}

/// Makes a connection of rustls'. A client's first message may need keys already.
fn begin<C>(make: impl FnOnce() -> Result<C, rustls::Error>) -> Result<Box<Handshake<C>>, rustls::Error> {
    let mut lent = Lent::default();
    let connection = lent.note(make)?;
    Ok(Handshake::new(connection, lent))
}

impl Engine {
    pub(super) fn unstarted(engine: ClientEngine, name: ServerName<'static>) -> Self {
        Self::Unstarted(Box::new(Unstarted { engine, name }))
    }

    pub(super) fn server(config: Arc<ServerConfig>) -> Result<Self, rustls::Error> {
        begin(|| UnbufferedServerConnection::new(config)).map(Self::Server)
    }

    /// Makes a server's side with two engines. The ClientHello selects one.
    pub(super) fn choosing(engines: Engines, decide: Option<DecideBoth>) -> Self {
        Self::Choosing(Box::new(Choosing::new(engines, decide)))
    }

    /// Makes a server's side that waits for the ClientHello. `decide` replaces the configuration.
    pub(super) fn undecided(config: Arc<ServerConfig>, decide: Option<Decide>) -> Self {
        Self::Undecided(Box::new(Undecided::new(config, decide)))
    }

    /// Makes a server's side with rustls, for a ClientHello that has settled these facts.
    fn decided((config, settled): (Arc<ServerConfig>, Settled)) -> Result<Self, Fault> {
        let server = Self::server(config)?;
        HandshakeNotes::settle(settled);
        Ok(server)
    }

    /// Takes the place of an engine that has not begun.
    fn begin_with(&mut self, chosen: Result<Option<Self>, Fault>) -> Result<Step, rustls::Error> {
        match chosen {
            Ok(Some(begun)) => {
                *self = begun;
                Ok(Step::Emitted)
            }
            Ok(None) => Ok(Step::Idle),
            Err(Fault::Ours(error)) => Ok(Step::Refused(error)),
            Err(Fault::Rustls(error)) => Err(error),
        }
    }

    /// Steps of the handshake over `tls`, as [`run`] takes them. Returns the bytes to discard from its front, and the
    /// last step.
    pub(super) fn step(&mut self, tls: &mut [u8], outgoing: &mut Vec<u8>) -> (usize, Result<Step, rustls::Error>) {
        match self {
            Self::Client(handshake) => {
                let Handshake { connection, lent } = &mut **handshake;
                lent.note(|| run(tls, |tls| handle(connection.process_tls_records(tls), outgoing)))
            }
            Self::Server(handshake) => {
                let Handshake { connection, lent } = &mut **handshake;
                lent.note(|| run(tls, |tls| handle(connection.process_tls_records(tls), outgoing)))
            }
            Self::Undecided(undecided) => {
                let chosen = undecided.choose(tls);
                (0, self.begin_with(chosen.and_then(|chosen| chosen.map(Self::decided).transpose())))
            }
            Self::Unstarted(unstarted) => {
                let begun = unstarted.begin();
                (0, self.begin_with(begun.map(Some)))
            }
            Self::Choosing(choosing) => {
                let chosen = choosing.choose(tls).and_then(|chosen| match chosen {
                    Some(ServerEngine::First(config, settled)) => Self::decided((config, settled)).map(Some),
                    Some(ServerEngine::Second(session)) => Ok(Some(Second::engine(*session))),
                    None => Ok(None),
                });
                (0, self.begin_with(chosen))
            }
            Self::Second(second) => second.step(tls, outgoing),
            Self::Traffic(_) | Self::Ended(_) | Self::Taken => (0, Ok(Step::Idle)),
        }
    }

    /// Appends the records that rustls has ready, the alert of a failure among them, and looks at no more bytes: what
    /// failed once must not be read again.
    pub(super) fn take_records(&mut self, outgoing: &mut Vec<u8>) {
        while self.common().is_some_and(CommonState::wants_write)
            && matches!(self.step(&mut [], outgoing), (_, Ok(Step::Emitted)))
        {}
    }

    /// Takes the keys for a copy of the flight of a server of TLS 1.3, once rustls has made them.
    pub(super) fn take_flight_reader(&mut self) -> Option<Cipher> {
        let suite = self.suite()?;
        match self {
            Self::Client(handshake) => handshake.lent.take_flight_reader(suite),
            _ => None,
        }
    }

    /// Takes the identifier of a session of TLS 1.2, before [`Engine::complete`].
    pub(super) fn take_session_id(&mut self) -> Option<Box<record::SessionId>> {
        match self {
            Self::Client(handshake) => handshake.lent.take_session_id(),
            Self::Server(handshake) => handshake.lent.take_session_id(),
            _ => None,
        }
    }

    /// Returns true if rustls has completed the handshake, and [`Engine::complete`] has not been called.
    pub(super) fn is_to_complete(&self) -> bool {
        match self {
            Self::Second(second) => second.is_to_complete(),
            _ => self.common().is_some_and(|common| !common.is_handshaking()),
        }
    }

    /// Drops rustls' part after the handshake, and takes its ciphers over for the records.
    ///
    /// # Errors
    /// `INTERNAL`, after which the engine has ended.
    pub(super) fn complete(&mut self) -> Result<()> {
        if let Self::Second(second) = self {
            second.complete();
            return Ok(());
        }
        let known = self.known();
        let layer = match std::mem::replace(self, Self::Taken) {
            Self::Client(handshake) => record::layer_of_client(handshake.connection, handshake.lent),
            Self::Server(mut handshake) => {
                let lent = std::mem::take(&mut handshake.lent);
                let is_tls13 = handshake.connection.protocol_version() == Some(ProtocolVersion::TLSv1_3);
                record::layer_of_server(lent, is_tls13, || drop(handshake))
            }
            other => {
                *self = other;
                return Ok(());
            }
        };
        match layer {
            Ok(layer) => *self = Self::Traffic(Box::new(Traffic { known, layer })),
            Err(error) => {
                *self = Self::Ended(Box::new(known));
                return Err(error);
            }
        }
        Ok(())
    }

    /// The records after the handshake.
    #[inline]
    pub(super) fn layer(&mut self) -> Option<&mut Layer> {
        match self {
            Self::Traffic(traffic) => Some(&mut traffic.layer),
            _ => None,
        }
    }

    /// The second engine, if it serves the connection.
    pub(super) fn second(&mut self) -> Option<&mut Session> {
        match self {
            Self::Second(second) => Some(&mut second.session),
            _ => None,
        }
    }

    /// The counts of what the peer of the second engine may send without end.
    pub(super) fn floods_of_second(&mut self) -> Option<&mut Floods> {
        match self {
            Self::Second(second) => Some(&mut second.floods),
            _ => None,
        }
    }

    /// Drops the part that speaks TLS and keeps what stays known. Returns the cipher of this side, for the last alert.
    pub(super) fn end(&mut self) -> Option<Cipher> {
        let known = self.known();
        match std::mem::replace(self, Self::Ended(Box::new(known))) {
            Self::Client(handshake) => handshake.end(),
            Self::Server(handshake) => handshake.end(),
            Self::Traffic(traffic) => Some(traffic.layer.into_write()),
            Self::Undecided(_)
            | Self::Unstarted(_)
            | Self::Choosing(_)
            | Self::Second(_)
            | Self::Ended(_)
            | Self::Taken => None,
        }
    }

    /// The facts, taken out of the engine, which ends.
    fn known(&mut self) -> Known {
        match self {
            Self::Traffic(traffic) => std::mem::take(&mut traffic.known),
            Self::Ended(known) => std::mem::take(known),
            Self::Second(second) => second.take_known(),
            _ => Known {
                is_client: self.is_client(),
                is_handshaking: self.is_handshaking(),
                version: self.protocol_version(),
                suite: self.suite(),
                group: self.named_group(),
                alpn: self.alpn().map(Box::from),
                handshake_kind: self.handshake_kind(),
                peer: KeptPeer::Chain(KeptChain::of(&self.peer_chain())),
            },
        }
    }

    /// The facts that are kept without rustls.
    fn kept(&self) -> Option<&Known> {
        match self {
            Self::Traffic(traffic) => Some(&traffic.known),
            Self::Ended(known) => Some(known),
            Self::Second(second) if !second.known.is_handshaking => Some(&second.known),
            _ => None,
        }
    }

    pub(super) fn is_client(&self) -> bool {
        match self.kept() {
            Some(known) => known.is_client,
            None => match self {
                Self::Second(second) => second.session.is_client(),
                _ => matches!(self, Self::Client(_) | Self::Unstarted(_)),
            },
        }
    }

    pub(super) fn is_handshaking(&self) -> bool {
        match self.kept() {
            Some(known) => known.is_handshaking,
            None => self.common().is_none_or(CommonState::is_handshaking),
        }
    }

    pub(super) fn peer_chain(&self) -> Vec<CertificateDer<'_>> {
        match self.kept() {
            Some(known) => known.peer.certificates(),
            None => {
                if let Self::Second(second) = self {
                    return second.session.chain().iter().map(|der| CertificateDer::from(der.as_ref())).collect();
                }
                let sent = self.common().and_then(|common| common.peer_certificates()).unwrap_or_default();
                sent.iter().map(|der| CertificateDer::from(der.as_ref())).collect()
            }
        }
    }

    /// The peer as it is kept, once the handshake is complete.
    pub(super) fn peer(&mut self) -> Option<&mut KeptPeer> {
        match self {
            Self::Traffic(traffic) => Some(&mut traffic.known.peer),
            Self::Second(second) => Some(&mut second.known.peer),
            _ => None,
        }
    }

    /// The facts that are kept in place of the peer's chain.
    pub(super) fn peer_facts(&self) -> Option<&KeptFacts> {
        self.kept()?.peer.facts()
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        crate::policy::version_name(self.protocol_version()?.into())
    }

    pub(super) fn cipher_suite(&self) -> Option<&'static str> {
        Some(crate::policy::cipher_suite_name(self.suite()?.into()))
    }

    pub(super) fn group(&self) -> Option<&'static str> {
        crate::policy::group_name_on_the_wire(self.named_group()?)
    }

    /// The identity of the pre-shared key that authenticated a client.
    pub(super) fn psk_identity(&self) -> Option<&[u8]> {
        self.kept()?.peer.psk_identity()
    }

    /// Takes the identity of the pre-shared key that this side has used as a client.
    pub(super) fn take_own_identity(&mut self) -> Option<Box<[u8]>> {
        match self {
            Self::Second(second) => second.own_identity.take(),
            _ => None,
        }
    }

    pub(super) fn alpn(&self) -> Option<&[u8]> {
        match self.kept() {
            Some(known) => known.alpn.as_deref(),
            None => self.common()?.alpn_protocol(),
        }
    }

    pub(super) fn is_resumed(&self) -> Option<bool> {
        self.handshake_kind().map(|kind| kind == HandshakeKind::Resumed)
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        match self.kept() {
            Some(known) => known.version,
            None => match self {
                Self::Second(second) => second.version(),
                _ => self.common()?.protocol_version(),
            },
        }
    }

    fn suite(&self) -> Option<CipherSuite> {
        match self.kept() {
            Some(known) => known.suite,
            None => Some(self.common()?.negotiated_cipher_suite()?.suite()),
        }
    }

    fn named_group(&self) -> Option<NamedGroup> {
        match self.kept() {
            Some(known) => known.group,
            None => Some(self.common()?.negotiated_key_exchange_group()?.name()),
        }
    }

    fn handshake_kind(&self) -> Option<HandshakeKind> {
        match self.kept() {
            Some(known) => known.handshake_kind,
            None => match self {
                Self::Second(second) => second.session.facts().is_resumed.then_some(HandshakeKind::Resumed),
                _ => self.common()?.handshake_kind(),
            },
        }
    }

    /// rustls' part, during the handshake.
    fn common(&self) -> Option<&CommonState> {
        match self {
            Self::Client(handshake) => Some(&handshake.connection),
            Self::Server(handshake) => Some(&handshake.connection),
            _ => None,
        }
    }
}

impl Unstarted {
    /// Makes the connection. What follows gives its first message.
    fn begin(&self) -> Result<Engine, Fault> {
        let name = self.name.clone();
        match &self.engine {
            ClientEngine::First(config) => {
                let config = Arc::clone(config);
                Ok(Engine::Client(begin(|| UnbufferedClientConnection::new(config, name))?))
            }
            ClientEngine::Second(client) => Ok(Second::engine(client.session(name)?)),
        }
    }
}

impl Second {
    fn engine(session: Session) -> Engine {
        let known = Known { is_client: session.is_client(), is_handshaking: true, ..Known::default() };
        Engine::Second(Box::new(Self { session, known, own_identity: None, floods: Floods::default() }))
    }

    fn step(&mut self, tls: &[u8], outgoing: &mut Vec<u8>) -> (usize, Result<Step, rustls::Error>) {
        if self.session.is_complete() {
            return (0, Ok(Step::Idle));
        }
        let (used, outcome) = self.session.handshake(tls, outgoing);
        (used, Ok(outcome.map_or_else(Step::Refused, |()| Step::Idle)))
    }

    fn is_to_complete(&self) -> bool {
        self.known.is_handshaking && self.session.is_complete()
    }

    fn complete(&mut self) {
        self.known = self.take_known();
        self.known.is_handshaking = false;
    }

    fn take_known(&mut self) -> Known {
        if !self.known.is_handshaking {
            return std::mem::take(&mut self.known);
        }
        let Chosen { version, suite, group, is_resumed, protocol } = self.session.facts();
        let (chain, mut psk_identity) = self.session.take_asked();
        if self.session.is_client() {
            self.own_identity = psk_identity.take();
        }
        Known {
            is_client: self.session.is_client(),
            is_handshaking: true,
            version: version.map(ProtocolVersion::from),
            suite: suite.map(CipherSuite::from),
            group: group.map(NamedGroup::from),
            alpn: protocol,
            handshake_kind: Some(if is_resumed { HandshakeKind::Resumed } else { HandshakeKind::Full }),
            // A client with a key is not asked for a certificate.
            peer: psk_identity.map_or_else(|| KeptPeer::Chain(KeptChain::of(&chain)), KeptPeer::Key),
        }
    }

    fn version(&self) -> Option<ProtocolVersion> {
        self.session.version().map(ProtocolVersion::from)
    }
}

/// Takes steps over `tls` until one gives nothing for the peer, or all of `tls` is to be discarded. Without bytes it
/// takes one step: after an error, rustls must not be called for what it has not been shown again.
fn run<E>(tls: &mut [u8], mut step: impl FnMut(&mut [u8]) -> (usize, Result<Step, E>)) -> (usize, Result<Step, E>) {
    let mut discarded = 0;
    loop {
        let (discard, step) = step(&mut tls[discarded..]);
        discarded += discard;
        if discarded == tls.len() || !matches!(step, Ok(Step::Emitted)) {
            return (discarded, step);
        }
    }
}

fn handle<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Vec<u8>,
) -> (usize, Result<Step, rustls::Error>) {
    let UnbufferedStatus { discard, state } = status;
    let step = state.and_then(|state| match state {
        ConnectionState::EncodeTlsData(mut records) => append(&mut records, outgoing)
            .map(|()| Step::Emitted)
            .map_err(|_| rustls::Error::General("a record that cannot be written".to_owned())),
        ConnectionState::TransmitTlsData(transmit) => {
            // What was encoded is kept by this connection until it is given away, so it is on its way.
            transmit.done();
            Ok(Step::Emitted)
        }
        ConnectionState::BlockedHandshake | ConnectionState::WriteTraffic(_) => Ok(Step::Idle),
        // Data does not come before the handshake is complete: early data is never accepted. A future state is refused
        // rather than guessed.
        _ => Err(rustls::Error::General("a state that is not known".to_owned())),
    });
    (discard, step)
}

/// Appends one queued record to `outgoing`.
fn append<Data>(records: &mut EncodeTlsData<'_, Data>, outgoing: &mut Vec<u8>) -> Result<(), EncodeError> {
    match records.encode(&mut []) {
        Ok(_) => Ok(()),
        Err(EncodeError::InsufficientSize(size)) => {
            let start = outgoing.len();
            if start == 0 {
                outgoing.reserve(FLIGHT_BYTES);
            }
            outgoing.resize(start + size.required_size, 0);
            records.encode(&mut outgoing[start..]).map(|_| ())
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use rustls::RootCertStore;
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    #[test]
    fn client_that_has_not_begun_is_a_client_before_and_after_its_end() {
        let versions = ClientConfig::builder_with_provider(Arc::new(default_provider()));
        let config = versions.with_safe_default_protocol_versions().unwrap();
        let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
        let mut engine =
            Engine::unstarted(ClientEngine::First(Arc::new(config)), ServerName::try_from("broker.example").unwrap());
        assert!(engine.is_client());
        engine.end();
        assert!(engine.is_client());
    }
}
