//! rustls by itself, as a broker written in Rust would use its unbuffered connections.

use std::sync::Arc;

use brokertls_bench_side::cases::Version;
use brokertls_bench_side::identity::Identity;
use brokertls_bench_side::server::{Connection, Context, Side};
use brokertls_bench_side::versions;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, UnbufferedStatus};

/// A record of 16 KiB with its header and tag.
const RECORD_MAX: usize = 5 + 16384 + 256;

pub struct Bare;

impl Side for Bare {
    fn name(&self) -> &'static str {
        "rustls"
    }

    fn version(&self) -> String {
        versions::of("rustls").to_owned()
    }

    fn context(&self, identity: &Identity, version: Version) -> Box<dyn Context> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version.rustls()])
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.certificate_der()], identity.key_der())
            .unwrap();
        config.ticketer = aws_lc_rs::Ticketer::new().unwrap();
        Box::new(BareContext(Arc::new(config)))
    }
}

struct BareContext(Arc<ServerConfig>);

impl Context for BareContext {
    fn accept(&self) -> Box<dyn Connection> {
        let connection = UnbufferedServerConnection::new(self.0.clone()).unwrap();
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
