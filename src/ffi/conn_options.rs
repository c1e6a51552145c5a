//! The settings of one connection that differ from those of its context.

use std::ffi::{c_char, c_void};

use crate::config::{ConnectionSettings, check_alpn};

use super::arguments::{optional_text, text};
use super::builder::{btls_client_auth, client_auth_of};
use super::guard::{Exclusive, Handle, Object, guard, guard_error, guard_free, guard_object, object};
use super::last_error::btls_error;
use super::{DONE, btls_status};

/// The settings of one connection in place of its context's. One thread at a time uses them.
pub struct btls_conn_options(Exclusive<ConnectionSettings>);

impl Object for btls_conn_options {
    type Value = ConnectionSettings;

    fn cell(&self) -> &Exclusive<ConnectionSettings> {
        &self.0
    }
}

/// Makes options without a setting. Any number of connections may use them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_new() -> *mut btls_conn_options {
    guard(std::ptr::null_mut(), || Handle::leak(btls_conn_options(Exclusive::new(ConnectionSettings::default()))))
}

/// Frees options. Their connections stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_free(options: *mut btls_conn_options) {
    guard_free(object!(options));
}

/// Returns the error of the last failed call on the options, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_error(options: *const btls_conn_options) -> *const btls_error {
    guard_error(object!(options))
}

/// Sets if a server requests or requires a client's certificate.
///
/// # Details
///
/// A session is resumed only by connections with the same setting: a client without a certificate never enters by a
/// session if one is required. The client's side ignores the setting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_client_auth(
    options: *mut btls_conn_options,
    client_auth: btls_client_auth,
) -> btls_status {
    guard_object(object!(options), |options| {
        options.client_auth = Some(client_auth_of(client_auth)?);
        DONE
    })
}

/// Adds an application protocol (ALPN). The list replaces that of the context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_alpn(
    options: *mut btls_conn_options,
    protocol: *const c_char,
) -> btls_status {
    guard_object(object!(options), |options| {
        // SAFETY: the header asks for text.
        let protocol = unsafe { text("protocol", protocol) }?.as_bytes();
        check_alpn(options.alpn.iter().flatten().map(Vec::as_slice).chain([protocol]))?;
        options.alpn.get_or_insert_default().push(protocol.to_owned());
        DONE
    })
}

/// Removes all application protocols, also those of the context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_clear_alpn(options: *mut btls_conn_options) -> btls_status {
    guard_object(object!(options), |options| {
        options.alpn = Some(Vec::new());
        DONE
    })
}

/// Sets the server name (SNI) of a client, or NULL for none. Default: the host.
///
/// # Details
///
/// The name is not verified: the server's certificate must be for the host. btls_conn_new_client returns
/// BTLS_INVALID_SERVER_NAME if the name is not a DNS name. The server's side ignores the setting.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_server_name(
    options: *mut btls_conn_options,
    name: *const c_char,
) -> btls_status {
    guard_object(object!(options), |options| {
        // SAFETY: the header asks for text or NULL.
        let name = unsafe { optional_text("name", name) }?;
        options.sends_server_name = name.is_some();
        options.server_name = name.map(str::to_owned);
        DONE
    })
}

/// Sets the pointer that btls_conn_user and callbacks give back. Default: NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_conn_options_user(options: *mut btls_conn_options, user: *mut c_void) -> btls_status {
    guard_object(object!(options), |options| {
        options.user = user.expose_provenance();
        DONE
    })
}
