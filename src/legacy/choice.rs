//! The choice of the engine for a client, by the facts of its ClientHello.
//!
//! rustls serves each client that it can serve. The second engine serves the others, those that are to be authenticated
//! by a pre-shared key, and those that resume a session of it.

use super::psk::OfferedKey;

/// The engine for a client.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice<Key = OfferedKey> {
    Rustls,
    /// With the pre-shared key of TLS 1.3, if it is served with one.
    Second(Option<Key>),
}

/// The facts of an offer that decide.
pub(super) struct OfferFacts<Key = OfferedKey> {
    /// The pre-shared key of TLS 1.3 that the client has named.
    pub(super) key: Option<Key>,
    /// True if it has a session of the second engine in a ticket of TLS 1.3.
    pub(super) has_session: bool,
    /// True if the preferred common suite of TLS 1.2 has a pre-shared key.
    pub(super) prefers_psk: bool,
    /// True if rustls can serve the offer, or is the only one that serves its newest version.
    pub(super) is_of_rustls: bool,
}

/// Chooses the engine.
pub(super) fn choose<Key>(has_rustls: bool, facts: OfferFacts<Key>) -> Choice<Key> {
    match facts {
        OfferFacts { key: None, has_session: false, prefers_psk: false, is_of_rustls: true } if has_rustls => {
            Choice::Rustls
        }
        OfferFacts { key, .. } => Choice::Second(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSTLS: Choice<u8> = Choice::Rustls;
    const SECOND: Choice<u8> = Choice::Second(None);
    const BY_KEY: Choice<u8> = Choice::Second(Some(7));

    #[test]
    fn rustls_serves_what_it_can_unless_a_pre_shared_key_is_meant() {
        for (has_rustls, key, prefers_psk, is_of_rustls, chosen) in [
            (true, None, false, true, RUSTLS),
            (true, None, false, false, SECOND),
            (true, None, true, true, SECOND),
            (true, None, true, false, SECOND),
            (true, Some(7), false, true, BY_KEY),
            (true, Some(7), true, false, BY_KEY),
            (false, None, false, true, SECOND),
            (false, Some(7), false, true, BY_KEY),
        ] {
            let facts = OfferFacts { key, has_session: false, prefers_psk, is_of_rustls };
            assert_eq!(choose(has_rustls, facts), chosen, "{has_rustls} {key:?} {prefers_psk} {is_of_rustls}");
        }
    }

    #[test]
    fn session_of_the_second_engine_is_resumed_by_it_with_the_key_if_there_is_one() {
        for (has_rustls, key, chosen) in [(true, None, SECOND), (true, Some(7), BY_KEY), (false, None, SECOND)] {
            let facts = OfferFacts { key, has_session: true, prefers_psk: false, is_of_rustls: true };
            assert_eq!(choose(has_rustls, facts), chosen, "{has_rustls} {key:?}");
        }
    }
}
