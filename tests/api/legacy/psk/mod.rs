//! Pre-shared keys: devices with a secret in place of a certificate.

mod callback;
mod choice;
mod client_auth;
mod clients;
mod command;
mod files;
mod tls12;
mod tls13;

use brokertls::policy::LegacyAllowed;
use brokertls::{ContextBuilder, Source};

use super::world::library;

const KEYS: &str = "myclient1:8c701116e9127c57a99d5563709af3de\nmyclient2:d1e617d3b963757bfc21dad3fea16971\n";
const SECRET: &str = "8c701116e9127c57a99d5563709af3de";
/// The arguments of `openssl s_client` for the first client.
const DEVICE: &str = "-psk_identity myclient1 -psk 8c701116e9127c57a99d5563709af3de";

/// A builder without a certificate, as in the recipe of EMQX.
fn keys_alone(keys: &str) -> ContextBuilder {
    let mut builder = ContextBuilder::new();
    builder.legacy_engine(true).legacy_library(library()).psk_file(keys_of(keys));
    builder
}

fn keys_of(text: &str) -> Source {
    Source::memory("init.psk", text.as_bytes())
}

/// The hexadecimal digits of a text, as `openssl s_client -psk` takes them.
fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// The switch of RSA-PSK.
const RSA: LegacyAllowed =
    LegacyAllowed { rsa_key_exchange: true, sha1_signatures: false, triple_des: false, dss: false };
