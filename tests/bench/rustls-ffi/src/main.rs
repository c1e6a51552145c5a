//! rustls through the C functions of rustls-ffi as a side of the benchmark.

use std::ffi::c_void;
use std::io::{Read, Write};
use std::{mem, ptr, slice};

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::pipe::Pipe;
use brokertls_bench_side::server::{Connection, Context, Side};
use brokertls_bench_side::{serve, versions};
use rustls_ffi::certificate::rustls_certified_key;
use rustls_ffi::connection::rustls_connection;
use rustls_ffi::crypto_provider::{rustls_aws_lc_rs_crypto_provider, rustls_crypto_provider_free};

use rustls_ffi::server::{rustls_server_config, rustls_server_config_builder};
use rustls_ffi::{rustls_io_result, rustls_result};

const TLS12: u16 = 0x0303;
const TLS13: u16 = 0x0304;

fn main() {
    serve::side(&RustlsFfi);
}

struct RustlsFfi;

impl Side for RustlsFfi {
    fn name(&self) -> &'static str {
        "rustls-ffi"
    }

    fn version(&self) -> String {
        versions::of("rustls-ffi").to_owned()
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let versions = match version {
            Version::Tls12 => [TLS12],
            Version::Tls13 => [TLS13],
        };
        let (certificate, key) = (identity.certificate.as_bytes(), identity.key.as_bytes());
        let (mut builder, mut certified, mut config) = (ptr::null_mut(), ptr::null(), ptr::null());
        let provider = rustls_aws_lc_rs_crypto_provider();
        ok(rustls_server_config_builder::rustls_server_config_builder_new_custom(
            provider,
            versions.as_ptr(),
            versions.len(),
            &mut builder,
        ));
        ok(rustls_certified_key::rustls_certified_key_build(
            certificate.as_ptr(),
            certificate.len(),
            key.as_ptr(),
            key.len(),
            &mut certified,
        ));
        ok(rustls_server_config_builder::rustls_server_config_builder_set_certified_keys(builder, &certified, 1));
        ok(rustls_server_config_builder::rustls_server_config_builder_build(builder, &mut config));
        rustls_certified_key::rustls_certified_key_free(certified);
        rustls_crypto_provider_free(provider);
        Box::new(FfiContext(config))
    }
}

fn ok(result: rustls_result) {
    assert!(result == rustls_result::Ok, "{}", result as u32);
}

struct FfiContext(*const rustls_server_config);

impl Context for FfiContext {
    fn accept(&self) -> Box<dyn Connection> {
        let mut connection = ptr::null_mut();
        ok(rustls_server_config::rustls_server_connection_new(self.0, &mut connection));
        Box::new(FfiConnection { connection, pipe: Pipe::default() })
    }
}

impl Drop for FfiContext {
    fn drop(&mut self) {
        rustls_server_config::rustls_server_config_free(self.0);
    }
}

unsafe extern "C" fn read(data: *mut c_void, buffer: *mut u8, length: usize, out: *mut usize) -> rustls_io_result {
    // SAFETY: the data is the pipe of the call, and rustls-ffi gives a buffer with its length and a place for a number.
    unsafe {
        match (*data.cast::<Pipe>()).read(slice::from_raw_parts_mut(buffer, length)) {
            Ok(length) => *out = length,
            Err(_) => return rustls_io_result(libc::EAGAIN),
        }
    }
    rustls_io_result(0)
}

unsafe extern "C" fn write(data: *mut c_void, buffer: *const u8, length: usize, out: *mut usize) -> rustls_io_result {
    // SAFETY: as for `read`.
    unsafe {
        (*data.cast::<Pipe>()).write_all(slice::from_raw_parts(buffer, length)).unwrap();
        *out = length;
    }
    rustls_io_result(0)
}

struct FfiConnection {
    connection: *mut rustls_connection,
    pipe: Pipe,
}

impl FfiConnection {
    /// Takes bytes of the pipe and processes the records that are whole.
    fn receive(&mut self) {
        let (mut length, pipe) = (0, ptr::from_mut(&mut self.pipe));
        let result =
            rustls_connection::rustls_connection_read_tls(self.connection, Some(read), pipe.cast(), &mut length);
        assert_eq!(result.0, 0);
        ok(rustls_connection::rustls_connection_process_new_packets(self.connection));
    }

    fn send(&mut self) {
        while rustls_connection::rustls_connection_wants_write(self.connection) {
            let (mut length, pipe) = (0, ptr::from_mut(&mut self.pipe));
            let result =
                rustls_connection::rustls_connection_write_tls(self.connection, Some(write), pipe.cast(), &mut length);
            assert_eq!(result.0, 0);
        }
    }
}

impl Connection for FfiConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        self.pipe.lend(input);
        mem::swap(self.pipe.output(), output);
        while !self.pipe.is_read() {
            self.receive();
        }
        self.send();
        mem::swap(self.pipe.output(), output);
        self.pipe.take_back(input);
        !rustls_connection::rustls_connection_is_handshaking(self.connection)
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        self.pipe.output().clear();
        let mut written = 0;
        ok(rustls_connection::rustls_connection_write(
            self.connection,
            plaintext.as_ptr(),
            plaintext.len(),
            &mut written,
        ));
        assert_eq!(written, plaintext.len());
        self.send();
        self.pipe.output()
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        self.pipe.lend(input);
        let mut sum = 0;
        while !self.pipe.is_read() {
            self.receive();
            // Until it has no more, or a part of a record.
            loop {
                let mut length = 0;
                let result = rustls_connection::rustls_connection_read(
                    self.connection,
                    plaintext.as_mut_ptr(),
                    plaintext.len(),
                    &mut length,
                );
                if result == rustls_result::PlaintextEmpty {
                    break;
                }
                ok(result);
                sum += length;
            }
        }
        self.pipe.take_back(input);
        sum
    }
}

impl Drop for FfiConnection {
    fn drop(&mut self) {
        rustls_connection::rustls_connection_free(self.connection);
    }
}
