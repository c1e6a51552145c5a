//! A response read from its DER (RFC 6960 section 4.2.1). Who signed it is signer.rs's to say.

use super::cert_id::CertId;
use crate::der::{
    BIT_STRING, ENUMERATED, Element, Elements, GENERALIZED_TIME, INTEGER, Malformed, OCTET_STRING, OID, SEQUENCE, only,
    unix_s,
};
use crate::revocation::Reason;
use crate::revocation::crl::scope::extension;
use crate::revocation::signed::oid_text;

const CONTEXT_0: u8 = 0xa0;
const CONTEXT_1: u8 = 0xa1;
const CONTEXT_2: u8 = 0xa2;
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;
const UNKNOWN: u8 = 0x82;

/// The content of 1.3.6.1.5.5.7.48.1.1, a basic response.
const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 1];
/// The content of 1.3.6.1.5.5.7.48.1.2, a nonce.
pub(super) const NONCE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 2];
/// An extension that may be critical in a response, because it changes nothing here: the extended definition of
/// "revoked". It includes certificates that were never issued (section 4.4.8).
const EXTENDED_REVOKE: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 48, 1, 9];
/// The same for one certificate: the place of the CRL (4.4.2), and the archive cutoff (4.4.4). Also the entry
/// extensions of a CRL (4.4.5), which other fields repeat, and the logs of the certificate (RFC 6962 section 3.3).
const TOLERATED: [&[u8]; 5] = [
    &[0x2b, 6, 1, 5, 5, 7, 48, 1, 3],
    &[0x2b, 6, 1, 5, 5, 7, 48, 1, 6],
    &[0x55, 0x1d, 21],
    &[0x55, 0x1d, 24],
    &[0x2b, 6, 1, 4, 1, 0xd6, 0x79, 2, 4, 5],
];

/// The largest numbers of certificates and of statuses in a response. Each costs work for the requested one, and one of
/// either is usual.
const MAX_CERTIFICATES: usize = 16;
const MAX_SINGLES: usize = 128;

/// The reason why a response cannot be used.
pub(super) enum Unusable {
    Malformed,
    Unsupported(String),
}

impl From<Malformed> for Unusable {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

type Read<T> = Result<T, Unusable>;

fn unsupported<T>(what: impl Into<String>) -> Read<T> {
    Err(Unusable::Unsupported(what.into()))
}

/// The status of the responder (RFC 6960 section 4.2.1). Only `Successful` is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OcspStatus {
    /// There is an answer.
    Successful = 0,
    /// The responder cannot read the request.
    MalformedRequest = 1,
    /// The responder is broken.
    InternalError = 2,
    /// The responder is busy.
    TryLater = 3,
    /// The responder answers signed requests only.
    SigRequired = 5,
    /// The responder does not answer about this certificate, or not to this client.
    Unauthorized = 6,
}

impl OcspStatus {
    const ALL: [Self; 6] = [
        Self::Successful,
        Self::MalformedRequest,
        Self::InternalError,
        Self::TryLater,
        Self::SigRequired,
        Self::Unauthorized,
    ];

    /// The name of the RFC.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Successful => "successful",
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

/// The parts of a response that are signed or sign, where they lie in its DER.
pub(super) struct Envelope<'a> {
    pub(super) status: OcspStatus,
    /// The content, for the status `Successful` only.
    pub(super) basic: Option<Basic<'a>>,
}

/// A BasicOCSPResponse.
pub(super) struct Basic<'a> {
    pub(super) data: Element<'a>,
    pub(super) algorithm: Element<'a>,
    pub(super) signature: Element<'a>,
    pub(super) certificates: Vec<&'a [u8]>,
}

impl<'a> Envelope<'a> {
    pub(super) fn read(der: &'a [u8]) -> Read<Self> {
        let mut outer = only(SEQUENCE, der)?.inside();
        let status = outer.expect(ENUMERATED)?;
        let status = OcspStatus::ALL.into_iter().find(|known| [*known as u8] == *status.content).ok_or(Malformed)?;
        if status != OcspStatus::Successful {
            outer.end()?;
            return Ok(Self { status, basic: None });
        }
        let bytes = outer.expect(CONTEXT_0)?;
        outer.end()?;
        let mut bytes = only(SEQUENCE, bytes.content)?.inside();
        let kind = bytes.expect(OID)?;
        if kind.content != BASIC {
            return unsupported(format!("a response of the type {}", oid_text(kind)));
        }
        let basic = bytes.expect(OCTET_STRING)?;
        bytes.end()?;
        Ok(Self { status, basic: Some(Basic::read(basic.content)?) })
    }
}

impl<'a> Basic<'a> {
    fn read(der: &'a [u8]) -> Read<Self> {
        let mut fields = only(SEQUENCE, der)?.inside();
        let data = fields.expect(SEQUENCE)?;
        let algorithm = fields.expect(SEQUENCE)?;
        let signature = fields.expect(BIT_STRING)?;
        let mut certificates = Vec::new();
        if let Some(list) = fields.optional(CONTEXT_0)? {
            let mut list = only(SEQUENCE, list.content)?.inside();
            while let Some(certificate) = list.next()? {
                if certificates.len() == MAX_CERTIFICATES {
                    return unsupported(format!("more than {MAX_CERTIFICATES} certificates in it"));
                }
                certificates.push(certificate.whole);
            }
        }
        fields.end()?;
        Ok(Self { data, algorithm, signature, certificates })
    }
}

/// The name of the signer in a response.
#[derive(Debug)]
pub(super) enum Responder {
    /// The subject's name, with its header.
    Name(Box<[u8]>),
    /// SHA-1 of the key's bits.
    KeyHash(Box<[u8]>),
}

/// The signed content.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) responder: Responder,
    pub(super) produced_at_unix_s: i64,
    pub(super) singles: Vec<Single>,
    pub(super) nonce: Option<Box<[u8]>>,
    pub(super) unknown_critical: Option<String>,
}

/// The status of one certificate.
#[derive(Debug)]
pub(super) struct Single {
    pub(super) id: CertId,
    pub(super) status: Status,
    pub(super) this_update_unix_s: i64,
    pub(super) next_update_unix_s: Option<i64>,
    pub(super) unknown_critical: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Good,
    Revoked { reason: Reason, revoked_unix_s: u32 },
    Unknown,
}

impl Data {
    pub(super) fn read(data: Element<'_>) -> Read<Self> {
        let mut fields = data.inside();
        if let Some(version) = fields.optional(CONTEXT_0)?
            && only(INTEGER, version.content)?.content != [0]
        {
            return unsupported("a version other than 1");
        }
        let responder = match fields.next()?.ok_or(Malformed)? {
            name if name.tag == CONTEXT_1 => Responder::Name(only(SEQUENCE, name.content)?.whole.into()),
            key if key.tag == CONTEXT_2 => Responder::KeyHash(only(OCTET_STRING, key.content)?.content.into()),
            _ => return Err(Unusable::Malformed),
        };
        let produced_at_unix_s = unix_s(fields.expect(GENERALIZED_TIME)?)?;
        let mut singles = Vec::new();
        let mut list = fields.expect(SEQUENCE)?.inside();
        while let Some(single) = list.next()? {
            if singles.len() == MAX_SINGLES {
                return unsupported(format!("it speaks of more than {MAX_SINGLES} certificates"));
            }
            singles.push(Single::read(single)?);
        }
        let mut read = Self { responder, produced_at_unix_s, singles, nonce: None, unknown_critical: None };
        if let Some(extensions) = fields.optional(CONTEXT_1)? {
            let mut extensions = only(SEQUENCE, extensions.content)?.inside();
            while let Some(element) = extensions.next()? {
                let (identifier, is_critical, value) = extension(element)?;
                match identifier.content {
                    // Before RFC 8954 responders were free to send the bytes alone.
                    NONCE => read.nonce = Some(only(OCTET_STRING, value).map_or(value, |nonce| nonce.content).into()),
                    EXTENDED_REVOKE => {}
                    _ if is_critical => read.unknown_critical = Some(oid_text(identifier)),
                    _ => {}
                }
            }
        }
        fields.end()?;
        Ok(read)
    }
}

impl Single {
    fn read(single: Element<'_>) -> Read<Self> {
        if single.tag != SEQUENCE {
            return Err(Unusable::Malformed);
        }
        let mut fields = single.inside();
        let id = CertId::read(fields.expect(SEQUENCE)?)?;
        let status = Status::read(fields.next()?.ok_or(Malformed)?)?;
        let this_update_unix_s = unix_s(fields.expect(GENERALIZED_TIME)?)?;
        let next_update_unix_s = match fields.optional(CONTEXT_0)? {
            Some(next) => Some(unix_s(only(GENERALIZED_TIME, next.content)?)?),
            None => None,
        };
        let unknown_critical = unknown_critical_of(&mut fields)?;
        fields.end()?;
        Ok(Self { id, status, this_update_unix_s, next_update_unix_s, unknown_critical })
    }
}

fn unknown_critical_of(fields: &mut Elements<'_>) -> Read<Option<String>> {
    let mut unknown = None;
    if let Some(extensions) = fields.optional(CONTEXT_1)? {
        let mut extensions = only(SEQUENCE, extensions.content)?.inside();
        while let Some(element) = extensions.next()? {
            let (identifier, is_critical, _) = extension(element)?;
            if is_critical && !TOLERATED.contains(&identifier.content) {
                unknown = Some(oid_text(identifier));
            }
        }
    }
    Ok(unknown)
}

impl Status {
    fn read(status: Element<'_>) -> Read<Self> {
        match (status.tag, status.content) {
            (GOOD, []) => Ok(Self::Good),
            (UNKNOWN, []) => Ok(Self::Unknown),
            (REVOKED, _) => {
                let mut fields = status.inside();
                let revoked = unix_s(fields.expect(GENERALIZED_TIME)?)?;
                let mut reason = Reason::Unspecified;
                if let Some(number) = fields.optional(CONTEXT_0)? {
                    let [number] = *only(ENUMERATED, number.content)?.content else { return Err(Unusable::Malformed) };
                    reason = Reason::from_number(number).unwrap_or(Reason::Unspecified);
                }
                fields.end()?;
                Ok(Self::Revoked { reason, revoked_unix_s: u32::try_from(revoked.max(0)).unwrap_or(u32::MAX) })
            }
            _ => Err(Unusable::Malformed),
        }
    }
}
