//! Contexts: OpenSSL's settings, all of them set here, whatever its configuration file says.

use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use brokertls_legacy_abi::{Bytes, ContextParts, Fault, IdentityParts};
use foreign_types::{ForeignType, ForeignTypeRef};
use openssl::error::ErrorStack;
use openssl::lib_ctx::{LibCtx, LibCtxRef};
use openssl::pkey::{PKey, Private};
use openssl::provider::Provider;
use openssl::ssl::{
    AlpnError, SslCipher, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions, SslRef, SslSessionCacheMode,
    SslVerifyMode, SslVersion,
};
use openssl::stack::{Stack, StackRef};
use openssl::x509::{X509, X509Name, X509StoreContextRef, X509VerifyResult};
use openssl_sys as sys;

use crate::guard::fault_of;
use crate::sealed::Side;
use crate::{callbacks, client, groups, messages, psk, sessions, stored, traffic};

/// Functions that the crate does not declare.
#[allow(unsafe_code)]
mod more {
    use super::*;

    type Listener = unsafe extern "C" fn(c_int, c_int, c_int, *const c_void, usize, *mut sys::SSL, *mut c_void);

    unsafe extern "C" {
        pub(super) fn SSL_CTX_new_ex(
            library: *mut sys::OSSL_LIB_CTX,
            properties: *const c_char,
            method: *const sys::SSL_METHOD,
        ) -> *mut sys::SSL_CTX;
        pub(super) fn SSL_CTX_set_cert_verify_callback(
            context: *mut sys::SSL_CTX,
            callback: unsafe extern "C" fn(*mut sys::X509_STORE_CTX, *mut c_void) -> c_int,
            data: *mut c_void,
        );
        pub(super) fn SSL_CTX_set_block_padding(context: *mut sys::SSL_CTX, bytes: usize) -> c_int;
        pub(super) fn SSL_CTX_set_msg_callback(context: *mut sys::SSL_CTX, callback: Listener);
        pub(super) fn SSL_CTX_get_ciphers(context: *const sys::SSL_CTX) -> *mut sys::stack_st_SSL_CIPHER;
        pub(super) fn X509_new_ex(library: *mut sys::OSSL_LIB_CTX, properties: *const c_char) -> *mut sys::X509;
        pub(super) fn d2i_X509(into: *mut *mut sys::X509, der: *mut *const u8, length: c_long) -> *mut sys::X509;
        pub(super) fn d2i_AutoPrivateKey_ex(
            into: *mut *mut sys::EVP_PKEY,
            der: *mut *const u8,
            length: c_long,
            library: *mut sys::OSSL_LIB_CTX,
            properties: *const c_char,
        ) -> *mut sys::EVP_PKEY;
        pub(super) fn X509_STORE_CTX_get0_untrusted(context: *mut sys::X509_STORE_CTX) -> *mut sys::stack_st_X509;
    }
}

/// Algorithms of our own: those that the host has loaded or configured are not used, and not changed.
struct Library {
    /// Before the context: it is unloaded from it.
    _provider: Provider,
    context: LibCtx,
}

fn library() -> Result<&'static Library, ErrorStack> {
    static LIBRARY: OnceLock<Library> = OnceLock::new();
    static MAKING: Mutex<()> = Mutex::new(());
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    openssl::init();
    let context = LibCtx::new()?;
    let provider = Provider::load(Some(&context), "default")?;
    Ok(LIBRARY.get_or_init(|| Library { _provider: provider, context }))
}

/// The algorithms of this engine.
pub(crate) fn algorithms() -> Result<&'static LibCtxRef, ErrorStack> {
    library().map(|library| &*library.context)
}

/// Makes a context of either side.
pub(crate) fn of(parts: &ContextParts) -> Result<SslContext, Fault> {
    let make = || {
        let is_client = parts.is_client != 0;
        let mut builder = fresh(if is_client { SslMethod::tls_client() } else { SslMethod::tls_server() })?;
        set_protocol(&mut builder, parts)?;
        set_judge(&mut builder);
        if is_client {
            set_secrets(&mut builder, Side::Client, parts.has_key_log != 0);
            client::set(&mut builder, parts, bytes(parts.protocols))?;
            return Ok(builder.build());
        }
        if let Some(identity) = identity_of(parts) {
            set_identity(&mut builder, &identity)?;
        }
        set_clients(&mut builder, parts)?;
        Ok(builder.build())
    };
    make().map_err(|errors: ErrorStack| fault_of(&errors))
}

/// The numbers of all suites that OpenSSL has.
#[allow(unsafe_code)]
pub(crate) fn suites() -> Result<Vec<u16>, Fault> {
    const OF_TLS13: &str = "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:\
        TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256";
    let read = || {
        let mut builder = fresh(SslMethod::tls_server())?;
        builder.set_security_level(0);
        builder.set_cipher_list("ALL:COMPLEMENTOFALL")?;
        builder.set_ciphersuites(OF_TLS13)?;
        // SAFETY: the context is the builder's, and the list lives as long as it.
        let all = unsafe { StackRef::<SslCipher>::from_ptr(more::SSL_CTX_get_ciphers(builder.as_ptr())) };
        Ok(all.iter().map(|suite| u16::from_be_bytes(suite.protocol_id())).collect())
    };
    read().map_err(|errors: ErrorStack| fault_of(&errors))
}

/// A context on algorithms of our own.
#[allow(unsafe_code)]
fn fresh(method: SslMethod) -> Result<SslContextBuilder, ErrorStack> {
    let library = library()?;
    // SAFETY: the library context lives as long as the process, and no properties are given.
    let context = unsafe { more::SSL_CTX_new_ex(library.context.as_ptr(), ptr::null(), method.as_ptr()) };
    if context.is_null() {
        return Err(ErrorStack::get());
    }
    // SAFETY: the builder owns the new context.
    Ok(unsafe { SslContextBuilder::from_ptr(context) })
}

/// Options of every context. None is left as it was, so there are no others beside these. The countermeasures for CBC,
/// the extended master secret and encryption before authentication are on when their options are off.
const OPTIONS: u64 = SslOptions::NO_SSLV3.bits()
    | SslOptions::NO_COMPRESSION.bits()
    | SslOptions::NO_RENEGOTIATION.bits()
    | SslOptions::NO_TICKET.bits()
    | SslOptions::ENABLE_MIDDLEBOX_COMPAT.bits()
    | CLEANSE_PLAINTEXT
    | NO_CERTIFICATE_COMPRESSION;

/// OpenSSL wipes its copy of the data that it gives (`SSL_OP_CLEANSE_PLAINTEXT`).
pub(crate) const CLEANSE_PLAINTEXT: u64 = 1 << 1;

/// A certificate is shown to the core as it was sent (`SSL_OP_NO_TX_CERTIFICATE_COMPRESSION` and `..._RX_...`, of
/// OpenSSL 3.2).
const NO_CERTIFICATE_COMPRESSION: u64 = 1 << 32 | 1 << 33;

/// The chain is what the core gives (`SSL_MODE_NO_AUTO_CHAIN`).
const NO_AUTO_CHAIN: i64 = 8;

/// Sets everything that a configuration file of the system can set too. A file that the process has loaded changes the
/// defaults of every context, also of one with a library context of its own.
#[allow(unsafe_code)]
fn set_protocol(builder: &mut SslContextBuilder, parts: &ContextParts) -> Result<(), ErrorStack> {
    let context = builder.as_ptr();
    // SAFETY: the context is the builder's.
    unsafe {
        sys::SSL_CTX_clear_options(context, u64::MAX);
        sys::SSL_CTX_set_options(context, OPTIONS);
        more::SSL_CTX_set_block_padding(context, 0);
        more::SSL_CTX_set_msg_callback(context, messages::listen);
    }
    if parts.prefers_own_order != 0 {
        builder.set_options(SslOptions::CIPHER_SERVER_PREFERENCE);
    }
    let no_chain = SslMode::from_bits_retain(NO_AUTO_CHAIN);
    builder.set_mode(SslMode::AUTO_RETRY | SslMode::ENABLE_PARTIAL_WRITE | no_chain);
    builder.set_read_ahead(false);
    // The core decides about the strength of keys and algorithms.
    builder.set_security_level(0);
    set_versions(builder, parts.versions)?;
    // OpenSSL refuses an empty list. Without one, no version or suite is on that needs it.
    if parts.suites.length > 0 {
        builder.set_cipher_list(text(parts.suites))?;
    }
    builder.set_ciphersuites(text(parts.suites_of_tls13))?;
    if parts.groups.length > 0 {
        builder.set_groups_list(&groups::with_finite_fields(text(parts.groups)))?;
    }
    builder.set_sigalgs_list(text(parts.signatures))?;
    let signatures = text(parts.signatures).split(':').filter(|name| !name.starts_with("DSA+"));
    set_client_signatures(builder, &signatures.collect::<Vec<_>>().join(":"))?;
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    // In TLS 1.3, OpenSSL sends none by itself.
    builder.set_num_tickets(0)?;
    if parts.is_client == 0 {
        sessions::set(builder, parts)?;
        stored::set(builder, parts)?;
        set_finite_field(builder)?;
    }
    Ok(())
}

/// Sets the signature algorithms that clients may use. They are a setting of their own: those of DSA are for this side
/// alone.
#[allow(unsafe_code)]
fn set_client_signatures(builder: &mut SslContextBuilder, names: &str) -> Result<(), ErrorStack> {
    const SET_CLIENT_SIGALGS_LIST: c_int = 102;
    let names = CString::new(names).unwrap_or_default();
    // SAFETY: the command reads a text, and keeps none.
    match unsafe { sys::SSL_CTX_ctrl(builder.as_ptr(), SET_CLIENT_SIGALGS_LIST, 0, names.as_ptr().cast_mut().cast()) } {
        1 => Ok(()),
        _ => Err(ErrorStack::get()),
    }
}

/// Sets the one group of finite-field Diffie-Hellman. OpenSSL's own choice has 1024 bits for some suites and keys.
#[allow(unsafe_code)]
fn set_finite_field(builder: &mut SslContextBuilder) -> Result<(), ErrorStack> {
    let group = groups::finite_field()?;
    // SAFETY: both pointers are valid, and the context takes the group if it can.
    unsafe {
        sys::SSL_CTX_set_dh_auto(builder.as_ptr(), 0);
        match sys::SSL_CTX_set0_tmp_dh_pkey(builder.as_ptr(), group.as_ptr()) {
            1 => std::mem::forget(group),
            _ => return Err(ErrorStack::get()),
        }
    }
    Ok(())
}

/// Sets what concerns the clients of a server.
fn set_clients(builder: &mut SslContextBuilder, parts: &ContextParts) -> Result<(), ErrorStack> {
    builder.set_verify(match parts.client_auth {
        0 => SslVerifyMode::NONE,
        1 => SslVerifyMode::PEER,
        _ => SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT,
    });
    let mut names = Stack::new()?;
    for name in all(parts.subjects, parts.subjects_length) {
        names.push(X509Name::from_der(name)?)?;
    }
    builder.set_client_ca_list(names);
    let protocols = bytes(parts.protocols).to_vec();
    if !protocols.is_empty() {
        builder.set_alpn_select_callback(move |_, offered| {
            protocols_of(&protocols)
                .find_map(|own| protocols_of(offered).find(|theirs| *theirs == own))
                .ok_or(AlpnError::ALERT_FATAL)
        });
    }
    set_secrets(builder, Side::Server, parts.has_key_log != 0);
    if parts.has_staple != 0 {
        builder.set_status_callback(|ssl| {
            let mut room = vec![0; MAX_STAPLE_BYTES];
            let length = callbacks::staple(&mut room);
            let response = room.get(..length).filter(|response| !response.is_empty());
            response.map(|response| ssl.set_ocsp_status(response)).transpose().map(|set| set.is_some())
        })?;
    }
    if parts.has_psk != 0 {
        psk::set(builder, bytes(parts.psk_hint))?;
    }
    Ok(())
}

/// Hears the secret of this side for data in TLS 1.3, and notes all secrets for a key log.
fn set_secrets(builder: &mut SslContextBuilder, side: Side, has_key_log: bool) {
    builder.set_keylog_callback(move |_, line| {
        // A panic must not unwind into OpenSSL. Without the secret, no alert can be sealed.
        _ = std::panic::catch_unwind(|| {
            if let Some(secret) = traffic::secret_of(line, side) {
                callbacks::hear(|heard| heard.traffic_secret = Some(secret));
            }
            if has_key_log {
                callbacks::note_secret(line.as_bytes());
            }
        });
    });
}

/// The longest response, as with rustls.
const MAX_STAPLE_BYTES: usize = 64 * 1024;

/// The protocols of a list (RFC 7301 section 3.1).
fn protocols_of(mut list: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = list.split_first()?;
        let (protocol, rest) = rest.split_at_checked(usize::from(*length))?;
        list = rest;
        Some(protocol)
    })
}

#[allow(unsafe_code)]
fn set_judge(builder: &mut SslContextBuilder) {
    // SAFETY: the function fits, and needs no data.
    unsafe { more::SSL_CTX_set_cert_verify_callback(builder.as_ptr(), judge, ptr::null_mut()) };
}

/// Asks the core about the certificates of the peer, in place of OpenSSL's own verification.
#[allow(unsafe_code)]
unsafe extern "C" fn judge(store: *mut sys::X509_STORE_CTX, _data: *mut c_void) -> c_int {
    const INTERNAL_ERROR: u8 = 80;
    let judged = std::panic::catch_unwind(|| {
        // SAFETY: OpenSSL calls this with a valid context. Its certificates live as long as it.
        let count = unsafe {
            let sent = more::X509_STORE_CTX_get0_untrusted(store);
            let sent: Option<&StackRef<X509>> = (!sent.is_null()).then(|| StackRef::from_ptr(sent));
            sent.map_or(0, StackRef::len)
        };
        let sent = callbacks::take_certificates();
        // SAFETY: OpenSSL has put the connection into the context.
        let ssl = unsafe { connection_of(store) };
        match ssl {
            Some(ssl) if !ssl.is_server() => client::judge(ssl, sent, count),
            Some(ssl) => callbacks::verify(&sent, count, &[], version_of(ssl)),
            None => Err(INTERNAL_ERROR),
        }
    });
    let result = match judged.unwrap_or(Err(INTERNAL_ERROR)) {
        Ok(()) => X509VerifyResult::OK,
        // SAFETY: any number is a result.
        Err(alert) => unsafe { X509VerifyResult::from_raw(reason_of(alert)) },
    };
    // SAFETY: as above.
    unsafe { X509StoreContextRef::from_ptr_mut(store) }.set_error(result);
    c_int::from(result == X509VerifyResult::OK)
}

/// The connection of the peer that is judged.
///
/// # Safety
/// The context must be valid, and one of a connection.
#[allow(unsafe_code)]
unsafe fn connection_of<'a>(store: *mut sys::X509_STORE_CTX) -> Option<&'a mut SslRef> {
    // SAFETY: the caller promises it.
    unsafe {
        let ssl = sys::X509_STORE_CTX_get_ex_data(store, sys::SSL_get_ex_data_X509_STORE_CTX_idx());
        (!ssl.is_null()).then(|| SslRef::from_ptr_mut(ssl.cast()))
    }
}

/// The version of a connection as on the wire.
#[allow(unsafe_code)]
pub(crate) fn version_of(ssl: &SslRef) -> u16 {
    // SAFETY: the connection is valid.
    u16::try_from(unsafe { sys::SSL_version(ssl.as_ptr()) }).unwrap_or_default()
}

/// The reason to refuse a certificate for which OpenSSL sends this alert. It has none for some alerts.
fn reason_of(alert: u8) -> c_int {
    match alert {
        42 => sys::X509_V_ERR_CERT_REJECTED,
        43 => sys::X509_V_ERR_INVALID_PURPOSE,
        44 => sys::X509_V_ERR_CERT_REVOKED,
        45 => sys::X509_V_ERR_CERT_HAS_EXPIRED,
        48 => sys::X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
        51 => sys::X509_V_ERR_CERT_SIGNATURE_FAILURE,
        80 => sys::X509_V_ERR_UNSPECIFIED,
        // For all others: certificate_unknown.
        _ => c_int::MAX,
    }
}

fn set_identity(builder: &mut SslContextBuilder, identity: &IdentityParts) -> Result<(), ErrorStack> {
    let mut chain = all(identity.chain, identity.chain_length);
    if let Some(end_entity) = chain.next() {
        let end_entity = certificate(end_entity)?;
        builder.set_certificate(&end_entity)?;
    }
    for issuer in chain {
        builder.add_extra_chain_cert(certificate(issuer)?)?;
    }
    let key = key(bytes(identity.key))?;
    builder.set_private_key(&key)?;
    builder.check_private_key()
}

#[allow(unsafe_code)]
pub(crate) fn certificate(der: &[u8]) -> Result<X509, ErrorStack> {
    let library = library()?;
    // SAFETY: the library context lives as long as the process; the DER is read within its length; the certificate is
    // owned by the result, or freed by the function that fails to read it.
    unsafe {
        let mut made = more::X509_new_ex(library.context.as_ptr(), ptr::null());
        let mut at = der.as_ptr();
        if made.is_null() || more::d2i_X509(&mut made, &mut at, length(der)).is_null() {
            return Err(ErrorStack::get());
        }
        Ok(X509::from_ptr(made))
    }
}

#[allow(unsafe_code)]
pub(crate) fn key(der: &[u8]) -> Result<PKey<Private>, ErrorStack> {
    let library = library()?;
    let mut at = der.as_ptr();
    // SAFETY: as for `certificate`.
    unsafe {
        let made =
            more::d2i_AutoPrivateKey_ex(ptr::null_mut(), &mut at, length(der), library.context.as_ptr(), ptr::null());
        match made.is_null() {
            true => Err(ErrorStack::get()),
            false => Ok(PKey::from_ptr(made)),
        }
    }
}

fn length(der: &[u8]) -> c_long {
    c_long::try_from(der.len()).unwrap_or(c_long::MAX)
}

/// Allows the versions of these bits. A list of names can have gaps, which a range cannot.
fn set_versions(builder: &mut SslContextBuilder, bits: u8) -> Result<(), ErrorStack> {
    const VERSIONS: [(SslVersion, SslOptions); 4] = [
        (SslVersion::TLS1, SslOptions::NO_TLSV1),
        (SslVersion::TLS1_1, SslOptions::NO_TLSV1_1),
        (SslVersion::TLS1_2, SslOptions::NO_TLSV1_2),
        (SslVersion::TLS1_3, SslOptions::NO_TLSV1_3),
    ];
    let is_allowed = |index: usize| bits >> index & 1 == 1;
    let allowed =
        || VERSIONS.iter().enumerate().filter(|(index, _)| is_allowed(*index)).map(|(_, (version, _))| *version);
    builder.set_min_proto_version(allowed().next())?;
    builder.set_max_proto_version(allowed().next_back())?;
    for (_, (_, off)) in VERSIONS.iter().enumerate().filter(|(index, _)| !is_allowed(*index)) {
        builder.set_options(*off);
    }
    Ok(())
}

#[allow(unsafe_code)]
fn identity_of(parts: &ContextParts) -> Option<IdentityParts> {
    // SAFETY: the core gives a valid pointer or NULL.
    unsafe { parts.identity.as_ref() }.copied()
}

#[allow(unsafe_code)]
pub(crate) fn bytes<'a>(bytes: Bytes) -> &'a [u8] {
    // SAFETY: the core gives bytes that are valid during the call, and none is kept.
    unsafe { bytes.get() }
}

fn text<'a>(text: Bytes) -> &'a str {
    std::str::from_utf8(bytes(text)).unwrap_or_default()
}

#[allow(unsafe_code)]
pub(crate) fn all<'a>(first: *const Bytes, count: usize) -> impl Iterator<Item = &'a [u8]> {
    // SAFETY: the core gives this many valid ones.
    let parts = if count == 0 { &[] } else { unsafe { std::slice::from_raw_parts(first, count) } };
    parts.iter().map(|part| bytes(*part))
}
