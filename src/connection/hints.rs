//! Hints for a failure, by code, side, version and moment.
//!
//! One alert means different things to a client and a server, before and after the certificates. The rows are measured
//! with the stacks that they name; the table of codes has the hint for everything else.

use crate::error::{Code, Error};

/// The side that this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Client,
    Server,
}

/// The phase that the connection has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Nothing is agreed on yet.
    Hello,
    /// The version is agreed on, the handshake is under way.
    Handshake,
    /// The handshake is complete, and the peer has sent no data.
    Complete,
    /// Data has come.
    Data,
}

/// The answer of this side to a request for its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    /// The peer has not asked for one.
    NotAsked,
    /// It was sent, or will be.
    Sent,
    /// It is sent, though its CA is not among those that the server names; says how they differ, in a clause.
    Unnamed(String),
    /// The peer asks for one, and there is none.
    Nothing,
    /// The peer asks for one, and this side's certificate does not fit; has the reason, in a clause.
    Withheld(String),
}

/// Facts that are known when a connection fails.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub(super) side: Side,
    pub(super) version: Option<&'static str>,
    pub(super) stage: Stage,
    pub(super) own: Own,
    /// True if the peer has sent anything.
    pub(super) has_begun: bool,
}

/// The conditions under which a row fits.
struct When {
    codes: &'static [Code],
    side: Side,
    /// `None` fits each version.
    version: Option<&'static str>,
    stages: &'static [Stage],
    /// Clients: whether a certificate was sent; `None` fits each.
    has_sent: Option<bool>,
}

const BEFORE_DATA: &[Stage] = &[Stage::Handshake, Stage::Complete];
const FIRST: &[Stage] = &[Stage::Hello];
const UNDER_WAY: &[Stage] = &[Stage::Handshake];
const COMPLETE: &[Stage] = &[Stage::Complete];
/// A client may send data before it reads the tickets.
const TICKETS: &[Stage] = &[Stage::Complete, Stage::Data];

/// The ends that a peer can bring about without an alert.
const DEPARTURES: &[Code] = &[Code::HandshakeEof, Code::Truncated, Code::ConnectionReset, Code::BrokenPipe];

/// Answers of servers to a client that has sent no certificate: OpenSSL and Go 116 and 40, SunJSSE and NSS 42, GnuTLS
/// 50, others just leave.
const MISSING: &[Code] = &[
    Code::AlertCertificateRequired,
    Code::AlertHandshakeFailure,
    Code::AlertBadCertificate,
    Code::AlertDecodeError,
    Code::AlertAccessDenied,
    Code::HandshakeEof,
    Code::Truncated,
    Code::ConnectionReset,
];

/// Answers of servers that refuse the client's certificate, perhaps because its CA is unknown there.
const REFUSED: &[Code] = &[
    Code::AlertUnknownCa,
    Code::AlertBadCertificate,
    Code::AlertCertificateUnknown,
    Code::AlertHandshakeFailure,
    Code::AlertAccessDenied,
    Code::AlertInternalError,
    Code::AlertCertificateRequired,
    Code::HandshakeEof,
    Code::Truncated,
    Code::ConnectionReset,
    Code::BrokenPipe,
];

macro_rules! rows {
    ($($codes:expr, $side:ident, $version:expr, $stages:expr, $has_sent:expr => $hint:literal;)*) => {
        &[$((
            When { codes: $codes, side: Side::$side, version: $version, stages: $stages, has_sent: $has_sent },
            $hint,
        ),)*]
    };
}

/// The first row that fits counts.
const ROWS: &[(When, &str)] = rows! {
    MISSING, Client, None, BEFORE_DATA, Some(false) =>
        "The server asked for a certificate, and this side has none: add an identity to this context.";

    &[Code::AlertHandshakeFailure], Client, None, BEFORE_DATA, Some(true) =>
        "The server refuses this side's certificate, perhaps for its purpose (Erlang does so): check its extended key usage, CA and dates.";
    &[Code::AlertAccessDenied], Client, None, BEFORE_DATA, Some(true) =>
        "The server refuses this side's certificate: its CA is unknown there or its dates are wrong (GnuTLS says both so), or this client is not allowed.";
    &[Code::AlertBadCertificate], Client, None, BEFORE_DATA, Some(true) =>
        "The server refuses this side's certificate, perhaps for its purpose (Go does so): check its extended key usage, CA and dates.";
    &[Code::AlertCertificateUnknown], Client, None, BEFORE_DATA, Some(true) =>
        "The server refuses this side's certificate: its CA, its dates or its purpose (Java says each of them so, NSS the purpose); its log says which.";
    &[Code::AlertInternalError], Client, None, BEFORE_DATA, Some(true) =>
        "The server's check of this side's certificate failed, or something else did: its log says which.";
    DEPARTURES, Client, None, BEFORE_DATA, Some(true) =>
        "The server left after it saw this side's certificate: it may have refused it; its own log says why.";
    &[Code::AlertInternalError], Client, None, BEFORE_DATA, None =>
        "The server's log says why.";
    DEPARTURES, Client, None, COMPLETE, None =>
        "The server left right after the handshake: it may limit or refuse clients; its own log says why.";
    DEPARTURES, Client, None, FIRST, None =>
        "The server left without an answer: the port may be one without TLS, or the server may take no TLSv1.2 or TLSv1.3.";
    &[Code::PeerNotTls], Client, None, FIRST, None =>
        "This port serves no TLS: connect to the server's TLS port (8883 MQTT, 5671 AMQP, 61617 OpenWire, 61614 STOMP), or turn TLS off for this one.";
    &[Code::AlertHandshakeFailure], Client, None, FIRST, None =>
        "The two sides share no version (GnuTLS says so), cipher suite, group or signature algorithm, or the server has no certificate for this name.";
    &[Code::AlertUnexpectedMessage], Client, None, FIRST, None =>
        "The two sides may share no key exchange group (SunJSSE says so): allow X25519 or secp256r1 on both sides.";
    &[Code::AlertInternalError], Client, None, FIRST, None =>
        "The server cannot serve this hello: its certificate or key may be unusable, or this name unknown; its log says why.";

    &[Code::PeerNotTls], Server, None, FIRST, None =>
        "The client speaks without TLS: turn TLS on in the client (mqtts, amqps, ssl), or have it use the port without TLS.";
    &[Code::AlertInternalError], Server, None, BEFORE_DATA, None =>
        "The client refuses this side's certificate, most likely its name (stunnel, HAProxy, mosquitto and Perl say so): the host that it connects to must stand in the certificate.";
    &[Code::AlertHandshakeFailure], Server, None, BEFORE_DATA, None =>
        "The client refuses this side's certificate, most likely its name (Erlang says so): check its names, its key usage and its kind of key.";
    &[Code::AlertBadCertificate], Server, None, BEFORE_DATA, None =>
        "The client refuses this side's certificate: its name, its CA, its dates or its purpose (Go and GnuTLS say each of them so).";
    &[Code::AlertCertificateUnknown], Server, None, BEFORE_DATA, None =>
        "The client refuses this side's certificate: its CA, its name, its dates or its purpose (Java says each of them so); its log says which.";
    &[Code::AlertUnknownCa], Server, None, BEFORE_DATA, None =>
        "The client does not know the CA of this side's certificate: add it to the client's trust store, and serve the intermediates too.";
    &[Code::AlertAccessDenied], Server, None, BEFORE_DATA, None =>
        "The client refuses this side's certificate; its log says why.";
    &[Code::AlertDecodeError, Code::AlertUnexpectedMessage, Code::AlertIllegalParameter], Server, Some("TLSv1.3"), TICKETS, None =>
        "The client accepts the handshake but not the messages after it, such as session tickets (wolfSSL 5.5): set tls13-tickets to 0 for such clients.";
    DEPARTURES, Server, None, UNDER_WAY, None =>
        "The client left during the handshake: it may have refused this side's certificate or its name; its own log says why.";
    DEPARTURES, Server, None, COMPLETE, None =>
        "The client left right after the handshake: it may have refused this side's certificate or its name (Node, nginx and git say nothing); its own log says why.";
    DEPARTURES, Server, None, FIRST, None =>
        "The client left before it was answered: a load balancer may be checking the port, or the client waited for a greeting without TLS.";
    &[Code::AlertHandshakeFailure, Code::AlertInsufficientSecurity], Server, None, FIRST, None =>
        "The client accepts nothing that this side offers: allow TLSv1.2 and TLSv1.3, X25519 and AES-GCM on both sides.";
};

/// Hints for peers without TLS that differ from those of other peers, by the beginning of the detail.
const OF_SPEAKERS: &[(&str, &str)] = &[
    (
        "a PROXY protocol",
        "A load balancer sends the PROXY protocol: read its header before the handshake, or turn it off there \
         (send-proxy, proxy_protocol).",
    ),
    (
        "an SSL 2.0 hello",
        "Turn the SSL 2.0 hello off in the client (in Java the protocol SSLv2Hello), and let it offer TLSv1.2.",
    ),
    ("DTLS", "Let the peer use TLS over TCP."),
    ("PostgreSQL", OF_POSTGRESQL),
    ("a PostgreSQL", OF_POSTGRESQL),
];

const OF_POSTGRESQL: &str =
    "A PostgreSQL client asks for TLS before its handshake, unless it is set to sslnegotiation=direct.";

/// The hint for a peer that leaves before anything is agreed on, and has sent something.
const LEFT_AT_THE_BEGINNING: &str =
    "The peer left after the first bytes of its handshake: its own log says why, or that of a device between the two.";

/// Protocols of servers that greet without TLS and may start it within the protocol.
const STARTS_LATER: &[&str] = &["NATS", "SMTP", "IMAP", "POP3", "MySQL"];

/// The hint for a server that speaks one of these.
const TLS_LATER: &str = "The server greets without TLS and may start it later: read its greeting before the handshake, or let it start with TLS (handshake_first in NATS).";

/// The same error with the hint that fits this moment, unless it has one of its own.
pub(super) fn fit(error: Error, moment: &Moment) -> Error {
    if error.has_own_hint() {
        return error;
    }
    if error.code() == Code::PeerNotTls
        && let Some((_, hint)) = OF_SPEAKERS.iter().find(|(start, _)| error.detail().starts_with(start))
    {
        return error.with_hint(*hint);
    }
    if DEPARTURES.contains(&error.code()) && moment.stage == Stage::Hello && moment.has_begun {
        return error.with_hint(LEFT_AT_THE_BEGINNING);
    }
    if error.code() == Code::PeerNotTls
        && moment.side == Side::Client
        && STARTS_LATER.iter().any(|name| error.detail().starts_with(name))
    {
        return error.with_hint(TLS_LATER);
    }
    if let Own::Withheld(why) = &moment.own
        && MISSING.contains(&error.code())
        && BEFORE_DATA.contains(&moment.stage)
    {
        return error.with_hint(format!("The server asked for a certificate, and this side's was not sent: {why}."));
    }
    let row = ROWS.iter().find(|(when, _)| when.fits(error.code(), moment));
    let error = match row {
        Some((_, hint)) => error.with_hint(*hint),
        None => error,
    };
    match &moment.own {
        Own::Unnamed(why) if REFUSED.contains(&error.code()) && BEFORE_DATA.contains(&moment.stage) => {
            let hint = error.hint().to_owned();
            error.with_hint(format!("{hint} The server names other CAs than that of this side's certificate: {why}."))
        }
        _ => error,
    }
}

impl When {
    fn fits(&self, code: Code, moment: &Moment) -> bool {
        let has_sent = match moment.own {
            Own::Sent | Own::Unnamed(_) => Some(true),
            Own::Nothing | Own::Withheld(_) => Some(false),
            Own::NotAsked => None,
        };
        self.codes.contains(&code)
            && self.side == moment.side
            && self.stages.contains(&moment.stage)
            && (self.version.is_none() || self.version == moment.version)
            && (self.has_sent.is_none() || self.has_sent == has_sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(code: Code, side: Side, stage: Stage, own: Own) -> String {
        let moment = Moment { side, version: Some("TLSv1.3"), stage, own, has_begun: true };
        fit(Error::from(code), &moment).hint().to_owned()
    }

    #[test]
    fn alert_is_explained_by_the_side_that_gets_it() {
        let server = |code| hint(code, Side::Server, Stage::Handshake, Own::Sent);
        assert!(server(Code::AlertInternalError).contains("name"));
        assert!(server(Code::AlertHandshakeFailure).contains("name"));
        assert!(!server(Code::AlertHandshakeFailure).contains("cipher suite"));
        let client = |code, own| hint(code, Side::Client, Stage::Complete, own);
        assert!(client(Code::AlertAccessDenied, Own::Sent).contains("CA is unknown"));
        assert!(client(Code::AlertBadCertificate, Own::Nothing).contains("this side has none"));
        assert!(client(Code::AlertDecodeError, Own::Nothing).contains("this side has none"));
        assert!(client(Code::AlertBadCertificate, Own::Sent).contains("refuses this side's certificate"));
    }

    #[test]
    fn identity_that_was_not_sent_is_named_whatever_the_server_answers() {
        for code in MISSING {
            let told = hint(*code, Side::Client, Stage::Complete, Own::Withheld("its key is of Ed25519".to_owned()));
            assert!(told.contains("Ed25519"), "{told}");
        }
    }

    #[test]
    fn hint_of_the_failure_itself_outweighs_the_moment() {
        let (side, stage, own) = (Side::Client, Stage::Complete, Own::Nothing);
        let moment = Moment { side, version: None, stage, own, has_begun: true };
        let error = Error::from(Code::HandshakeEof).with_hint("its own");
        assert_eq!(fit(error, &moment).hint(), "its own");
    }

    #[test]
    fn peer_that_left_after_a_few_bytes_is_not_said_to_have_sent_none() {
        for side in [Side::Client, Side::Server] {
            for code in DEPARTURES {
                let hint = |has_begun| {
                    let moment = Moment { side, version: None, stage: Stage::Hello, own: Own::NotAsked, has_begun };
                    fit(Error::from(*code), &moment).hint().to_owned()
                };
                assert_eq!(hint(true), LEFT_AT_THE_BEGINNING);
                assert!(hint(false).contains("without an answer") || hint(false).contains("before it was answered"));
            }
        }
    }

    #[test]
    fn every_row_can_be_reached() {
        for (number, (when, hint)) in ROWS.iter().enumerate() {
            let reached = when.codes.iter().any(|code| {
                when.stages.iter().any(|stage| {
                    let owns = [Own::Sent, Own::Nothing, Own::NotAsked];
                    owns.into_iter().any(|own| {
                        let version = when.version.or(Some("TLSv1.3"));
                        let moment = Moment { side: when.side, version, stage: *stage, own, has_begun: false };
                        ROWS.iter().position(|(when, _)| when.fits(*code, &moment)) == Some(number)
                    })
                })
            });
            assert!(reached, "{hint}");
        }
    }

    #[test]
    fn every_alert_of_the_table_has_a_hint() {
        for code in Code::ALL.iter().filter(|code| code.category() == crate::error::Category::Alert) {
            let is_general = matches!(code, Code::AlertOther | Code::AlertUserCanceled);
            assert!(is_general || !code.hint().is_empty(), "{}", code.name());
        }
    }
}
