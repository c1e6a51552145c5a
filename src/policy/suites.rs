//! The parts of a cipher suite, its look-up by name, and the reasons if it is not supported.
//!
//! The rules that select suites and the versions of a context are elsewhere.

use rustls::SupportedCipherSuite;
use rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES;

/// The protocol version that introduced a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    Ssl3,
    Tls10,
    Tls12,
    Tls13,
}

/// The key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kx {
    Any,
    Rsa,
    Dh,
    Dhe,
    Ecdh,
    Ecdhe,
    Psk,
    DhePsk,
    EcdhePsk,
    RsaPsk,
    Srp,
    Krb5,
    Gost,
}

impl Kx {
    /// Returns true if a pre-shared key is a part of it.
    pub(super) fn is_psk(self) -> bool {
        matches!(self, Self::Psk | Self::DhePsk | Self::EcdhePsk | Self::RsaPsk)
    }
}

/// The authentication of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Auth {
    Any,
    Rsa,
    Dss,
    Ecdsa,
    Psk,
    Srp,
    Krb5,
    Gost,
    Null,
}

/// The encryption of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Enc {
    Aes128,
    Aes256,
    Aes128Gcm,
    Aes256Gcm,
    Aes128Ccm,
    Aes256Ccm,
    Aes128Ccm8,
    Aes256Ccm8,
    ChaCha20,
    Aria128,
    Aria256,
    Aria128Gcm,
    Aria256Gcm,
    Camellia128,
    Camellia256,
    Camellia128Gcm,
    Camellia256Gcm,
    Seed,
    Idea,
    TripleDes,
    Des,
    Rc4,
    Sm4,
    Gost,
    Export,
    Null,
}

/// The integrity protection of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mac {
    Aead,
    Sha384,
    Sha256,
    Sha1,
    Md5,
    Gost,
}

/// A row of the table.
#[derive(Debug)]
pub(super) struct Suite {
    /// The value on the wire.
    pub(super) id: u16,
    /// OpenSSL's name; empty if it never had one.
    pub(super) openssl: &'static str,
    /// The name in the IANA registry, which JSSE uses too.
    pub(super) iana: &'static str,
    pub(super) since: Since,
    pub(super) kx: Kx,
    pub(super) auth: Auth,
    pub(super) enc: Enc,
    pub(super) mac: Mac,
}

impl Suite {
    /// The implementation of this suite, if there is one.
    pub(super) fn served(&self) -> Option<SupportedCipherSuite> {
        ALL_CIPHER_SUITES.iter().copied().find(|served| u16::from(served.suite()) == self.id)
    }

    /// The reasons why the suite is not supported: each unsupported part. Empty for a supported suite.
    pub(super) fn obstacles(&self) -> Vec<&'static str> {
        if self.served().is_some() {
            return Vec::new();
        }
        let parts = [self.kx.obstacle(), self.auth.obstacle(), self.enc.obstacle()];
        parts.into_iter().flatten().collect()
    }

    /// Returns true if OpenSSL's HIGH has it.
    pub(super) fn is_high(&self) -> bool {
        !self.is_medium() && !matches!(self.enc, Enc::Des | Enc::Export | Enc::Null)
    }

    /// Returns true if OpenSSL's MEDIUM has it.
    pub(super) fn is_medium(&self) -> bool {
        matches!(self.enc, Enc::Seed | Enc::Idea | Enc::TripleDes | Enc::Rc4)
    }

    /// Returns true if OpenSSL's ALL has it.
    pub(super) fn is_in_all(&self) -> bool {
        self.since != Since::Tls13 && self.enc != Enc::Null
    }

    /// Returns true if OpenSSL's COMPLEMENTOFALL has it.
    pub(super) fn is_outside_all(&self) -> bool {
        self.since != Since::Tls13 && self.enc == Enc::Null
    }

    /// Returns true if OpenSSL's COMPLEMENTOFDEFAULT has it: in ALL, but not in DEFAULT.
    pub(super) fn is_outside_default(&self) -> bool {
        let weak_enc = self.is_medium() || matches!(self.enc, Enc::Des | Enc::Export);
        let rare_enc = self.enc.is_ccm() || self.enc.is_aria() || self.enc.is_camellia();
        self.enc != Enc::Null && (matches!(self.auth, Auth::Null | Auth::Dss) || weak_enc || rare_enc)
    }

    /// The key's length in bits, for `@STRENGTH`.
    pub(super) fn strength_bits(&self) -> u16 {
        match self.enc {
            Enc::Null => 0,
            Enc::Export => 40,
            Enc::Des => 56,
            Enc::TripleDes => 112,
            Enc::Aes128 | Enc::Aes128Gcm | Enc::Aes128Ccm | Enc::Aes128Ccm8 => 128,
            Enc::Aria128 | Enc::Aria128Gcm | Enc::Camellia128 | Enc::Camellia128Gcm => 128,
            Enc::Seed | Enc::Idea | Enc::Rc4 | Enc::Sm4 => 128,
            Enc::Aes256 | Enc::Aes256Gcm | Enc::Aes256Ccm | Enc::Aes256Ccm8 | Enc::ChaCha20 => 256,
            Enc::Aria256 | Enc::Aria256Gcm | Enc::Camellia256 | Enc::Camellia256Gcm | Enc::Gost => 256,
        }
    }
}

impl Kx {
    fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Any | Self::Ecdhe => None,
            Self::Rsa => Some("static RSA key exchange (no forward secrecy)"),
            Self::Dh => Some("static Diffie-Hellman key exchange (no forward secrecy)"),
            Self::Ecdh => Some("static ECDH key exchange (no forward secrecy)"),
            Self::Dhe => Some("finite-field Diffie-Hellman key exchange"),
            Self::Psk | Self::DhePsk | Self::EcdhePsk | Self::RsaPsk => Some("pre-shared keys"),
            Self::Srp => Some("SRP passwords"),
            Self::Krb5 => Some("Kerberos"),
            Self::Gost => Some("GOST key exchange"),
        }
    }
}

impl Auth {
    fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Dss => Some("DSS certificates"),
            Self::Null => Some("no authentication (anonymous)"),
            // The others are supported, or their key exchange is in the list.
            Self::Any | Self::Rsa | Self::Ecdsa | Self::Psk | Self::Srp | Self::Krb5 | Self::Gost => None,
        }
    }
}

impl Enc {
    pub(super) fn is_ccm(self) -> bool {
        matches!(self, Self::Aes128Ccm | Self::Aes256Ccm) || self.is_ccm8()
    }

    pub(super) fn is_ccm8(self) -> bool {
        matches!(self, Self::Aes128Ccm8 | Self::Aes256Ccm8)
    }

    pub(super) fn is_aria(self) -> bool {
        matches!(self, Self::Aria128 | Self::Aria256 | Self::Aria128Gcm | Self::Aria256Gcm)
    }

    pub(super) fn is_camellia(self) -> bool {
        matches!(self, Self::Camellia128 | Self::Camellia256 | Self::Camellia128Gcm | Self::Camellia256Gcm)
    }

    pub(super) fn is_cbc(self) -> bool {
        matches!(self, Self::Aes128 | Self::Aes256 | Self::Aria128 | Self::Aria256 | Self::Camellia128)
            || matches!(self, Self::Camellia256 | Self::Seed | Self::Idea | Self::TripleDes | Self::Des)
    }

    fn obstacle(self) -> Option<&'static str> {
        match self {
            Self::Aes128Gcm | Self::Aes256Gcm | Self::ChaCha20 => None,
            Self::Aes128 | Self::Aes256 => Some("CBC encryption"),
            Self::Aria128 | Self::Aria256 | Self::Aria128Gcm | Self::Aria256Gcm => Some("ARIA encryption"),
            Self::Aes128Ccm | Self::Aes256Ccm | Self::Aes128Ccm8 | Self::Aes256Ccm8 => Some("CCM encryption"),
            Self::Camellia128 | Self::Camellia256 | Self::Camellia128Gcm | Self::Camellia256Gcm => {
                Some("Camellia encryption")
            }
            Self::Seed => Some("SEED encryption"),
            Self::Idea => Some("IDEA encryption"),
            Self::TripleDes => Some("triple-DES encryption"),
            Self::Des => Some("DES encryption"),
            Self::Rc4 => Some("RC4 encryption"),
            Self::Sm4 => Some("SM4 encryption"),
            Self::Gost => Some("GOST encryption"),
            Self::Export => Some("export-grade encryption"),
            Self::Null => Some("no encryption (NULL)"),
        }
    }
}
