//! Pre-shared keys of clients: in memory, and from a function of the caller.

use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::error::Result;
use crate::legacy::{Psk, PskCallback, PskRequest};

use super::arguments::{bytes, null};
use super::builder::btls_builder;
use super::callback::User;
use super::guard::{guard_object, object};
use super::{DONE, btls_status};

/// Writes a secret. Returns its length, 0 for an unknown identity, or -1 if that cannot be told.
///
/// # Details
///
/// The secret has at most `capacity` bytes, which are 256.
///
/// The identity has no NUL at its end, and the client has proven nothing yet. `conn_user` is the user pointer of the
/// connection (btls_conn_options_user). Called on the thread that uses the connection or runs its task, and on several
/// threads at a time for several connections. To the client, an unknown identity looks like a wrong secret. After -1 or
/// another negative number, the connection ends with BTLS_PSK_UNAVAILABLE. The library wipes the buffer.
pub type btls_psk_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        conn_user: *mut c_void,
        identity: *const u8,
        length: usize,
        secret: *mut u8,
        capacity: usize,
    ) -> isize,
>;

/// The largest length of a secret, in bytes.
const SECRET_CAPACITY: usize = 256;

fn callback(function: btls_psk_fn, user: *mut c_void) -> Result<PskCallback> {
    let function = function.ok_or_else(|| null("callback"))?;
    let user = User::new(user);
    Ok(Arc::new(move |request: &PskRequest<'_>| {
        let mut secret = Zeroizing::new([0_u8; SECRET_CAPACITY]);
        let (identity, conn_user) = (request.identity, ptr::with_exposed_provenance_mut(request.user));
        // SAFETY: the function is as its type describes; the identity and the buffer outlive the call.
        let length = unsafe {
            let (from, room) = (identity.as_ptr(), secret.as_mut_ptr());
            function(user.pointer(), conn_user, from, identity.len(), room, SECRET_CAPACITY)
        };
        match usize::try_from(length) {
            Err(_) => Err("the function has no answer now".to_owned()),
            Ok(0) => Ok(None),
            Ok(length) => {
                let given = secret.get(..length).ok_or("the function gives a longer secret than there is room for")?;
                Psk::new(given).map(Some).map_err(|error| error.message())
            }
        }
    }))
}

/// Adds the pre-shared key of a client, for a context with the option legacy-engine.
///
/// # Details
///
/// The identity has 1 to 256 bytes and no zero byte, and the secret 1 to 256 bytes. BTLS_PSK_MALFORMED for other
/// secrets; for other identities when the context is built. Connections to servers use the key that the option
/// psk-identity names.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_psk(
    builder: *mut btls_builder,
    identity: *const c_void,
    identity_length: usize,
    secret: *const c_void,
    secret_length: usize,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or that many bytes, for both.
        let (identity, secret) =
            unsafe { (bytes("identity", identity, identity_length)?, bytes("secret", secret, secret_length)?) };
        let key = Psk::new(secret)?;
        builder.context().psk(identity, key);
        DONE
    })
}

/// Sets a function that gives further secrets. The rest is as for btls_builder_verify_callback.
///
/// # Details
///
/// It is called for an identity that neither btls_builder_psk nor the option psk-file has. That of a client of this
/// side is the option psk-identity. If `may_block` is true,
/// connections return BTLS_WANT_TASK and call it from btls_conn_task_run only. `user` must stay valid as long as the
/// context and its connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_psk_callback(
    builder: *mut btls_builder,
    function: btls_psk_fn,
    user: *mut c_void,
    may_block: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let callback = callback(function, user)?;
        builder.context().psk_callback(callback, may_block);
        DONE
    })
}
