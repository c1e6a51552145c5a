//! The builder: settings of a context but for its identities and trust, which are in source.rs.

use std::ffi::{c_char, c_void};
use std::mem::MaybeUninit;

use crate::config::ClientAuth;
use crate::config::ContextBuilder;
use crate::config::options::{OPTIONS, Options};
use crate::error::{Code, Error, Result};
use crate::keystore::{OpenOptions, PasswordCallback};
use crate::policy::Preset;
use crate::verify::Deviation;

use super::arguments::{path, required, text};
use super::callback::{self, btls_log_fn, btls_revoked_fn, btls_verify_fn};
use super::context::btls_context;
use super::guard::{Exclusive, Handle, Object, guard, guard_error, guard_free, guard_object, guard_status, object};
use super::last_error::btls_error;
use super::list::{Entry, btls_list};
use super::{DONE, btls_status};

/// The request of a server for a client's certificate.
pub type btls_client_auth = i32;

/// Not requested. The default.
pub const BTLS_CLIENT_AUTH_NONE: btls_client_auth = 0;
/// Requested. A client without one is accepted.
pub const BTLS_CLIENT_AUTH_WANT: btls_client_auth = 1;
/// Required.
pub const BTLS_CLIENT_AUTH_NEED: btls_client_auth = 2;

/// The settings of a context. A builder is used by one thread at a time.
pub struct btls_builder(Exclusive<Builder>);

/// The content of a builder.
pub(super) struct Builder {
    pub(super) settings: Options,
    /// Type and limits for the sources that are added next.
    pub(super) options: OpenOptions,
    pub(super) password: Option<PasswordCallback>,
}

impl Builder {
    /// The builder of settings that are not text.
    pub(super) fn context(&mut self) -> &mut ContextBuilder {
        self.settings.builder_mut()
    }
}

impl Object for btls_builder {
    type Value = Builder;

    fn cell(&self) -> &Exclusive<Builder> {
        &self.0
    }
}

/// Makes a builder without trust and identity. The caller frees it with btls_builder_free.
///
/// # Details
///
/// The preset is "intermediate", and sessions are resumed. NULL only after a defect in the library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_new() -> *mut btls_builder {
    guard(std::ptr::null_mut(), || {
        let builder = Builder { settings: Options::new(), options: OpenOptions::default(), password: None };
        Handle::leak(btls_builder(Exclusive::new(builder)))
    })
}

/// Frees a builder. Contexts made from it stay valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_free(builder: *mut btls_builder) {
    guard_free(object!(builder));
}

/// Returns the error of the last failed call on this builder, valid until the next one, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_error(builder: *const btls_builder) -> *const btls_error {
    guard_error(object!(builder))
}

/// Reads every source and makes a context. The error names the first source or setting that cannot be used. The caller
/// gives its reference back with btls_context_free.
///
/// # Details
///
/// The caller may change and use the builder again. The call may wait: it reads files and may ask for passwords.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_build(
    builder: *mut btls_builder,
    context: Option<&mut MaybeUninit<*mut btls_context>>,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let out = required(context, "context")?;
        out.write(btls_context::leak(builder.settings.build()?));
        DONE
    })
}

/// Sets an option by its name, as in a configuration file: "versions", "trust". btls_options lists them. Returns
/// BTLS_UNKNOWN_OPTION with the nearest names.
///
/// # Details
///
/// The options of one identity ("cert", "key", "alias" and its passwords) may come in any order. An option that is
/// given again starts the next identity. The options of a trust store follow the same rule.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_set(
    builder: *mut btls_builder,
    option: *const c_char,
    value: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let (option, value) = unsafe { (text("option", option)?, text("value", value)?) };
        builder.settings.set(option, value)?;
        DONE
    })
}

/// Gives the names of all options, with descriptions as notes. Free with btls_list_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_options(options: Option<&mut MaybeUninit<*mut btls_list>>) -> btls_status {
    guard_status(|| {
        let out = required(options, "options")?;
        out.write(btls_list::leak(OPTIONS.iter().map(|row| Entry::with_note(row.name, row.help)).collect()));
        DONE
    })
}

/// Selects a preset: "modern" (TLS 1.3) or "intermediate" (TLS 1.2 and 1.3, the default).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_preset(builder: *mut btls_builder, name: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let name = unsafe { text("name", name) }?;
        builder.context().preset(Preset::from_name(name)?);
        DONE
    })
}

/// Sets the protocol versions, e.g. "TLSv1.2,TLSv1.3".
///
/// # Details
///
/// Names of OpenSSL, Java, Erlang and ArangoDB are accepted. Names of unsupported versions are reported when the
/// context is built, see btls_context_not_served.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_versions(builder: *mut btls_builder, names: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let names = unsafe { text("names", names) }?;
        builder.context().versions(names);
        DONE
    })
}

/// Sets the cipher suites in order of preference: names, or an OpenSSL cipher string.
///
/// # Details
///
/// Names are those of OpenSSL or IANA. Names of unsupported suites are reported when the context is built, see
/// btls_context_not_served.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_cipher_suites(builder: *mut btls_builder, names: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let names = unsafe { text("names", names) }?;
        builder.context().cipher_suites(names);
        DONE
    })
}

/// Sets the key exchange groups in order of preference, e.g. "X25519MLKEM768:X25519:P-256".
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_groups(builder: *mut btls_builder, names: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let names = unsafe { text("names", names) }?;
        builder.context().groups(names);
        DONE
    })
}

/// Sets if a server requests or requires a client's certificate.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_client_auth(
    builder: *mut btls_builder,
    client_auth: btls_client_auth,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().client_auth(client_auth_of(client_auth)?);
        DONE
    })
}

/// The setting of a number.
///
/// # Errors
/// `INVALID_ARGUMENT` for a number that is none of BTLS_CLIENT_AUTH_*.
pub(super) fn client_auth_of(number: btls_client_auth) -> Result<ClientAuth> {
    match number {
        BTLS_CLIENT_AUTH_NONE => Ok(ClientAuth::None),
        BTLS_CLIENT_AUTH_WANT => Ok(ClientAuth::Want),
        BTLS_CLIENT_AUTH_NEED => Ok(ClientAuth::Need),
        other => Err(Error::new(Code::InvalidArgument, format!("client_auth {other}"))),
    }
}

/// Sets if a server that requests a certificate names its trusted CAs. Default: true.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_send_ca_names(builder: *mut btls_builder, sends: bool) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().send_ca_names(sends);
        DONE
    })
}

/// Adds an application protocol (ALPN), e.g. "mqtt", in order of preference.
///
/// # Details
///
/// Returns BTLS_INVALID_ALPN for an empty name, and for one over 255 bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_alpn(builder: *mut btls_builder, protocol: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let protocol = unsafe { text("protocol", protocol) }?;
        builder.context().alpn(protocol.as_bytes())?;
        DONE
    })
}

/// Sets if sessions are resumed. Default: true. See the options "session-*" and "tls13-tickets".
///
/// # Details
///
/// The options session-max-age-s, tls13-tickets, max-ticket-bytes and session-cache set the age, tickets and cache.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_resumption(builder: *mut btls_builder, resumes: bool) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().resumption(resumes);
        DONE
    })
}

/// Sets a function that may refuse a peer with an accepted certificate. If `may_block` is true, connections return
/// BTLS_WANT_TASK and call it from btls_conn_task_run only. `user` must stay valid as long as the context and its
/// connections.
///
/// # Details
///
/// The function is called again before a session is resumed, unless the option resumption-asks-again is "no". A session
/// of a peer that it refuses is not resumed. If the function may block, a client that may resume a session begins with
/// BTLS_WANT_TASK.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_verify_callback(
    builder: *mut btls_builder,
    function: btls_verify_fn,
    user: *mut c_void,
    may_block: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let callback = callback::verify(function, user)?;
        builder.context().verify_callback(callback, may_block);
        DONE
    })
}

/// Sets the function for open connections with a revoked peer. Without one, they only are logged.
///
/// # Details
///
/// Without a function, such connections continue.
///
/// btls_context_reload and btls_context_maintain find the peers. `user` must stay valid as long as the context and its
/// connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_on_revoked(
    builder: *mut btls_builder,
    function: btls_revoked_fn,
    user: *mut c_void,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let callback = callback::revoked(function, user)?;
        builder.context().on_revoked(callback);
        DONE
    })
}

/// Sets a function that takes the context's log. Without one, nothing is logged.
///
/// # Details
///
/// `user` must stay valid as long as the context and its connections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_log_callback(
    builder: *mut btls_builder,
    function: btls_log_fn,
    user: *mut c_void,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let sink = callback::log(function, user)?;
        builder.context().log(sink);
        DONE
    })
}

/// Sets if each refusal, by this side or the peer, is logged at BTLS_LOG_ERROR. Default: true.
///
/// # Details
///
/// A context writes at most 60 such lines a minute. The next line has the number of those left out. Turn it off if the
/// caller logs the errors of its connections itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_log_refusals(builder: *mut btls_builder, logs: bool) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().log_refusals(logs);
        DONE
    })
}

/// Tolerates one deviation in peer certificates, or no longer. Default: none. Each use is logged. The names are
/// "insecure-x509-v1", "insecure-ca-as-end-entity", "insecure-common-name", "insecure-rsa-1024" and
/// "insecure-key-usage"; BTLS_UNKNOWN_OPTION for others.
///
/// # Details
///
/// - insecure-x509-v1: a certificate of X.509 version 1 under a trusted CA.
/// - insecure-ca-as-end-entity: a CA certificate as the peer's own.
/// - insecure-common-name: the common name as the host name if there is no subject alternative name.
/// - insecure-rsa-1024: RSA keys of 1024 to 2047 bits.
/// - insecure-key-usage: a key usage without digitalSignature.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_insecure_allow(
    builder: *mut btls_builder,
    name: *const c_char,
    allows: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let name = unsafe { text("name", name) }?;
        let switch = Deviation::from_name(name).ok_or_else(|| unknown_switch(name))?;
        match allows {
            true => builder.context().allow(switch),
            false => builder.context().disallow(switch),
        };
        DONE
    })
}

fn unknown_switch(name: &str) -> Error {
    let names: Vec<_> = Deviation::ALL.iter().map(|switch| switch.name()).collect();
    Error::new(Code::UnknownOption, format!("{name:?}")).with_hint(format!("There are {}.", names.join(", ")))
}

/// Lets clients accept a certificate for another host. Default: false. INSECURE: impersonation.
///
/// # Details
///
/// The owner of any certificate of the same CA can impersonate the server.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_insecure_skip_server_name(
    builder: *mut btls_builder,
    skips: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().insecure_skip_server_name(skips);
        DONE
    })
}

/// Lets clients accept a server with any certificate. Default: false. INSECURE: anyone can be it.
///
/// # Details
///
/// The connection is encrypted, but the server is unknown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_insecure_accept_any_server(
    builder: *mut btls_builder,
    accepts: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.context().insecure_accept_any_server(accepts);
        DONE
    })
}

/// Appends the secrets of all connections to a file (Wireshark). INSECURE: its reader reads all.
///
/// # Details
///
/// A reader of the file can decrypt all traffic.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_insecure_key_log_file(
    builder: *mut btls_builder,
    file: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for NULL or text.
        let file = unsafe { path("file", file) }?;
        builder.context().insecure_key_log(file);
        DONE
    })
}
