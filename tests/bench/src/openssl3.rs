//! OpenSSL 3.6 as the `openssl-src` crate builds it, over a BIO in memory: the peer of the lists of revoked certificates.

use std::mem;
use std::path::Path;

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::pipe::Pipe;
use brokertls_bench_side::server::{Connection, Context, Side};
use openssl::pkey::PKey;
use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;

use crate::ListSide;

pub struct OpenSsl;

impl Side for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn version(&self) -> String {
        openssl::version::version().split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let mut builder = builder(identity);
        if version == Version::Tls12 {
            builder.set_min_proto_version(Some(SslVersion::TLS1_2)).unwrap();
            builder.set_max_proto_version(Some(SslVersion::TLS1_2)).unwrap();
        }
        Box::new(OpenSslContext(builder.build()))
    }
}

impl ListSide for OpenSsl {
    fn context_with_clients(&self, identity: &Identity, list: Option<&Path>) -> Box<dyn Context> {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(X509::from_pem(identity.ca.as_bytes()).unwrap()).unwrap();
        if let Some(list) = list {
            store.set_flags(X509VerifyFlags::CRL_CHECK).unwrap();
            let lists = store.add_lookup(X509Lookup::file()).unwrap();
            assert_eq!(lists.load_crl_file(list, SslFiletype::PEM).unwrap(), 1);
        }
        let mut builder = builder(identity);
        builder.set_cert_store(store.build());
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        Box::new(OpenSslContext(builder.build()))
    }
}

fn builder(identity: &Identity) -> SslContextBuilder {
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    builder.set_certificate(&X509::from_pem(identity.certificate.as_bytes()).unwrap()).unwrap();
    builder.set_private_key(&PKey::private_key_from_pem(identity.key.as_bytes()).unwrap()).unwrap();
    builder.set_session_id_context(b"bench").unwrap();
    builder
}

struct OpenSslContext(SslContext);

impl Context for OpenSslContext {
    fn accept(&self) -> Box<dyn Connection> {
        let stream = SslStream::new(Ssl::new(&self.0).unwrap(), Pipe::default()).unwrap();
        Box::new(OpenSslConnection { stream, done: false })
    }
}

struct OpenSslConnection {
    stream: SslStream<Pipe>,
    done: bool,
}

impl Connection for OpenSslConnection {
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
