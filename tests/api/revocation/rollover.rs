//! Authorities that have changed their key: lists of either key count for certificates of both. The other key's
//! certificate must be trusted, in the path, or signed by a certificate that is. Lists of other issuers never count.

use brokertls::error::{Code, Error};
use brokertls::revocation::{Crls, Mode, Revocation, RevocationPolicy};
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use brokertls::{CrlSource, Source};
use rcgen::{CertificateParams, IsCa, KeyUsagePurpose, SerialNumber, date_time_ymd};
use rustls::pki_types::CertificateDer;

use crate::revocation::fetch::{BAD, GOOD, World, assert_code, list_at};
use crate::revocation::{List, SERIAL, key_identifier_of, policy};
use crate::rig::pair::{Authority, Pair};
use crate::rig::pki::{Made, ca, element, host, now, self_signed};
use crate::rig::web::Play;

fn judge(trust: &[&Made], chain: &[&CertificateDer<'static>], mode: Mode, lists: &[Vec<u8>]) -> Result<(), Error> {
    let mut crls = Crls::default();
    for (at, list) in lists.iter().enumerate() {
        crls.add(list, &format!("{at}.crl"))?;
    }
    let trusted = trust.iter().map(|made| made.trusted()).collect();
    let depth = brokertls::revocation::Depth::Leaf;
    let revocation = Revocation::new(RevocationPolicy { depth, ..policy(mode) }, crls);
    let verifier = PeerVerifier::new(trusted, Deviations::default()).unwrap().with_revocation(revocation);
    let chain: Vec<_> = chain.iter().map(|der| (*der).clone()).collect();
    verifier.verify(&chain, Purpose::Server, None, now()).map(|_| ())
}

/// In both modes: refused as revoked, accepted by knowledge, or not known.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Revoked,
    Good,
    Unknown,
}

#[track_caller]
fn verdict(trust: &[&Made], chain: &[&CertificateDer<'static>], lists: &[Vec<u8>]) -> Verdict {
    let code = |mode| judge(trust, chain, mode, lists).err().map(|error| error.code());
    match (code(Mode::Require), code(Mode::Prefer)) {
        (Some(Code::CertRevoked), Some(Code::CertRevoked)) => Verdict::Revoked,
        (None, None) => Verdict::Good,
        (Some(Code::RevocationUnknown), None) => Verdict::Unknown,
        other => panic!("{other:?}"),
    }
}

/// Both keys of a root, and a server with [`SERIAL`] by the old one.
fn rolled() -> (Made, Made, Made) {
    let (old, new) = (self_signed(ca("root")), self_signed(ca("root")));
    let server = old.issue(server());
    (old, new, server)
}

fn server() -> CertificateParams {
    let mut params = host("broker.example");
    params.serial_number = Some(SerialNumber::from_slice(SERIAL));
    params
}

fn older(list: List) -> List {
    List { this_update: "251115000000Z", ..list }
}

#[test]
fn list_of_the_other_trusted_key_counts() {
    let (old, new, server) = rolled();
    let chain = [&server.der];
    for trust in [[&old, &new], [&new, &old]] {
        assert_eq!(verdict(&trust, &chain, &[List::new().signed_by(&new)]), Verdict::Revoked);
        assert_eq!(verdict(&trust, &chain, &[List::empty().signed_by(&new)]), Verdict::Good);
    }
    assert_eq!(verdict(&[&old], &chain, &[List::new().signed_by(&new)]), Verdict::Unknown);
    assert_eq!(verdict(&[&old], &chain, &[List::empty().signed_by(&new)]), Verdict::Unknown);
}

#[test]
fn newer_list_of_one_key_does_not_hide_that_the_list_of_the_other_revokes() {
    let (old, new, server) = rolled();
    let (trust, chain) = ([&old, &new], [&server.der]);
    for (first, second) in [(&old, &new), (&new, &old)] {
        let revoking = older(List::new()).signed_by(first);
        let newer = List::empty().signed_by(second);
        for lists in [[revoking.clone(), newer.clone()], [newer, revoking]] {
            assert_eq!(verdict(&trust, &chain, &lists), Verdict::Revoked);
        }
        // Of one key, the newer list counts.
        let lists = [older(List::new()).signed_by(first), List::empty().signed_by(first)];
        assert_eq!(verdict(&trust, &chain, &lists), Verdict::Good);
    }
    // What is out of date with one key is known by the other.
    let late = List { next_update: Some("251231000000Z"), ..older(List::empty()) }.signed_by(&old);
    assert_eq!(verdict(&trust, &chain, &[late, List::empty().signed_by(&new)]), Verdict::Good);
}

#[test]
fn other_key_counts_if_the_peer_sends_a_certificate_of_it_that_a_known_key_has_signed() {
    let (old, new, server) = rolled();
    let certify = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = ca("root");
        change(&mut params);
        params.signed_by(&new.key, &rcgen::Issuer::from_params(&old.params, &old.key)).unwrap().der().clone()
    };
    let lists = |made: &Made| [vec![List::new().signed_by(made)], vec![List::empty().signed_by(made)]];
    let new_with_old = certify(&|_| ());
    let [revoking, good] = lists(&new);
    assert_eq!(verdict(&[&old], &[&server.der, &new_with_old], &revoking), Verdict::Revoked);
    assert_eq!(verdict(&[&old], &[&server.der, &new_with_old], &good), Verdict::Good);
    // Not if it is no CA, may not sign lists, is out of date, has another name, or no known issuer has signed it.
    let no_ca = certify(&|params| params.is_ca = IsCa::NoCa);
    let no_lists = certify(&|params| params.key_usages = vec![KeyUsagePurpose::KeyCertSign]);
    let late = certify(&|params| params.not_after = date_time_ymd(2025, 12, 31));
    let early = certify(&|params| params.not_before = date_time_ymd(2026, 1, 2));
    let named = certify(&|params| params.distinguished_name = ca("other").distinguished_name);
    for other in [no_ca, no_lists, late, early, named, new.der.clone()] {
        for lists in [&revoking, &good] {
            assert_eq!(verdict(&[&old], &[&server.der, &other], lists), Verdict::Unknown);
        }
    }
}

#[test]
fn key_of_a_namesake_without_a_trusted_issuer_hides_and_proves_nothing() {
    let (old, forger, server) = rolled();
    let forged = List { this_update: "251231000000Z", ..List::empty() }.signed_by(&forger);
    let many: Vec<Made> = (0..2).map(|_| self_signed(ca("root"))).collect();
    let mut chain = vec![&server.der, &forger.der];
    chain.extend(many.iter().map(|made| &made.der));
    assert_eq!(verdict(&[&old], &chain, std::slice::from_ref(&forged)), Verdict::Unknown);
    assert_eq!(verdict(&[&old], &chain, &[forged, older(List::new()).signed_by(&old)]), Verdict::Revoked);
}

#[test]
fn other_key_of_an_intermediate_counts_by_its_common_issuer() {
    let root = self_signed(ca("root"));
    let (old, new) = (root.issue(ca("intermediate")), root.issue(ca("intermediate")));
    let server = old.issue(server());
    let stranger = self_signed(ca("other")).issue(ca("intermediate"));
    for (signer, chain, known) in [
        (&new, vec![&server.der, &old.der, &new.der], true),
        (&new, vec![&server.der, &new.der, &old.der], true),
        (&new, vec![&server.der, &old.der], false),
        (&stranger, vec![&server.der, &old.der, &stranger.der], false),
    ] {
        let [revoking, good] =
            [List::new(), List::empty()].map(|list| verdict(&[&root], &chain, &[list.signed_by(signer)]));
        let expected = if known { [Verdict::Revoked, Verdict::Good] } else { [Verdict::Unknown, Verdict::Unknown] };
        assert_eq!([revoking, good], expected);
    }
    // The other certificate is trusted itself.
    let chain = [&server.der, &old.der];
    assert_eq!(verdict(&[&root, &new], &chain, &[List::new().signed_by(&new)]), Verdict::Revoked);
}

/// RFC 5280 section 6.3.3 (f): the path of the list's signer ends at the anchor of the certificate's path.
#[test]
fn other_key_that_a_trusted_root_outside_the_path_vouches_for_proves_nothing() {
    let (root, other) = (self_signed(ca("root")), self_signed(ca("other")));
    let intermediate = root.issue(ca("intermediate"));
    let server = intermediate.issue(server());
    let namesake = other.issue(ca("intermediate"));
    let chain = [&server.der, &intermediate.der, &namesake.der];
    let empty = List::empty().signed_by(&namesake);
    for trust in [[&root, &other], [&other, &root]] {
        assert_eq!(verdict(&trust, &chain, std::slice::from_ref(&empty)), Verdict::Unknown);
        let revoking = older(List::new()).signed_by(&intermediate);
        assert_eq!(verdict(&trust, &chain, &[empty.clone(), revoking]), Verdict::Revoked);
    }
    // A root that has changed its key is one root.
    let renewed = self_signed(ca("root"));
    let sibling = renewed.issue(ca("intermediate"));
    let chain = [&server.der, &intermediate.der, &sibling.der];
    let lists = [List::new().signed_by(&sibling)];
    assert_eq!(verdict(&[&root, &renewed], &chain, &lists), Verdict::Revoked);
}

#[test]
fn key_of_the_path_above_a_self_issued_certificate_counts() {
    // The new key's certificate by the old key, which alone is trusted.
    let (old, new, _) = rolled();
    let new_with_old = ca("root").signed_by(&new.key, &rcgen::Issuer::from_params(&old.params, &old.key)).unwrap();
    let server = new.issue(server());
    let chain = [&server.der, new_with_old.der()];
    for signer in [&old, &new] {
        assert_eq!(verdict(&[&old], &chain, &[List::new().signed_by(signer)]), Verdict::Revoked);
        assert_eq!(verdict(&[&old], &chain, &[List::empty().signed_by(signer)]), Verdict::Good);
    }
}

#[test]
fn of_many_keys_of_a_name_the_one_that_the_list_names_is_tried() {
    let keys: Vec<Made> = (0..20).map(|_| self_signed(ca("root"))).collect();
    let trust: Vec<&Made> = keys.iter().collect();
    let server = keys[0].issue(server());
    for signer in [&keys[0], &keys[7], &keys[19]] {
        let identifier = element(0x30, &element(0x80, &key_identifier_of(&signer.der)));
        let list = List::new().extension(35, false, &identifier);
        assert_eq!(verdict(&trust, &[&server.der], &[list.signed_by(signer)]), Verdict::Revoked);
    }
    // A hint that is false or cannot be read is no more than a hint.
    for identifier in [element(0x30, &element(0x80, &[1; 20])), vec![0x30, 3, 1]] {
        let list = List::new().extension(35, false, &identifier);
        assert_eq!(verdict(&trust, &[&server.der], &[list.signed_by(&keys[0])]), Verdict::Revoked);
    }
}

#[test]
fn fetched_list_of_the_other_key_counts_and_is_renewed_with_either_key() {
    let world = World::new("rollover");
    let new = Authority::new("ca");
    let serve = |authority: &Authority, serials: &[&[u8]]| {
        world.web.play("/ca.crl", Play::Content(authority.crl(serials).into_bytes()));
    };
    let url = world.web.url("/ca.crl");
    let (good, bad) = (world.server(GOOD, list_at(&url)), world.server(BAD, list_at(&url)));
    serve(&new, &[BAD]);
    for mode in [Mode::Require, Mode::Prefer] {
        let client = world.client(|builder| builder.trust(new.trust()).revocation(mode).fetch_refresh_s(60));
        Pair::connect(&good, &client, "broker");
        assert_eq!(client.revocation_unknown_accepted(), 0);
        assert_code(&Pair::new(&bad, &client, "broker").run().client, Code::CertRevoked);
        for (authority, serials, revoked) in
            [(&world.authority, [GOOD], &good), (&new, [BAD], &bad), (&world.authority, [GOOD], &good)]
        {
            serve(authority, &serials);
            world.clock.advance(100);
            client.maintain();
            assert_code(&Pair::new(revoked, &client, "broker").run().client, Code::CertRevoked);
        }
        serve(&new, &[BAD]);
    }
    // Who trusts the old key alone does not believe the new one.
    let client = world.client(|builder| builder);
    assert_code(&Pair::new(&bad, &client, "broker").run().client, Code::RevocationResponseInvalid);
}

/// Microsoft's CA and Vault have a list for each key, of the certificates that this key has signed.
#[test]
fn list_of_the_other_key_does_not_keep_the_own_key_s_list_from_being_fetched() {
    let mut world = World::new("rollover-partition");
    let (old_url, new_url) = (world.web.url("/ca.crl"), world.web.url("/ca1.crl"));
    let old_list = world.authority.crl(&[]);
    world.web.play("/ca.crl", Play::Content(old_list.clone().into_bytes()));
    let by_old = world.server(GOOD, list_at(&old_url));
    let old_trust = world.authority.trust();
    world.authority = Authority::new("ca");
    let list = world.authority.crl(&[BAD]);
    world.web.play("/ca1.crl", Play::Content(list.into_bytes()));
    let (good, revoked) = (world.server(GOOD, list_at(&new_url)), world.server(BAD, list_at(&new_url)));
    let (_responder, responder_url) = world.responder(&world.authority);
    for mode in [Mode::Require, Mode::Prefer] {
        // The other key's list has been fetched before.
        let client = world.client(|builder| builder.trust(old_trust.clone()).revocation(mode));
        Pair::connect(&by_old, &client, "broker");
        assert_code(&Pair::new(&revoked, &client, "broker").run().client, Code::CertRevoked);
        Pair::connect(&good, &client, "broker");
        // It is configured.
        let file = Source::memory("ca.crl", old_list.as_bytes());
        let client =
            world.client(|builder| builder.trust(old_trust.clone()).crl(CrlSource::Source(file)).revocation(mode));
        assert_code(&Pair::new(&revoked, &client, "broker").run().client, Code::CertRevoked);
        assert_code(&world.ask(&client, BAD, &responder_url), Code::CertRevoked);
        // Nothing but the other key's list can be had: it counts, as the one list of an authority with two keys does.
        let lost = world.server(GOOD, list_at(&world.web.url("/lost.crl")));
        Pair::connect(&lost, &client, "broker");
    }
}
