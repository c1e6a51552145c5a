//! Names that were reported to other programs because they read or wrote them wrongly.

use super::made::*;
use crate::rig::command::run;

const USER_PRINCIPAL: &str = "1.3.6.1.4.1.311.20.2.3";
const DOMAIN: &str = "0.9.2342.19200300.100.1.25";

fn subject(name: &[u8]) -> String {
    facts(&with_subject(name)).subject.to_string()
}

#[test]
fn latin_1_in_a_teletex_string_is_read() {
    let name = common_name(TELETEX, b"COMPA\xd1IA SANTA MARIA SA DE CV");
    assert_eq!(subject(&name), "CN=COMPAÑIA SANTA MARIA SA DE CV");
}

#[test]
fn common_name_of_a_database_server_in_a_bmp_string_is_read() {
    let text: Vec<u8> = "SSL_Self_Signed_Fallback".encode_utf16().flat_map(u16::to_be_bytes).collect();
    let read = facts(&with_subject(&common_name(BMP, &text)));
    assert_eq!(read.common_name(), Some("SSL_Self_Signed_Fallback"));
    assert_eq!(read.subject.to_string(), "CN=SSL_Self_Signed_Fallback");
}

#[test]
fn unique_identifier_that_is_a_bit_string_is_told_in_hexadecimal() {
    let identifier = attribute("2.5.4.45", BIT_STRING, b"\0rvEoBcr+xUA=");
    let name = name(&[&[identifier], &[attribute(COUNTRY, PRINTABLE, b"SI")]]);
    assert_eq!(subject(&name), "C=SI,x500UniqueIdentifier=#030d007276456f4263722b7855413d");
}

#[test]
fn comma_of_a_person_s_name_is_escaped() {
    let name = name(&[
        &[attribute(DOMAIN, IA5, b"cz")],
        &[attribute(DOMAIN, IA5, b"geodis")],
        &[attribute(UNIT, UTF8, b"ITZ")],
        &[attribute(COMMON_NAME, UTF8, b"Tkac, Adam")],
    ]);
    assert_eq!(subject(&name), r"CN=Tkac\, Adam,OU=ITZ,DC=geodis,DC=cz");
}

#[test]
fn order_of_relative_names_is_kept_and_reversed_as_a_whole() {
    let [country, organisation, person] = [
        attribute(COUNTRY, PRINTABLE, b"DE"),
        attribute(ORGANISATION, UTF8, b"T-Systems"),
        attribute(COMMON_NAME, UTF8, b"Joe Doe"),
    ]
    .map(|one| [one]);
    assert_eq!(subject(&name(&[&country, &organisation, &person])), "CN=Joe Doe,O=T-Systems,C=DE");
    assert_eq!(subject(&name(&[&person, &organisation, &country])), "C=DE,O=T-Systems,CN=Joe Doe");
}

#[test]
fn slash_and_equals_in_a_value_do_not_make_another_attribute() {
    let name = common_name(UTF8, b"x/O=Admins");
    assert_eq!(subject(&name), r"CN=x/O\=Admins");
}

#[test]
fn user_principal_name_beyond_ascii_is_its_text_without_its_header() {
    let value = element(UTF8, &["uþðsername".as_bytes()]);
    let other = element(0xa0, &[&oid(USER_PRINCIPAL), &element(0xa0, &[&value])]);
    let names = facts(&with_alternative_names(&[other])).subject_alternative_names;
    assert_eq!(names[0].value.as_deref(), Some("uþðsername"));
}

#[test]
fn nul_before_another_host_is_no_end() {
    let read = facts(&with_subject(&common_name(IA5, b"www.bank.example\0.evil.example")));
    assert_eq!(read.common_name(), Some("www.bank.example\0.evil.example"));
    assert_eq!(read.subject.to_string(), r"CN=www.bank.example\00.evil.example");
}

#[test]
fn command_tells_names_with_their_parts_as_json() {
    let folder = super::folder::Folder::new("json");
    let file = folder.path().join("certificate.der");
    let twice = name(&[&[attribute(COMMON_NAME, UTF8, b"a, b"), attribute(UNIT, OCTET_STRING, b"x")]]);
    let names = element(SEQUENCE, &[&element(0x82, &[b"host\0.evil"]), &element(0x81, &[b"a@b"])]);
    std::fs::write(&file, certificate(&twice, &[0, 0x80, 0xff], Some(&names))).unwrap();
    let ran = run(&["inspect", "--json", file.to_str().unwrap()]);
    let json = &ran.json()["entries"][0]["certificates"][0];
    assert_eq!(json["subject"], r"OU=#040178+CN=a\, b");
    assert_eq!(json["serial"], "80ff");
    assert_eq!((&json["first_common_name"], &json["last_common_name"]), (&"a, b".into(), &"a, b".into()));
    let attribute = &json["subject_attributes"][1];
    assert_eq!((&attribute["oid"], &attribute["text"]), (&UNIT.into(), &serde_json::Value::Null));
    assert_eq!((&attribute["der"], &attribute["rdn"]), (&"040178".into(), &0.into()));
    assert_eq!(json["names"][0], r"DNS:host\00.evil");
    assert_eq!(json["alternative_names"][1]["kind"], "email");
    assert_eq!(json["alternative_names"][1]["value"], "a@b");
    assert_eq!(json["issuer_der"], "300d310b300906035504030c026361");
}
