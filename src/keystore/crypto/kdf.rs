//! Key derivation functions. Their caller has checked the cost.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256};
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};

/// The hashes that stores derive keys and integrity with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512_224,
    Sha512_256,
}

impl Hash {
    /// By the identifier of its HMAC (RFC 8018 appendix B.1.2).
    pub(crate) fn of_hmac(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.2.840.113549.2.7" => Self::Sha1,
            "1.2.840.113549.2.8" => Self::Sha224,
            "1.2.840.113549.2.9" => Self::Sha256,
            "1.2.840.113549.2.10" => Self::Sha384,
            "1.2.840.113549.2.11" => Self::Sha512,
            "1.2.840.113549.2.12" => Self::Sha512_224,
            "1.2.840.113549.2.13" => Self::Sha512_256,
            _ => return None,
        })
    }

    /// By its own identifier (RFC 8017 appendix B.1).
    pub(crate) fn of_digest(oid: &str) -> Option<Self> {
        Some(match oid {
            "1.3.14.3.2.26" => Self::Sha1,
            "2.16.840.1.101.3.4.2.4" => Self::Sha224,
            "2.16.840.1.101.3.4.2.1" => Self::Sha256,
            "2.16.840.1.101.3.4.2.2" => Self::Sha384,
            "2.16.840.1.101.3.4.2.3" => Self::Sha512,
            "2.16.840.1.101.3.4.2.5" => Self::Sha512_224,
            "2.16.840.1.101.3.4.2.6" => Self::Sha512_256,
            _ => return None,
        })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
        }
    }

    pub(crate) fn output_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 => 28,
            Self::Sha256 | Self::Sha512_256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    fn block_bytes(self) -> usize {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            _ => 128,
        }
    }

    /// The time of a block as a multiple of that of SHA-256. Processors have instructions for SHA-1 and SHA-256 only.
    pub(crate) fn weight(self) -> u64 {
        match self {
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 1,
            _ => 5,
        }
    }
}

/// Calls `$function::<D>` with the type of the hash.
macro_rules! with_hash {
    ($hash:expr, $function:ident ( $($argument:expr),* )) => {
        match $hash {
            Hash::Sha1 => $function::<Sha1>($($argument),*),
            Hash::Sha224 => $function::<Sha224>($($argument),*),
            Hash::Sha256 => $function::<Sha256>($($argument),*),
            Hash::Sha384 => $function::<Sha384>($($argument),*),
            Hash::Sha512 => $function::<Sha512>($($argument),*),
            Hash::Sha512_224 => $function::<Sha512_224>($($argument),*),
            Hash::Sha512_256 => $function::<Sha512_256>($($argument),*),
        }
    };
}

/// PBKDF2 (RFC 8018 section 5.2) with HMAC.
pub(crate) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    bytes: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    use ::pbkdf2::pbkdf2_hmac;
    let rounds = u32::try_from(iterations)
        .map_err(|_| Error::new(Code::CostTooHigh, format!("{iterations} iterations of PBKDF2")))?;
    let mut key = Zeroizing::new(vec![0; bytes]);
    with_hash!(hash, pbkdf2_hmac(password, salt, rounds, &mut key));
    Ok(key)
}

/// scrypt (RFC 7914) with `(N, r, p)`.
pub(crate) fn scrypt(
    password: &[u8],
    salt: &[u8],
    (n, r, p): (u64, u64, u64),
    bytes: usize,
) -> Result<Zeroizing<Vec<u8>>> {
    let invalid = || Error::new(Code::ParameterInvalid, format!("scrypt with N={n} r={r} p={p}"));
    let log_n = u8::try_from(n.ilog2()).map_err(|_| invalid())?;
    let (r, p) = (u32::try_from(r).map_err(|_| invalid())?, u32::try_from(p).map_err(|_| invalid())?);
    let parameters = ::scrypt::Params::new(log_n, r, p).map_err(|_| invalid())?;
    let mut key = Zeroizing::new(vec![0; bytes]);
    ::scrypt::scrypt(password, salt, &parameters, &mut key).map_err(|_| invalid())?;
    Ok(key)
}

/// The purpose of a PKCS#12 derivation (RFC 7292 appendix B.3).
pub(crate) const PKCS12_KEY: u8 = 1;
pub(crate) const PKCS12_IV: u8 = 2;
pub(crate) const PKCS12_MAC: u8 = 3;

/// The derivation of RFC 7292 appendix B.2; `password` is in the form of appendix B.1.
pub(crate) fn pkcs12(
    hash: Hash,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    id: u8,
    bytes: usize,
) -> Zeroizing<Vec<u8>> {
    with_hash!(hash, pkcs12_with(hash.block_bytes(), password, salt, iterations, id, bytes))
}

fn pkcs12_with<D: Digest>(
    block: usize,
    password: &[u8],
    salt: &[u8],
    iterations: u64,
    id: u8,
    bytes: usize,
) -> Zeroizing<Vec<u8>> {
    let fill = |text: &[u8]| text.len().div_ceil(block) * block;
    let mut input = Zeroizing::new(Vec::with_capacity(fill(salt) + fill(password)));
    input.extend(salt.iter().cycle().take(fill(salt)));
    input.extend(password.iter().cycle().take(fill(password)));
    // The last hash block may be longer than what is asked for.
    let mut output = Zeroizing::new(Vec::with_capacity(bytes + block));
    while output.len() < bytes {
        let mut hash = D::new().chain_update(vec![id; block]).chain_update(input.as_slice()).finalize();
        for _ in 1..iterations {
            hash = D::digest(&hash);
        }
        output.extend_from_slice(&hash);
        for chunk in input.chunks_mut(block) {
            add(chunk, &hash);
        }
    }
    output.truncate(bytes);
    output
}

/// Adds the hash, repeated to the length of the block, and one, as big-endian numbers without the last carry.
fn add(block: &mut [u8], hash: &[u8]) {
    let mut carry = 1u16;
    for (index, digit) in block.iter_mut().enumerate().rev() {
        carry += u16::from(*digit) + u16::from(hash.get(index % hash.len()).copied().unwrap_or_default());
        *digit = carry.to_be_bytes()[1];
        carry >>= 8;
    }
}

/// The HMAC of the data.
pub(crate) fn hmac(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    macro_rules! make {
        ($($name:ident),*) => {
            match hash {
                $(Hash::$name => {
                    // HMAC takes a key of any length.
                    let hmac = Hmac::<$name>::new_from_slice(key);
                    hmac.map(|hmac| hmac.chain_update(data).finalize().into_bytes().to_vec()).unwrap_or_default()
                })*
            }
        };
    }
    make!(Sha1, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256)
}

/// Returns true if `mac` is the HMAC of the data.
pub(crate) fn hmac_matches(hash: Hash, key: &[u8], data: &[u8], mac: &[u8]) -> bool {
    macro_rules! verify {
        ($($name:ident),*) => {
            match hash {
                $(Hash::$name => {
                    let hmac = Hmac::<$name>::new_from_slice(key);
                    hmac.is_ok_and(|hmac| hmac.chain_update(data).verify_slice(mac).is_ok())
                })*
            }
        };
    }
    verify!(Sha1, Sha224, Sha256, Sha384, Sha512, Sha512_224, Sha512_256)
}
