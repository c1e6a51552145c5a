//! Resumption by session IDs, up to TLS 1.2 (RFC 5246 section 7.4.1.2), for clients without tickets. The core keeps the
//! sessions, and decides if one is resumed. OpenSSL keeps none.

use std::ffi::{c_int, c_long};
use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls_legacy_abi::ContextParts;
use foreign_types::ForeignType;
use openssl::error::ErrorStack;
use openssl::ssl::{SslContextBuilder, SslRef, SslSession, SslSessionCacheMode};
use openssl_sys as sys;
use zeroize::Zeroizing;

use crate::callbacks;
use crate::sessions::{ID_CONTEXT, parts_of, version_of};

/// The most bytes of a session that is kept.
const MAX_SESSION_BYTES: usize = 16 * 1024;

const TLS1_3: u16 = 0x0304;

/// Turns session IDs on, if the core wants them.
#[allow(unsafe_code)]
pub(crate) fn set(builder: &mut SslContextBuilder, parts: &ContextParts) -> Result<(), ErrorStack> {
    if parts.has_session_ids == 0 {
        return Ok(());
    }
    builder.set_session_id_context(ID_CONTEXT)?;
    builder.set_session_cache_mode(SslSessionCacheMode::SERVER | SslSessionCacheMode::NO_INTERNAL);
    // A panic must not unwind into OpenSSL. Without an answer, there is no session.
    builder.set_new_session_callback(|ssl, session| {
        _ = catch_unwind(AssertUnwindSafe(|| store(ssl, &session)));
    });
    // SAFETY: the session that is given has been made by this thread, and for this connection.
    unsafe {
        builder.set_get_session_callback(|ssl, id| catch_unwind(AssertUnwindSafe(|| find(ssl, id))).ok().flatten());
    }
    Ok(())
}

/// Gives the session of a full handshake to the core. OpenSSL gives those of TLS 1.3 too, which are in tickets.
fn store(ssl: &SslRef, session: &SslSession) {
    let parts = parts_of(ssl);
    let Ok(encoded) = session.to_der().map(Zeroizing::new) else { return };
    if parts.version < TLS1_3 && encoded.len() <= MAX_SESSION_BYTES {
        callbacks::store_session(parts, session.id(), &encoded);
    }
}

/// Asks the core for a session. In TLS 1.3, the ID is the identity of a pre-shared key.
#[allow(unsafe_code)]
fn find(ssl: &SslRef, id: &[u8]) -> Option<SslSession> {
    unsafe extern "C" {
        fn SSL_SESSION_set_timeout(session: *mut sys::SSL_SESSION, seconds: c_long) -> c_long;
    }
    let version = version_of(ssl);
    if version >= TLS1_3 {
        return None;
    }
    let mut room = Zeroizing::new(vec![0; MAX_SESSION_BYTES]);
    let length = callbacks::find_session(version, id, &mut room);
    let session = SslSession::from_der(room.get(..length).filter(|found| !found.is_empty())?).ok()?;
    // SAFETY: the session is valid, and no other thread has it. The core has decided about its age.
    unsafe { SSL_SESSION_set_timeout(session.as_ptr(), c_long::from(c_int::MAX)) };
    Some(session)
}
