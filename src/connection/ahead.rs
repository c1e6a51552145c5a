//! A look at the flight of a server before rustls processes it.
//!
//! A host is told the version, the suite and the application protocol when it is asked. rustls shows them only after it
//! has read the message in which they come with others.
//!
//! rustls asks for a client's identity when it reads the CertificateRequest, and verifies the server only later. A host
//! that chooses identities must know the server first. So the records of the flight are held until the last one is
//! there, and a copy of them is read for the certificates. rustls then gets all of them at once.
//!
//! ```text
//!            ServerHello of TLS 1.3: given to rustls, which makes the keys
//!          .---------------------------------------------------.
//!          |                                                   v
//!   HELLO -'                                                SEALED --- Finished ------> DONE, with certificates
//!          '-- ServerHello of TLS 1.2 --> PLAIN --- ServerHelloDone ------------------> DONE, with certificates
//!
//!   a server without a CertificateRequest, a session, an alert, any fault leads from each state to DONE, with none
//! ```
//!
//! Nothing is refused here: rustls gets what was held, and finds the fault again. If it finds none and asks for an
//! identity, the server is refused: the host could not be asked.

use brokertls_legacy_abi::Fields;
use rustls::pki_types::{CertificateDer, ServerName};

use crate::verify::Foreseen;
use crate::verify::host::Settled;

use super::record::{Cipher, HEADER_BYTES};
use super::settled;

/// The longest message that rustls takes, in bytes.
const MAX_MESSAGE_BYTES: usize = 0xffff;

/// Content types (RFC 8446 section 5.1).
const CHANGE_CIPHER_SPEC: u8 = 20;
const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;

/// Level of an alert after which the handshake continues in TLS 1.2, such as unrecognized_name (RFC 6066 section 3).
const WARNING: u8 = 1;

/// Handshake types (RFC 8446 section 4, RFC 5246 section 7.4, RFC 6066 section 8).
const SERVER_HELLO: u8 = 2;
const ENCRYPTED_EXTENSIONS: u8 = 8;
const CERTIFICATE: u8 = 11;
const SERVER_KEY_EXCHANGE: u8 = 12;
const CERTIFICATE_REQUEST: u8 = 13;
const SERVER_HELLO_DONE: u8 = 14;
const CERTIFICATE_VERIFY: u8 = 15;
const FINISHED: u8 = 20;
const CERTIFICATE_STATUS: u8 = 22;

/// The messages of the flight with a CertificateRequest, in their order.
const FLIGHT_OF_TLS12: &[u8] =
    &[CERTIFICATE, CERTIFICATE_STATUS, SERVER_KEY_EXCHANGE, CERTIFICATE_REQUEST, SERVER_HELLO_DONE];
const FLIGHT_OF_TLS13: &[u8] = &[ENCRYPTED_EXTENSIONS, CERTIFICATE_REQUEST, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED];

/// An extension (RFC 8446 section 4.2).
const STATUS_REQUEST: u16 = 5;

/// The type of status that is an OCSP response.
const OCSP: u8 = 1;

enum Stage {
    Hello,
    Plain,
    Sealed(Cipher),
    Done,
}

/// The fate of the records that have been collected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// They are held: more of the flight is to come.
    Hold,
    /// rustls gets them.
    Feed,
}

/// The look at one flight.
pub(super) struct Ahead {
    stage: Stage,
    name: ServerName<'static>,
    /// True to read the flight for the certificates too.
    is_whole: bool,
    /// The facts in the messages so far.
    settled: Settled,
    /// The bytes of the collected records that have been read.
    read: usize,
    /// The bytes of messages that are not whole.
    part: Vec<u8>,
    /// The place of the last message in the order of the flight.
    place: usize,
    certificate: Option<Vec<u8>>,
    status: Option<Vec<u8>>,
    is_requested: bool,
    found: Option<Foreseen>,
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ahead").field("read", &self.read).finish_non_exhaustive()
    }
}

/// A flight that is not read to its end.
struct Other;

impl Ahead {
    /// Begins a look for the facts of the handshake. If `is_whole`, it is also for the certificates.
    pub(super) fn new(name: ServerName<'static>, is_whole: bool) -> Self {
        Self {
            stage: Stage::Hello,
            name,
            is_whole,
            settled: Settled::default(),
            read: 0,
            part: Vec::new(),
            place: 0,
            certificate: None,
            status: None,
            is_requested: false,
            found: None,
        }
    }

    /// Reads what is new in the collected records. `keys` has the server's keys of the handshake once rustls has made
    /// them.
    pub(super) fn look(&mut self, records: &[u8], keys: impl FnOnce() -> Option<Cipher>) -> Look {
        if matches!(self.stage, Stage::Hello)
            && self.read == 0
            && let Some(cipher) = keys()
        {
            self.stage = Stage::Sealed(cipher);
        }
        loop {
            if matches!(self.stage, Stage::Done) {
                return Look::Feed;
            }
            let Some(record) = records.get(self.read..).filter(|rest| !rest.is_empty()) else { return Look::Hold };
            match self.record(record) {
                Ok(Look::Hold) => {}
                Ok(Look::Feed) => return Look::Feed,
                Err(Other) => self.end(None),
            }
        }
    }

    /// Called when rustls has been given the records. `left` is the number of bytes that it has not discarded.
    pub(super) fn fed(&mut self, left: usize) {
        self.read = 0;
        if left > 0 {
            self.end(None);
        }
    }

    /// Takes the certificates, once they have been found.
    pub(super) fn take_found(&mut self) -> Option<Foreseen> {
        self.found.take()
    }

    /// The facts that have been read.
    pub(super) fn settled(&self) -> &Settled {
        &self.settled
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.stage, Stage::Done)
    }

    fn end(&mut self, found: Option<Foreseen>) {
        self.stage = Stage::Done;
        self.part = Vec::new();
        self.found = found;
    }

    /// Reads one record.
    fn record(&mut self, records: &[u8]) -> Result<Look, Other> {
        let mut fields = Fields(records);
        let kind = fields.take(1).ok_or(Other)?[0];
        fields.take(2).ok_or(Other)?;
        let content = fields.vector(2).ok_or(Other)?;
        let whole = &records[..HEADER_BYTES + content.len()];
        self.read += whole.len();
        let is_ignored = match self.stage {
            Stage::Hello => self.part.is_empty(),
            Stage::Sealed(_) => true,
            // A session is resumed.
            Stage::Plain | Stage::Done => false,
        };
        if kind == CHANGE_CIPHER_SPEC && is_ignored {
            return Ok(Look::Hold);
        }
        // Nor does one interrupt a message (RFC 5246 section 6.2.1).
        if kind == ALERT
            && matches!((&self.stage, content), (Stage::Hello | Stage::Plain, [WARNING, _]))
            && self.part.is_empty()
        {
            return Ok(Look::Hold);
        }
        let more = match &mut self.stage {
            Stage::Sealed(cipher) => cipher.read_handshake(whole.to_vec()).ok_or(Other)?,
            _ if kind == HANDSHAKE && !content.is_empty() => content.to_vec(),
            _ => return Err(Other),
        };
        self.part.extend_from_slice(&more);
        self.messages()
    }

    /// Reads the messages that are whole.
    fn messages(&mut self) -> Result<Look, Other> {
        let mut read = 0;
        let mut part = std::mem::take(&mut self.part);
        while let [kind, high, middle, low, rest @ ..] = &part[read..] {
            let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
            if length > MAX_MESSAGE_BYTES {
                return Err(Other);
            }
            let Some(body) = rest.get(..length) else { break };
            read += 4 + length;
            let is_last = read == part.len();
            match self.stage {
                Stage::Hello if *kind == SERVER_HELLO => {
                    self.settled = settled::of_server_hello(body).ok_or(Other)?;
                    if self.settled.version == Some("TLSv1.3") {
                        // Nothing follows it under the same keys. A HelloRetryRequest looks the same.
                        return if is_last { Ok(Look::Feed) } else { Err(Other) };
                    }
                    if !self.is_whole {
                        return Err(Other);
                    }
                    self.stage = Stage::Plain;
                }
                Stage::Plain => self.message(*kind, body, FLIGHT_OF_TLS12, is_last)?,
                Stage::Sealed(_) => self.message(*kind, body, FLIGHT_OF_TLS13, is_last)?,
                _ => return Err(Other),
            }
        }
        part.drain(..read);
        self.part = part;
        Ok(Look::Hold)
    }

    /// Notes one message of the flight.
    fn message(&mut self, kind: u8, body: &[u8], flight: &[u8], is_last: bool) -> Result<(), Other> {
        let place = flight.iter().position(|known| *known == kind).ok_or(Other)? + 1;
        if place <= self.place {
            return Err(Other);
        }
        self.place = place;
        let is_tls13 = flight == FLIGHT_OF_TLS13;
        match kind {
            CERTIFICATE => self.certificate = Some(body.to_vec()),
            CERTIFICATE_STATUS => self.status = Some(body.to_vec()),
            CERTIFICATE_REQUEST => {
                self.is_requested = true;
                self.settled.certificate_schemes = settled::schemes_of_request(body, is_tls13).ok_or(Other)?;
                if !self.is_whole {
                    return Err(Other);
                }
            }
            ENCRYPTED_EXTENSIONS => {
                self.settled.protocol = Some(settled::protocol_of_extensions(body).ok_or(Other)?);
            }
            _ => {}
        }
        if is_tls13 && !self.is_requested && kind != ENCRYPTED_EXTENSIONS {
            return Err(Other);
        }
        if kind != FINISHED && kind != SERVER_HELLO_DONE {
            return Ok(());
        }
        if !self.is_requested || !is_last {
            return Err(Other);
        }
        let certificate = self.certificate.take().ok_or(Other)?;
        let found = match is_tls13 {
            true => of_tls13(&certificate),
            false => of_tls12(&certificate, self.status.as_deref()),
        };
        let (chain, staple) = found.ok_or(Other)?;
        let found = Foreseen { chain, staple, name: self.name.clone() };
        self.end(Some(found));
        Ok(())
    }
}

type Shown = (Vec<CertificateDer<'static>>, Vec<u8>);

/// The certificates and the OCSP response of a Certificate and a CertificateStatus of TLS 1.2.
fn of_tls12(certificate: &[u8], status: Option<&[u8]>) -> Option<Shown> {
    let mut message = Fields(certificate);
    let mut list = Fields(message.vector(3)?);
    let mut chain = Vec::new();
    while !Fields(list.0).is_empty() {
        chain.push(CertificateDer::from(list.vector(3)?.to_vec()));
    }
    let staple = status.map_or(Some(Vec::new()), response)?;
    (message.is_empty() && !chain.is_empty()).then_some((chain, staple))
}

/// The certificates and the OCSP response of a Certificate of TLS 1.3 (RFC 8446 section 4.4.2).
fn of_tls13(certificate: &[u8]) -> Option<Shown> {
    let mut message = Fields(certificate);
    // Without a context.
    if message.vector(1)? != [0u8; 0] {
        return None;
    }
    let mut list = Fields(message.vector(3)?);
    let (mut chain, mut staple) = (Vec::new(), Vec::new());
    while !Fields(list.0).is_empty() {
        chain.push(CertificateDer::from(list.vector(3)?.to_vec()));
        let mut extensions = Fields(list.vector(2)?);
        while !Fields(extensions.0).is_empty() {
            let (kind, content) = (extensions.number()?, extensions.vector(2)?);
            if kind == STATUS_REQUEST && chain.len() == 1 {
                staple = response(content)?;
            }
        }
    }
    (message.is_empty() && !chain.is_empty()).then_some((chain, staple))
}

/// The OCSP response of a status (RFC 6066 section 8).
fn response(status: &[u8]) -> Option<Vec<u8>> {
    let mut status = Fields(status);
    if status.take(1)? != [OCSP] {
        return None;
    }
    let response = status.vector(3)?;
    status.is_empty().then(|| response.to_vec())
}
