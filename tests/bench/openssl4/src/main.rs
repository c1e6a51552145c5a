//! OpenSSL 4 as a side of the benchmark: `SSL_read_ex` and `SSL_write_ex` over a BIO in memory.
//!
//! The BIO has functions of this program, which move bytes between buffers of the caller. A memory BIO of OpenSSL copies
//! once more. Reading ahead makes it slower here, and stays off, as it is by default.

mod ffi;

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::io::{Read, Write};
use std::{mem, ptr, slice};

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::pipe::Pipe;
use brokertls_bench_side::serve;
use brokertls_bench_side::server::{Connection, Context, Side};

use ffi::*;

fn main() {
    serve::side(&OpenSsl { method: method() });
}

struct OpenSsl {
    method: *const BioMethod,
}

impl Side for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn version(&self) -> String {
        // SAFETY: the text is constant and ends with a NUL.
        let text = unsafe { CStr::from_ptr(OpenSSL_version(OPENSSL_VERSION)) }.to_str().unwrap();
        text.split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let version = match version {
            Version::Tls12 => TLS1_2_VERSION,
            Version::Tls13 => TLS1_3_VERSION,
        };
        // SAFETY: every object is made here, checked, and freed once or kept by the context; texts outlive the calls.
        unsafe {
            let context = SSL_CTX_new(TLS_server_method());
            assert!(!context.is_null());
            for command in [SSL_CTRL_SET_MIN_PROTO_VERSION, SSL_CTRL_SET_MAX_PROTO_VERSION] {
                assert_eq!(SSL_CTX_ctrl(context, command, version, ptr::null_mut()), 1);
            }
            let bio = memory(&identity.certificate);
            let certificate = PEM_read_bio_X509(bio, ptr::null_mut(), None, ptr::null_mut());
            assert_eq!(SSL_CTX_use_certificate(context, certificate), 1);
            X509_free(certificate);
            BIO_free(bio);
            let bio = memory(&identity.key);
            let key = PEM_read_bio_PrivateKey(bio, ptr::null_mut(), None, ptr::null_mut());
            assert_eq!(SSL_CTX_use_PrivateKey(context, key), 1);
            EVP_PKEY_free(key);
            BIO_free(bio);
            assert_eq!(SSL_CTX_set_session_id_context(context, b"bench".as_ptr(), 5), 1);
            Box::new(OpenSslContext { context, method: self.method })
        }
    }
}

/// A BIO over `text`, which must outlive it.
unsafe fn memory(text: &str) -> *mut Bio {
    // SAFETY: the length is that of the text.
    unsafe { BIO_new_mem_buf(text.as_ptr().cast(), text.len().try_into().unwrap()) }
}

/// The kind of BIO that has a [`Pipe`] as its data.
fn method() -> *const BioMethod {
    // SAFETY: the method lives as long as the program, and so do its functions.
    unsafe {
        let method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, c"pipe".as_ptr());
        assert_eq!(BIO_meth_set_read(method, read), 1);
        assert_eq!(BIO_meth_set_write(method, write), 1);
        assert_eq!(BIO_meth_set_ctrl(method, control), 1);
        method
    }
}

unsafe extern "C" fn read(bio: *mut Bio, buffer: *mut c_char, length: c_int) -> c_int {
    // SAFETY: the data of the BIO is a pipe that outlives it, and OpenSSL gives a buffer with its length.
    unsafe {
        BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
        let pipe = &mut *BIO_get_data(bio).cast::<Pipe>();
        match pipe.read(slice::from_raw_parts_mut(buffer.cast(), length as usize)) {
            Ok(length) => length as c_int,
            Err(_) => {
                BIO_set_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
                -1
            }
        }
    }
}

unsafe extern "C" fn write(bio: *mut Bio, buffer: *const c_char, length: c_int) -> c_int {
    // SAFETY: as for `read`.
    unsafe {
        let pipe = &mut *BIO_get_data(bio).cast::<Pipe>();
        pipe.write_all(slice::from_raw_parts(buffer.cast(), length as usize)).unwrap();
    }
    length
}

unsafe extern "C" fn control(_: *mut Bio, command: c_int, _: c_long, _: *mut c_void) -> c_long {
    (command == BIO_CTRL_FLUSH).into()
}

struct OpenSslContext {
    context: *mut SslCtx,
    method: *const BioMethod,
}

impl Context for OpenSslContext {
    fn accept(&self) -> Box<dyn Connection> {
        let pipe = Box::into_raw(Box::<Pipe>::default());
        // SAFETY: the connection owns the BIO, and is freed before the pipe.
        unsafe {
            let ssl = SSL_new(self.context);
            assert!(!ssl.is_null());
            let bio = BIO_new(self.method);
            BIO_set_data(bio, pipe.cast());
            BIO_set_init(bio, 1);
            SSL_set_bio(ssl, bio, bio);
            Box::new(OpenSslConnection { ssl, pipe, done: false })
        }
    }
}

impl Drop for OpenSslContext {
    fn drop(&mut self) {
        // SAFETY: this is the one reference that was taken.
        unsafe { SSL_CTX_free(self.context) };
    }
}

struct OpenSslConnection {
    ssl: *mut Ssl,
    /// Used by OpenSSL during its calls, and between them here.
    pipe: *mut Pipe,
    done: bool,
}

impl OpenSslConnection {
    fn pipe(&mut self) -> &mut Pipe {
        // SAFETY: no call of OpenSSL is on its way, and `self` is exclusive.
        unsafe { &mut *self.pipe }
    }
}

impl Connection for OpenSslConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        self.pipe().lend(input);
        mem::swap(self.pipe().output(), output);
        // SAFETY: the connection lives as long as `self`.
        unsafe {
            match SSL_accept(self.ssl) {
                1 => self.done = true,
                result => assert_eq!(SSL_get_error(self.ssl, result), SSL_ERROR_WANT_READ),
            }
        }
        mem::swap(self.pipe().output(), output);
        self.pipe().take_back(input);
        self.done
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        self.pipe().output().clear();
        let mut written = 0;
        // SAFETY: the plaintext is a slice with its length.
        let result = unsafe { SSL_write_ex(self.ssl, plaintext.as_ptr().cast(), plaintext.len(), &mut written) };
        assert_eq!((result, written), (1, plaintext.len()));
        self.pipe().output()
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        self.pipe().lend(input);
        let mut sum = 0;
        // SAFETY: the connection lives as long as `self`.
        while !self.pipe().is_read() || unsafe { SSL_has_pending(self.ssl) } == 1 {
            let mut read = 0;
            // SAFETY: the buffer is an exclusive slice with its length.
            let result = unsafe { SSL_read_ex(self.ssl, plaintext.as_mut_ptr().cast(), plaintext.len(), &mut read) };
            assert_eq!(result, 1);
            sum += read;
        }
        self.pipe().take_back(input);
        sum
    }
}

impl Drop for OpenSslConnection {
    fn drop(&mut self) {
        // SAFETY: both were made by `accept` and are freed once, the pipe after the BIO that uses it.
        unsafe {
            SSL_free(self.ssl);
            drop(Box::from_raw(self.pipe));
        }
    }
}
