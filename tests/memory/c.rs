//! The C API, for connections that fall asleep by themselves.

use std::ffi::{CString, c_char, c_void};
use std::ptr::null_mut;

#[allow(unsafe_code)]
unsafe extern "C" {
    fn btls_builder_new() -> *mut c_void;
    fn btls_builder_set(builder: *mut c_void, name: *const c_char, value: *const c_char) -> i32;
    fn btls_builder_build(builder: *mut c_void, context: *mut *mut c_void) -> i32;
    fn btls_builder_free(builder: *mut c_void);
    fn btls_context_maintain(context: *mut c_void, next_ms: *mut u64) -> i32;
    fn btls_context_free(context: *mut c_void);
    fn btls_conn_new_server(
        context: *mut c_void,
        options: *mut c_void,
        conn: *mut *mut c_void,
        error: *mut *mut c_void,
    ) -> i32;
    fn btls_conn_new_client(
        context: *mut c_void,
        host: *const c_char,
        options: *mut c_void,
        conn: *mut *mut c_void,
        error: *mut *mut c_void,
    ) -> i32;
    fn btls_conn_wrap(
        conn: *mut c_void,
        plain: *const u8,
        length: usize,
        records: *mut u8,
        room: usize,
        consumed: &mut usize,
        produced: &mut usize,
    ) -> i32;
    fn btls_conn_unwrap(
        conn: *mut c_void,
        records: *mut u8,
        length: usize,
        plain: *mut u8,
        room: usize,
        consumed: &mut usize,
        produced: &mut usize,
    ) -> i32;
    fn btls_conn_free(conn: *mut c_void);
}

pub(crate) struct Context(*mut c_void);

impl Context {
    #[allow(unsafe_code)]
    pub(crate) fn new(options: &[(&str, &str)]) -> Self {
        let mut context = null_mut();
        // SAFETY: texts end with a NUL, and the builder is freed once.
        unsafe {
            let builder = btls_builder_new();
            for (name, value) in options {
                let [name, value] = [name, value].map(|text| CString::new(*text).unwrap());
                assert_eq!(btls_builder_set(builder, name.as_ptr(), value.as_ptr()), 0, "{name:?}");
            }
            assert_eq!(btls_builder_build(builder, &mut context), 0);
            btls_builder_free(builder);
        }
        Self(context)
    }

    /// Returns the milliseconds until the next call.
    #[allow(unsafe_code)]
    pub(crate) fn maintain(&self) -> u64 {
        let mut next_ms = 0;
        // SAFETY: the context lives.
        assert_eq!(unsafe { btls_context_maintain(self.0, &mut next_ms) }, 0);
        next_ms
    }

    #[allow(unsafe_code)]
    pub(crate) fn accept(&self) -> Conn {
        let mut conn = null_mut();
        // SAFETY: the context lives, and the others may be NULL.
        assert_eq!(unsafe { btls_conn_new_server(self.0, null_mut(), &mut conn, null_mut()) }, 0);
        Conn(conn)
    }

    #[allow(unsafe_code)]
    pub(crate) fn connect(&self) -> Conn {
        let mut conn = null_mut();
        let host = c"localhost".as_ptr();
        // SAFETY: as above.
        assert_eq!(unsafe { btls_conn_new_client(self.0, host, null_mut(), &mut conn, null_mut()) }, 0);
        Conn(conn)
    }
}

impl Drop for Context {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { btls_context_free(self.0) }
    }
}

pub(crate) struct Conn(*mut c_void);

impl Conn {
    /// Moves what waits, and a message, to the other side. Returns the plaintext that arrived there.
    #[allow(unsafe_code)]
    pub(crate) fn pass(&self, to: &Self, mut message: &[u8]) -> Vec<u8> {
        let (mut wire, mut plain) = (vec![0; 20_000], vec![0; 20_000]);
        let mut arrived = Vec::new();
        let (mut taken, mut made) = (0, 0);
        loop {
            let (room, at) = (wire.len(), wire.as_mut_ptr());
            // SAFETY: the buffers are as long as the call says.
            let status =
                unsafe { btls_conn_wrap(self.0, message.as_ptr(), message.len(), at, room, &mut taken, &mut made) };
            assert!(status < 100, "{status}");
            message = &message[taken..];
            let mut records = &mut wire[..made];
            if records.is_empty() {
                return arrived;
            }
            while !records.is_empty() {
                let (room, at) = (plain.len(), plain.as_mut_ptr());
                // SAFETY: as above.
                let status = unsafe {
                    btls_conn_unwrap(to.0, records.as_mut_ptr(), records.len(), at, room, &mut taken, &mut made)
                };
                assert!(status < 100 && taken > 0, "{status}");
                arrived.extend_from_slice(&plain[..made]);
                records = &mut records[taken..];
            }
        }
    }
}

impl Drop for Conn {
    #[allow(unsafe_code)]
    fn drop(&mut self) {
        // SAFETY: it is freed once.
        unsafe { btls_conn_free(self.0) }
    }
}
