//! OpenSSL as the `openssl-src` crate builds it, over a BIO in memory.

use std::io::{self, Read, Write};
use std::mem;
use std::path::Path;

use openssl::ssl::{
    ErrorCode, Ssl, SslContext, SslContextBuilder, SslFiletype, SslMethod, SslStream, SslVerifyMode, SslVersion,
};
use openssl::x509::store::{X509Lookup, X509StoreBuilder};
use openssl::x509::verify::X509VerifyFlags;

use crate::pki::Identity;
use crate::server::{Connection, Context, ListSide, Side};

pub struct OpenSsl;

impl Side for OpenSsl {
    fn name(&self) -> &'static str {
        "OpenSSL"
    }

    fn version(&self) -> String {
        openssl::version::version().split(' ').nth(1).unwrap_or_default().to_owned()
    }

    fn context(&self, identity: &Identity) -> Box<dyn Context> {
        Box::new(builder(identity).build())
    }
}

impl ListSide for OpenSsl {
    fn context_with_clients(&self, identity: &Identity, list: Option<&Path>) -> Box<dyn Context> {
        let mut store = X509StoreBuilder::new().unwrap();
        store.add_cert(identity.ca.clone()).unwrap();
        if let Some(list) = list {
            store.set_flags(X509VerifyFlags::CRL_CHECK).unwrap();
            let lists = store.add_lookup(X509Lookup::file()).unwrap();
            assert_eq!(lists.load_crl_file(list, SslFiletype::PEM).unwrap(), 1);
        }
        let mut builder = builder(identity);
        builder.set_cert_store(store.build());
        builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        Box::new(builder.build())
    }
}

fn builder(identity: &Identity) -> SslContextBuilder {
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder.set_min_proto_version(Some(SslVersion::TLS1_3)).unwrap();
    builder.set_certificate(&identity.certificate).unwrap();
    builder.set_private_key(&identity.key).unwrap();
    builder.set_session_id_context(b"bench").unwrap();
    builder
}

impl Context for SslContext {
    fn accept(&self) -> Box<dyn Connection> {
        let stream = SslStream::new(Ssl::new(self).unwrap(), Pipe::default()).unwrap();
        Box::new(OpenSslConnection { stream, done: false })
    }
}

/// Both directions of a connection in memory. Buffers are swapped in and out, never copied.
#[derive(Default)]
struct Pipe {
    input: Vec<u8>,
    used: usize,
    output: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.input[self.used..];
        if rest.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.used += length;
        Ok(length)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct OpenSslConnection {
    stream: SslStream<Pipe>,
    done: bool,
}

impl OpenSslConnection {
    fn lend(&mut self, input: &mut Vec<u8>) {
        let pipe = self.stream.get_mut();
        mem::swap(&mut pipe.input, input);
        pipe.used = 0;
    }

    fn take_back(&mut self, input: &mut Vec<u8>) {
        let pipe = self.stream.get_mut();
        assert_eq!(pipe.used, pipe.input.len());
        mem::swap(&mut pipe.input, input);
        input.clear();
    }
}

impl Connection for OpenSslConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        self.lend(input);
        mem::swap(&mut self.stream.get_mut().output, output);
        match self.stream.accept() {
            Ok(()) => self.done = true,
            Err(error) => assert_eq!(error.code(), ErrorCode::WANT_READ, "{error}"),
        }
        mem::swap(&mut self.stream.get_mut().output, output);
        self.take_back(input);
        self.done
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        self.stream.get_mut().output.clear();
        assert_eq!(self.stream.ssl_write(plaintext).unwrap(), plaintext.len());
        &self.stream.get_ref().output
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        self.lend(input);
        let mut sum = 0;
        while self.stream.get_ref().used < self.stream.get_ref().input.len() {
            sum += self.stream.ssl_read(plaintext).unwrap();
        }
        self.take_back(input);
        sum
    }
}
