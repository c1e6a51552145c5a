//! What the rooms of this folder refuse and accept, where they are asked together.

use super::*;

#[test]
fn empty_chain_is_refused_with_cert_missing() {
    let verifier = PeerVerifier::new(Vec::new(), Switches::default()).unwrap();
    let refused = verifier.verify(&[], Purpose::Client, None, UnixTime::since_unix_epoch(std::time::Duration::ZERO));
    assert_eq!(refused.unwrap_err().code(), Code::CertMissing);
}
