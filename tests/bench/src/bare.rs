//! rustls by itself, as a broker written in Rust would use its unbuffered connections.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

use crate::pki::Identity;
use crate::server::{Connection, Context, Side};

/// A record of 16 KiB with its header and tag.
const RECORD_MAX: usize = 5 + 16384 + 256;

pub struct Bare;

impl Side for Bare {
    fn name(&self) -> &'static str {
        "rustls"
    }

    /// Cargo.toml pins it.
    fn version(&self) -> String {
        "0.23.46".to_owned()
    }

    fn context(&self, identity: &Identity) -> Box<dyn Context> {
        let chain = vec![CertificateDer::from(identity.certificate.to_der().unwrap())];
        let key = PrivateKeyDer::try_from(identity.key.private_key_to_pkcs8().unwrap()).unwrap();
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        config.ticketer = aws_lc_rs::Ticketer::new().unwrap();
        Box::new(Arc::new(config))
    }
}

impl Context for Arc<ServerConfig> {
    fn accept(&self) -> Box<dyn Connection> {
        let connection = UnbufferedServerConnection::new(self.clone()).unwrap();
        Box::new(BareConnection { connection, record: vec![0; RECORD_MAX] })
    }
}

struct BareConnection {
    connection: UnbufferedServerConnection,
    record: Vec<u8>,
}

impl Connection for BareConnection {
    fn handshake(&mut self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> bool {
        let mut used = 0;
        let done = loop {
            let UnbufferedStatus { discard, state, .. } = self.connection.process_tls_records(&mut input[used..]);
            match state.unwrap() {
                ConnectionState::EncodeTlsData(mut data) => {
                    let length = data.encode(&mut self.record).unwrap();
                    output.extend_from_slice(&self.record[..length]);
                }
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::BlockedHandshake => break false,
                ConnectionState::WriteTraffic(_) => break true,
                other => panic!("{other:?}"),
            }
            used += discard;
        };
        input.clear();
        done
    }

    fn write(&mut self, plaintext: &[u8]) -> &[u8] {
        let state = self.connection.process_tls_records(&mut []).state.unwrap();
        let ConnectionState::WriteTraffic(mut traffic) = state else { panic!("{state:?}") };
        let length = traffic.encrypt(plaintext, &mut self.record).unwrap();
        &self.record[..length]
    }

    fn read(&mut self, input: &mut Vec<u8>, plaintext: &mut [u8]) -> usize {
        let (mut used, mut sum) = (0, 0);
        while used < input.len() {
            let UnbufferedStatus { mut discard, state, .. } = self.connection.process_tls_records(&mut input[used..]);
            match state.unwrap() {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.unwrap();
                        plaintext[..record.payload.len()].copy_from_slice(record.payload);
                        sum += record.payload.len();
                        discard += record.discard;
                    }
                }
                ConnectionState::WriteTraffic(_) => {}
                other => panic!("{other:?}"),
            }
            used += discard;
        }
        input.clear();
        sum
    }
}
