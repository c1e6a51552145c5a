//! The functions of OpenSSL that the side calls, as its headers declare them.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_void};

macro_rules! opaque {
    ($($name:ident),*) => {$(
        #[repr(C)]
        pub struct $name([u8; 0]);
    )*};
}

opaque!(Bio, BioMethod, Ssl, SslCtx, SslMethod, X509, EvpPkey);

pub const BIO_TYPE_SOURCE_SINK: c_int = 0x0400;
pub const BIO_CTRL_FLUSH: c_int = 11;
pub const BIO_FLAGS_READ: c_int = 0x01;
pub const BIO_FLAGS_SHOULD_RETRY: c_int = 0x08;
pub const SSL_CTRL_SET_MIN_PROTO_VERSION: c_int = 123;
pub const SSL_CTRL_SET_MAX_PROTO_VERSION: c_int = 124;
pub const SSL_ERROR_WANT_READ: c_int = 2;
pub const TLS1_2_VERSION: c_long = 0x0303;
pub const TLS1_3_VERSION: c_long = 0x0304;
/// The text "OpenSSL VERSION DATE".
pub const OPENSSL_VERSION: c_int = 0;

type Password = unsafe extern "C" fn(*mut c_char, c_int, c_int, *mut c_void) -> c_int;

unsafe extern "C" {
    pub fn OpenSSL_version(kind: c_int) -> *const c_char;

    pub fn BIO_meth_new(kind: c_int, name: *const c_char) -> *mut BioMethod;
    pub fn BIO_meth_set_read(
        method: *mut BioMethod,
        read: unsafe extern "C" fn(*mut Bio, *mut c_char, c_int) -> c_int,
    ) -> c_int;
    pub fn BIO_meth_set_write(
        method: *mut BioMethod,
        write: unsafe extern "C" fn(*mut Bio, *const c_char, c_int) -> c_int,
    ) -> c_int;
    pub fn BIO_meth_set_ctrl(
        method: *mut BioMethod,
        control: unsafe extern "C" fn(*mut Bio, c_int, c_long, *mut c_void) -> c_long,
    ) -> c_int;
    pub fn BIO_new(method: *const BioMethod) -> *mut Bio;
    pub fn BIO_new_mem_buf(buffer: *const c_void, length: c_int) -> *mut Bio;
    pub fn BIO_free(bio: *mut Bio) -> c_int;
    pub fn BIO_set_data(bio: *mut Bio, data: *mut c_void);
    pub fn BIO_get_data(bio: *mut Bio) -> *mut c_void;
    pub fn BIO_set_init(bio: *mut Bio, init: c_int);
    pub fn BIO_set_flags(bio: *mut Bio, flags: c_int);
    pub fn BIO_clear_flags(bio: *mut Bio, flags: c_int);

    pub fn PEM_read_bio_X509(
        bio: *mut Bio,
        certificate: *mut *mut X509,
        password: Option<Password>,
        user: *mut c_void,
    ) -> *mut X509;
    pub fn X509_free(certificate: *mut X509);
    pub fn PEM_read_bio_PrivateKey(
        bio: *mut Bio,
        key: *mut *mut EvpPkey,
        password: Option<Password>,
        user: *mut c_void,
    ) -> *mut EvpPkey;
    pub fn EVP_PKEY_free(key: *mut EvpPkey);

    pub fn TLS_server_method() -> *const SslMethod;
    pub fn SSL_CTX_new(method: *const SslMethod) -> *mut SslCtx;
    pub fn SSL_CTX_free(context: *mut SslCtx);
    pub fn SSL_CTX_ctrl(context: *mut SslCtx, command: c_int, number: c_long, pointer: *mut c_void) -> c_long;
    pub fn SSL_CTX_use_certificate(context: *mut SslCtx, certificate: *mut X509) -> c_int;
    pub fn SSL_CTX_use_PrivateKey(context: *mut SslCtx, key: *mut EvpPkey) -> c_int;
    pub fn SSL_CTX_set_session_id_context(context: *mut SslCtx, id: *const c_uchar, length: c_uint) -> c_int;

    pub fn SSL_new(context: *mut SslCtx) -> *mut Ssl;
    pub fn SSL_free(ssl: *mut Ssl);
    pub fn SSL_set_bio(ssl: *mut Ssl, read: *mut Bio, write: *mut Bio);
    pub fn SSL_accept(ssl: *mut Ssl) -> c_int;
    pub fn SSL_get_error(ssl: *const Ssl, result: c_int) -> c_int;
    pub fn SSL_has_pending(ssl: *const Ssl) -> c_int;
    pub fn SSL_read_ex(ssl: *mut Ssl, buffer: *mut c_void, length: usize, read: *mut usize) -> c_int;
    pub fn SSL_write_ex(ssl: *mut Ssl, buffer: *const c_void, length: usize, written: *mut usize) -> c_int;
}
