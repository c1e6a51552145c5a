//! Subject alternative names by their kinds, as OpenSSL, Active Directory and others write them.

use brokertls::certificate::AlternativeNameKind as Kind;

use super::made::*;

const USER_PRINCIPAL: &str = "1.3.6.1.4.1.311.20.2.3";

fn other(kind: &str, value: &[u8]) -> Vec<u8> {
    element(0xa0, &[&oid(kind), &element(0xa0, &[value])])
}

/// The kind, the value and the text of one name, read alone and before another.
fn read(general_name: &[u8]) -> (Kind, Option<String>, String) {
    let last = element(0x82, &[b"last.example"]);
    let certificate = with_alternative_names(&[general_name.to_vec(), last]);
    let names = facts(&certificate).subject_alternative_names;
    assert_eq!((names.len(), names[1].to_string().as_str()), (2, "DNS:last.example"));
    let first = &names[0];
    (first.kind, first.value.clone(), first.to_string())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn each_kind_of_name_is_told_with_its_value() {
    let directory = element(0xa4, &[&common_name(UTF8, b"x, y")]);
    for (general_name, kind, value, shown) in [
        (element(0x82, &[b"*.example.com"]), Kind::Dns, "*.example.com", "DNS:*.example.com"),
        (element(0x87, &[&[192, 0, 2, 1]]), Kind::Ip, "192.0.2.1", "IP:192.0.2.1"),
        (element(0x87, &[&[0; 15], &[1]]), Kind::Ip, "::1", "IP:::1"),
        (element(0x81, &[b"pump7@corp.example"]), Kind::Email, "pump7@corp.example", "email:pump7@corp.example"),
        (element(0x86, &[b"spiffe://example/a"]), Kind::Uri, "spiffe://example/a", "URI:spiffe://example/a"),
        (
            other(USER_PRINCIPAL, &element(UTF8, &["päul@corp".as_bytes()])),
            Kind::UserPrincipal,
            "päul@corp",
            "UPN:päul@corp",
        ),
        (other(USER_PRINCIPAL, &element(BMP, &[b"\0a\0@\0b"])), Kind::UserPrincipal, "a@b", "UPN:a@b"),
        (directory, Kind::Directory, r"CN=x\, y", r"dirName:CN=x\, y"),
        (element(0x88, &[&[0x2a, 3, 4]]), Kind::RegisteredId, "1.2.3.4", "registeredID:1.2.3.4"),
    ] {
        assert_eq!(read(&general_name), (kind, text(value), shown.to_owned()));
    }
}

#[test]
fn names_without_a_text_are_told_in_hexadecimal() {
    let xmpp = other("1.3.6.1.5.5.7.8.5", &element(UTF8, &[b"a"]));
    assert_eq!(read(&xmpp), (Kind::Other, None, "otherName:1.3.6.1.5.5.7.8.5;#0c0161".to_owned()));
    let numbers = other(USER_PRINCIPAL, &element(0x02, &[&[1]]));
    assert_eq!(read(&numbers), (Kind::UserPrincipal, None, "UPN:#020101".to_owned()));
    assert_eq!(read(&element(0x82, &[b"b\xfccher"])), (Kind::Dns, None, "DNS:#820662fc63686572".to_owned()));
    assert_eq!(read(&element(0x87, &[&[1, 2, 3]])), (Kind::Ip, None, "IP:#8703010203".to_owned()));
    assert_eq!(read(&element(0x88, &[&[0x80]])), (Kind::RegisteredId, None, "registeredID:#880180".to_owned()));
    assert_eq!(read(&element(0xa3, &[&[]])), (Kind::Unknown, None, "unknown:#a300".to_owned()));
    assert_eq!(read(&element(0xa0, &[&[1]])), (Kind::Unknown, None, "unknown:#a00101".to_owned()));
    assert_eq!(read(&element(0xa4, &[&[0x31, 0]])), (Kind::Unknown, None, "unknown:#a4023100".to_owned()));
}

#[test]
fn characters_that_hide_or_end_a_text_are_escaped_in_it() {
    let (kind, value, shown) = read(&element(0x82, &[b"bank.example\0.evil.example"]));
    assert_eq!((kind, value), (Kind::Dns, text("bank.example\0.evil.example")));
    assert_eq!(shown, r"DNS:bank.example\00.evil.example");
    assert_eq!(read(&element(0x81, &[b"a\n\\b@c"])).2, r"email:a\0A\\b@c");
    assert_eq!(read(&element(0x81, &[b"#810161"])).2, r"email:\#810161");
    let turned = other(USER_PRINCIPAL, &element(UTF8, &["a\u{202e}b".as_bytes()]));
    assert_eq!(read(&turned).2, r"UPN:a\E2\80\AEb");
}

#[test]
fn der_of_other_and_directory_names_is_that_of_their_value() {
    let value = element(UTF8, &[b"a@b"]);
    let subject = common_name(UTF8, b"x");
    let dns = element(0x82, &[b"host"]);
    let names = [other(USER_PRINCIPAL, &value), element(0xa4, &[&subject]), dns.clone()];
    let read = facts(&with_alternative_names(&names)).subject_alternative_names;
    assert_eq!(read.iter().map(|name| name.der.clone()).collect::<Vec<_>>(), [value, subject, dns]);
    assert_eq!(read.iter().map(|name| name.oid.as_deref()).collect::<Vec<_>>(), [Some(USER_PRINCIPAL), None, None]);
}

#[test]
fn names_that_break_off_are_told_as_far_as_they_can_be_read() {
    let mut broken = element(0x82, &[b"host"]);
    broken.extend([0x82, 0x20, b'x']);
    let read = facts(&with_alternative_names(&[broken])).subject_alternative_names;
    let shown: Vec<String> = read.iter().map(ToString::to_string).collect();
    assert_eq!(shown, ["DNS:host", "unknown:#822078"]);
    let not_a_list = certificate(&common_name(UTF8, b"a"), &[1], Some(&[0x04, 1, 7]));
    let read = facts(&not_a_list).subject_alternative_names;
    assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), ["unknown:#040107"]);
}

#[test]
fn hundred_thousand_names_are_read() {
    let names = vec![element(0x82, &[b"a"]); 100_000];
    assert_eq!(facts(&with_alternative_names(&names)).subject_alternative_names.len(), 100_000);
}
