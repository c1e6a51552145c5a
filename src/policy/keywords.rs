//! The words of OpenSSL's cipher strings for groups of cipher suites.
//!
//! As in OpenSSL, none of them selects a suite of TLS 1.3.

use super::suites::{Auth, Enc, Kx, Mac, Since, Suite};

/// Returns true if the word selects a suite of TLS 1.2 or older.
pub(super) type Selects = fn(&Suite) -> bool;

/// The words. They are matched in their exact case first, then in any.
///
/// The exact case distinguishes `kECDHe` of OpenSSL 1.0 (static ECDH, ECDSA certificates) from `kECDHE`.
pub(super) static KEYWORDS: &[(&str, Selects)] = &[
    ("ALL", Suite::is_in_all),
    ("COMPLEMENTOFALL", Suite::is_outside_all),
    ("COMPLEMENTOFDEFAULT", Suite::is_outside_default),
    ("HIGH", Suite::is_high),
    ("MEDIUM", Suite::is_medium),
    ("LOW", |s| s.enc == Enc::Des),
    ("EXP", |s| s.enc == Enc::Export),
    ("EXPORT", |s| s.enc == Enc::Export),
    ("EXPORT40", |s| s.enc == Enc::Export),
    ("EXPORT56", |s| s.enc == Enc::Export),
    // Key exchange.
    ("kRSA", |s| s.kx == Kx::Rsa),
    ("kEDH", |s| s.kx == Kx::Dhe),
    ("kDHE", |s| s.kx == Kx::Dhe),
    ("DH", |s| s.kx == Kx::Dhe),
    ("kEECDH", |s| s.kx == Kx::Ecdhe),
    ("kECDHE", |s| s.kx == Kx::Ecdhe),
    ("ECDH", |s| s.kx == Kx::Ecdhe),
    ("kDHr", |s| s.kx == Kx::Dh && s.auth == Auth::Rsa),
    ("kDHd", |s| s.kx == Kx::Dh && s.auth == Auth::Dss),
    ("kDH", |s| s.kx == Kx::Dh),
    ("kECDHr", |s| s.kx == Kx::Ecdh && s.auth == Auth::Rsa),
    ("kECDHe", |s| s.kx == Kx::Ecdh && s.auth == Auth::Ecdsa),
    ("kECDH", |s| s.kx == Kx::Ecdh),
    ("kPSK", |s| s.kx == Kx::Psk),
    ("kRSAPSK", |s| s.kx == Kx::RsaPsk),
    ("kECDHEPSK", |s| s.kx == Kx::EcdhePsk),
    ("kDHEPSK", |s| s.kx == Kx::DhePsk),
    ("kSRP", |s| s.kx == Kx::Srp),
    ("SRP", |s| s.kx == Kx::Srp),
    ("kGOST", |s| s.kx == Kx::Gost),
    ("kGOST18", |s| s.kx == Kx::Gost),
    ("kKRB5", |s| s.kx == Kx::Krb5),
    // Authentication.
    ("aRSA", |s| s.auth == Auth::Rsa),
    ("aDSS", |s| s.auth == Auth::Dss),
    ("DSS", |s| s.auth == Auth::Dss),
    ("aNULL", |s| s.auth == Auth::Null),
    ("aECDSA", |s| s.auth == Auth::Ecdsa),
    ("ECDSA", |s| s.auth == Auth::Ecdsa),
    ("aPSK", |s| s.auth == Auth::Psk),
    ("aSRP", |s| s.auth == Auth::Srp),
    ("aGOST", |s| s.auth == Auth::Gost),
    ("aGOST01", |s| s.auth == Auth::Gost),
    ("aGOST12", |s| s.auth == Auth::Gost),
    ("aKRB5", |s| s.auth == Auth::Krb5),
    ("KRB5", |s| s.auth == Auth::Krb5),
    ("aDH", |s| s.kx == Kx::Dh),
    ("aECDH", |s| s.kx == Kx::Ecdh),
    // Both.
    ("EDH", |s| s.kx == Kx::Dhe && s.auth != Auth::Null),
    ("DHE", |s| s.kx == Kx::Dhe && s.auth != Auth::Null),
    ("EECDH", |s| s.kx == Kx::Ecdhe && s.auth != Auth::Null),
    ("ECDHE", |s| s.kx == Kx::Ecdhe && s.auth != Auth::Null),
    ("RSA", |s| s.kx == Kx::Rsa && s.auth == Auth::Rsa),
    ("ADH", |s| s.kx == Kx::Dhe && s.auth == Auth::Null),
    ("AECDH", |s| s.kx == Kx::Ecdhe && s.auth == Auth::Null),
    ("PSK", |s| matches!(s.kx, Kx::Psk | Kx::DhePsk | Kx::EcdhePsk | Kx::RsaPsk)),
    // Encryption.
    ("eNULL", |s| s.enc == Enc::Null),
    ("NULL", |s| s.enc == Enc::Null),
    ("AES128", |s| matches!(s.enc, Enc::Aes128 | Enc::Aes128Gcm | Enc::Aes128Ccm | Enc::Aes128Ccm8)),
    ("AES256", |s| matches!(s.enc, Enc::Aes256 | Enc::Aes256Gcm | Enc::Aes256Ccm | Enc::Aes256Ccm8)),
    ("AES", |s| matches!(s.enc, Enc::Aes128 | Enc::Aes256 | Enc::Aes128Gcm | Enc::Aes256Gcm) || s.enc.is_ccm()),
    ("AESGCM", |s| matches!(s.enc, Enc::Aes128Gcm | Enc::Aes256Gcm)),
    ("AESCCM", |s| s.enc.is_ccm()),
    ("AESCCM8", |s| s.enc.is_ccm8()),
    ("CHACHA20", |s| s.enc == Enc::ChaCha20),
    ("CAMELLIA128", |s| matches!(s.enc, Enc::Camellia128 | Enc::Camellia128Gcm)),
    ("CAMELLIA256", |s| matches!(s.enc, Enc::Camellia256 | Enc::Camellia256Gcm)),
    ("CAMELLIA", |s| s.enc.is_camellia()),
    ("ARIA128", |s| matches!(s.enc, Enc::Aria128 | Enc::Aria128Gcm)),
    ("ARIA256", |s| matches!(s.enc, Enc::Aria256 | Enc::Aria256Gcm)),
    ("ARIAGCM", |s| matches!(s.enc, Enc::Aria128Gcm | Enc::Aria256Gcm)),
    ("ARIA", |s| s.enc.is_aria()),
    ("SEED", |s| s.enc == Enc::Seed),
    ("IDEA", |s| s.enc == Enc::Idea),
    ("3DES", |s| s.enc == Enc::TripleDes),
    ("DES", |s| s.enc == Enc::Des),
    ("RC4", |s| s.enc == Enc::Rc4),
    ("RC2", |s| s.iana.contains("_RC2_")),
    ("GOST", |s| s.enc == Enc::Gost),
    ("GOST89", |s| s.enc == Enc::Gost),
    ("CBC", |s| s.enc.is_cbc()),
    // Integrity.
    ("MD5", |s| s.mac == Mac::Md5),
    ("SHA1", |s| s.mac == Mac::Sha1),
    ("SHA", |s| s.mac == Mac::Sha1),
    ("SHA256", |s| s.mac == Mac::Sha256),
    ("SHA384", |s| s.mac == Mac::Sha384),
    ("GOST94", |s| s.mac == Mac::Gost),
    ("GOST89MAC", |s| s.mac == Mac::Gost),
    ("GOST12", |s| s.mac == Mac::Gost),
    // The version that introduced a suite.
    ("TLSv1.2", |s| s.since == Since::Tls12),
    ("TLSv1", |s| s.since == Since::Tls10),
    ("TLSv1.0", |s| s.since == Since::Tls10),
    ("SSLv3", |s| s.since == Since::Ssl3),
    ("SSLv2", |_| false),
];

/// Returns the meaning of a word.
pub(super) fn keyword(word: &str) -> Option<Selects> {
    let exact = KEYWORDS.iter().find(|(name, _)| *name == word);
    let found = exact.or_else(|| KEYWORDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)));
    found.map(|(_, selects)| *selects)
}
