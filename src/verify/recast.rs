//! Certificates written again in the shape that webpki reads, from the very bytes that were signed.
//!
//! webpki judges the recast certificate by all its rules, but the signature is checked over the original one. Most
//! changes mean the same in other bytes, and are made here; those that tolerate something are asked for by legacy.rs
//! alone.

use std::collections::HashMap;

use rustls::pki_types::{AlgorithmIdentifier, CertificateDer, InvalidSignature, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;

use crate::certificate::matching::NameKey;
use crate::der::{BOOLEAN, Element, INTEGER, Malformed, OCTET_STRING, OID, SEQUENCE, element, only};
use crate::signature::{Algorithm, Allowed, Content, KeyParts, Scheme, algorithms};

const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
/// `version [0] EXPLICIT INTEGER`, version 3 (RFC 5280 section 4.1).
const VERSION_3: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x02];
/// Version 1, which DER leaves out and some writers do not.
const VERSION_1: &[u8] = &[0xa0, 0x03, 0x02, 0x01, 0x00];
/// id-ce-basicConstraints, 2.5.29.19.
const BASIC_CONSTRAINTS: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x13];
/// id-ce-subjectAltName, 2.5.29.17.
const SUBJECT_ALTERNATIVE_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
/// The contents of the identifiers of certificatePolicies, policyMappings, policyConstraints and inhibitAnyPolicy.
const CERTIFICATE_POLICIES: &[u8] = &[0x55, 0x1d, 32];
const POLICY_MAPPINGS: &[u8] = &[0x55, 0x1d, 33];
const POLICY_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 36];
const INHIBIT_ANY_POLICY: &[u8] = &[0x55, 0x1d, 54];
/// `[0] requireExplicitPolicy` of policyConstraints.
const REQUIRE_EXPLICIT_POLICY: u8 = 0x80;

impl From<Malformed> for webpki::Error {
    fn from(_: Malformed) -> Self {
        Self::BadDer
    }
}

/// The changes that recast a certificate. Parts that no field names are copied.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    /// Version 3 in place of version 1; a deviation.
    pub(super) add_version: bool,
    /// A deviation.
    pub(super) drop_basic_constraints: bool,
    /// DER `GeneralName`s to add to the subject alternative names; a deviation, or a question.
    pub(super) add_names: Vec<Vec<u8>>,
    /// The same issuer's name in other bytes.
    issuer: Option<Vec<u8>>,
    /// The same subject in other bytes.
    subject: Option<Vec<u8>>,
    /// The PSS parameters that webpki knows, in place of those that the signature has.
    signature: Option<Scheme>,
    /// A PSS key without parameters, in place of one with.
    drops_key_parameters: bool,
    /// Without the critical extensions about policies, if nothing asks for a policy.
    drops_policies: bool,
}

impl Change {
    /// Version 3 in place of version 1, if the certificate is of that.
    pub(super) fn of_version(certificate: &[u8]) -> Self {
        Self { add_version: is_version_1(certificate), ..Self::default() }
    }

    fn is_none(&self) -> bool {
        let Self { add_version, drop_basic_constraints, add_names, issuer, subject, signature, .. } = self;
        let keeps = !add_version && !drop_basic_constraints && !self.drops_key_parameters && !self.drops_policies;
        keeps && add_names.is_empty() && issuer.is_none() && subject.is_none() && signature.is_none()
    }

    /// The to-be-signed part with this change.
    fn apply(&self, signed: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut fields = only(SEQUENCE, signed)?.parts()?;
        let mut extensions = match fields.pop_if(|field| field.first() == Some(&EXTENSIONS)) {
            Some(field) => only(SEQUENCE, only(EXTENSIONS, field)?.content)?.parts()?,
            None => Vec::new(),
        };
        if self.add_version {
            fields.retain(|field| *field != VERSION_1);
            fields.insert(0, VERSION_3);
        }
        // serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo.
        let first = usize::from(fields.first().and_then(|field| field.first()) == Some(&VERSION));
        let algorithm = self.signature.map(|scheme| element(SEQUENCE, &[scheme.plain_id().as_ref()]));
        let key = match (self.drops_key_parameters, fields.get(first + 5)) {
            (true, Some(key)) => Some(without_parameters(key)?),
            _ => None,
        };
        for (place, replaced) in [(1, &algorithm), (2, &self.issuer), (4, &self.subject), (5, &key)] {
            if let Some(replaced) = replaced {
                *fields.get_mut(first + place).ok_or(Malformed)? = replaced;
            }
        }
        if self.drop_basic_constraints {
            extensions.retain(|extension| !is_extension(extension, BASIC_CONSTRAINTS));
        }
        if self.drops_policies {
            extensions.retain(|extension| !is_critical_policy(extension));
        }
        let named = match self.add_names.as_slice() {
            [] => None,
            names => {
                let old = extensions.iter().position(|extension| is_extension(extension, SUBJECT_ALTERNATIVE_NAME));
                Some(with_names(old.map(|position| extensions.remove(position)), names)?)
            }
        };
        extensions.extend(named.as_deref());
        let extensions = element(EXTENSIONS, &[&element(SEQUENCE, &extensions)]);
        fields.push(&extensions);
        Ok(element(SEQUENCE, &fields))
    }
}

/// A subject alternative name extension with the old one's names and more.
fn with_names(old: Option<&[u8]>, names: &[Vec<u8>]) -> Result<Vec<u8>, Malformed> {
    let old_names = match old {
        Some(extension) => {
            let value = only(SEQUENCE, extension)?.parts()?.pop().ok_or(Malformed)?;
            only(SEQUENCE, only(OCTET_STRING, value)?.content)?.content
        }
        None => &[],
    };
    let value = element(OCTET_STRING, &[&element(SEQUENCE, &[old_names, &names.concat()])]);
    Ok(element(SEQUENCE, &[SUBJECT_ALTERNATIVE_NAME, &value]))
}

fn is_extension(extension: &[u8], oid: &[u8]) -> bool {
    only(SEQUENCE, extension).is_ok_and(|extension| extension.content.starts_with(oid))
}

/// A SubjectPublicKeyInfo of a PSS key with the name of its algorithm alone.
pub(super) fn without_parameters(key: &[u8]) -> Result<Vec<u8>, Malformed> {
    let parts = only(SEQUENCE, key)?.parts()?;
    let [algorithm, bits] = parts.as_slice() else { return Err(Malformed) };
    let name = only(SEQUENCE, algorithm)?.inside().expect(OID)?.whole;
    Ok(element(SEQUENCE, &[&element(SEQUENCE, &[name]), bits]))
}

/// The identifier, criticality and value of an extension.
fn parts_of_extension(extension: &[u8]) -> Result<(&[u8], bool, &[u8]), Malformed> {
    let mut fields = only(SEQUENCE, extension)?.inside();
    let identifier = fields.expect(OID)?.content;
    let is_critical = fields.optional(BOOLEAN)?.is_some_and(|critical| critical.content != [0]);
    let value = fields.expect(OCTET_STRING)?.content;
    fields.end()?;
    Ok((identifier, is_critical, value))
}

/// Returns true if this is a well-formed critical extension that only limits policies, and asks for none.
fn is_critical_policy(extension: &[u8]) -> bool {
    match parts_of_extension(extension) {
        Ok((CERTIFICATE_POLICIES | POLICY_MAPPINGS, true, value)) => {
            only(SEQUENCE, value).is_ok_and(|policies| policies.inside().count().is_ok_and(|count| count > 0))
        }
        Ok((POLICY_CONSTRAINTS, true, value)) => only(SEQUENCE, value).is_ok() && !asks_for_policy(extension),
        Ok((INHIBIT_ANY_POLICY, true, value)) => only(INTEGER, value).is_ok(),
        _ => false,
    }
}

/// Returns true if an extension asks for a policy that the whole path has (RFC 5280 section 4.2.1.11).
fn asks_for_policy(extension: &[u8]) -> bool {
    match parts_of_extension(extension) {
        Ok((POLICY_CONSTRAINTS, _, value)) => {
            only(SEQUENCE, value).map_or(true, |value| value.inside().peek() == Some(REQUIRE_EXPLICIT_POLICY))
        }
        _ => false,
    }
}

/// The fields of a certificate that choose its shape.
struct Fields<'a> {
    algorithm: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    key: &'a [u8],
    extensions: Vec<&'a [u8]>,
}

impl<'a> Fields<'a> {
    fn of(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut fields = only(SEQUENCE, der)?.inside().expect(SEQUENCE)?.inside();
        fields.optional(VERSION)?;
        fields.expect(INTEGER)?;
        let algorithm = fields.expect(SEQUENCE)?.content;
        let issuer = fields.expect(SEQUENCE)?.whole;
        fields.expect(SEQUENCE)?;
        let subject = fields.expect(SEQUENCE)?.whole;
        let key = fields.expect(SEQUENCE)?.whole;
        let mut extensions = Vec::new();
        while let Some(field) = fields.next()? {
            if field.tag == EXTENSIONS {
                extensions = only(SEQUENCE, field.content)?.parts()?;
            }
        }
        Ok(Self { algorithm, issuer, subject, key, extensions })
    }
}

/// Version 1 as DER writes it, without a version, or with it written out; and no extensions. Anything else that is not
/// version 3 is malformed.
pub(super) fn is_version_1(certificate: &[u8]) -> bool {
    let parts = |der| only(SEQUENCE, der).and_then(Element::parts).unwrap_or_default();
    let Some(signed) = parts(certificate).first().copied() else { return false };
    let fields = parts(signed);
    let version = fields.first().filter(|field| field.first() == Some(&VERSION));
    let has_extensions = fields.last().and_then(|field| field.first()) == Some(&EXTENSIONS);
    !fields.is_empty() && !has_extensions && version.is_none_or(|version| *version == VERSION_1)
}

/// The shapes of a chain in which webpki finds what the same names and algorithms in other bytes hide from it.
#[derive(Debug, Default)]
pub(super) struct Reshaped {
    changes: Vec<Change>,
    /// The encoding that is used of each name that is written in several ways.
    names: HashMap<NameKey, Vec<u8>>,
}

impl Reshaped {
    /// The shape of a chain; none if it needs no change.
    pub(super) fn of(
        chain: &[CertificateDer<'_>],
        has_other_form: impl FnOnce(&HashMap<NameKey, Vec<u8>>) -> bool,
    ) -> Option<Self> {
        let fields: Vec<_> = chain.iter().map(|der| Fields::of(der).ok()).collect();
        let mut names: HashMap<NameKey, Vec<u8>> = HashMap::new();
        for fields in fields.iter().flatten() {
            names.entry(NameKey::new(fields.issuer)).or_insert_with(|| fields.issuer.to_vec());
        }
        let extensions = || fields.iter().flatten().flat_map(|fields| fields.extensions.iter());
        let asks_for_policy = extensions().any(|extension| asks_for_policy(extension));
        let change = |(position, fields): (usize, &Option<Fields<'_>>)| {
            let Some(fields) = fields else { return Change::default() };
            let other = |name: &[u8]| names.get(&NameKey::new(name)).filter(|chosen| *chosen != name).cloned();
            Change {
                issuer: other(fields.issuer),
                subject: if position == 0 { None } else { other(fields.subject) },
                signature: scheme_apart(fields.algorithm),
                drops_key_parameters: has_pss_parameters(fields.key),
                drops_policies: !asks_for_policy && fields.extensions.iter().any(|one| is_critical_policy(one)),
                ..Change::default()
            }
        };
        let changes: Vec<_> = fields.iter().enumerate().map(change).collect();
        let this = Self { changes, names };
        let is_same = this.changes.iter().all(Change::is_none) && !has_other_form(&this.names);
        (!is_same).then_some(this)
    }

    /// The change of the certificate at a position.
    pub(super) fn change(&self, position: usize) -> Change {
        self.changes.get(position).cloned().unwrap_or_default()
    }

    /// The names as they are written.
    pub(super) fn names(&self) -> &HashMap<NameKey, Vec<u8>> {
        &self.names
    }
}

/// The scheme of an identifier that the table serves and webpki does not know by it.
fn scheme_apart(identifier: &[u8]) -> Option<Scheme> {
    match algorithms().iter().any(|row| row.signature_id().as_ref() == identifier) {
        true => None,
        false => Scheme::of(identifier, Allowed::default()),
    }
}

/// Returns true if a key is for PSS alone, and limited by parameters.
pub(super) fn has_pss_parameters(key: &[u8]) -> bool {
    KeyParts::of(key).is_ok_and(|parts| parts.has_pss_parameters())
}

/// A certificate in the shape in which webpki is to judge it.
#[derive(Debug)]
pub(super) struct Shown<'a> {
    pub(super) der: CertificateDer<'a>,
    recast: Option<Recast<'a>>,
}

/// A recast certificate and its original parts.
#[derive(Debug)]
struct Recast<'a> {
    /// The to-be-signed part as webpki sees it, and as it was signed.
    shown: Vec<u8>,
    signed: &'a [u8],
    /// The scheme that signed it, if webpki is shown another.
    scheme: Option<Scheme>,
    /// Its SubjectPublicKeyInfo, if webpki is shown another.
    key: Option<&'a [u8]>,
}

impl<'a> Shown<'a> {
    /// The certificate with a change.
    pub(super) fn new(original: &'a [u8], change: &Change) -> Result<Self, webpki::Error> {
        if change.is_none() {
            return Ok(Self { der: CertificateDer::from(original), recast: None });
        }
        let parts = only(SEQUENCE, original)?.parts()?;
        let [signed, algorithm, signature] = parts.as_slice() else { return Err(webpki::Error::BadDer) };
        let shown = change.apply(signed)?;
        let plain = change.signature.map(|scheme| element(SEQUENCE, &[scheme.plain_id().as_ref()]));
        // A certificate says twice how it is signed, and must say the same.
        if change.signature.is_some() && Fields::of(original)?.algorithm != only(SEQUENCE, algorithm)?.content {
            return Err(webpki::Error::SignatureAlgorithmMismatch);
        }
        let der = element(SEQUENCE, &[&shown, plain.as_deref().unwrap_or(algorithm), signature]);
        let key = change.drops_key_parameters.then(|| Fields::of(original).map(|fields| fields.key)).transpose()?;
        Ok(Self {
            der: CertificateDer::from(der),
            recast: Some(Recast { shown, signed, scheme: change.signature, key }),
        })
    }

    /// Gives it to webpki as an end entity.
    pub(super) fn parse(&self) -> Result<EndEntityCert<'_>, webpki::Error> {
        EndEntityCert::try_from(&self.der)
    }
}

/// A row of the table of algorithms that knows of recast certificates, as webpki asks it.
#[derive(Debug)]
struct ShownAlgorithm<'a> {
    row: &'static Algorithm,
    shown: &'a [&'a Shown<'a>],
    /// The SubjectPublicKeyInfos of anchors that are shown without parameters.
    keys: &'a [Vec<u8>],
    allowed: Allowed,
}

/// Calls `ask` with the algorithms by which the signatures over these certificates are checked.
pub(super) fn with_algorithms<T>(
    shown: &[&Shown<'_>],
    keys: &[Vec<u8>],
    allowed: Allowed,
    ask: impl FnOnce(&[&dyn SignatureVerificationAlgorithm]) -> T,
) -> T {
    let made: Vec<_> = algorithms().iter().map(|row| ShownAlgorithm { row, shown, keys, allowed }).collect();
    let asked: Vec<_> = made.iter().map(|one| one as &dyn SignatureVerificationAlgorithm).collect();
    ask(&asked)
}

impl ShownAlgorithm<'_> {
    /// The key with the parameters that webpki was not shown.
    fn parts<'b>(&'b self, bits: &'b [u8]) -> Option<KeyParts<'b>> {
        let recast = self.shown.iter().filter_map(|shown| shown.recast.as_ref()?.key);
        let mut keys = recast.chain(self.keys.iter().map(Vec::as_slice)).filter_map(|key| KeyParts::of(key).ok());
        keys.find(|key| key.bits == bits)
    }
}

impl SignatureVerificationAlgorithm for ShownAlgorithm<'_> {
    fn verify_signature(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), InvalidSignature> {
        let mut recasts = self.shown.iter().filter_map(|shown| shown.recast.as_ref());
        let recast = recasts.find(|recast| recast.shown == message);
        let (message, scheme) = recast.map_or((message, None), |recast| (recast.signed, recast.scheme));
        let scheme = scheme.unwrap_or_else(|| self.row.scheme());
        let named = self.row.key_id();
        let key = self.parts(key).unwrap_or_else(|| KeyParts { algorithm: named.as_ref(), bits: key });
        scheme.verify_with(&key, Content::Message(message), signature, self.allowed).map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.row.key_id()
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.row.signature_id()
    }
}
