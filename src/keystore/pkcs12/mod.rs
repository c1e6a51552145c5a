//! PKCS#12 (RFC 7292) to entries, as OpenSSL, Java and Windows write it.
//!
//! Certificates are decrypted here, keys are left as they are. What is encrypted within what is encrypted is met layer
//! by layer, and each layer's cost is taken from the file's budget before it is opened.

mod bags;
pub(super) mod ber;
mod mac;

use std::collections::{HashMap, HashSet};

use rustls::pki_types::CertificateDer;
use zeroize::Zeroizing;

use crate::der::{CONTEXT_0, Cursor, OCTET_STRING, SEQUENCE};
use crate::error::{Code, Error, Result};
use crate::keystore::chain::Pool;
use crate::keystore::crypto::cost::{Allowance, Budget};
use crate::keystore::crypto::pbe::Scheme;
use crate::keystore::store::{Content, Entry, EntryKind};
use crate::keystore::{OpenOptions, Password, Secret, password};

use bags::{Bag, Held};
use mac::Mac;

const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
/// A context-specific primitive `[0]`.
pub(super) const CONTEXT_0_PRIMITIVE: u8 = 0x80;

/// The entries of a PKCS#12 store.
///
/// # Errors
/// `STORE_MALFORMED`, `STORE_MAC_MISSING`, `STORE_PASSWORD_MISSING`, `STORE_PASSWORD_WRONG`, `PASSWORD_UNAVAILABLE`,
/// `ENCRYPTION_UNSUPPORTED`, `PARAMETER_INVALID`, `COST_TOO_HIGH`, `CERTIFICATE_MALFORMED`, `KEY_MALFORMED`.
pub(super) fn read(label: &str, bytes: &[u8], options: &OpenOptions, budget: &mut Budget) -> Result<Content> {
    let mut opening = Opening { label, options, budget, password: None, verified: false, warnings: Vec::new() };
    let found = opening.bags(bytes).map_err(|error| error.at(label))?;
    let (found, names) = entries(found, options).map_err(|error| error.at(label))?;
    let content = Content::of(found)?;
    let locked = content.entries.iter().any(|entry| entry.key.as_ref().is_some_and(|key| key.encrypted));
    let password = match opening.password {
        // Nothing but a key may need it.
        None if locked => password::of_store(label, options),
        password => password.flatten(),
    };
    Ok(Content { warnings: [opening.warnings, content.warnings].concat(), used_password: password, names, ..content })
}

/// A store while it is opened.
struct Opening<'a> {
    label: &'a str,
    options: &'a OpenOptions,
    budget: &'a mut Budget,
    /// The answer to asking for the password, once it was asked for.
    password: Option<Option<Secret>>,
    /// True if the MAC has shown that the password is right.
    verified: bool,
    warnings: Vec<String>,
}

impl Opening<'_> {
    /// RFC 7292 section 4.
    fn bags(&mut self, bytes: &[u8]) -> Result<Vec<Bag>> {
        let bytes = ber::to_der(bytes, Code::StoreMalformed)?;
        let mut content = Cursor::new(&bytes, Code::StoreMalformed).enter(SEQUENCE, "PKCS#12 store")?;
        match content.unsigned("version of the PKCS#12 store")? {
            3 => {}
            version => return Err(Error::new(Code::StoreMalformed, format!("PKCS#12 version {version}"))),
        }
        let mut safe = content.enter(SEQUENCE, "authenticated safe")?;
        match safe.oid("kind of the authenticated safe")?.as_str() {
            DATA => {}
            SIGNED_DATA => return Err(Error::new(Code::EncryptionUnsupported, "PKCS#12 signed by a public key")),
            oid => return Err(Error::new(Code::StoreMalformed, format!("an authenticated safe of kind {oid}"))),
        }
        let safe = octets(&mut safe.enter(CONTEXT_0, "authenticated safe")?, "authenticated safe")?;
        match content.is_empty() {
            false => self.check_mac(&mut content.enter(SEQUENCE, "MAC")?, safe)?,
            true if self.options.insecure_allow_missing_mac => {
                self.warnings.push(format!("{}: it has no MAC, anyone could have altered it", self.label));
            }
            true => return Err(Code::StoreMacMissing.into()),
        }
        let safe = ber::to_der(safe, Code::StoreMalformed)?;
        let mut parts = Cursor::new(&safe, Code::StoreMalformed).enter(SEQUENCE, "contents")?;
        let mut bags = Vec::new();
        let mut number = 0_usize;
        while !parts.is_empty() {
            number += 1;
            match self.part(&mut parts.enter(SEQUENCE, "content")?, &mut bags) {
                Err(error) if is_of_one_part(error.code()) => {
                    bags.push(Bag::unusable(error, format!("{}, part {number}", self.label)));
                }
                done => done?,
            }
        }
        Ok(bags)
    }

    /// One ContentInfo of the authenticated safe, plain or encrypted.
    fn part(&mut self, part: &mut Cursor<'_>, bags: &mut Vec<Bag>) -> Result<()> {
        let oid = part.oid("kind of content")?;
        let mut content = part.enter(CONTEXT_0, "content")?;
        match oid.as_str() {
            DATA => bags::read(self.label, octets(&mut content, "content")?, bags),
            ENCRYPTED_DATA => bags::read(self.label, &self.decrypt(&mut content)?, bags),
            ENVELOPED_DATA => Err(Error::new(Code::EncryptionUnsupported, "content encrypted for a public key")),
            oid => Err(Error::new(Code::StoreMalformed, format!("content of kind {oid}"))),
        }
    }

    /// EncryptedData (RFC 5652 section 8).
    fn decrypt(&mut self, content: &mut Cursor<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let mut data = content.enter(SEQUENCE, "encrypted content")?;
        data.unsigned("version of the encrypted content")?;
        let mut data = data.enter(SEQUENCE, "encrypted content")?;
        data.oid("kind of the encrypted content")?;
        let scheme = Scheme::read(&mut data, Code::StoreMalformed)?;
        // In BER the string may be in pieces, under a tag that does not say that it is a string.
        let ciphertext = match data.optional(CONTEXT_0_PRIMITIVE, "encrypted content")? {
            Some(whole) => whole.content.to_vec(),
            None => {
                let mut pieces = data.enter(CONTEXT_0, "encrypted content")?;
                let mut whole = Vec::new();
                while !pieces.is_empty() {
                    whole.extend_from_slice(pieces.take(OCTET_STRING, "piece of the encrypted content")?.content);
                }
                whole
            }
        };
        let password = self.password()?;
        let known = password.is_some();
        let password = password.unwrap_or_default();
        self.budget.spend(scheme.cost(password.reveal()))?;
        match scheme.decrypt(password.reveal(), &ciphertext, is_sequence)? {
            Some(plain) => Ok(plain),
            None if self.verified => {
                let detail = "encrypted content that the password does not open, though the MAC is right with it";
                Err(Error::new(Code::StoreMalformed, detail))
            }
            None if known => Err(Code::StorePasswordWrong.into()),
            None => Err(Code::StorePasswordMissing.into()),
        }
    }

    /// The store's password, asked for once.
    fn password(&mut self) -> Result<Option<Secret>> {
        let (label, options) = (self.label, self.options);
        let password = self.password.get_or_insert_with(|| password::of_store(label, options)).clone();
        match password {
            None if matches!(options.password, Password::Callback(_)) => {
                Err(Error::new(Code::PasswordUnavailable, "for the store"))
            }
            password => Ok(password),
        }
    }

    /// Checks the MAC. Without a password an empty one is tried.
    fn check_mac(&mut self, mac: &mut Cursor<'_>, content: &[u8]) -> Result<()> {
        let mac = Mac::read(mac)?;
        let password = self.password()?;
        let known = password.is_some();
        let password = password.unwrap_or_default();
        self.budget.spend(mac.cost(password.reveal())).map_err(|error| error.at("MAC"))?;
        self.verified = mac.matches(password.reveal(), content)?;
        match (self.verified, known) {
            (true, _) => {
                // An empty password that was not given opens the keys as well.
                self.password = Some(Some(password));
                Ok(())
            }
            (false, true) => Err(Code::StorePasswordWrong.into()),
            (false, false) => Err(Code::StorePasswordMissing.into()),
        }
    }
}

/// Tells whether a fault is that of one part of the store, beside which others may be usable.
fn is_of_one_part(code: Code) -> bool {
    matches!(code, Code::EncryptionUnsupported | Code::ParameterInvalid | Code::CostTooHigh)
}

fn octets<'a>(content: &mut Cursor<'a>, what: &str) -> Result<&'a [u8]> {
    Ok(content.take(OCTET_STRING, what)?.content)
}

/// Returns true for one SEQUENCE, as decrypted content is. In BER, its length may be indefinite.
fn is_sequence(plain: &[u8]) -> bool {
    plain.starts_with(&[SEQUENCE, 0x80]) || Cursor::new(plain, Code::StoreMalformed).take(SEQUENCE, "").is_ok()
}

/// The names of certificates that are in a chain alone.
type Names = HashMap<CertificateDer<'static>, String>;

/// Keys with their chains, then trusted certificates, then those that belong to no key, then what is skipped.
fn entries(bags: Vec<Bag>, options: &OpenOptions) -> Result<(Vec<Entry>, Names)> {
    let certificates = bags.iter().filter_map(|bag| match &bag.held {
        Held::Certificate { der, .. } => Some(der.clone()),
        _ => None,
    });
    let pool = Pool::new(certificates)?;
    let owners = owners(&bags);
    let mut chain_bytes = Allowance::new(options.limits);
    let (mut entries, mut others) = (Vec::new(), Vec::new());
    let mut in_chains = HashSet::new();
    for (bag, owner) in bags.into_iter().zip(owners) {
        match bag.held {
            Held::Key(material) => {
                let chain = owner.map(|owner| pool.chain_of(&owner)).unwrap_or_default();
                chain_bytes.take(&chain)?;
                in_chains.extend(chain.iter().cloned());
                let entry = Entry::key(material, chain, bag.place);
                entries.push(Entry { alias: bag.alias, ..entry });
            }
            Held::Certificate { der, trusted } => others.push((bag.alias, bag.place, der, trusted)),
            Held::Skipped { kind, note } => {
                let entry = Entry::other(bag.place, Some(note));
                entries.push(Entry { alias: bag.alias, kind, ..entry });
            }
            Held::Unusable(fault) => entries.push(Entry { alias: bag.alias, ..Entry::unusable(fault, bag.place) }),
        }
    }
    let mut names = Names::new();
    for (alias, place, der, trusted) in others {
        if trusted || !in_chains.contains(&der) {
            let kind = if trusted { EntryKind::Trusted } else { EntryKind::Certificate };
            entries.push(Entry { alias, ..Entry::certificate(kind, der, place) });
        } else if let Some(alias) = alias {
            names.entry(der).or_insert(alias);
        }
    }
    entries.sort_by_key(|entry| match entry.kind {
        EntryKind::Key => 0,
        EntryKind::Trusted => 1,
        EntryKind::Certificate => 2,
        EntryKind::SecretKey | EntryKind::Other => 3,
    });
    Ok((entries, names))
}

/// The certificate of each bag that is a key, as the bag names it. If a bag names none and is the only key, the first
/// certificate.
///
/// Java's key id is the time of the entry in milliseconds, which entries made at once share. The name that Java writes
/// on both then tells them apart.
fn owners(bags: &[Bag]) -> Vec<Option<CertificateDer<'static>>> {
    let (mut first, mut by_id, mut by_id_and_name) = (None, HashMap::new(), HashMap::new());
    for bag in bags {
        if let Held::Certificate { der, .. } = &bag.held {
            first.get_or_insert(der);
            if let Some(id) = &bag.local_key_id {
                by_id.entry(id).or_insert(der);
                by_id_and_name.entry((id, &bag.alias)).or_insert(der);
            }
        }
    }
    let is_key = |bag: &&Bag| matches!(bag.held, Held::Key(_));
    let is_alone = bags.iter().filter(is_key).count() == 1;
    let owner = |bag: &Bag| match &bag.local_key_id {
        _ if !is_key(&bag) => None,
        Some(id) => by_id_and_name.get(&(id, &bag.alias)).or_else(|| by_id.get(id)).copied().cloned(),
        None => first.filter(|_| is_alone).cloned(),
    };
    bags.iter().map(owner).collect()
}
