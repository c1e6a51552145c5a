//! The one table of options, and the functions that read words.

use crate::config::ClientAuth;
use crate::config::builder::ContextBuilder;
use crate::config::revocation::CrlSource;
use crate::config::source::Source;
use crate::error::{Code, Error, Result};
use crate::legacy::{PskFormat, PskHash};
use crate::policy::names::{did_you_mean, nearest};
use crate::policy::{LegacyAllowed, Preset};
use crate::revocation::{CertIdHash, Depth, Mode};
use crate::verify::AskAgain;

use super::row::{Apply, OptionGroup, OptionRow, Setter};
use super::stores::Stores;
use super::value;

use OptionGroup::{Identity, Limits, Policy, Revocation, Session, Stapling, Trust, Verification};
use Setter::{CheckedText, Choice, Count, Limited, Names, Number, Password, Path, Size, Switch, Text};

/// The default of `session-cache`.
const SESSIONS_REMEMBERED: u32 = 256;

/// A row with a value for the builder.
const fn row(
    group: OptionGroup,
    name: &'static str,
    setter: Setter<ContextBuilder>,
    placeholder: &'static str,
    help: &'static str,
) -> OptionRow {
    OptionRow { name, group, kind: setter.kind(), placeholder, help, repeats: false, apply: Apply::Builder(setter) }
}

/// A row with a value for an identity, a trust store or the limits on files.
const fn of_store(
    group: OptionGroup,
    name: &'static str,
    setter: Setter<Stores>,
    placeholder: &'static str,
    help: &'static str,
) -> OptionRow {
    OptionRow { name, group, kind: setter.kind(), placeholder, help, repeats: false, apply: Apply::Stores(setter) }
}

/// The row, for an option that may be given several times.
const fn many(row: OptionRow) -> OptionRow {
    OptionRow { repeats: true, ..row }
}

/// Every option of a context, in the order in which help lists them.
#[rustfmt::skip]
pub static OPTIONS: &[OptionRow] = &[
    many(of_store(Identity, "cert", Path(Stores::cert), "FILE",
        "certificate chain (PEM, DER) or keystore (PKCS#12, JKS, JCEKS), with the key in it or in --key")),
    many(of_store(Identity, "key", Path(Stores::key), "FILE", "private key, if it is not in --cert")),
    many(of_store(Identity, "alias", Text(Stores::alias), "NAME",
        "entry of the keystore to use [default: every entry with a key]")),
    many(of_store(Identity, "type", Choice(Stores::store_type), "TYPE",
        "pem, der, pkcs12, jks or jceks [default: found from the content]")),
    many(of_store(Identity, "password", Password(Stores::password), "PASSWORD",
        "password of the keystore: pass:, env: or file:")),
    many(of_store(Identity, "key-password", Password(Stores::key_password), "PASSWORD",
        "password of the key [default: the keystore's]")),

    many(of_store(Trust, "trust", Path(Stores::trust), "FILE",
        "trusted certificates: PEM, DER or keystore, or a directory of PEM files")),
    many(of_store(Trust, "trust-type", Choice(Stores::trust_type), "TYPE",
        "type of the trust store [default: found from the content]")),
    many(of_store(Trust, "trust-password", Password(Stores::trust_password), "PASSWORD",
        "password of the trust store: pass:, env: or file:")),
    of_store(Trust, "system-trust", Switch(Stores::system_trust), "YES|NO", "trust the system's roots [default: no]"),

    row(Policy, "preset", Choice(preset), "NAME",
        "modern (TLS 1.3) or intermediate (TLS 1.2 and 1.3) [default: intermediate]"),
    row(Policy, "versions", Names(|builder, text| Ok(builder.versions(text))), "LIST",
        "protocol versions, e.g. TLSv1.2,TLSv1.3 [default: the preset's]"),
    row(Policy, "cipher-suites", Names(|builder, text| Ok(builder.cipher_suites(text))), "LIST",
        "OpenSSL cipher string, or OpenSSL or IANA names [default: all served]"),
    row(Policy, "groups", Names(|builder, text| Ok(builder.groups(text))), "LIST",
        "key exchange groups [default: X25519MLKEM768:X25519:secp256r1:secp384r1]"),

    many(row(Policy, "openssl-options", Names(ContextBuilder::openssl_options), "LIST",
        "options of OpenSSL by name or number, e.g. SSL_OP_NO_TLSv1,SSL_OP_NO_TICKET or 0x04004000 [default: none]")),

    row(Policy, "legacy-engine", Switch(ContextBuilder::legacy_engine), "YES|NO",
        "meet old peers by a second engine: TLSv1 and TLSv1.1 if versions names them, CBC, DHE, and pre-shared keys \
         [default: no]"),
    many(row(Policy, "legacy-allow", Choice(legacy_allow), "SWITCH",
        "let the second engine use: legacy-rsa-key-exchange, legacy-sha1-signatures, legacy-3des, legacy-dss \
        [default: none]")),
    row(Policy, "legacy-library", Path(|builder, path| builder.legacy_library(path)), "FILE",
        "library of the second engine [default: libbrokertls_legacy.so beside this one, or of the loader's path]"),
    row(Policy, "psk-file", Path(|builder, path| builder.psk_file(Source::file(path))), "FILE",
        "pre-shared keys of clients, for the second engine: a line IDENTITY:HEX each"),
    row(Policy, "psk-format", Choice(psk_format), "FORMAT",
        "secrets in the PSK file: hex (mosquitto) or text (EMQX) [default: hex]"),
    row(Policy, "psk-separator", CheckedText(ContextBuilder::psk_separator), "TEXT",
        "text between identity and secret in the PSK file [default: a colon]"),
    row(Policy, "psk-hash", Choice(psk_hash), "HASH",
        "hash of the keys of the PSK file in TLS 1.3: sha256 or sha384 [default: sha256]"),
    row(Policy, "psk-hint", Text(ContextBuilder::psk_hint), "TEXT",
        "hint that helps clients of TLS 1.2 to choose their identity [default: none]"),
    row(Policy, "psk-identity", Text(|builder, text| builder.psk_identity(text.as_bytes())), "TEXT",
        "identity of this side in connections to servers, of which there must be a key [default: none]"),
    row(Policy, "psk-replaces-certificate", Switch(ContextBuilder::psk_replaces_certificate), "YES|NO",
        "let clients with a pre-shared key do without a certificate, though client-auth is need [default: no]"),

    row(Verification, "client-auth", Choice(client_auth), "MODE",
        "ask clients for a certificate: none, want or need [default: none]"),
    row(Verification, "send-ca-names", Switch(ContextBuilder::send_ca_names), "YES|NO",
        "name the trusted CAs when asking clients [default: yes]"),
    row(Verification, "log-refusals", Switch(ContextBuilder::log_refusals), "YES|NO",
        "log peers that are refused, or refuse this side; at most 60 a minute [default: yes]"),
    row(Verification, "keep-peer-chain", Switch(ContextBuilder::keep_peer_chain), "YES|NO",
        "keep the certificates of connected peers; without them, connections know the facts of the peer's own alone \
         [default: yes]"),
    many(row(Verification, "allow", Choice(allow), "SWITCH",
        "tolerate: insecure-x509-v1, insecure-ca-as-end-entity, insecure-common-name, insecure-rsa-1024, \
         insecure-key-usage [default: none]")),
    row(Verification, "insecure-skip-server-name", Switch(ContextBuilder::insecure_skip_server_name), "YES|NO",
        "accept a trusted server certificate for another host [default: no]"),
    row(Verification, "insecure-accept-any-server", Switch(ContextBuilder::insecure_accept_any_server), "YES|NO",
        "accept any server certificate at all [default: no]"),
    of_store(Verification, "insecure-allow-missing-mac", Switch(Stores::insecure_allow_missing_mac), "YES|NO",
        "read PKCS#12 stores without an integrity check [default: no]"),

    many(row(Revocation, "crl", Path(|builder, path| builder.crl(match path.is_dir() {
        true => CrlSource::Directory(path),
        false => CrlSource::Source(Source::file(path)),
    })), "FILE", "revocation lists: PEM or DER, or a directory of them")),
    many(row(Revocation, "ocsp", Path(|builder, path| builder.ocsp_response(Source::file(path))), "FILE",
        "OCSP responses about peers: DER or PEM")),
    row(Revocation, "revocation", Choice(|builder, text| Ok(builder.revocation(mode(text)?))), "MODE",
        "certificates that no source knows: off (not checked), prefer (accepted) or require (refused) \
         [default: require if there is a source]"),
    row(Revocation, "crl-mode", Choice(|builder, text| Ok(builder.crl_mode(mode(text)?))), "MODE",
        "certificates that no list covers, whatever OCSP knows: off, prefer or require \
         [default: prefer if there are lists]"),
    row(Revocation, "ocsp-mode", Choice(|builder, text| Ok(builder.ocsp_mode(mode(text)?))), "MODE",
        "certificates that OCSP does not know, whatever lists know: off, prefer or require \
         [default: prefer if there are responses]"),
    row(Revocation, "revocation-depth", Choice(|builder, text| Ok(builder.revocation_depth(depth(text)?))), "DEPTH",
        "leaf (end entity) or chain [default: chain]"),
    row(Revocation, "revocation-max-stale-s", Number(ContextBuilder::revocation_max_stale_s), "SECONDS",
        "time that a list or response is accepted after its next update [default: 0]"),
    row(Revocation, "revocation-deadline-ms", Number(ContextBuilder::revocation_deadline_ms), "MILLISECONDS",
        "longest time that a handshake waits for the network [default: 10000]"),
    row(Revocation, "fetch", Switch(ContextBuilder::fetch), "YES|NO",
        "fetch lists and ask responders that certificates name [default: no]"),
    row(Revocation, "fetch-timeout-s", Number(ContextBuilder::fetch_timeout_s), "SECONDS",
        "longest time of one fetch [default: 15]"),
    row(Revocation, "fetch-redirects", Number(ContextBuilder::fetch_redirects), "COUNT",
        "most redirects that a fetch follows [default: 3]"),
    row(Revocation, "fetch-concurrency", Size(ContextBuilder::fetch_concurrency), "COUNT",
        "most fetches at a time [default: 16]"),
    row(Revocation, "fetch-private-addresses", Switch(ContextBuilder::fetch_private_addresses), "YES|NO",
        "let certificates name addresses of private networks and of this machine [default: no]"),
    row(Revocation, "fetch-proxy", Text(ContextBuilder::fetch_proxy), "URL",
        "HTTP proxy for fetches, http://host:port [default: none]"),
    row(Revocation, "fetch-cache", Path(|builder, path| builder.fetch_cache(path)), "DIR",
        "directory that keeps fetched lists [default: none]"),
    row(Revocation, "fetch-refresh-s", Number(ContextBuilder::fetch_refresh_s), "SECONDS",
        "period after which lists and responses are fetched again [default: before their next update]"),
    row(Revocation, "ocsp-responder", Text(ContextBuilder::ocsp_responder), "URL",
        "responder to ask in place of those that certificates name"),
    row(Revocation, "ocsp-nonce", Switch(ContextBuilder::ocsp_nonce), "YES|NO",
        "send a nonce that the response must repeat [default: no]"),
    row(Revocation, "ocsp-hash", Choice(|builder, text| Ok(builder.ocsp_hash(ocsp_hash(text)?))), "HASH",
        "hash that names certificates in requests: sha1, sha224, sha256, sha384 or sha512 [default: sha1]"),
    row(Revocation, "insecure-ocsp-sha1", Switch(ContextBuilder::insecure_ocsp_sha1), "YES|NO",
        "accept OCSP responses that are signed with SHA-1 [default: no]"),

    row(Stapling, "staple", Switch(ContextBuilder::staple), "YES|NO",
        "ask for OCSP responses to staple, and renew them [default: no]"),
    many(row(Stapling, "staple-file", Path(|builder, path| builder.staple_file(Source::file(path))), "FILE",
        "OCSP responses to staple: DER or PEM")),
    row(Stapling, "staple-issuer", Path(|builder, path| builder.staple_issuer(Source::file(path))), "FILE",
        "issuer of the identity [default: the next in its chain, or a trusted one]"),
    row(Stapling, "staple-responder", Text(ContextBuilder::staple_responder), "URL",
        "responder to ask for staples [default: the certificate's]"),
    row(Stapling, "staple-refresh-s", Number(ContextBuilder::staple_refresh_s), "SECONDS",
        "period of requests for a staple [default: 300]"),
    row(Stapling, "staple-timeout-s", Number(ContextBuilder::staple_timeout_s), "SECONDS",
        "longest time of a request for a staple [default: 15]"),

    row(Session, "alpn", Names(alpn), "LIST",
        "application protocols in order of preference, e.g. mqtt,h2 [default: none]"),
    row(Session, "resumption", Switch(ContextBuilder::resumption), "YES|NO", "resume earlier sessions [default: yes]"),
    row(Session, "session-max-age-s", Limited(ContextBuilder::session_max_age_s), "SECONDS",
        "time after its full handshake that a session may be resumed, however often [default: 86400]"),
    row(Session, "resumption-asks-again", Choice(|builder, text| Ok(builder.resumption_asks_again(asks_again(text)?))),
        "WHOM",
        "before a session is resumed, ask the verify callback again (yes), trust managers too (managers), or \
         neither (no) \
         [default: yes]"),
    row(Session, "tls13-tickets", Limited(ContextBuilder::tls13_tickets), "COUNT",
        "tickets of TLS 1.3 that a server sends after a handshake, 0 to 8; 0 resumes TLS 1.2 alone [default: 2]"),
    row(Session, "max-ticket-bytes", Limited(ContextBuilder::max_ticket_bytes), "BYTES",
        "most bytes of tickets that a server sends at once; longer ones are not sent [default: 4096]"),
    row(Session, "session-cache", Choice(session_cache), "COUNT",
        "clients without tickets, up to TLS 1.2, that a server remembers, 0 to 65536; true for 256, false for 0 \
         [default: 256]"),
    row(Session, "sleep-after-s", Limited(ContextBuilder::sleep_after_s), "SECONDS",
        "time without a record after which maintenance lets a connection sleep, 0 to 86400; 0 is never [default: 0]"),
    row(Session, "insecure-key-log", Path(|builder, path| builder.insecure_key_log(path)), "FILE",
        "append the secrets of all connections to FILE, for Wireshark"),

    of_store(Limits, "max-content-bytes", Size(Stores::max_content_bytes), "BYTES",
        "largest certificate or key file [default: 16777216]"),
    row(Limits, "max-crl-bytes", Size(ContextBuilder::max_crl_bytes), "BYTES",
        "largest file of revocation lists [default: 134217728]"),
    of_store(Limits, "max-kdf-iterations", Count(Stores::max_kdf_iterations), "COUNT",
        "most key derivation steps for a file [default: 20000000]"),
    of_store(Limits, "max-kdf-memory-bytes", Count(Stores::max_kdf_memory_bytes), "BYTES",
        "most memory for scrypt [default: 167772160]"),
];

impl OptionRow {
    /// Returns the row of a name.
    ///
    /// # Errors
    /// `UNKNOWN_OPTION`, with the names that are nearest.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        OPTIONS.iter().find(|row| row.name == name).ok_or_else(|| {
            let near = nearest(name, OPTIONS.iter().map(|row| row.name));
            Error::new(Code::UnknownOption, did_you_mean(name, &near))
        })
    }
}

fn preset<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    Ok(builder.preset(Preset::from_name(text)?))
}

fn client_auth<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    Ok(builder.client_auth(match text.to_ascii_lowercase().as_str() {
        "none" => ClientAuth::None,
        "want" => ClientAuth::Want,
        "need" => ClientAuth::Need,
        _ => return Err(value::refuse(text, "none, want or need")),
    }))
}

fn allow<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    for deviation in value::deviations(text)? {
        builder.allow(deviation);
    }
    Ok(builder)
}

fn legacy_allow<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    let mut allowed = builder.spec.legacy.allowed;
    for name in text.split(',').map(|name| name.trim().to_ascii_lowercase()) {
        if !allowed.allow(&name) {
            return Err(value::refuse(text, &LegacyAllowed::NAMES.join(", ")));
        }
    }
    Ok(builder.legacy_allow(allowed))
}

fn psk_format<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    Ok(builder.psk_format(PskFormat::from_name(text).ok_or_else(|| value::refuse(text, "hex or text"))?))
}

fn psk_hash<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    Ok(builder.psk_hash(match text.to_ascii_lowercase().as_str() {
        "sha256" => PskHash::Sha256,
        "sha384" => PskHash::Sha384,
        _ => return Err(value::refuse(text, "sha256 or sha384")),
    }))
}

fn mode(text: &str) -> Result<Mode> {
    Mode::from_name(text).ok_or_else(|| value::refuse(text, "off, prefer or require"))
}

fn depth(text: &str) -> Result<Depth> {
    Depth::from_name(text).ok_or_else(|| value::refuse(text, "leaf or chain"))
}

fn ocsp_hash(text: &str) -> Result<CertIdHash> {
    CertIdHash::from_name(text).ok_or_else(|| value::refuse(text, "sha1, sha224, sha256, sha384 or sha512"))
}

fn alpn<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    for protocol in text.split(',').map(str::trim) {
        builder.alpn(protocol.as_bytes())?;
    }
    Ok(builder)
}

fn session_cache<'a>(builder: &'a mut ContextBuilder, text: &str) -> Result<&'a mut ContextBuilder> {
    let sessions = match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => SESSIONS_REMEMBERED,
        "false" | "no" | "off" => 0,
        _ => value::number(text)?,
    };
    builder.session_cache(sessions)
}

fn asks_again(text: &str) -> Result<AskAgain> {
    match text.to_ascii_lowercase().as_str() {
        "managers" => Ok(AskAgain::Managers),
        text => match value::switch(text) {
            Ok(true) => Ok(AskAgain::Callback),
            Ok(false) => Ok(AskAgain::Nobody),
            Err(_) => Err(value::refuse(text, "yes, no or managers")),
        },
    }
}
