//! brokertls through its C ABI: the installed shared library, over buffers in memory.

use std::ffi::{CStr, CString, c_char, c_void};
use std::path::Path;
use std::ptr;

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::server::{Connection, Context, Side};

use crate::ListSide;

/// `BTLS_MAX_RECORD_BYTES`.
const RECORD_MAX: usize = 5 + 16384 + 256;

const OK: i32 = 0;
const WANT_READ: i32 = 1;
const WANT_WRITE: i32 = 2;
/// `BTLS_CLIENT_AUTH_NEED`.
const CLIENT_AUTH_NEED: i32 = 2;

#[repr(C)]
struct RawBuilder([u8; 0]);
#[repr(C)]
struct RawContext([u8; 0]);
#[repr(C)]
struct RawConnection([u8; 0]);

unsafe extern "C" {
    fn btls_version() -> *const c_char;
    fn btls_builder_new() -> *mut RawBuilder;
    fn btls_builder_free(builder: *mut RawBuilder);
    fn btls_builder_preset(builder: *mut RawBuilder, name: *const c_char) -> i32;
    fn btls_builder_identity_memory(
        builder: *mut RawBuilder,
        label: *const c_char,
        certificates: *const c_void,
        certificates_length: usize,
        key: *const c_void,
        key_length: usize,
        alias: *const c_char,
        password: *const c_char,
        key_password: *const c_char,
    ) -> i32;
    fn btls_builder_trust_memory(
        builder: *mut RawBuilder,
        label: *const c_char,
        data: *const c_void,
        length: usize,
        password: *const c_char,
    ) -> i32;
    fn btls_builder_client_auth(builder: *mut RawBuilder, client_auth: i32) -> i32;
    fn btls_builder_set(builder: *mut RawBuilder, option: *const c_char, value: *const c_char) -> i32;
    fn btls_builder_build(builder: *mut RawBuilder, context: *mut *mut RawContext) -> i32;
    fn btls_context_free(context: *mut RawContext);
    fn btls_conn_new_server(
        context: *const RawContext,
        options: *const c_void,
        conn: *mut *mut RawConnection,
        error: *mut *mut c_void,
    ) -> i32;
    fn btls_conn_free(conn: *mut RawConnection);
    fn btls_conn_is_handshaking(conn: *const RawConnection) -> bool;
    fn btls_conn_unwrap(
        conn: *mut RawConnection,
        records: *mut c_void,
        records_length: usize,
        plain: *mut c_void,
        plain_length: usize,
        consumed: *mut usize,
        produced: *mut usize,
    ) -> i32;
    fn btls_conn_wrap(
        conn: *mut RawConnection,
        plain: *const c_void,
        plain_length: usize,
        records: *mut c_void,
        records_length: usize,
        consumed: *mut usize,
        produced: *mut usize,
    ) -> i32;
}

pub struct Brokertls;

impl Side for Brokertls {
    fn name(&self) -> &'static str {
        "brokertls"
    }

    fn version(&self) -> String {
        // SAFETY: the text is constant and ends with a NUL.
        unsafe { CStr::from_ptr(btls_version()) }.to_str().unwrap().to_owned()
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let builder = Builder::new(identity, version);
        Box::new(builder.build())
    }
}

impl ListSide for Brokertls {
    fn context_with_clients(&self, identity: &Identity, list: Option<&Path>) -> Box<dyn Context> {
        let builder = Builder::new(identity, Version::Tls13);
        let ca = &identity.ca;
        // SAFETY: each pointer is to memory that outlives the call, with the length beside it.
        unsafe {
            let status =
                btls_builder_trust_memory(builder.0, c"CA".as_ptr(), ca.as_ptr().cast(), ca.len(), ptr::null());
            assert_eq!(status, OK);
            assert_eq!(btls_builder_client_auth(builder.0, CLIENT_AUTH_NEED), OK);
        }
        if let Some(list) = list {
            builder.set(c"crl", list.to_str().unwrap());
        }
        Box::new(builder.build())
    }
}

struct Builder(*mut RawBuilder);

impl Builder {
    fn new(identity: &Identity, version: Version) -> Self {
        let (certificate, key) = (&identity.certificate, &identity.key);
        // The second preset has TLS 1.3 too; the client offers the version that is measured.
        let preset = match version {
            Version::Tls13 => c"modern",
            Version::Tls12 => c"intermediate",
        };
        // SAFETY: each pointer is to memory that outlives the call, with the length beside it.
        unsafe {
            let builder = btls_builder_new();
            assert_eq!(btls_builder_preset(builder, preset.as_ptr()), OK);
            let status = btls_builder_identity_memory(
                builder,
                c"bench".as_ptr(),
                certificate.as_ptr().cast(),
                certificate.len(),
                key.as_ptr().cast(),
                key.len(),
                ptr::null(),
                ptr::null(),
                ptr::null(),
            );
            assert_eq!(status, OK);
            Self(builder)
        }
    }

    fn set(&self, option: &CStr, value: &str) {
        let value = CString::new(value).unwrap();
        // SAFETY: both are texts that outlive the call.
        assert_eq!(unsafe { btls_builder_set(self.0, option.as_ptr(), value.as_ptr()) }, OK, "{option:?} {value:?}");
    }

    fn build(self) -> CContext {
        let mut context = ptr::null_mut();
        // SAFETY: the builder is this function's own, and freed once.
        unsafe {
            assert_eq!(btls_builder_build(self.0, &mut context), OK);
            btls_builder_free(self.0);
        }
        CContext(context)
    }
}

struct CContext(*mut RawContext);

impl Context for CContext {
    fn accept(&self) -> Box<dyn Connection> {
        let mut conn = ptr::null_mut();
        // SAFETY: the context lives as long as `self`.
        assert_eq!(unsafe { btls_conn_new_server(self.0, ptr::null(), &mut conn, ptr::null_mut()) }, OK);
        Box::new(CConnection { conn, record: vec![0; RECORD_MAX] })
    }
}

impl Drop for CContext {
    fn drop(&mut self) {
        // SAFETY: this is the one reference that was taken.
        unsafe { btls_context_free(self.0) };
    }
}

struct CConnection {
    conn: *mut RawConnection,
    record: Vec<u8>,
}

impl CConnection {
    /// Records of `records` into `plain`, one or more: (status, consumed, produced).
    fn unwrap(&mut self, records: &mut [u8], plain: &mut [u8]) -> (i32, usize, usize) {
        let (mut consumed, mut produced) = (0, 0);
        // SAFETY: both buffers are exclusive slices with their lengths.
        let status = unsafe {
            btls_conn_unwrap(
                self.conn,
                records.as_mut_ptr().cast(),
                records.len(),
                plain.as_mut_ptr().cast(),
                plain.len(),
                &mut consumed,
                &mut produced,
            )
        };
        (status, consumed, produced)
    }

    /// Records of `plain`, or what waits, into the record buffer: (status, produced).
    fn wrap(&mut self, plain: &[u8]) -> (i32, usize) {
        let (mut consumed, mut produced) = (0, 0);
        // SAFETY: both buffers are slices with their lengths, the second exclusive.
        let status = unsafe {
            btls_conn_wrap(
                self.conn,
                plain.as_ptr().cast(),
                plain.len(),
                self.record.as_mut_ptr().cast(),
                self.record.len(),
                &mut consumed,
                &mut produced,
            )
        };
        assert_eq!(consumed, plain.len());
        (status, produced)
    }
}

impl Connection for CConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        let mut used = 0;
        loop {
            let (status, consumed, _) = self.unwrap(&mut input[used..], &mut []);
            used += consumed;
            match status {
                OK => {}
                WANT_WRITE => loop {
                    let (status, produced) = self.wrap(&[]);
                    output.extend_from_slice(&self.record[..produced]);
                    if status != WANT_WRITE {
                        break;
                    }
                },
                WANT_READ if used == input.len() => break,
                WANT_READ => {}
                other => panic!("status {other}"),
            }
        }
        input.clear();
        // SAFETY: the connection lives as long as `self`.
        !unsafe { btls_conn_is_handshaking(self.conn) }
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        let (status, produced) = self.wrap(plaintext);
        assert_eq!(status, OK);
        &self.record[..produced]
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        let (mut used, mut sum) = (0, 0);
        while used < input.len() {
            let (status, consumed, produced) = self.unwrap(&mut input[used..], plaintext);
            assert_eq!(status, OK);
            assert_ne!(consumed, 0);
            used += consumed;
            sum += produced;
        }
        input.clear();
        sum
    }
}

impl Drop for CConnection {
    fn drop(&mut self) {
        // SAFETY: it was made by this library and is freed once.
        unsafe { btls_conn_free(self.conn) };
    }
}
