//! The sources of a builder: identities, trust, revocation lists and responses.

use std::ffi::{c_char, c_void};

use crate::config::{CrlSource, IdentitySource, Source, TrustSource};
use crate::error::{Code, Error, Result};
use crate::keystore::{Limits, OpenOptions, Password, Secret, StoreType};
use crate::revocation::Mode;

use super::arguments::{bytes, optional_bytes, optional_text, path, text};
use super::builder::{Builder, btls_builder};
use super::callback::{self, btls_password_fn};
use super::guard::{guard_object, object};
use super::{DONE, btls_status};

/// The type of a store of keys or certificates.
pub type btls_store_type = i32;

/// Detected from the content. The default.
pub const BTLS_STORE_ANY: btls_store_type = 0;
/// Text with "-----BEGIN ...-----" blocks.
pub const BTLS_STORE_PEM: btls_store_type = 1;
/// DER: a certificate, a private key, or certificates in PKCS#7.
pub const BTLS_STORE_DER: btls_store_type = 2;
/// PKCS#12, as keytool and openssl pkcs12 write it.
pub const BTLS_STORE_PKCS12: btls_store_type = 3;
/// Java's JKS.
pub const BTLS_STORE_JKS: btls_store_type = 4;
/// Java's JCEKS.
pub const BTLS_STORE_JCEKS: btls_store_type = 5;

/// The answer if no source has the revocation status of a peer.
pub type btls_revocation_mode = i32;

/// Peers are not checked for revocation.
pub const BTLS_REVOCATION_OFF: btls_revocation_mode = 0;
/// A peer with an unknown status is accepted and counted.
pub const BTLS_REVOCATION_PREFER: btls_revocation_mode = 1;
/// A peer with an unknown status is refused.
pub const BTLS_REVOCATION_REQUIRE: btls_revocation_mode = 2;

impl Builder {
    /// Makes the options of a source: the settings so far with these passwords, or the callback for both.
    ///
    /// # Safety
    /// Each pointer is NULL or points to text that ends with a NUL.
    unsafe fn open_options(&self, password: *const c_char, key_password: *const c_char) -> OpenOptions {
        // SAFETY: as promised by the caller.
        let (password, key_password) = unsafe { (optional_bytes(password), optional_bytes(key_password)) };
        let given = |bytes: &[u8]| Password::Bytes(Secret::new(bytes));
        let asked = || self.password.clone().map_or(Password::None, Password::Callback);
        OpenOptions {
            // A store's password is its keys' too unless something else is said.
            key_password: key_password.map_or_else(|| if password.is_some() { Password::None } else { asked() }, given),
            password: password.map_or_else(asked, given),
            ..self.options.clone()
        }
    }

    fn add_identity(
        &mut self,
        certificates: Source,
        key: Option<Source>,
        alias: Option<&str>,
        options: OpenOptions,
    ) -> Result<btls_status> {
        let mut identity = IdentitySource::new(certificates);
        identity.key = key;
        identity.alias = alias.map(str::to_owned);
        identity.options = options;
        self.context().check_identity(&identity)?;
        self.context().identity(identity);
        DONE
    }

    fn add_trust(&mut self, source: TrustSource) -> Result<btls_status> {
        self.context().check_trust(&source)?;
        self.context().trust(source);
        DONE
    }

    fn add_crl(&mut self, source: CrlSource) -> Result<btls_status> {
        self.context().check_crl(&source)?;
        self.context().crl(source);
        DONE
    }

    fn add_ocsp_response(&mut self, source: Source) -> Result<btls_status> {
        self.context().check_ocsp_response(&source)?;
        self.context().ocsp_response(source);
        DONE
    }
}

/// Adds the identity in a file: a store (PKCS#12, JKS, JCEKS), or certificates in PEM or DER. The order of calls is the
/// order of preference.
///
/// `key_file` is NULL if the key is in `file`. `alias` selects one entry of a store; NULL selects every key. `password`
/// opens the store or an encrypted PEM key. `key_password` opens the key inside; NULL stands for `password`.
///
/// # Details
///
/// If both passwords are NULL, the password callback is called when the context is built. The library wipes passwords
/// after use.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_identity_file(
    builder: *mut btls_builder,
    file: *const c_char,
    key_file: *const c_char,
    alias: *const c_char,
    password: *const c_char,
    key_password: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for texts, NULL if that is allowed.
        let (file, alias) = unsafe { (path("file", file)?, optional_text("alias", alias)?) };
        let key = match key_file.is_null() {
            true => None,
            // SAFETY: as above.
            false => Some(Source::file(unsafe { path("key_file", key_file) }?)),
        };
        // SAFETY: as above.
        let options = unsafe { builder.open_options(password, key_password) };
        builder.add_identity(Source::file(file), key, alias, options)
    })
}

/// Adds the identity in memory, as btls_builder_identity_file does. Messages call it `label`. `key` is NULL if the key
/// is in `certificates`.
///
/// # Details
///
/// The bytes are copied. The copies are wiped with the last object that uses them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_identity_memory(
    builder: *mut btls_builder,
    label: *const c_char,
    certificates: *const c_void,
    certificates_length: usize,
    key: *const c_void,
    key_length: usize,
    alias: *const c_char,
    password: *const c_char,
    key_password: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for texts and as many bytes as the call says, NULL if that is allowed.
        let (label, alias) = unsafe { (text("label", label)?, optional_text("alias", alias)?) };
        // SAFETY: as above.
        let content = unsafe { bytes("certificates", certificates, certificates_length) }?;
        let key = match key.is_null() && key_length == 0 {
            true => None,
            // SAFETY: as above.
            false => Some(Source::memory(format!("{label} (key)"), unsafe { bytes("key", key, key_length) }?)),
        };
        // SAFETY: as above.
        let options = unsafe { builder.open_options(password, key_password) };
        builder.add_identity(Source::memory(label, content), key, alias, options)
    })
}

/// Trusts the certificates in a file: a store, or PEM or DER. A CA is trusted as an issuer, and every certificate as
/// the peer's own. A needed `password` that is NULL comes from the password callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_trust_file(
    builder: *mut btls_builder,
    file: *const c_char,
    password: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text, NULL if that is allowed.
        let source = Source::file(unsafe { path("file", file) }?);
        // SAFETY: as above.
        let options = unsafe { builder.open_options(password, std::ptr::null()) };
        builder.add_trust(TrustSource::Store { source, options })
    })
}

/// Trusts the certificates in memory, as btls_builder_trust_file does. Messages call it `label`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_trust_memory(
    builder: *mut btls_builder,
    label: *const c_char,
    data: *const c_void,
    length: usize,
    password: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text and as many bytes as the call says.
        let (label, content) = unsafe { (text("label", label)?, bytes("data", data, length)?) };
        let source = Source::memory(label, content);
        // SAFETY: as above.
        let options = unsafe { builder.open_options(password, std::ptr::null()) };
        builder.add_trust(TrustSource::Store { source, options })
    })
}

/// Trusts the certificates in each visible file (PEM or DER) of a directory, not of its folders.
///
/// # Details
///
/// Hidden files and subdirectories are ignored. The revocation lists (CRL) in the directory are used if revocation is
/// on. The store type and the limits that were set before apply to each file.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_trust_directory(
    builder: *mut btls_builder,
    directory: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text.
        let path = unsafe { path("directory", directory) }?.to_owned();
        // SAFETY: NULL is no text.
        let options = unsafe { builder.open_options(std::ptr::null(), std::ptr::null()) };
        builder.add_trust(TrustSource::Directory { path, options })
    })
}

/// Trusts the roots of the system.
///
/// # Details
///
/// The environment variables SSL_CERT_FILE and SSL_CERT_DIR replace them. A process with more rights than its parent
/// (set-uid, set-gid, capabilities) ignores the variables, with a warning.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_trust_system(builder: *mut btls_builder) -> btls_status {
    guard_object(object!(builder), |builder| builder.add_trust(TrustSource::System))
}

/// Sets a function that gives the passwords of the sources added after this call without one. It is called at each
/// build and reload. `user` must outlive the builder and its contexts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_password_callback(
    builder: *mut btls_builder,
    function: btls_password_fn,
    user: *mut c_void,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.password = Some(callback::password(function, user)?);
        DONE
    })
}

/// Sets the type that the sources added after this call must have.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_store_type(
    builder: *mut btls_builder,
    store_type: btls_store_type,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.options.store_type = match store_type {
            BTLS_STORE_ANY => None,
            BTLS_STORE_PEM => Some(StoreType::Pem),
            BTLS_STORE_DER => Some(StoreType::Der),
            BTLS_STORE_PKCS12 => Some(StoreType::Pkcs12),
            BTLS_STORE_JKS => Some(StoreType::Jks),
            BTLS_STORE_JCEKS => Some(StoreType::Jceks),
            other => return Err(Error::new(Code::InvalidArgument, format!("store_type {other}"))),
        };
        DONE
    })
}

/// Limits the cost of each source added after this call. 0 selects the default.
///
/// # Details
///
/// `max_content_bytes` is the size of a file or memory block (default: 16 MiB). `max_kdf_iterations` is the sum of
/// key-derivation iterations of one file (default: 20,000,000). `max_kdf_memory_bytes` is the memory for scrypt
/// (default: 160 MiB).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_limits(
    builder: *mut btls_builder,
    max_content_bytes: usize,
    max_kdf_iterations: u64,
    max_kdf_memory_bytes: u64,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let mut limits = Limits::default();
        let settings = [
            (max_kdf_iterations, &mut limits.max_kdf_iterations),
            (max_kdf_memory_bytes, &mut limits.max_kdf_memory_bytes),
        ];
        settings.into_iter().filter(|(given, _)| *given != 0).for_each(|(given, limit)| *limit = given);
        if max_content_bytes != 0 {
            limits.max_content_bytes = max_content_bytes;
        }
        builder.options.limits = limits;
        DONE
    })
}

/// Allows PKCS#12 stores without an integrity check from now on. Default: false. INSECURE.
///
/// # Details
///
/// It holds for the sources added after this call. A writer of such a file can replace its certificates.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_insecure_allow_missing_mac(
    builder: *mut btls_builder,
    allows: bool,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        builder.options.insecure_allow_missing_mac = allows;
        DONE
    })
}

/// Adds the revocation lists (CRL) in a file, PEM or DER. Listed peers get BTLS_CERT_REVOKED.
///
/// # Details
///
/// A peer that no list or response covers is refused, unless btls_builder_revocation or the options "crl-mode" and
/// "ocsp-mode" allow it. The options "fetch" and "ocsp-responder" fetch lists and responses over the network.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_crl_file(builder: *mut btls_builder, file: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text.
        let source = Source::file(unsafe { path("file", file) }?);
        builder.add_crl(CrlSource::Source(source))
    })
}

/// Adds the revocation lists in memory. Messages call it `label`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_crl_memory(
    builder: *mut btls_builder,
    label: *const c_char,
    data: *const c_void,
    length: usize,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text and as many bytes as the call says.
        let (label, content) = unsafe { (text("label", label)?, bytes("data", data, length)?) };
        builder.add_crl(CrlSource::Source(Source::memory(label, content)))
    })
}

/// Adds the revocation lists in each visible file of a directory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_crl_directory(
    builder: *mut btls_builder,
    directory: *const c_char,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text.
        let directory = unsafe { path("directory", directory) }?;
        builder.add_crl(CrlSource::Directory(directory.to_owned()))
    })
}

/// Adds the OCSP responses about peers in a file, DER or PEM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_ocsp_file(builder: *mut btls_builder, file: *const c_char) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text.
        builder.add_ocsp_response(Source::file(unsafe { path("file", file) }?))
    })
}

/// Adds OCSP responses about peers in memory. Messages call them `label`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_ocsp_memory(
    builder: *mut btls_builder,
    label: *const c_char,
    data: *const c_void,
    length: usize,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        // SAFETY: the header asks for text and as many bytes as the call says.
        let (label, content) = unsafe { (text("label", label)?, bytes("data", data, length)?) };
        builder.add_ocsp_response(Source::memory(label, content))
    })
}

/// Sets the answer if no source has the revocation status of a peer.
///
/// # Details
///
/// The default is BTLS_REVOCATION_REQUIRE with a source of lists or responses, and BTLS_REVOCATION_OFF without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn btls_builder_revocation(
    builder: *mut btls_builder,
    revocation: btls_revocation_mode,
) -> btls_status {
    guard_object(object!(builder), |builder| {
        let mode = match revocation {
            BTLS_REVOCATION_OFF => Mode::Off,
            BTLS_REVOCATION_PREFER => Mode::Prefer,
            BTLS_REVOCATION_REQUIRE => Mode::Require,
            other => return Err(Error::new(Code::InvalidArgument, format!("revocation {other}"))),
        };
        builder.context().revocation(mode);
        DONE
    })
}
