//! Identities from the entries of stores: keys with their certificates, and what becomes of those that cannot be used.

use std::sync::{Arc, OnceLock};

use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;

use super::Identity;
use super::chain::Pool;
use super::crypto::cost::Allowance;
use super::signing;
use super::store::Store;
use crate::certificate::describe;
use crate::error::{Code, Error, Result};

/// The most entries that are warned about one by one.
const MAX_WARNINGS: usize = 20;

/// A line for each place that is not used, with its reason.
pub(super) fn warnings_of_unused(unused: Vec<(String, Error)>) -> Vec<String> {
    let more = unused.len().saturating_sub(MAX_WARNINGS);
    let line = |(place, fault): (String, Error)| match fault.hint() {
        "" => format!("{place}: not used: {}", fault.message()),
        hint => format!("{place}: not used: {}. {hint}", fault.message()),
    };
    let lines = unused.into_iter().take(MAX_WARNINGS).map(line);
    lines.chain((more > 0).then(|| format!("{more} more entries are not used"))).collect()
}

/// Tells whether a fault is that of one entry, beside which others may be usable. A missing or wrong password is not:
/// the operator must know.
fn is_of_one_entry(code: Code) -> bool {
    matches!(
        code,
        Code::KeyAlgorithmUnsupported
            | Code::KeyMalformed
            | Code::KeyMismatch
            | Code::EncryptionUnsupported
            | Code::ParameterInvalid
            | Code::CostTooHigh
            | Code::NoCertificate
            | Code::CertificateMalformed
            | Code::ChainBroken
            | Code::PemMalformed
    )
}

/// The usable ones of these identities, each made when it is its turn.
pub(super) fn usable(
    store: &Store,
    made: impl Iterator<Item = (usize, String, Result<Identity>)>,
) -> Result<Vec<(usize, Identity)>> {
    let mut chains = Allowance::new(store.limits);
    let (mut identities, mut unused) = (Vec::new(), Vec::new());
    for (position, place, identity) in made {
        match identity {
            Ok(identity) => {
                chains.take(&identity.chain).map_err(|error| error.at(&store.label))?;
                identities.push((position, identity));
            }
            Err(error) if is_of_one_entry(error.code()) => unused.push((place, error)),
            Err(error) => return Err(error.at(place)),
        }
    }
    match (identities.first_mut(), unused.first()) {
        (Some((_, first)), _) => {
            first.warnings.extend(warnings_of_unused(unused));
            Ok(identities)
        }
        (None, Some((place, error))) => Err(error.clone().at(place)),
        (None, None) => Err(store.no_private_key()),
    }
}

/// The identity of a certificate file and a key file; each may also hold both.
///
/// # Errors
/// As [`Store::identities`]; the places of both files are named.
pub fn pair(certificates: &Store, key: &Store) -> Result<Identity> {
    let mut identities = pair_all(certificates, key)?.into_iter();
    identities.next().map(|(_, identity)| identity).ok_or_else(|| key.no_private_key())
}

/// An identity for each key of one file with the certificates of the other, with the key's place in its file.
pub(super) fn pair_all(certificates: &Store, keys: &Store) -> Result<Vec<(usize, Identity)>> {
    let Some((_, first)) = keys.keys().next() else { return Err(keys.no_private_key()) };
    let pool = certificates.pool()?;
    if pool.certificates().is_empty() {
        let error = first.fault().cloned().or_else(|| first.unserved()).map(|fault| fault.at(&first.place));
        return Err(error.unwrap_or_else(|| {
            certificates.for_lack(Code::NoCertificate, &certificates.summary()).at(&certificates.label)
        }));
    }
    let is_alone = keys.keys().nth(1).is_none();
    let made = keys.keys().map(|(position, entry)| {
        let place = match certificates.label == keys.label {
            true => entry.place.clone(),
            false => format!("{} with the key in {}", certificates.label, entry.place),
        };
        let identity = keys.decrypt(entry).and_then(|key| {
            let signing_key = keys.signing_key(entry, &key)?;
            let identity = assemble(&key, signing_key, pool, &place, is_alone)?;
            identity.ok_or_else(|| {
                certificates.lost().unwrap_or_else(|| {
                    let first = pool.certificates().first().filter(|_| is_alone);
                    let none = || "no certificate fits the key".to_owned();
                    Error::new(
                        Code::KeyMismatch,
                        first.map_or_else(none, |der| format!("certificate {}", describe(der))),
                    )
                })
            })
        });
        (position, place, identity)
    });
    usable(keys, made)
}

/// Finds the certificate of the key, and its chain; `None` if no certificate fits.
pub(super) fn assemble(
    key: &PrivateKeyDer<'static>,
    signing_key: Arc<dyn SigningKey>,
    pool: &Pool,
    place: &str,
    tell_extra: bool,
) -> Result<Option<Identity>> {
    let Some(end_entity) = pool.certificate_of(signing_key.as_ref())? else { return Ok(None) };
    let chain = pool.chain(end_entity)?;
    let mut warnings = Vec::new();
    if tell_extra && chain.reordered {
        warnings
            .push(format!("{place}: the certificates were not in the order of the chain and have been put into it"));
    }
    if tell_extra {
        let left_out: Vec<_> = pool.left_out(&chain).collect();
        let more = left_out.len().saturating_sub(MAX_WARNINGS);
        warnings.extend(left_out.into_iter().take(MAX_WARNINGS).map(|certificate| {
            let certificate = describe(certificate);
            format!("{place}: a certificate does not belong to the chain and is not sent: {certificate}")
        }));
        warnings.extend((more > 0).then(|| format!("{place}: {more} more certificates do not belong to the chain")));
    }
    if let Some(bits) = signing::small_rsa_bits(signing_key.as_ref()) {
        warnings.push(format!("{place}: the key is RSA {bits}, below 2048 bits; current peers refuse it"));
    }
    if pool.has_compressed_point(end_entity) {
        warnings.push(format!("{place}: the certificate has its key as a compressed point; some peers refuse it"));
    }
    let chain = pool.certificates_of(&chain).cloned().collect();
    let (key, place, certified) = (Some(key.clone_key()), place.to_owned(), OnceLock::new());
    Ok(Some(Identity { chain, key, signing_key, place, warnings, is_foreign: false, certified }))
}
