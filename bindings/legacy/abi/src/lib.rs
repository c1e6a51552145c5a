//! The boundary between the core and its second TLS engine: a table of functions and plain structures. [`Fields`] reads
//! handshake messages on both sides.
//!
//! Both sides are compiled with this file. They may be of different releases, so [`VERSION`] changes with every
//! change here. No pointer of one side outlives the call that it is given to, except for the handles that the engine
//! makes.

mod fields;

use std::ffi::{CStr, c_void};

pub use fields::Fields;

/// The version of everything in this file.
pub const VERSION: u32 = 9;

/// The size of the structures of this file together, in bytes: it changes with most of their changes.
#[allow(clippy::cast_possible_truncation, reason = "a few hundred bytes")]
pub const SIZE: u32 = (size_of::<Table>()
    + size_of::<ContextParts>()
    + size_of::<Tls13Parts>()
    + size_of::<Callbacks>()
    + size_of::<SessionParts>()
    + size_of::<Facts>()) as u32;

/// The name of the engine's one symbol, a function of the type [`Entry`].
pub const ENTRY: &CStr = c"brokertls_legacy_table";

/// The function that gives the table. It lives as long as the process.
pub type Entry = unsafe extern "C" fn() -> *const Table;

/// Bytes of the caller.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Bytes {
    /// The first byte. It may be anything if there are none.
    pub data: *const u8,
    /// The number of bytes.
    pub length: usize,
}

impl Bytes {
    /// Points to these bytes.
    pub const fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), length: bytes.len() }
    }

    /// Returns the bytes.
    ///
    /// # Safety
    /// The bytes must be valid and unchanged for `'a`.
    #[allow(unsafe_code)]
    pub const unsafe fn get<'a>(self) -> &'a [u8] {
        if self.length == 0 {
            return &[];
        }
        // SAFETY: the caller promises it.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

/// A certificate chain, end entity first, and its private key: all in DER.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IdentityParts {
    /// The certificates.
    pub chain: *const Bytes,
    /// The number of certificates.
    pub chain_length: usize,
    /// The key: PKCS#8, PKCS#1 or SEC1.
    pub key: Bytes,
}

/// The length of [`ContextParts::ticket_tag`], in bytes.
pub const TICKET_TAG_BYTES: usize = 8;

/// The byte after the tag of a ticket: the session's hash is SHA-384, not SHA-256.
pub const TICKET_OF_SHA384: u8 = 1;

/// The settings of the connections of one side.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct ContextParts {
    /// 1 for clients, 0 for servers.
    pub is_client: u8,
    /// The identity of a server. NULL for none. That of a client is asked for ([`Callbacks::identity`]).
    pub identity: *const IdentityParts,
    /// The versions: bit 0 is TLS 1.0, bit 3 is TLS 1.3.
    pub versions: u8,
    /// OpenSSL's names of the suites up to TLS 1.2, with colons between.
    pub suites: Bytes,
    /// Those of TLS 1.3.
    pub suites_of_tls13: Bytes,
    /// OpenSSL's names of the groups, with colons between.
    pub groups: Bytes,
    /// OpenSSL's names of the signature algorithms, with colons between.
    pub signatures: Bytes,
    /// The application protocols, each after a byte with its length.
    pub protocols: Bytes,
    /// The names (DER) of the CAs in a request for a certificate.
    pub subjects: *const Bytes,
    /// The number of names.
    pub subjects_length: usize,
    /// A request for a client's certificate: 0 none, 1 a request, 2 a requirement.
    pub client_auth: u8,
    /// 1 if the order of the suites here decides, not the client's.
    pub prefers_own_order: u8,
    /// 1 if clients may have a pre-shared key; in a client, if it may have one.
    pub has_psk: u8,
    /// 1 if secrets are noted.
    pub has_key_log: u8,
    /// 1 if there may be a staple.
    pub has_staple: u8,
    /// The age in seconds up to which a session may be resumed by a ticket; 0 for no tickets.
    pub session_lifetime_s: u32,
    /// The number of tickets after a handshake of TLS 1.3.
    pub tickets_of_tls13: u8,
    /// The first bytes of each ticket, by which the core knows it.
    pub ticket_tag: [u8; TICKET_TAG_BYTES],
    /// 1 if a session of a client without a ticket may be resumed by its ID, up to TLS 1.2.
    pub has_session_ids: u8,
    /// The hint to the identity of a pre-shared key. No bytes for none.
    pub psk_hint: Bytes,
}

/// The settings of one connection for TLS 1.3, if they differ from those of its context. The key is that of the client
/// with either side.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Tls13Parts {
    /// OpenSSL's names of the suites, with colons between. No bytes turn TLS 1.3 off.
    pub suites: Bytes,
    /// The identity of the pre-shared key. No bytes for none.
    pub identity: Bytes,
    /// Its secret.
    pub secret: Bytes,
    /// A suite with its hash, as on the wire.
    pub suite: u16,
}

/// A client's question for its identity, which a server has asked for.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IdentityRequest {
    /// The names (DER) of the CAs that the server takes.
    pub issuers: *const Bytes,
    /// The number of names.
    pub issuers_length: usize,
    /// The signature algorithms that it takes, as on the wire.
    pub schemes: *const u16,
    /// The number of algorithms.
    pub schemes_length: usize,
    /// The version as on the wire.
    pub version: u16,
}

/// The session that a ticket is made of, or that is stored.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SessionParts {
    /// The version as on the wire.
    pub version: u16,
    /// 1 if this handshake has resumed it.
    pub is_resumed: u8,
    /// 1 if a pre-shared key has authenticated the two sides in this handshake.
    pub uses_psk: u8,
}

/// The verdict on a peer that is accepted. No alert has this number, and no memory that is zero.
pub const ACCEPTED: u32 = 0x0acc_e97d;

/// Judges certificates, with the response in the staple of a server and the version as on the wire. Returns
/// [`ACCEPTED`]. Every other number is a refusal, and its alert is in the last argument.
pub type Verify = unsafe extern "C" fn(*mut c_void, *const Bytes, usize, Bytes, u16, *mut u8) -> u32;

/// The functions of the caller that a call of the engine may use. None may unwind.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Callbacks {
    /// Passed to each of them.
    pub data: *mut c_void,
    /// Takes records for the peer.
    pub emit: unsafe extern "C" fn(*mut c_void, Bytes),
    /// Judges the certificates of the peer, as it sent them.
    pub verify: Verify,
    /// Puts the secret of an identity into the buffer, up to TLS 1.2. Returns its length, or 0 for none.
    pub secret: unsafe extern "C" fn(*mut c_void, Bytes, *mut u8, usize) -> usize,
    /// Puts the identity and the secret of a client into the two buffers, up to TLS 1.2, for a hint of the server. The
    /// identity has a zero byte at its end. Returns the length of the secret, or 0 for none.
    pub own_secret: unsafe extern "C" fn(*mut c_void, Bytes, *mut u8, usize, *mut u8, usize) -> usize,
    /// Gives the identity of a client, which is valid until the call of the engine ends. NULL for none. One without a
    /// certificate ends the handshake.
    pub identity: unsafe extern "C" fn(*mut c_void, *const IdentityRequest) -> *const IdentityParts,
    /// Notes a secret of the connection, as a line of a key log (draft-ietf-tls-keylogfile).
    pub note_secret: unsafe extern "C" fn(*mut c_void, Bytes),
    /// Puts the response about this side's certificate (DER) into the buffer. Returns its length, or 0 for none.
    pub staple: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> usize,
    /// Puts the sealed facts of the client into the buffer, for a ticket that has the given number of bytes without
    /// them. Returns their length, or 0 for no ticket.
    pub seal_session: unsafe extern "C" fn(*mut c_void, SessionParts, usize, *mut u8, usize) -> usize,
    /// Decides by the sealed facts in a ticket if its session may be resumed in this version: [`ACCEPTED`] if so.
    /// OpenSSL may still not resume it: [`Facts::is_resumed`] says if it has.
    pub open_session: unsafe extern "C" fn(*mut c_void, u16, Bytes) -> u32,
    /// Keeps a session under its ID, up to TLS 1.2.
    pub store_session: unsafe extern "C" fn(*mut c_void, SessionParts, Bytes, Bytes),
    /// Puts the session with this ID into the buffer, if it may be resumed in this version. Returns its length, or 0
    /// for none. As for [`Callbacks::open_session`], OpenSSL may still not resume it.
    pub find_session: unsafe extern "C" fn(*mut c_void, u16, Bytes, *mut u8, usize) -> usize,
}

/// The outcome of a call.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More records of the peer are needed.
    NeedsInput = 0,
    /// The handshake is complete, or data has moved.
    Done = 1,
    /// The peer has sent close_notify.
    Closed = 2,
    /// The connection has failed: [`Fault`] says why.
    Failed = 3,
}

impl Outcome {
    /// The outcome of a number on the boundary. An unknown one is a failure.
    pub const fn from_number(number: u32) -> Self {
        match number {
            0 => Self::NeedsInput,
            1 => Self::Done,
            2 => Self::Closed,
            _ => Self::Failed,
        }
    }
}

/// Reasons of the engine itself, with the part 0.
pub mod reason {
    /// The engine has failed.
    pub const ENGINE: i32 = 0;
    /// A second request to renegotiate, or more in one record.
    pub const RENEGOTIATION: i32 = 1;
    /// A handshake message after the handshake that is not whole in its record.
    pub const PART_OF_MESSAGE: i32 = 2;
    /// A record with fewer bytes than its cipher adds.
    pub const CUT_RECORD: i32 = 3;
}

/// The reason of a failure, by the numbers of OpenSSL's first error.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// The part of OpenSSL (`ERR_GET_LIB`); 0 for the engine itself.
    pub library: i32,
    /// The reason in it (`ERR_GET_REASON`), or one of [`reason`]. In OpenSSL's TLS part, 1000 + n is the alert n of the
    /// peer.
    pub reason: i32,
}

/// Facts of a connection.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The version as on the wire; 0 if it is not chosen.
    pub version: u16,
    /// The suite as on the wire; 0 if it is not chosen.
    pub suite: u16,
    /// The key exchange group as on the wire; 0 for none.
    pub group: u16,
    /// 1 if an earlier session has been resumed.
    pub is_resumed: u8,
    /// 1 if a pre-shared key has authenticated the two sides, once the handshake is complete.
    pub uses_psk: u8,
    /// 1 if a signature of the handshake, of either side, is over SHA-1 or over MD5 and SHA-1.
    pub uses_sha1: u8,
    /// Bytes of the application protocol; 0 for none.
    pub protocol_length: u8,
    /// The application protocol.
    pub protocol: [u8; 255],
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            version: 0,
            suite: 0,
            group: 0,
            is_resumed: 0,
            uses_psk: 0,
            uses_sha1: 0,
            protocol_length: 0,
            protocol: [0; 255],
        }
    }
}

/// The functions of the engine. A context may be used by several threads at once, a connection by one at a time.
#[repr(C)]
#[derive(Debug)]
pub struct Table {
    /// [`VERSION`].
    pub version: u32,
    /// [`SIZE`].
    pub size: u32,
    /// OpenSSL's version: 0xMNN00PP0.
    pub library_version: unsafe extern "C" fn() -> u64,
    /// Puts the numbers of the suites that OpenSSL has into the buffer. Returns how many there are; 0 for a failure.
    pub suites: unsafe extern "C" fn(*mut u16, usize) -> usize,
    /// Makes a context. Returns NULL for a failure.
    pub context_new: unsafe extern "C" fn(*const ContextParts, *mut Fault) -> *mut c_void,
    /// Frees a context. Its connections stay valid.
    pub context_free: unsafe extern "C" fn(*mut c_void),
    /// Makes a connection. A client sends the server name, if it has bytes. Returns NULL for a failure.
    pub connection_new: unsafe extern "C" fn(*mut c_void, Bytes, *mut Fault) -> *mut c_void,
    /// Gives a connection its own settings for TLS 1.3, before its handshake. Returns 0 for a failure.
    pub connection_limit: unsafe extern "C" fn(*mut c_void, *const Tls13Parts, *mut Fault) -> u32,
    /// Frees a connection.
    pub connection_free: unsafe extern "C" fn(*mut c_void),
    /// Continues the handshake with records of the peer. Puts the number of used bytes into the fourth argument.
    pub handshake: unsafe extern "C" fn(*mut c_void, *const Callbacks, Bytes, *mut usize, *mut Fault) -> u32,
    /// Opens one record: puts its plaintext into the buffer, and its length into the sixth argument. A record without
    /// data needs no buffer.
    pub open: unsafe extern "C" fn(*mut c_void, *const Callbacks, Bytes, *mut u8, usize, *mut usize, *mut Fault) -> u32,
    /// Seals the start of the data, at most one record. Puts the number of used bytes into the fourth argument.
    pub seal: unsafe extern "C" fn(*mut c_void, *const Callbacks, Bytes, *mut usize, *mut Fault) -> u32,
    /// Seals close_notify.
    pub close: unsafe extern "C" fn(*mut c_void, *const Callbacks, *mut Fault) -> u32,
    /// Seals a fatal alert of this description, unless OpenSSL has sent one. Nothing may be done after it.
    pub alert: unsafe extern "C" fn(*mut c_void, *const Callbacks, u8, *mut Fault) -> u32,
    /// Reads the facts of a connection.
    pub facts: unsafe extern "C" fn(*mut c_void, *mut Facts),
}
