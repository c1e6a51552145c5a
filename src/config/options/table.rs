//! The rows.

use crate::config::ClientAuth;
use crate::config::ContextBuilder;
use crate::error::Result;
use crate::policy::Preset;

use super::revocation;
use super::session;
use super::stores::Stores;
use super::value;
use super::{Apply, OptionGroup, OptionKind, OptionRow};

/// A row that takes one value.
const fn one(
    group: OptionGroup,
    name: &'static str,
    kind: OptionKind,
    placeholder: &'static str,
    help: &'static str,
    apply: Apply,
) -> OptionRow {
    OptionRow { name, group, kind, placeholder, help, repeats: false, apply }
}

/// A row that may be given several times.
const fn many(
    group: OptionGroup,
    name: &'static str,
    kind: OptionKind,
    placeholder: &'static str,
    help: &'static str,
    apply: Apply,
) -> OptionRow {
    OptionRow { name, group, kind, placeholder, help, repeats: true, apply }
}

use OptionGroup::{Identity, Limits, Policy, Revocation, Session, Stapling, Trust, Verification};
use OptionKind::{Choice, Names, Number, Path, Switch as YesNo, Text};

/// Every option of a context, in the order in which help lists them.
#[rustfmt::skip]
pub static OPTIONS: &[OptionRow] = &[
    many(Identity, "cert", Path, "FILE",
        "certificate chain (PEM, DER) or keystore (PKCS#12, JKS, JCEKS), with the key in it or in --key",
        Apply::Stores(Stores::cert)),
    many(Identity, "key", Path, "FILE", "private key, where it is not in --cert",
        Apply::Stores(Stores::key)),
    many(Identity, "alias", Text, "NAME", "entry of the keystore to use [default: every entry with a key]",
        Apply::Stores(Stores::alias)),
    many(Identity, "type", Choice, "TYPE", "pem, der, pkcs12, jks or jceks [default: found from the content]",
        Apply::Stores(Stores::store_type)),
    many(Identity, "password", OptionKind::Password, "PASSWORD", "password of the keystore: pass:, env: or file:",
        Apply::Stores(Stores::password)),
    many(Identity, "key-password", OptionKind::Password, "PASSWORD", "password of the key [default: the keystore's]",
        Apply::Stores(Stores::key_password)),

    many(Trust, "trust", Path, "FILE", "trusted certificates: PEM, DER or keystore, or a directory of PEM files",
        Apply::Stores(Stores::trust)),
    many(Trust, "trust-type", Choice, "TYPE", "type of the trust store [default: found from the content]",
        Apply::Stores(Stores::trust_type)),
    many(Trust, "trust-password", OptionKind::Password, "PASSWORD", "password of the trust store: pass:, env: or file:",
        Apply::Stores(Stores::trust_password)),
    one(Trust, "system-trust", YesNo, "YES|NO", "trust the system's roots [default: no]",
        Apply::Stores(Stores::system_trust)),

    one(Policy, "preset", Choice, "NAME", "modern (TLS 1.3) or intermediate (TLS 1.2 and 1.3) [default: intermediate]",
        Apply::Builder(preset)),
    one(Policy, "versions", Names, "LIST", "protocol versions, e.g. TLSv1.2,TLSv1.3 [default: the preset's]",
        Apply::Builder(versions)),
    one(Policy, "cipher-suites", Names, "LIST", "OpenSSL cipher string, or OpenSSL or IANA names [default: all served]",
        Apply::Builder(cipher_suites)),
    one(Policy, "groups", Names, "LIST", "key exchange groups [default: X25519MLKEM768:X25519:secp256r1:secp384r1]",
        Apply::Builder(groups)),

    one(Verification, "client-auth", Choice, "MODE", "ask clients for a certificate: none, want or need [default: none]",
        Apply::Builder(client_auth)),
    one(Verification, "send-ca-names", YesNo, "YES|NO", "name the trusted CAs when asking clients [default: yes]",
        Apply::Builder(send_ca_names)),
    one(Verification, "log-refusals", YesNo, "YES|NO",
        "log peers that are refused, or refuse this side; at most 60 a minute [default: yes]",
        Apply::Builder(log_refusals)),
    many(Verification, "allow", Choice, "SWITCH",
        "tolerate: insecure-x509-v1, insecure-ca-as-end-entity, insecure-common-name, insecure-rsa-1024, \
         insecure-key-usage [default: none]",
        Apply::Builder(allow)),
    one(Verification, "insecure-skip-server-name", YesNo, "YES|NO",
        "accept a trusted server certificate for another host [default: no]", Apply::Builder(skip_server_name)),
    one(Verification, "insecure-accept-any-server", YesNo, "YES|NO",
        "accept any server certificate at all [default: no]", Apply::Builder(accept_any_server)),
    one(Verification, "insecure-allow-missing-mac", YesNo, "YES|NO",
        "read PKCS#12 stores without an integrity check [default: no]",
        Apply::Stores(Stores::insecure_allow_missing_mac)),

    many(Revocation, "crl", Path, "FILE", "revocation lists: PEM or DER, or a directory of them",
        Apply::Builder(revocation::crl)),
    many(Revocation, "ocsp", Path, "FILE", "OCSP responses about peers: DER or PEM",
        Apply::Builder(revocation::ocsp)),
    one(Revocation, "revocation", Choice, "MODE",
        "what no source knows: off (none is asked), prefer (accepted) or require (refused) [default: require where there is one]",
        Apply::Builder(revocation::revocation)),
    one(Revocation, "crl-mode", Choice, "MODE",
        "what lists do not know, whatever OCSP knows: off, prefer or require [default: prefer where there are lists]",
        Apply::Builder(revocation::crl_mode)),
    one(Revocation, "ocsp-mode", Choice, "MODE",
        "what OCSP does not know, whatever lists know: off, prefer or require [default: prefer where there are responses]",
        Apply::Builder(revocation::ocsp_mode)),
    one(Revocation, "revocation-depth", Choice, "DEPTH", "leaf (end entity) or chain [default: chain]",
        Apply::Builder(revocation::depth)),
    one(Revocation, "revocation-max-stale-s", Number, "SECONDS",
        "how long a list or response serves after its next update [default: 0]", Apply::Builder(revocation::max_stale_s)),
    one(Revocation, "revocation-deadline-ms", Number, "MILLISECONDS",
        "how long a handshake may wait for the network [default: 10000]", Apply::Builder(revocation::deadline_ms)),
    one(Revocation, "fetch", YesNo, "YES|NO",
        "fetch lists and ask responders that certificates name [default: no]", Apply::Builder(revocation::fetch)),
    one(Revocation, "fetch-timeout-s", Number, "SECONDS", "how long one fetch may take [default: 15]",
        Apply::Builder(revocation::fetch_timeout_s)),
    one(Revocation, "fetch-redirects", Number, "COUNT", "how many redirects a fetch follows [default: 3]",
        Apply::Builder(revocation::fetch_redirects)),
    one(Revocation, "fetch-concurrency", Number, "COUNT", "how many fetches run at a time [default: 16]",
        Apply::Builder(revocation::fetch_concurrency)),
    one(Revocation, "fetch-private-addresses", YesNo, "YES|NO",
        "let certificates name addresses of private networks and of this machine [default: no]",
        Apply::Builder(revocation::fetch_private_addresses)),
    one(Revocation, "fetch-proxy", Text, "URL", "HTTP proxy for fetches, http://host:port [default: none]",
        Apply::Builder(revocation::fetch_proxy)),
    one(Revocation, "fetch-cache", Path, "DIR", "directory where fetched lists are kept [default: none]",
        Apply::Builder(revocation::fetch_cache)),
    one(Revocation, "fetch-refresh-s", Number, "SECONDS",
        "how often what was fetched is fetched anew [default: before its next update]",
        Apply::Builder(revocation::fetch_refresh_s)),
    one(Revocation, "ocsp-responder", Text, "URL", "responder to ask in place of those that certificates name",
        Apply::Builder(revocation::ocsp_responder)),
    one(Revocation, "ocsp-nonce", YesNo, "YES|NO", "send a nonce that the response must repeat [default: no]",
        Apply::Builder(revocation::ocsp_nonce)),
    one(Revocation, "ocsp-hash", Choice, "HASH", "how requests name certificates: sha1, sha224, sha256, sha384 or sha512 [default: sha1]",
        Apply::Builder(revocation::ocsp_hash)),
    one(Revocation, "insecure-ocsp-sha1", YesNo, "YES|NO", "believe OCSP responses that are signed with SHA-1 [default: no]",
        Apply::Builder(revocation::insecure_ocsp_sha1)),

    one(Stapling, "staple", YesNo, "YES|NO", "ask for OCSP responses to staple, and keep them fresh [default: no]",
        Apply::Builder(revocation::staple)),
    many(Stapling, "staple-file", Path, "FILE", "OCSP responses to staple: DER or PEM",
        Apply::Builder(revocation::staple_file)),
    one(Stapling, "staple-issuer", Path, "FILE", "issuer of the identity [default: the next in its chain, or a trusted one]",
        Apply::Builder(revocation::staple_issuer)),
    one(Stapling, "staple-responder", Text, "URL", "responder to ask for staples [default: the certificate's]",
        Apply::Builder(revocation::staple_responder)),
    one(Stapling, "staple-refresh-s", Number, "SECONDS", "how often a staple is asked for anew [default: 300]",
        Apply::Builder(revocation::staple_refresh_s)),
    one(Stapling, "staple-timeout-s", Number, "SECONDS", "how long asking for a staple may take [default: 15]",
        Apply::Builder(revocation::staple_timeout_s)),

    one(Session, "alpn", Names, "LIST", "application protocols in order of preference, e.g. mqtt,h2 [default: none]",
        Apply::Builder(alpn)),
    one(Session, "resumption", YesNo, "YES|NO", "resume earlier sessions [default: yes]",
        Apply::Builder(session::resumption)),
    one(Session, "session-max-age-s", Number, "SECONDS",
        "how long after its full handshake a session may be resumed, however often [default: 86400]",
        Apply::Builder(session::max_age_s)),
    one(Session, "resumption-asks-again", Choice, "WHOM",
        "before a session is resumed, ask the verify callback again (yes), trust managers too (managers), or nobody (no) [default: yes]",
        Apply::Builder(session::asks_again)),
    one(Session, "tls13-tickets", Number, "COUNT",
        "tickets of TLS 1.3 that a server sends after a handshake, 0 to 8; 0 resumes TLS 1.2 alone [default: 2]",
        Apply::Builder(session::tls13_tickets)),
    one(Session, "max-ticket-bytes", Number, "BYTES",
        "most bytes of tickets that a server sends at once; longer ones are not sent [default: 4096]",
        Apply::Builder(session::max_ticket_bytes)),
    one(Session, "session-cache", Number, "COUNT",
        "clients of TLS 1.2 without tickets that a server remembers, 0 to 65536 [default: 256]",
        Apply::Builder(session::cache)),
    one(Session, "insecure-key-log", Path, "FILE", "append the secrets of all connections to FILE, for Wireshark",
        Apply::Builder(key_log)),

    one(Limits, "max-content-bytes", Number, "BYTES", "largest certificate or key file [default: 16777216]",
        Apply::Stores(Stores::max_content_bytes)),
    one(Limits, "max-crl-bytes", Number, "BYTES", "largest file of revocation lists [default: 134217728]",
        Apply::Builder(revocation::max_crl_bytes)),
    one(Limits, "max-kdf-iterations", Number, "COUNT", "most key derivation steps for a file [default: 20000000]",
        Apply::Stores(Stores::max_kdf_iterations)),
    one(Limits, "max-kdf-memory-bytes", Number, "BYTES", "most memory for scrypt [default: 167772160]",
        Apply::Stores(Stores::max_kdf_memory_bytes)),
];

fn preset(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.preset(Preset::from_name(text)?);
    Ok(())
}

fn versions(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.versions(text);
    Ok(())
}

fn cipher_suites(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.cipher_suites(text);
    Ok(())
}

fn groups(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.groups(text);
    Ok(())
}

fn client_auth(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.client_auth(match text.to_ascii_lowercase().as_str() {
        "none" => ClientAuth::None,
        "want" => ClientAuth::Want,
        "need" => ClientAuth::Need,
        _ => return Err(value::refuse(text, "none, want or need")),
    });
    Ok(())
}

fn log_refusals(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.log_refusals(value::switch(text)?);
    Ok(())
}

fn send_ca_names(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.send_ca_names(value::switch(text)?);
    Ok(())
}

fn allow(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    for switch in value::switches(text)? {
        builder.allow(switch);
    }
    Ok(())
}

fn skip_server_name(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.insecure_skip_server_name(value::switch(text)?);
    Ok(())
}

fn accept_any_server(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.insecure_accept_any_server(value::switch(text)?);
    Ok(())
}

fn alpn(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    for protocol in text.split(',').map(str::trim) {
        builder.alpn(protocol.as_bytes())?;
    }
    Ok(())
}

fn key_log(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.insecure_key_log(value::path(text)?);
    Ok(())
}
