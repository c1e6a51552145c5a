//! The facts of a connection and its peer. Connections share the names of the protocol; other texts are kept by their
//! connection from the first read on.

use std::ffi::{CString, c_char, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::connection::Connection;
use crate::error::{Code, Error};

use super::arguments::{c_string, required};
use super::certificate::btls_certificate;
use super::conn::{Conn, btls_conn};
use super::guard::{guard_fact, guard_object, object};
use super::{DONE, btls_status};

impl Conn {
    /// Returns a name that is one of few, as all connections share it.
    fn name(&self, fact: impl FnOnce(&Connection) -> Option<&'static str>) -> *const c_char {
        fact(self.stream.connection()).map_or(ptr::null(), shared_text)
    }

    fn server_name(&mut self) -> *const c_char {
        let Some(name) = self.stream.connection().server_name() else { return ptr::null() };
        self.extras.get_or_insert_default().server_name.get_or_insert_with(|| c_string(name)).as_ptr()
    }

    /// Returns the connection once its handshake is complete or has failed. Bytes that it gives then stay where they
    /// are.
    fn settled(&self) -> Option<&Connection> {
        let connection = self.stream.connection();
        Some(connection).filter(|connection| !connection.is_handshaking() || connection.failure().is_some())
    }

    fn peer(&mut self) -> *const btls_certificate {
        if self.extras.as_ref().is_none_or(|extras| extras.peer.is_none()) {
            // A certificate that cannot be parsed was accepted without a check and has no facts.
            let Some(Ok(facts)) = self.stream.connection().peer_facts() else { return ptr::null() };
            self.extras.get_or_insert_default().peer = Some(Box::new(btls_certificate::new(&facts)));
        }
        self.extras.as_ref().and_then(|extras| extras.peer.as_deref()).map_or(ptr::null(), ptr::from_ref)
    }
}

/// A text for C of a name, and the texts before it.
struct SharedText {
    name: &'static str,
    text: CString,
    next: *const Self,
}

/// Returns the text for C of a name in the tables of the library. It is made once and stays.
///
/// The list takes no lock: a child process may have been made while another thread of its parent was here.
fn shared_text(name: &'static str) -> *const c_char {
    static LAST: AtomicPtr<SharedText> = AtomicPtr::new(ptr::null_mut());
    let mut made: Option<Box<SharedText>> = None;
    loop {
        let last = LAST.load(Ordering::Acquire);
        if let Some(text) = text_in(last, name) {
            return text;
        }
        let mut text = made.take().unwrap_or_else(|| Box::new(SharedText { name, text: c_string(name), next: last }));
        text.next = last;
        let text = Box::into_raw(text);
        match LAST.compare_exchange(last, text, Ordering::AcqRel, Ordering::Relaxed) {
            // SAFETY: it stays.
            Ok(_) => return unsafe { (*text).text.as_ptr() },
            // SAFETY: it is this call's still.
            Err(_) => made = Some(unsafe { Box::from_raw(text) }),
        }
    }
}

/// The text of a name in the list that begins here. There are some tens of names.
fn text_in(mut at: *const SharedText, name: &str) -> Option<*const c_char> {
    // SAFETY: a text in the list stays as it is.
    while let Some(text) = unsafe { at.as_ref() } {
        if text.name == name {
            return Some(text.text.as_ptr());
        }
        at = text.next;
    }
    None
}

/// Returns the number of the connection, which no other connection of its context has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_id(conn: *const btls_conn) -> u64 {
    guard_fact(0, object!(conn), |conn| conn.stream.connection().id())
}

/// Returns the user pointer of the connection (btls_conn_options_user).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_user(conn: *const btls_conn) -> *mut c_void {
    guard_fact(ptr::null_mut(), object!(conn), |conn| ptr::with_exposed_provenance_mut(conn.stream.connection().user()))
}

/// Returns the protocol version, e.g. "TLSv1.3", or NULL before it is chosen.
///
/// # Details
///
/// The versions are "TLSv1.3" and "TLSv1.2", and of a context with the option legacy-engine also "TLSv1.1" and "TLSv1".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_version(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| conn.name(Connection::version))
}

/// Returns the cipher suite by its IANA name, or NULL before it is chosen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_cipher_suite(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| conn.name(Connection::cipher_suite))
}

/// Returns the key exchange group, e.g. "X25519MLKEM768", or NULL before it is chosen.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_group(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| conn.name(Connection::group))
}

/// On a server, returns the server name of the client (SNI), or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_server_name(conn: *const btls_conn) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), Conn::server_name)
}

/// Gives the agreed application protocol (ALPN) without a NUL at its end, or NULL and 0.
///
/// # Details
///
/// It is NULL until the handshake is complete or has failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_alpn(
    conn: *const btls_conn,
    protocol: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let (protocol, length) = (required(protocol, "protocol")?, required(length, "length")?);
        let agreed = conn.settled().and_then(Connection::alpn);
        protocol.write(agreed.map_or(ptr::null(), <[u8]>::as_ptr));
        length.write(agreed.map_or(0, <[u8]>::len));
        DONE
    })
}

/// Gives the identity of the client's pre-shared key without a NUL, or NULL and 0.
///
/// # Details
///
/// It is NULL until the handshake is complete or has failed, and for a client without a pre-shared key. The identity is
/// what the client has sent: any bytes. A name in a log or a database needs an encoding. It is NULL on a client, which
/// would get its own identity.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_psk_identity(
    conn: *const btls_conn,
    identity: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let (identity, length) = (required(identity, "identity")?, required(length, "length")?);
        let known = conn.settled().and_then(Connection::psk_identity);
        identity.write(known.map_or(ptr::null(), <[u8]>::as_ptr));
        length.write(known.map_or(0, <[u8]>::len));
        DONE
    })
}

/// Returns true if an earlier session was resumed, and false before the handshake is complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_is_resumed(conn: *const btls_conn) -> bool {
    guard_fact(false, object!(conn), |conn| conn.stream.connection().is_resumed().unwrap_or_default())
}

/// Returns true until the handshake is complete.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_is_handshaking(conn: *const btls_conn) -> bool {
    guard_fact(false, object!(conn), |conn| conn.stream.connection().is_handshaking())
}

/// Returns the number of tolerated deviations (btls_builder_insecure_allow).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_deviation_count(conn: *const btls_conn) -> usize {
    guard_fact(0, object!(conn), |conn| conn.stream.connection().deviations().len())
}

/// Returns the name of a tolerated deviation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_deviation(conn: *const btls_conn, index: usize) -> *const c_char {
    guard_fact(ptr::null(), object!(conn), |conn| {
        conn.name(|connection| connection.deviations().get(index).map(|switch| switch.name()))
    })
}

/// Returns the peer's own certificate after its verification, or NULL. Do not free it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_certificate(conn: *const btls_conn) -> *const btls_certificate {
    guard_fact(ptr::null(), object!(conn), Conn::peer)
}

/// Returns the number of certificates that the peer sent, after their verification.
///
/// # Details
///
/// It is 0 until the handshake is complete or has failed, and if the context keeps none: the option keep-peer-chain.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_chain_count(conn: *const btls_conn) -> usize {
    guard_fact(0, object!(conn), |conn| conn.settled().map_or(0, |connection| connection.peer_chain().len()))
}

/// Gives a certificate of the peer in DER as it was sent. Index 0 is the peer's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_peer_chain(
    conn: *const btls_conn,
    index: usize,
    der: Option<&mut MaybeUninit<*const u8>>,
    length: Option<&mut MaybeUninit<usize>>,
) -> btls_status {
    guard_object(object!(conn), |conn| {
        let (der, length) = (required(der, "der")?, required(length, "length")?);
        let chain = conn.settled().map(Connection::peer_chain).unwrap_or_default();
        let certificate = chain
            .get(index)
            .ok_or_else(|| Error::new(Code::InvalidArgument, format!("certificate {index} of {}", chain.len())))?;
        der.write(certificate.as_ptr());
        length.write(certificate.len());
        DONE
    })
}
