//! OpenSSL's options (`SSL_OP_...`), by name or as a number, as ArangoDB's `--ssl.options` takes them.

use crate::error::{Code, Error, Result};
use crate::policy::names::{did_you_mean, items, nearest, quoted};
use crate::policy::{NotServed, PolicySpec, versions_without};

/// An option of OpenSSL.
#[derive(Debug)]
#[non_exhaustive]
pub struct OpensslOption {
    /// The name after `SSL_OP_`.
    pub name: &'static str,
    /// Its number, as OpenSSL 1.0.2, 1.1.1 or 3 has it. Two options may have the same one.
    pub number: u32,
    /// The effect that it has here.
    pub effect: OpensslEffect,
    /// The meaning, or the reason why it is not done.
    pub meaning: &'static str,
}

/// The effect of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpensslEffect {
    /// It is so, with the option or without it.
    AlwaysOn,
    /// There is nothing for it to act on.
    Nothing,
    /// It would weaken connections, so it is reported and not done.
    NotDone,
    /// It switches off the version with this number on the wire.
    VersionOff(u16),
    /// The order of the suites here decides.
    OwnOrder,
    /// No session tickets.
    NoTickets,
    /// No names of CAs in a request for a certificate.
    NoCaNames,
}

impl OpensslEffect {
    /// The word for a table.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AlwaysOn => "always on",
            Self::Nothing => "nothing to do",
            Self::NotDone => "refused",
            Self::VersionOff(_) | Self::OwnOrder | Self::NoTickets | Self::NoCaNames => "honoured",
        }
    }

    const fn is_honoured(self) -> bool {
        matches!(self, Self::VersionOff(_) | Self::OwnOrder | Self::NoTickets | Self::NoCaNames)
    }
}

use OpensslEffect::{AlwaysOn, NoCaNames, NoTickets, NotDone, Nothing, OwnOrder, VersionOff};

const fn row(name: &'static str, number: u32, effect: OpensslEffect, meaning: &'static str) -> OpensslOption {
    OpensslOption { name, number, effect, meaning }
}

const OLD_FAULT: &str = "the faulty programs that it was for are gone";
const DTLS: &str = "connections run over streams only";

/// The options, in the order of their numbers.
#[rustfmt::skip]
pub static OPENSSL_OPTIONS: &[OpensslOption] = &[
    row("ALL", 0x8000_0850, Nothing, OLD_FAULT),
    row("MICROSOFT_SESS_ID_BUG", 0x0000_0001, Nothing, OLD_FAULT),
    row("NO_EXTENDED_MASTER_SECRET", 0x0000_0001, NotDone, "it binds a session to its handshake"),
    row("NETSCAPE_CHALLENGE_BUG", 0x0000_0002, Nothing, OLD_FAULT),
    row("CLEANSE_PLAINTEXT", 0x0000_0002, AlwaysOn, "no plaintext is kept after it is given away"),
    row("LEGACY_SERVER_CONNECT", 0x0000_0004, Nothing, "it is for clients, and rustls never renegotiates"),
    row("NETSCAPE_REUSE_CIPHER_CHANGE_BUG", 0x0000_0008, Nothing, OLD_FAULT),
    row("ENABLE_KTLS", 0x0000_0008, NotDone, "records are not given to the kernel"),
    row("SSLREF2_REUSE_CERT_TYPE_BUG", 0x0000_0010, Nothing, OLD_FAULT),
    row("TLSEXT_PADDING", 0x0000_0010, Nothing, "it is for clients of old servers"),
    row("MICROSOFT_BIG_SSLV3_BUFFER", 0x0000_0020, Nothing, OLD_FAULT),
    row("MSIE_SSLV2_RSA_PADDING", 0x0000_0040, Nothing, OLD_FAULT),
    row("SAFARI_ECDHE_ECDSA_BUG", 0x0000_0040, Nothing, OLD_FAULT),
    row("SSLEAY_080_CLIENT_DH_BUG", 0x0000_0080, Nothing, OLD_FAULT),
    row("IGNORE_UNEXPECTED_EOF", 0x0000_0080, NotDone, "a truncated stream is always reported"),
    row("TLS_D5_BUG", 0x0000_0100, Nothing, OLD_FAULT),
    row("ALLOW_CLIENT_RENEGOTIATION", 0x0000_0100, NotDone, "renegotiation is refused"),
    row("TLS_BLOCK_PADDING_BUG", 0x0000_0200, Nothing, OLD_FAULT),
    row("DISABLE_TLSEXT_CA_NAMES", 0x0000_0200, NoCaNames, "no CA is named to clients: send-ca-names=no"),
    row("ALLOW_NO_DHE_KEX", 0x0000_0400, NotDone, "sessions are resumed with forward secrecy alone"),
    row("DONT_INSERT_EMPTY_FRAGMENTS", 0x0000_0800, NotDone, "the empty records protect CBC in TLS 1.0"),
    row("NO_QUERY_MTU", 0x0000_1000, Nothing, DTLS),
    row("COOKIE_EXCHANGE", 0x0000_2000, Nothing, DTLS),
    row("NO_TICKET", 0x0000_4000, NoTickets, "no tickets; in TLS 1.2, rustls resumes by ID, and the second engine not"),
    row("CISCO_ANYCONNECT", 0x0000_8000, Nothing, DTLS),
    row("NO_SESSION_RESUMPTION_ON_RENEGOTIATION", 0x0001_0000, AlwaysOn, "renegotiation is refused"),
    row("NO_COMPRESSION", 0x0002_0000, AlwaysOn, "nothing is compressed"),
    row("ALLOW_UNSAFE_LEGACY_RENEGOTIATION", 0x0004_0000, NotDone, "renegotiation is refused"),
    row("SINGLE_ECDH_USE", 0x0008_0000, AlwaysOn, "each handshake has a key of its own"),
    row("NO_ENCRYPT_THEN_MAC", 0x0008_0000, NotDone, "encrypt-then-MAC protects CBC"),
    row("SINGLE_DH_USE", 0x0010_0000, AlwaysOn, "each handshake has a key of its own"),
    row("ENABLE_MIDDLEBOX_COMPAT", 0x0010_0000, AlwaysOn, "as RFC 8446 recommends"),
    row("EPHEMERAL_RSA", 0x0020_0000, NotDone, "it is for export-grade suites"),
    row("PRIORITIZE_CHACHA", 0x0020_0000, NotDone, "the order is that of the client or of cipher-suites"),
    row("CIPHER_SERVER_PREFERENCE", 0x0040_0000, OwnOrder, "the order of the suites here decides, not the client's"),
    row("TLS_ROLLBACK_BUG", 0x0080_0000, NotDone, "a version that is rolled back in RSA key exchange is an attack"),
    row("NO_SSLv2", 0x0100_0000, AlwaysOn, "SSL 2.0 is never served"),
    row("NO_ANTI_REPLAY", 0x0100_0000, Nothing, "early data is never accepted"),
    row("NO_SSLv3", 0x0200_0000, AlwaysOn, "SSL 3.0 is never served"),
    row("NO_TLSv1", 0x0400_0000, VersionOff(0x0301), "TLSv1 is off, though versions names it"),
    row("NO_TLSv1_2", 0x0800_0000, VersionOff(0x0303), "TLSv1.2 is off, though versions names it"),
    row("NO_TLSv1_1", 0x1000_0000, VersionOff(0x0302), "TLSv1.1 is off, though versions names it"),
    row("NETSCAPE_CA_DN_BUG", 0x2000_0000, Nothing, OLD_FAULT),
    row("NO_TLSv1_3", 0x2000_0000, VersionOff(0x0304), "TLSv1.3 is off, though versions names it"),
    row("NETSCAPE_DEMO_CIPHER_CHANGE_BUG", 0x4000_0000, Nothing, OLD_FAULT),
    row("NO_RENEGOTIATION", 0x4000_0000, AlwaysOn, "renegotiation is refused"),
    row("CRYPTOPRO_TLSEXT_BUG", 0x8000_0000, Nothing, "GOST is not served"),
];

/// The effects of the options of a context.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpensslSpec {
    versions_off: Vec<u16>,
    pub(crate) has_own_order: bool,
    pub(crate) has_no_tickets: bool,
    pub(crate) has_no_ca_names: bool,
    pub(crate) not_done: Vec<NotServed>,
}

impl OpensslSpec {
    /// Adds the options of a text.
    ///
    /// # Errors
    /// `INVALID_ARGUMENT` for an unknown name or bit, and for a bit with another meaning in another release.
    pub(crate) fn add(&mut self, text: &str) -> Result<()> {
        const MAX_BYTES: usize = 4096;
        if text.len() > MAX_BYTES {
            return Err(Error::new(Code::InvalidArgument, "the list of options is too long"));
        }
        let text = text.replace('|', ",");
        let mut rows = Vec::new();
        for item in items(&text) {
            match item.starts_with(|first: char| first.is_ascii_digit()) {
                true => rows.extend(rows_of_number(item)?),
                false => rows.push(row_of_name(item)?),
            }
        }
        if items(&text).next().is_none() {
            return Err(Error::new(Code::InvalidArgument, "the list of options is empty"));
        }
        rows.into_iter().for_each(|row| self.apply(row));
        Ok(())
    }

    fn apply(&mut self, row: &OpensslOption) {
        match row.effect {
            AlwaysOn | Nothing => {}
            NotDone => {
                let name = format!("SSL_OP_{}", row.name);
                if self.not_done.iter().all(|line| line.name != name) {
                    self.not_done.push(NotServed { name, reason: row.meaning.to_owned() });
                }
            }
            VersionOff(version) => self.versions_off.push(version),
            OwnOrder => self.has_own_order = true,
            NoTickets => self.has_no_tickets = true,
            NoCaNames => self.has_no_ca_names = true,
        }
    }

    /// Removes the versions that are switched off from a policy.
    ///
    /// # Errors
    /// Those of the list of versions. `VERSION_NOT_SUPPORTED` if none is left.
    pub(crate) fn restrict(&self, policy: &mut PolicySpec) -> Result<()> {
        if let Some(left) = versions_without(policy, &self.versions_off)? {
            policy.versions = Some(left);
        }
        Ok(())
    }
}

fn row_of_name(item: &str) -> Result<&'static OpensslOption> {
    let upper = item.to_ascii_uppercase();
    let name = upper.strip_prefix("SSL_OP_").unwrap_or(&upper);
    OPENSSL_OPTIONS.iter().find(|row| row.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let near = nearest(name, OPENSSL_OPTIONS.iter().map(|row| row.name));
        Error::new(Code::InvalidArgument, format!("no option of OpenSSL is called {}", did_you_mean(item, &near)))
    })
}

/// The options of a number: one of each bit, or several of which none changes anything.
fn rows_of_number(item: &str) -> Result<Vec<&'static OpensslOption>> {
    let digits = item.trim_end_matches(['L', 'l', 'U', 'u']);
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => digits.parse().ok(),
    };
    let number = number
        .ok_or_else(|| Error::new(Code::InvalidArgument, format!("{} is not a number of options", quoted(item))))?;
    let mut rows = Vec::new();
    for bit in (0..u64::BITS).map(|shift| 1 << shift).filter(|bit| number & bit != 0) {
        let found: Vec<_> = OPENSSL_OPTIONS.iter().filter(|row| u64::from(row.number) == bit).collect();
        let is_ambiguous = found.len() > 1 && found.iter().any(|row| row.effect.is_honoured());
        if found.is_empty() || is_ambiguous {
            let names: Vec<String> = found.iter().map(|row| format!("SSL_OP_{}", row.name)).collect();
            let detail = match names.is_empty() {
                true => format!("no option of OpenSSL has the bit {bit:#x}"),
                false => format!("the bit {bit:#x} is {}, by the release of OpenSSL; give a name", names.join(" or ")),
            };
            return Err(Error::new(Code::InvalidArgument, detail));
        }
        rows.extend(found);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(text: &str) -> Result<OpensslSpec> {
        let mut options = OpensslSpec::default();
        options.add(text)?;
        Ok(options)
    }

    /// The versions that are left of four.
    fn versions(text: &str) -> Result<String> {
        let versions = Some("TLSv1.3 TLSv1.2 TLSv1.1 TLSv1".to_owned());
        let mut policy = PolicySpec { versions, ..PolicySpec::default() };
        options(text)?.restrict(&mut policy)?;
        Ok(policy.versions.unwrap_or_default())
    }

    #[test]
    fn options_by_name_and_by_number_are_the_same() {
        for text in ["SSL_OP_NO_TLSv1|SSL_OP_NO_TLSv1_1", "no_tlsv1, NO_TLSV1_1", "0x14000000L", "335544320"] {
            assert_eq!(versions(text).unwrap(), "TLSv1.3,TLSv1.2", "{text}");
        }
        assert_eq!(versions("0").unwrap(), "TLSv1.3 TLSv1.2 TLSv1.1 TLSv1");
    }

    #[test]
    fn default_of_arangodb_sets_the_order_and_reports_the_rollback() {
        let options = options("12582912").unwrap();
        assert!(options.has_own_order);
        let names: Vec<&str> = options.not_done.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["SSL_OP_TLS_ROLLBACK_BUG"]);
    }

    #[test]
    fn options_of_the_document_of_arangodb_change_nothing_but_are_known() {
        for text in ["0x00000004", "0x00000010", "0x00000020", "SSL_OP_NETSCAPE_CHALLENGE_BUG", "SSL_OP_ALL"] {
            assert!(options(text).unwrap().not_done.is_empty(), "{text}");
        }
    }

    #[test]
    fn bit_with_two_meanings_is_refused_if_one_of_them_would_change_something() {
        for text in ["0x20000000", "0x200", "4294967295"] {
            let error = options(text).unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{text}");
            assert!(error.detail().contains("by the release of OpenSSL; give a name"), "{error}");
        }
        assert_eq!(versions("NO_TLSv1_3").unwrap(), "TLSv1.2,TLSv1.1,TLSv1");
    }

    #[test]
    fn unknown_names_bits_and_hostile_texts_are_refused() {
        for text in ["", " | ", "SSL_OP_NO_TLSv1_4", "0x100000000", "0xg", "99999999999999999999", "-1", "é", "SSL_OP_"]
        {
            assert_eq!(options(text).unwrap_err().code(), Code::InvalidArgument, "{text}");
        }
        assert_eq!(options(&"NO_TLSv1|".repeat(10_000)).unwrap_err().code(), Code::InvalidArgument);
        let none = "NO_TLSv1|NO_TLSv1_1|NO_TLSv1_2|NO_TLSv1_3";
        assert_eq!(versions(none).unwrap_err().code(), Code::VersionNotSupported);
    }
}
