//! BoringSSL as a side of the benchmark, through the `boring` crate: `SSL_read` and `SSL_write` over a BIO in memory.

use std::mem;

use boring::pkey::PKey;
use boring::ssl::{ErrorCode, Ssl, SslContext, SslMethod, SslStream, SslVersion};
use boring::x509::X509;
use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::pipe::Pipe;
use brokertls_bench_side::server::{Connection, Context, Side};
use brokertls_bench_side::{serve, versions};

fn main() {
    serve::side(&BoringSsl);
}

struct BoringSsl;

impl Side for BoringSsl {
    fn name(&self) -> &'static str {
        "BoringSSL"
    }

    /// BoringSSL has no versions; this is the one of the crate that brings its source.
    fn version(&self) -> String {
        format!("of boring {}", versions::of("boring"))
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let version = match version {
            Version::Tls12 => SslVersion::TLS1_2,
            Version::Tls13 => SslVersion::TLS1_3,
        };
        let mut builder = SslContext::builder(SslMethod::tls()).unwrap();
        builder.set_min_proto_version(Some(version)).unwrap();
        builder.set_max_proto_version(Some(version)).unwrap();
        builder.set_certificate(&X509::from_pem(identity.certificate.as_bytes()).unwrap()).unwrap();
        builder.set_private_key(&PKey::private_key_from_pem(identity.key.as_bytes()).unwrap()).unwrap();
        builder.set_curves_list("X25519MLKEM768:X25519:P-256").unwrap();
        builder.set_session_id_context(b"bench").unwrap();
        Box::new(BoringContext(builder.build()))
    }
}

struct BoringContext(SslContext);

impl Context for BoringContext {
    fn accept(&self) -> Box<dyn Connection> {
        let stream = SslStream::new(Ssl::new(&self.0).unwrap(), Pipe::default()).unwrap();
        Box::new(BoringConnection { stream, done: false })
    }
}

struct BoringConnection {
    stream: SslStream<Pipe>,
    done: bool,
}

impl Connection for BoringConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        self.stream.get_mut().lend(input);
        mem::swap(self.stream.get_mut().output(), output);
        match self.stream.accept() {
            Ok(()) => self.done = true,
            Err(error) => assert_eq!(error.code(), ErrorCode::WANT_READ, "{error}"),
        }
        mem::swap(self.stream.get_mut().output(), output);
        self.stream.get_mut().take_back(input);
        self.done
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        self.stream.get_mut().output().clear();
        assert_eq!(self.stream.ssl_write(plaintext).unwrap(), plaintext.len());
        self.stream.get_mut().output()
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        self.stream.get_mut().lend(input);
        let mut sum = 0;
        while !self.stream.get_ref().is_read() {
            sum += self.stream.ssl_read(plaintext).unwrap();
        }
        self.stream.get_mut().take_back(input);
        sum
    }
}
