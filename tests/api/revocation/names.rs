//! Parts of a list that must fit a certificate: its issuer's name however it is written, the names of distribution
//! points, serial numbers to the sign, and times.

use brokertls::error::Code;
use brokertls::revocation::{Crl, Mode, RevocationPolicy};
use brokertls::verify::{Deviations, PeerVerifier, Purpose};
use rcgen::{CustomExtension, SerialNumber};
use rustls::pki_types::UnixTime;

use crate::revocation::{List, Pki, SERIAL, entry, extension, judge, point, policy, scope};
use crate::rig::pki::{ca, element, host, now, self_signed};

const CN: &[u8] = &[6, 3, 0x55, 4, 3];

/// A relative name with a common name in this string type.
fn relative(tag: u8, text: &[u8]) -> Vec<u8> {
    element(0x30, &[CN, &element(tag, text)].concat())
}

/// A name of one common name in this string type.
fn name(tag: u8, text: &[u8]) -> Vec<u8> {
    element(0x30, &element(0x31, &relative(tag, text)))
}

/// Results of both modes with a list that revokes, and with one that does not.
#[track_caller]
fn assert_speaks(pki: &Pki, list: impl Fn(List) -> List, speaks: bool) {
    let revoking = list(List::new()).signed_by(&pki.root);
    let empty = List { entries: Vec::new(), ..list(List::new()) }.signed_by(&pki.root);
    for mode in [Mode::Require, Mode::Prefer] {
        let code = |list: &Vec<u8>| pki.judge(policy(mode), std::slice::from_ref(list)).err().map(|error| error.code());
        let unknown = (mode == Mode::Require).then_some(Code::RevocationUnknown);
        let expected = if speaks { (Some(Code::CertRevoked), None) } else { (unknown, unknown) };
        assert_eq!((code(&revoking), code(&empty)), expected, "{mode:?}");
    }
}

#[test]
fn issuer_in_another_string_type_case_or_spacing_is_the_same() {
    let pki = Pki::new();
    let same = [
        name(0x0c, b"root"),
        name(0x13, b"root"),
        name(0x13, b"ROOT"),
        name(0x14, b"Root"),
        name(0x0c, b"  root "),
        name(0x1e, b"\0r\0o\0o\0t"),
    ];
    for issuer in same {
        assert_speaks(&pki, |list| List { issuer: Some(issuer.clone()), ..list }, true);
    }
    let others = [name(0x0c, b"root2"), name(0x0c, b"ro ot"), name(0x04, b"root"), element(0x30, &[])];
    for issuer in others {
        assert_speaks(&pki, |list| List { issuer: Some(issuer.clone()), ..list }, false);
    }
}

/// A root, and a server of it with these extensions.
fn with_extensions(extensions: &[(u64, Vec<u8>)]) -> Pki {
    let root = self_signed(ca("root"));
    let mut params = host("broker.example");
    params.serial_number = Some(SerialNumber::from_slice(SERIAL));
    let custom =
        |(number, value): &(u64, Vec<u8>)| CustomExtension::from_oid_content(&[2, 5, 29, *number], value.clone());
    params.custom_extensions = extensions.iter().map(custom).collect();
    let server = root.issue(params);
    Pki { root, server }
}

/// One distribution point with these fields.
fn with_point(fields: &[Vec<u8>]) -> Pki {
    with_extensions(&[(31, element(0x30, &element(0x30, &fields.concat())))])
}

fn directory(name: &[u8]) -> Vec<u8> {
    element(0xa4, name)
}

/// The field distributionPoint with a full name, and with a name relative to the issuer.
fn full(names: &[Vec<u8>]) -> Vec<u8> {
    element(0xa0, &element(0xa0, &names.concat()))
}

fn relative_point(relative: &[u8]) -> Vec<u8> {
    element(0xa0, &element(0xa1, relative))
}

fn below_root(tag: u8, text: &[u8]) -> Vec<u8> {
    let names = [element(0x31, &relative(0x0c, b"root")), element(0x31, &relative(tag, text))];
    element(0x30, &names.concat())
}

#[test]
fn distribution_points_relative_to_the_issuer_are_the_same_as_in_full() {
    let point = || relative_point(&relative(0x0c, b"CRL1"));
    let certificates = [
        with_point(&[point()]),
        with_point(&[relative_point(&relative(0x13, b"crl1"))]),
        with_point(&[full(&[directory(&below_root(0x0c, b"CRL1"))])]),
        with_point(&[full(&[element(0x86, b"http://crl.example/1"), directory(&below_root(0x13, b"CRL1"))])]),
    ];
    let idps = [point(), full(&[directory(&below_root(0x13, b"CRL1"))]), relative_point(&relative(0x13, b"CRL1"))];
    for pki in &certificates {
        for idp in &idps {
            assert_speaks(pki, |list| list.extension(28, true, &element(0x30, idp)), true);
        }
        let others = [
            relative_point(&relative(0x0c, b"CRL2")),
            relative_point(&[0x30, 0]),
            full(&[directory(&name(0x0c, b"CRL1"))]),
        ];
        for idp in &others {
            assert_speaks(pki, |list| list.extension(28, true, &element(0x30, idp)), false);
        }
    }
}

#[test]
fn point_that_names_its_own_issuer_is_honoured_and_one_of_another_is_not() {
    let uri = || full(&[element(0x86, b"http://crl.example/1")]);
    let own = || element(0xa2, &directory(&name(0x13, b"ROOT")));
    let other = || element(0xa2, &directory(&name(0x0c, b"other")));
    let idp = |list: List| list.extension(28, true, &element(0x30, &uri()));
    assert_speaks(&with_point(&[uri()]), idp, true);
    assert_speaks(&with_point(&[uri(), own()]), idp, true);
    assert_speaks(&with_point(&[uri(), other()]), idp, false);
    // A point of an issuer alone: its name stands for that of the point.
    let named = |list: List| list.extension(28, true, &element(0x30, &full(&[directory(&name(0x0c, b"root"))])));
    assert_speaks(&with_point(&[own()]), named, true);
    assert_speaks(&with_point(&[other()]), idp, false);
}

#[test]
fn name_of_the_issuer_stands_for_a_point_also_beside_others() {
    let idp = |names: &[Vec<u8>]| {
        let value = element(0x30, &full(names));
        move |list: List| list.extension(28, true, &value)
    };
    let issuer = idp(&[directory(&name(0x13, b"Root"))]);
    assert_speaks(&Pki::new(), &issuer, true);
    assert_speaks(&Pki::with_points(&["http://crl.example/1"]), &issuer, true);
    // By an alternative name of the issuer.
    let mail = element(0x81, b"pki@example.org");
    let alternative = with_extensions(&[(18, element(0x30, &mail))]);
    assert_speaks(&alternative, idp(std::slice::from_ref(&mail)), true);
    assert_speaks(&Pki::new(), idp(&[mail]), false);
}

#[test]
fn scheme_and_host_of_a_point_are_the_same_in_either_case_and_its_path_is_not() {
    let pki = Pki::with_points(&["http://crl.example/Ca.crl"]);
    for (uri, speaks) in [
        ("HTTP://CRL.Example/Ca.crl", true),
        ("http://crl.example/ca.crl", false),
        ("http://crl.example:80/Ca.crl", false),
        ("crl.example/Ca.crl", false),
        ("http://", false),
    ] {
        assert_speaks(&pki, |list| list.extension(28, true, &element(0x30, &point(uri))), speaks);
    }
}

#[test]
fn list_that_does_not_speak_of_a_certificate_is_named_with_what_it_speaks_of() {
    let flag = |tag: u8| element(tag, &[0xff]);
    // As step-ca makes it: the list has a point, and its certificates name none.
    let step_ca = [point("https://ca.example:9000/1.0/crl"), flag(0x81)];
    let reasons = element(0x83, &[5, 0b0110_0000]);
    for (fields, told) in [
        (
            step_ca.to_vec(),
            "end-entity certificates alone; certificates with the distribution point URI:https://ca.example:9000/1.0/crl",
        ),
        (vec![flag(0x82)], "CA certificates alone"),
        (
            vec![point("http://a.example/"), reasons],
            "the distribution point URI:http://a.example/; the reasons keyCompromise, cACompromise alone",
        ),
        (vec![full(&[directory(&name(0x0c, b"elsewhere"))])], "the distribution point dirName:CN=elsewhere"),
    ] {
        let list = List { entries: Vec::new(), ..scope(&fields) };
        let error = Pki::new().refusal(&list);
        assert_eq!(error.code(), Code::RevocationUnknown);
        assert!(
            error.detail().contains("ca.crl does not speak of it: its issuing distribution point is for"),
            "{error}"
        );
        assert!(error.detail().contains(told), "{told}: {error}");
        let shown = Crl::from_der(&list.signed_by(&Pki::new().root), "ca.crl").unwrap().facts().scope;
        assert!(shown.as_ref().is_some_and(|shown| shown.contains(told)), "{shown:?}");
    }
    assert_eq!(Crl::from_der(&List::new().signed_by(&Pki::new().root), "ca.crl").unwrap().facts().scope, None);
    // What strangers wrote is not shown at length, and moves no terminal.
    let long = List { entries: Vec::new(), ..scope(&[point(&format!("http://\u{1b}[2J{}", "a".repeat(3000)))]) };
    let shown = Pki::new().refusal(&long);
    assert!(shown.detail().len() < 1000 && !shown.detail().chars().any(char::is_control), "{shown}");
}

#[test]
fn negative_serial_number_is_not_the_positive_one_of_the_same_bytes() {
    let pki = Pki::new();
    for (negative, positive) in [(&[0xff][..], &[0, 0xff][..]), (&[0x80, 1], &[0, 0x80, 1]), (&[0xff; 20], &[0; 21])] {
        let positive = if positive == [0; 21] { [&[0][..], &[0xff; 20]].concat() } else { positive.to_vec() };
        for (known, other) in [(negative, positive.as_slice()), (positive.as_slice(), negative)] {
            let list = List { entries: vec![entry(known, &[])], ..List::new() };
            let list = Crl::from_der(&list.signed_by(&pki.root), "ca.crl").unwrap();
            // DER has -1 in one byte, however many there were.
            assert!(list.find(known).is_some(), "{known:?}");
            assert_eq!(list.find(other), None, "{known:?}");
        }
    }
}

fn judge_at(pki: &Pki, mode: Mode, seconds: i64, lists: &[Vec<u8>]) -> Option<Code> {
    let mut crls = brokertls::revocation::Crls::default();
    lists.iter().for_each(|list| crls.add(list, "ca.crl").unwrap());
    let revocation =
        brokertls::revocation::Revocation::new(RevocationPolicy { mode, ..RevocationPolicy::default() }, crls);
    let verifier =
        PeerVerifier::new(vec![pki.root.trusted()], Deviations::default()).unwrap().with_revocation(revocation);
    let at = u64::try_from(i64::try_from(now().as_secs()).unwrap() + seconds).unwrap();
    let at = UnixTime::since_unix_epoch(std::time::Duration::from_secs(at));
    verifier.verify(std::slice::from_ref(&pki.server.der), Purpose::Server, None, at).err().map(|error| error.code())
}

#[test]
fn list_of_the_future_is_believed_within_five_minutes_and_leaves_the_current_one_beyond() {
    let pki = Pki::new();
    // From the clock's own time on: 2026-01-01.
    let ahead = |list: List| List { this_update: "260101000000Z", ..list }.signed_by(&pki.root);
    let (current, revoking) = (List::empty().signed_by(&pki.root), List::new().signed_by(&pki.root));
    for (mode, unknown) in [(Mode::Require, Some(Code::RevocationUnknown)), (Mode::Prefer, None)] {
        let revoked = Some(Code::CertRevoked);
        for (seconds, lists, code) in [
            (-300, vec![ahead(List::empty())], None),
            (-301, vec![ahead(List::empty())], unknown),
            (-86_400, vec![ahead(List::empty())], unknown),
            (-301, vec![ahead(List::empty()), current.clone()], None),
            (-86_400, vec![current.clone(), ahead(List::empty())], None),
            // The current one revokes, and the one of the future has let go of it.
            (-86_400, vec![ahead(List::empty()), revoking.clone()], revoked),
            (-300, vec![ahead(List::empty()), revoking.clone()], None),
            // The one of the future revokes.
            (-86_400, vec![current.clone(), ahead(List::new())], revoked),
            (-86_400, vec![ahead(List::new())], revoked),
        ] {
            assert_eq!(judge_at(&pki, mode, seconds, &lists), code, "{seconds} {mode:?}");
        }
    }
}

#[test]
fn bare_values_of_extensions_that_are_not_critical_are_passed_over_and_critical_ones_named() {
    let pki = Pki::new();
    // As NSS writes them: the number without its tag and length.
    let number = |is_critical| List::new().extension(20, is_critical, &[7]);
    let reason =
        |is_critical| List { entries: vec![entry(SERIAL, &[extension(21, is_critical, &[1])])], ..List::new() };
    for list in [number(false), reason(false)] {
        let error = pki.refusal(&list);
        assert_eq!(error.code(), Code::CertRevoked);
        assert!(error.detail().contains("reason unspecified"), "{error}");
        let good = List { entries: vec![entry(&[7], &[])], ..list }.signed_by(&pki.root);
        assert_eq!(pki.judge(policy(Mode::Require), &[good]).map_err(|error| error.code()), Ok(()));
    }
    let unreadable = |list: List| list.extension(28, true, &[1]);
    for (list, part) in [
        (number(true), "the CRL number"),
        (reason(true), "a reason code"),
        (unreadable(List::new()), "the issuing distribution point"),
        (List { this_update: "2512010000Z", ..List::new() }, "thisUpdate (2512010000Z)"),
        (List { next_update: Some("260230000000Z"), ..List::new() }, "nextUpdate (260230000000Z)"),
    ] {
        let error = pki.refusal(&list);
        assert_eq!(error.code(), Code::CrlMalformed, "{error}");
        assert!(error.detail().contains(&format!("ca.crl: {part} of the list cannot be read")), "{error}");
    }
}

#[test]
fn times_with_fractions_of_a_second_are_read() {
    let pki = Pki::new();
    for this_update in ["20251201000000.345Z", "20251201000000.0Z", "20251201000000,9Z"] {
        let next_update = Some("20260201000000.999999Z");
        let with = |list: List| List { this_update, next_update, ..list };
        assert_speaks(&pki, with, true);
    }
}

#[test]
fn version_1_that_is_written_out_and_lists_in_other_armour_are_read() {
    let pki = Pki::new();
    assert_speaks(&pki, |list| List { version: &[2, 1, 0], ..list }, true);
    assert_speaks(&pki, |list| List { version: &[], ..list }, true);
    assert_eq!(pki.refusal(&List { version: &[2, 1, 2], ..List::new() }).code(), Code::CrlUnsupported);
    let list = List::new().signed_by(&pki.root);
    for label in ["X509 CRL", "CRL", "X.509 CRL"] {
        let armoured = crate::revocation::pem(label, &list).into_bytes();
        assert_eq!(pki.judge(policy(Mode::Prefer), &[armoured]).unwrap_err().code(), Code::CertRevoked, "{label}");
    }
    // As `cfssl gencrl` prints it.
    let bare: String = crate::revocation::pem("X", &list).lines().filter(|line| !line.starts_with('-')).collect();
    for text in [
        bare.clone(),
        format!("{bare}\n"),
        bare.as_bytes().chunks(64).map(|line| format!("{}\r\n", std::str::from_utf8(line).unwrap())).collect(),
    ] {
        let error = judge(&pki.root, &[&pki.server.der], policy(Mode::Require), &[text.into_bytes()]).unwrap_err();
        assert_eq!(error.code(), Code::CrlMalformed);
        assert!(error.detail().contains("base64 without the lines of PEM"), "{error}");
        assert!(error.hint().contains("-----BEGIN X509 CRL-----"), "{}", error.hint());
    }
}

#[test]
fn distribution_points_that_cannot_be_read_hide_no_list_that_speaks_of_all_certificates() {
    let broken = [
        vec![0x30, 0],
        element(0x30, &element(0x30, &[0xa0, 2, 0xa3, 0])),
        element(0x30, &element(0x30, &element(0x81, &[9, 1]))),
    ];
    for value in broken {
        let pki = with_extensions(&[(31, value.clone())]);
        assert_speaks(&pki, |list| list, true);
        assert_speaks(&pki, |list| list.extension(28, true, &element(0x30, &point("http://a.example/"))), false);
    }
}

#[test]
fn names_that_no_certificate_could_have_are_refused_before_they_cost_anything() {
    let pki = Pki::new();
    let huge = |text: u8| {
        let text = vec![text; 60_000];
        let half = element(0x31, &relative(0x0c, &text));
        let content = [half.clone(), half].concat();
        [
            &[0x30, 0x83, (content.len() >> 16) as u8, (content.len() >> 8) as u8, content.len() as u8],
            content.as_slice(),
        ]
        .concat()
    };
    // Longer than the helper writes: the list is put together here.
    let issuer = huge(b'a');
    let der = |tag: u8, content: &[u8]| {
        let length = content.len();
        [&[tag, 0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8], content].concat()
    };
    let algorithm = [0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
    let times = element(0x17, b"251201000000Z");
    let list = |issuer: &[u8], extensions: &[u8]| {
        let list = der(0x30, &[&[2, 1, 1], &algorithm[..], issuer, &times, extensions].concat());
        der(0x30, &[&list[..], &algorithm, &element(3, &[0, 1])].concat())
    };
    let names = der(0xa0, &element(0x86, b"").repeat(40_000));
    let value = der(0x30, &der(0xa0, &names));
    let idp = der(0x30, &[&[6, 3, 0x55, 0x1d, 28][..], &der(4, &value)].concat());
    let extensions = der(0xa0, &der(0x30, &idp));
    for (list, told) in [
        (list(&issuer, &[]), "an issuer's name of more than 64 KiB"),
        (list(&name(0x0c, b"root"), &extensions), "an issuing distribution point of more than 64 KiB"),
    ] {
        let error = judge(&pki.root, &[&pki.server.der], policy(Mode::Require), &[list]).unwrap_err();
        assert_eq!(error.code(), Code::CrlUnsupported, "{error}");
        assert!(error.detail().contains(told), "{error}");
    }
}
