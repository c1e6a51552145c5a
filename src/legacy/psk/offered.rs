//! The key for the offer of a client of TLS 1.3 (RFC 8446 section 4.2.11).
//!
//! A client names its identities in the ClientHello, those of session tickets among them. The first known one counts.

use zeroize::Zeroizing;

use crate::error::Result;
use crate::legacy::offer::Offer;
use crate::session::TicketTag;

use super::key::{MAX_IDENTITY_BYTES, Psk, PskHash};
use super::keys::{Mark, Psks};

/// The largest number of identities of one client that a callback is asked about.
const MAX_ASKED: usize = 4;

/// The key that a client of TLS 1.3 is served with. Its binder is not verified yet.
pub(crate) struct OfferedKey {
    pub(in crate::legacy) identity: Box<[u8]>,
    pub(in crate::legacy) secret: Zeroizing<Box<[u8]>>,
    pub(in crate::legacy) hash: PskHash,
    /// The mark of the secret.
    pub(in crate::legacy) mark: Mark,
    /// False for a secret that no client has: the binder of the client is refused.
    pub(in crate::legacy) is_known: bool,
}

impl Psks {
    /// The key for an offer: that of its first known identity with a hash for which both sides have a suite.
    ///
    /// Without a known identity there is none, and a handshake with a certificate follows. A server that is `alone`,
    /// without a certificate, refuses an unknown identity as it refuses a wrong secret (RFC 8446 appendix E.6).
    ///
    /// Tickets of the second engine, which begin with `tag`, are no identities of keys.
    ///
    /// # Errors
    /// `PSK_UNAVAILABLE` if the callback fails.
    pub(in crate::legacy) fn for_offer(
        &self,
        offer: &Offer,
        has_suite: impl Fn(PskHash) -> bool,
        alone: bool,
        tag: Option<TicketTag>,
    ) -> Result<Option<OfferedKey>> {
        if !offer.versions.contains(&0x0304) || !offer.keeps_forward_secrecy {
            return Ok(None);
        }
        let identities = || offer.identities.iter().filter(|offered| offered.ticket_hash(tag).is_none());
        let mut asked = 0;
        for offered in identities() {
            // The age of an identity that is no ticket is 0 (RFC 8446 section 4.2.11). A callback gets no tickets.
            let may_ask = !offered.has_age && asked < MAX_ASKED && self.has_callback();
            if offered.identity.len() > MAX_IDENTITY_BYTES || self.is_own(&offered.identity) {
                continue;
            }
            let found = match self.table().get(&offered.identity) {
                Some((secret, hash)) => Some(Psk { secret: Zeroizing::new(Box::from(secret)), hash }),
                None if may_ask => {
                    asked += 1;
                    self.find(&offered.identity)?
                }
                None => None,
            };
            if let Some(Psk { secret, hash }) = found.filter(|key| has_suite(key.hash)) {
                let (identity, mark) = (offered.identity.clone(), self.mark_of(&secret)?);
                return Ok(Some(OfferedKey { identity, secret, hash, mark, is_known: true }));
            }
        }
        // A ticket of an earlier configuration is an unknown identity too.
        let Some(offered) = identities().next().filter(|_| alone && has_suite(PskHash::Sha256)) else {
            return Ok(None);
        };
        let secret = self.decoy_of(&offered.identity)?;
        Ok(Some(OfferedKey {
            identity: offered.identity.clone(),
            mark: self.mark_of(&secret)?,
            secret: Zeroizing::new(Box::from(secret.as_slice())),
            hash: PskHash::Sha256,
            is_known: false,
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use super::super::key::{PskCallback, PskFormat, PskRequest};
    use super::super::table::Table;
    use super::*;
    use crate::legacy::offer::Offered;

    fn offer(identities: &[(&str, bool)]) -> Offer {
        let offered =
            |(identity, has_age): &(&str, bool)| Offered { identity: identity.as_bytes().into(), has_age: *has_age };
        let identities = identities.iter().map(offered).collect();
        Offer { versions: vec![0x0304], keeps_forward_secrecy: true, identities, ..Offer::default() }
    }

    fn psks(callback: Option<PskCallback>) -> Psks {
        let mut table = Table::with_room(100);
        table.add(b"two", &[2; 16], PskHash::Sha256, false);
        table.add(b"three", &[3; 16], PskHash::Sha384, false);
        Psks::new(table, callback, PskFormat::Hex).unwrap()
    }

    fn named(key: Option<OfferedKey>) -> Option<(String, bool)> {
        key.map(|key| (String::from_utf8(key.identity.into()).unwrap(), key.is_known))
    }

    #[test]
    fn first_known_identity_with_a_suite_of_its_hash_counts() {
        let psks = psks(None);
        let offer = offer(&[("one", false), ("three", false), ("two", false)]);
        let all = psks.for_offer(&offer, |_| true, false, None).unwrap();
        assert_eq!(named(all), Some(("three".to_owned(), true)));
        let some = psks.for_offer(&offer, |hash| hash == PskHash::Sha256, false, None).unwrap();
        assert_eq!(named(some), Some(("two".to_owned(), true)));
    }

    #[test]
    fn unknown_identity_has_no_key_beside_a_certificate_and_a_decoy_without_one() {
        let psks = psks(None);
        let offer = offer(&[("one", false), ("ticket", true)]);
        assert_eq!(named(psks.for_offer(&offer, |_| true, false, None).unwrap()), None);
        assert_eq!(named(psks.for_offer(&offer, |_| true, true, None).unwrap()), Some(("one".to_owned(), false)));
    }

    #[test]
    fn offer_without_diffie_hellman_or_without_tls13_has_no_key() {
        let psks = psks(None);
        let without = |change: fn(&mut Offer)| {
            let mut offer = offer(&[("two", false)]);
            change(&mut offer);
            named(psks.for_offer(&offer, |_| true, true, None).unwrap())
        };
        assert_eq!(without(|_| ()), Some(("two".to_owned(), true)));
        assert_eq!(without(|offer| offer.keeps_forward_secrecy = false), None);
        assert_eq!(without(|offer| offer.versions = vec![0x0303]), None);
    }

    #[test]
    fn callback_is_asked_about_a_few_identities_and_never_about_tickets() {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let psks = psks(Some(Arc::new(move |request: &PskRequest<'_>| {
            log.lock().unwrap().push(String::from_utf8(request.identity.to_vec()).unwrap());
            Ok(None)
        })));
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut identities: Vec<_> = names.iter().map(|name| (*name, false)).collect();
        identities.insert(0, ("ticket", true));
        assert_eq!(named(psks.for_offer(&offer(&identities), |_| true, false, None).unwrap()), None);
        assert_eq!(*asked.lock().unwrap(), names[..MAX_ASKED]);
    }
}
