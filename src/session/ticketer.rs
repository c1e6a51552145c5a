//! The keys that seal tickets: AES-256-GCM under a key that rustls' rotator replaces.
//!
//! rustls' own ticketer seals with AES-CBC and HMAC, which takes twice the time of a ticket.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use rustls::crypto::GetRandomFailed;
use rustls::server::ProducesTickets;
use rustls::ticketer::TicketRotator;
use zeroize::Zeroizing;

use crate::error::{Code, Error, Result};
use crate::random;

/// A key seals tickets for so long, and opens them for so long again. Nonces are random, so a key may seal 2^32 tickets
/// (NIST SP 800-38D section 8.3): 190,000 a second.
const KEY_LIFETIME_S: u32 = 6 * 60 * 60;

const KEY_BYTES: usize = 32;

/// Makes a ticketer with keys of its own.
///
/// # Errors
/// `INTERNAL` without random bytes.
pub(super) fn ticketer() -> Result<TicketRotator> {
    let made = TicketRotator::new(KEY_LIFETIME_S, || Ok(Box::new(SealedTickets::new()?)));
    made.map_err(|error| Error::new(Code::Internal, "no keys for tickets").with_source(error))
}

/// Tickets under one key: a random nonce, the sealed bytes and the tag.
#[derive(Debug)]
struct SealedTickets(LessSafeKey);

impl SealedTickets {
    fn new() -> Result<Self, GetRandomFailed> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        random::fill(&mut *key)?;
        UnboundKey::new(&AES_256_GCM, &*key).map(|key| Self(LessSafeKey::new(key))).map_err(|_| GetRandomFailed)
    }
}

impl ProducesTickets for SealedTickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        KEY_LIFETIME_S
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        random::fill(&mut nonce).ok()?;
        // With its final size at once: a vector that grows would leave a copy of the secrets.
        let mut ticket = vec![0; NONCE_LEN + plain.len() + MAX_TAG_LEN];
        let (place, sealed) = ticket.split_first_chunk_mut::<NONCE_LEN>()?;
        let (sealed, tag) = sealed.split_at_mut(plain.len());
        *place = nonce;
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.seal_out_of_place_scatter(nonce, Aad::empty(), plain, sealed, &[], tag).ok()?;
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = ticket.split_first_chunk::<NONCE_LEN>()?;
        let (sealed, tag) = sealed.split_last_chunk::<MAX_TAG_LEN>()?;
        let mut plain = vec![0; sealed.len()];
        let nonce = Nonce::assume_unique_for_key(*nonce);
        self.0.open_separate_gather(nonce, Aad::empty(), sealed, tag, &mut plain).ok()?;
        Some(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_opens_under_its_key_alone_and_no_two_are_alike() {
        let (ours, other) = (SealedTickets::new().unwrap(), SealedTickets::new().unwrap());
        for plain in [&b""[..], b"state", &[7; 5000]] {
            let (one, two) = (ours.encrypt(plain).unwrap(), ours.encrypt(plain).unwrap());
            assert_eq!(one.len(), NONCE_LEN + plain.len() + MAX_TAG_LEN);
            assert_ne!(one, two);
            assert_eq!((ours.decrypt(&one).as_deref(), ours.decrypt(&two).as_deref()), (Some(plain), Some(plain)));
            assert_eq!(other.decrypt(&one), None);
        }
    }

    #[test]
    fn altered_and_cut_tickets_do_not_open() {
        let tickets = SealedTickets::new().unwrap();
        let ticket = tickets.encrypt(b"state").unwrap();
        for at in 0..ticket.len() {
            let mut altered = ticket.clone();
            altered[at] ^= 1;
            assert_eq!((tickets.decrypt(&altered), tickets.decrypt(&ticket[..at])), (None, None), "{at}");
        }
    }
}
