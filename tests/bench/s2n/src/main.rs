//! s2n-tls as a side of the benchmark, through the `s2n-tls` crate: `s2n_recv` and `s2n_send` with functions that move
//! bytes in memory.

use std::ffi::{c_int, c_void};
use std::io::{Read, Write};
use std::pin::Pin;
use std::task::Poll;
use std::time::SystemTime;
use std::{mem, slice};

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::pipe::Pipe;
use brokertls_bench_side::server::{Connection, Context, Side};
use brokertls_bench_side::{serve, versions};
use errno::{Errno, set_errno};
use s2n_tls::config::Config;
use s2n_tls::connection;
use s2n_tls::enums::Blinding;
use s2n_tls::security;

/// Policies that have every suite and group of the cases, or those of TLS 1.2.
const POLICY: &str = "default_pq";
const POLICY_TLS12: &str = "20240501";

fn main() {
    serve::side(&S2n);
}

struct S2n;

impl Side for S2n {
    fn name(&self) -> &'static str {
        "s2n-tls"
    }

    /// The crate has the source of s2n-tls, which has a version of its own that it does not tell.
    fn version(&self) -> String {
        format!("of crate {}", versions::of("s2n-tls"))
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let policy = match version {
            Version::Tls12 => POLICY_TLS12,
            Version::Tls13 => POLICY,
        };
        let mut builder = Config::builder();
        builder.set_security_policy(&security::Policy::from_version(policy).unwrap()).unwrap();
        builder.load_pem(identity.certificate.as_bytes(), identity.key.as_bytes()).unwrap();
        builder.add_session_ticket_key(b"bench", &[0x5a; 32], SystemTime::now()).unwrap();
        Box::new(S2nContext(builder.build().unwrap()))
    }
}

struct S2nContext(Config);

impl Context for S2nContext {
    fn accept(&self) -> Box<dyn Connection> {
        let mut connection = connection::Connection::new_server();
        let mut pipe = Box::pin(Pipe::default());
        let data: *mut Pipe = &mut *pipe;
        connection.set_config(self.0.clone()).unwrap();
        connection.set_blinding(Blinding::SelfService).unwrap();
        // Otherwise 16 KiB are two records.
        connection.prefer_throughput().unwrap();
        connection.set_receive_callback(Some(receive)).unwrap();
        connection.set_send_callback(Some(send)).unwrap();
        // SAFETY: the pipe outlives the connection, which is dropped first.
        unsafe {
            connection.set_receive_context(data.cast()).unwrap();
            connection.set_send_context(data.cast()).unwrap();
        }
        Box::new(S2nConnection { connection, pipe })
    }
}

unsafe extern "C" fn receive(data: *mut c_void, buffer: *mut u8, length: u32) -> c_int {
    // SAFETY: the data is a pipe that outlives the connection, and s2n gives a buffer with its length.
    let (pipe, buffer) = unsafe { (&mut *data.cast::<Pipe>(), slice::from_raw_parts_mut(buffer, length as usize)) };
    match pipe.read(buffer) {
        Ok(length) => length as c_int,
        Err(_) => {
            set_errno(Errno(libc::EAGAIN));
            -1
        }
    }
}

unsafe extern "C" fn send(data: *mut c_void, buffer: *const u8, length: u32) -> c_int {
    // SAFETY: as for `receive`.
    let (pipe, buffer) = unsafe { (&mut *data.cast::<Pipe>(), slice::from_raw_parts(buffer, length as usize)) };
    pipe.write_all(buffer).unwrap();
    length as c_int
}

struct S2nConnection {
    connection: connection::Connection,
    /// Used by s2n during its calls, and between them here.
    pipe: Pin<Box<Pipe>>,
}

impl Connection for S2nConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        self.pipe.lend(input);
        mem::swap(self.pipe.output(), output);
        let done = match self.connection.poll_negotiate() {
            Poll::Ready(result) => result.map(|_| true).unwrap(),
            Poll::Pending => false,
        };
        mem::swap(self.pipe.output(), output);
        self.pipe.take_back(input);
        done
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        self.pipe.output().clear();
        match self.connection.poll_send(plaintext) {
            Poll::Ready(length) => assert_eq!(length.unwrap(), plaintext.len()),
            Poll::Pending => panic!("the transport takes everything"),
        }
        self.pipe.output()
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        self.pipe.lend(input);
        let mut sum = 0;
        while !self.pipe.is_read() || self.connection.peek_len() > 0 {
            match self.connection.poll_recv(plaintext) {
                Poll::Ready(length) => sum += length.unwrap(),
                Poll::Pending => panic!("there is a whole record"),
            }
        }
        self.pipe.take_back(input);
        sum
    }
}
