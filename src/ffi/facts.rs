//! What is known of a connection and its peer. Texts are made when they are first asked for, and kept by the connection.

use std::ffi::{CString, c_char};
use std::mem::MaybeUninit;
use std::ptr;

use crate::error::{Code, Error, Result};

use super::arguments::{c_string, required};
use super::certificate::btls_certificate;
use super::conn::{Conn, Texts, btls_conn};
use super::guard::{guard_fact, guard_object, object};
use super::{DONE, btls_status};

impl Conn {
    /// A text that is kept from the first time that there is one.
    fn text(&mut self, slot: impl FnOnce(&mut Texts) -> &mut Option<CString>, fact: Fact) -> *const c_char {
        let slot = slot(self.texts.get_or_insert_default());
        if slot.is_none() {
            *slot = fact(self.stream.connection()).map(c_string);
        }
        slot.as_ref().map_or(ptr::null(), |text| text.as_ptr())
    }

    fn deviation(&mut self, index: usize) -> *const c_char {
        let deviations = self.stream.connection().deviations();
        let texts = self.texts.get_or_insert_default();
        // They grow during a handshake at most, and never change: texts that were given stay where they are.
        let new = deviations.iter().skip(texts.deviations.len()).map(|switch| c_string(switch.name()));
        texts.deviations.extend(new);
        texts.deviations.get(index).map_or(ptr::null(), |text| text.as_ptr())
    }

    fn peer(&mut self) -> *const btls_certificate {
        let texts = self.texts.get_or_insert_default();
        if texts.peer.is_none() {
            // One that cannot be read was accepted unseen: there is nothing to tell of it.
            let facts = self.stream.connection().peer_chain().first().map(btls_certificate::from_der);
            texts.peer = facts.and_then(Result::ok).map(Box::new);
        }
        texts.peer.as_deref().map_or(ptr::null(), ptr::from_ref)
    }
}

type Fact = fn(&crate::connection::Connection) -> Option<&str>;

/// The number of the connection, by which its context tells of it (btls_builder_on_revoked): no other connection of the
/// context has it. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_id(conn: *const btls_conn) -> u64 {
    guard_fact(0, object!(conn), |conn| conn.stream.connection().id())
}

/// The protocol version, "TLSv1.3" or "TLSv1.2"; NULL before it is chosen.
///
/// The text lives as long as the connection, as all its texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_version(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| {
        conn.text(|texts| &mut texts.version, |connection| connection.version())
    })
}

/// The cipher suite by its IANA name, e.g. "TLS_AES_128_GCM_SHA256"; NULL before it is chosen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_cipher_suite(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| {
        conn.text(|texts| &mut texts.cipher_suite, |connection| connection.cipher_suite())
    })
}

/// The key exchange group, e.g. "X25519MLKEM768"; NULL before it is chosen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_group(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| conn.text(|texts| &mut texts.group, |connection| connection.group()))
}

/// The server name that the client sent (SNI), on a server; NULL where it sent none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_server_name(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| {
        conn.text(|texts| &mut texts.server_name, |connection| connection.server_name())
    })
}

/// Gives the application protocol that was agreed on (ALPN), which lives as long as the connection: `protocol` becomes NULL
/// and `length` 0 where none was. It is not ended by a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_alpn(
    conn: *const btls_conn,
    protocol: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let (protocol, length) = (required(protocol, "protocol")?, required(length, "length")?);
        let agreed = conn.stream.connection().alpn();
        protocol.write(agreed.map_or(ptr::null(), <[u8]>::as_ptr));
        length.write(agreed.map_or(0, <[u8]>::len));
        DONE
    })
}

/// Whether an earlier session was resumed; false before the handshake is complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_is_resumed(conn: *const btls_conn) -> bool {
    guard_fact(false, object!(conn), |conn| conn.stream.connection().is_resumed().unwrap_or_default())
}

/// Whether the handshake is still under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_is_handshaking(conn: *const btls_conn) -> bool {
    guard_fact(false, object!(conn), |conn| conn.stream.connection().is_handshaking())
}

/// How many deviation switches were needed to accept the peer's certificate (btls_builder_insecure_allow).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_deviation_count(conn: *const btls_conn) -> usize {
    guard_fact(0, object!(conn), |conn| conn.stream.connection().deviations().len())
}

/// The name of one of them; NULL for an index that is too large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_deviation(conn: *const btls_conn, index: usize) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| conn.deviation(index))
}

/// The peer's own certificate, which lives as long as the connection; NULL where it sent none, and before it was verified.
///
/// It is what btls_certificate_* look at, and is not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_certificate(conn: *const btls_conn) -> *const btls_certificate {
    guard_fact(ptr::null(), object!(conn), Conn::peer)
}

/// How many certificates the peer sent, its own with them; 0 before they were verified.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_chain_count(conn: *const btls_conn) -> usize {
    guard_fact(0, object!(conn), |conn| conn.stream.connection().peer_chain().len())
}

/// Gives one of the peer's certificates in DER, 0 its own, as it was sent. It lives as long as the connection.
///
/// Returns BTLS_OK or BTLS_INVALID_ARGUMENT for an index that is too large.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_chain(
    conn: *const btls_conn,
    index: usize,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let (der, length) = (required(der, "der")?, required(length, "length")?);
        let chain = conn.stream.connection().peer_chain();
        let certificate = chain
            .get(index)
            .ok_or_else(|| Error::new(Code::InvalidArgument, format!("certificate {index} of {}", chain.len())))?;
        der.write(certificate.as_ptr());
        length.write(certificate.len());
        DONE
    })
}
