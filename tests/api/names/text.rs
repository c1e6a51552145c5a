//! The text of names, beside what OpenSSL (and with it Mosquitto) and Java make of the same bytes.

use std::process::{Command, Output};

use super::folder::Folder;
use super::made::*;

/// The text that another program makes of a name.
enum Theirs {
    /// The same text.
    Same,
    /// Another text, for the reason that stands beside it.
    Is(&'static str),
    /// A text that is not compared, for the reason that stands beside it.
    Own,
    /// It does not read certificates with such a name.
    Refuses,
}
use Theirs::{Is, Own, Refuses, Same};

/// A name, our text of it, and those of `openssl x509 -nameopt RFC2253,-esc_msb` and of
/// `X500Principal.getName(RFC2253)`.
type Row = (Vec<u8>, &'static str, Theirs, Theirs);

fn utf8(text: &str) -> Vec<u8> {
    common_name(UTF8, text.as_bytes())
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

fn utf32(text: &str) -> Vec<u8> {
    text.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect()
}

/// A name of attributes in UTF-8, each a relative name.
fn of(attributes: &[(&str, &str)]) -> Vec<u8> {
    let made: Vec<_> = attributes.iter().map(|(kind, value)| [attribute(kind, UTF8, value.as_bytes())]).collect();
    name(&made.iter().map(|one| &one[..]).collect::<Vec<_>>())
}

/// Java escapes `=` as this library does. OpenSSL does not; RFC 4514 section 2.4 leaves both open.
fn escapes() -> Vec<Row> {
    vec![
        (utf8("alice, O=Admins"), r"CN=alice\, O\=Admins", Is(r"CN=alice\, O=Admins"), Same),
        (utf8("alice + OU=root"), r"CN=alice \+ OU\=root", Is(r"CN=alice \+ OU=root"), Same),
        (utf8("a=b"), r"CN=a\=b", Is("CN=a=b"), Same),
        (utf8("the \"one\""), r#"CN=the \"one\""#, Same, Same),
        (utf8(r"DOMAIN\alice"), r"CN=DOMAIN\\alice", Same, Same),
        (utf8("<a>;b"), r"CN=\<a\>\;b", Same, Same),
        (utf8("#0c0161"), r"CN=\#0c0161", Same, Same),
        // Java escapes each `#`; RFC 4514 asks for the first only.
        (utf8("a#b"), "CN=a#b", Same, Is(r"CN=a\#b")),
        (utf8(" a"), r"CN=\ a", Same, Same),
        (utf8("a "), r"CN=a\ ", Same, Same),
        (utf8("a  b"), "CN=a  b", Same, Same),
        (utf8(" "), r"CN=\ ", Same, Same),
        // Java escapes each space at an end; RFC 4514 asks for the outermost only. Here they are the same.
        (utf8("  "), r"CN=\ \ ", Same, Same),
        (utf8(""), "CN=", Same, Same),
        (utf8("host/alice@REALM"), "CN=host/alice@REALM", Same, Same),
        // Java leaves control characters but NUL as they are.
        (utf8("alice\nbob"), r"CN=alice\0Abob", Same, Is("CN=alice\nbob")),
        (utf8("a\tb\u{7f}c"), r"CN=a\09b\7Fc", Same, Is("CN=a\tb\u{7f}c")),
        (utf8("alice\0bob"), r"CN=alice\00bob", Same, Same),
        // Characters that cannot be seen: both leave them.
        (utf8("a\u{202e}b"), r"CN=a\E2\80\AEb", Is("CN=a\u{202e}b"), Is("CN=a\u{202e}b")),
        (utf8("a\u{200b}b"), r"CN=a\E2\80\8Bb", Is("CN=a\u{200b}b"), Is("CN=a\u{200b}b")),
        (utf8("a\u{85}b"), r"CN=a\C2\85b", Is("CN=a\u{85}b"), Is("CN=a\u{85}b")),
    ]
}

/// Java decodes the bytes of every string type as UTF-8. OpenSSL reads types of one byte a character as Latin-1.
fn string_types() -> Vec<Row> {
    vec![
        (utf8("Gerät"), "CN=Gerät", Same, Same),
        (utf8("😀"), "CN=😀", Same, Same),
        (common_name(NUMERIC, b"12 3"), "CN=12 3", Same, Is("CN=#120431322033")),
        (common_name(PRINTABLE, b"alice's (2)"), "CN=alice's (2)", Same, Same),
        (common_name(PRINTABLE, b"*.a_b@c"), "CN=*.a_b@c", Same, Same),
        (common_name(TELETEX, b"Ger\xe4t"), "CN=Gerät", Same, Own),
        (common_name(BMP, &utf16("Gerät")), "CN=Gerät", Same, Own),
        (common_name(UNIVERSAL, &utf32("a 😀")), "CN=a 😀", Same, Is("CN=#1c0c00000061000000200001f600")),
        (common_name(VISIBLE, b"alice"), "CN=alice", Refuses, Is("CN=#1a05616c696365")),
        (common_name(IA5, b"alice, b"), r"CN=alice\, b", Same, Same),
        (common_name(UTF8, b"a\xffb"), "CN=#0c0361ff62", Refuses, Own),
        (common_name(IA5, b"a\xe4"), "CN=#160261e4", Is("CN=aä"), Own),
        (common_name(PRINTABLE, b"a\xe4"), "CN=#130261e4", Is("CN=aä"), Own),
        (common_name(BMP, b"\0a\0"), "CN=#1e03006100", Refuses, Own),
        (common_name(BMP, &utf16("😀")), "CN=#1e04d83dde00", Refuses, Own),
        (common_name(UNIVERSAL, &[0, 0x11, 0, 0]), "CN=#1c0400110000", Refuses, Same),
        (common_name(OCTET_STRING, b"alice"), "CN=#0405616c696365", Refuses, Same),
    ]
}

/// OpenSSL has names for more types than RFC 4514, and so has this library; Java has those of RFC 4514 alone.
fn structures() -> Vec<Row> {
    let organisation = || attribute(ORGANISATION, UTF8, b"Example");
    let country = attribute(COUNTRY, PRINTABLE, b"DE");
    let alice = || attribute(COMMON_NAME, UTF8, b"alice");
    let unit = attribute(UNIT, UTF8, b"root");
    let person = [("2.5.4.5", "42"), ("2.5.4.4", "Moe"), ("2.5.4.42", "Joe"), ("2.5.4.12", "Dr")];
    let domain = "0.9.2342.19200300.100.1.25";
    let account = [(domain, "com"), (domain, "example"), ("0.9.2342.19200300.100.1.1", "alice")];
    let place = [("2.5.4.9", "Way 1"), ("2.5.4.8", "NRW"), ("2.5.4.7", "Köln")];
    let mail = [attribute(MAIL, IA5, b"a@b")];
    vec![
        (name(&[&[country], &[organisation()], &[alice()]]), "CN=alice,O=Example,C=DE", Same, Same),
        // Java keeps the order within a relative name.
        (
            name(&[&[organisation()], &[alice(), unit]]),
            "OU=root+CN=alice,O=Example",
            Same,
            Is("CN=alice+OU=root,O=Example"),
        ),
        (of(&[(COMMON_NAME, "alice"), (COMMON_NAME, "bob")]), "CN=bob,CN=alice", Same, Same),
        (of(&account), "UID=alice,DC=example,DC=com", Same, Same),
        (of(&place), "L=Köln,ST=NRW,STREET=Way 1", Is("L=Köln,ST=NRW,street=Way 1"), Same),
        (
            of(&person),
            "title=Dr,GN=Joe,SN=Moe,serialNumber=42",
            Same,
            Is("2.5.4.12=#0c024472,2.5.4.42=#0c034a6f65,2.5.4.4=#0c034d6f65,2.5.4.5=#0c023432"),
        ),
        (
            name(&[&mail, &[alice()]]),
            "CN=alice,emailAddress=a@b",
            Same,
            Is("CN=alice,1.2.840.113549.1.9.1=#1603614062"),
        ),
        // OpenSSL writes hexadecimal in upper case.
        (
            of(&[("1.2.3.4", "x, y"), (COMMON_NAME, "alice")]),
            "CN=alice,1.2.3.4=#0c04782c2079",
            Is("CN=alice,1.2.3.4=#0C04782C2079"),
            Same,
        ),
        (
            name(&[&[attribute("2.5.4.45", BIT_STRING, &[0, 1])]]),
            "x500UniqueIdentifier=#03020001",
            Same,
            Is("2.5.4.45=#03020001"),
        ),
        (name(&[]), "", Same, Same),
    ]
}

fn rows() -> Vec<Row> {
    [escapes(), string_types(), structures()].into_iter().flatten().collect()
}

fn compare(program: &str, ours: &str, theirs: &str, wanted: &Theirs) {
    match wanted {
        Same => assert_eq!(theirs, ours, "{program}"),
        Is(text) => assert_eq!(theirs, *text, "{program} about {ours}"),
        Own => {}
        Refuses => assert_eq!(theirs, "", "{program} about {ours}"),
    }
}

fn output(command: &mut Command) -> Output {
    command.env("LC_ALL", "C.UTF-8").output().unwrap()
}

#[test]
fn subject_is_the_text_of_rfc_4514_and_differs_from_openssl_only_as_explained() {
    let dir = Folder::new("openssl");
    let file = dir.path().join("certificate");
    for (der, text, openssl, _) in rows() {
        let certificate = with_subject(&der);
        let read = facts(&certificate);
        assert_eq!((read.subject.to_string().as_str(), read.subject.der()), (text, der.as_slice()));
        std::fs::write(&file, &certificate).unwrap();
        let line = "x509 -inform DER -noout -subject -nameopt RFC2253,-esc_msb -in";
        let ran = output(Command::new("openssl").args(line.split(' ')).arg(&file));
        let theirs = String::from_utf8(ran.stdout).unwrap();
        let theirs = theirs.strip_suffix('\n').unwrap_or(&theirs);
        compare("openssl", text, theirs.strip_prefix("subject=").unwrap_or(theirs), &openssl);
    }
}

#[test]
fn subject_differs_from_the_principal_of_java_only_as_explained() {
    const PROGRAM: &str = r#"
        import java.nio.charset.StandardCharsets;
        import java.nio.file.*;
        import javax.security.auth.x500.X500Principal;
        public class Names {
            public static void main(String[] files) throws Exception {
                for (String file : files) {
                    String name;
                    try {
                        name = new X500Principal(Files.readAllBytes(Path.of(file))).getName(X500Principal.RFC2253);
                    } catch (IllegalArgumentException e) {
                        // Later updates of Java 17 refuse characters that a BMPString does not have.
                        name = "refused";
                    }
                    System.out.write((name + "\u001e").getBytes(StandardCharsets.UTF_8));
                }
                System.out.flush();
            }
        }"#;
    let dir = Folder::new("java");
    let program = dir.path().join("Names.java");
    std::fs::write(&program, PROGRAM).unwrap();
    let rows = rows();
    let mut java = Command::new("java");
    java.arg(&program);
    for (number, (der, ..)) in rows.iter().enumerate() {
        let file = dir.path().join(number.to_string());
        std::fs::write(&file, der).unwrap();
        java.arg(file);
    }
    let ran = output(&mut java);
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let printed = String::from_utf8(ran.stdout).unwrap();
    let theirs: Vec<&str> = printed.split_terminator('\u{1e}').collect();
    assert_eq!(theirs.len(), rows.len());
    for ((_, text, _, java), theirs) in rows.iter().zip(theirs) {
        compare("java", text, theirs, java);
    }
}

#[test]
fn names_that_differ_have_texts_that_differ() {
    let alice = || attribute(COMMON_NAME, UTF8, b"alice");
    let admins = || attribute(ORGANISATION, UTF8, b"Admins");
    let names = [
        name(&[&[admins()], &[alice()]]),
        name(&[&[alice()], &[admins()]]),
        name(&[&[alice(), admins()]]),
        utf8("alice,O=Admins"),
        utf8("alice+O=Admins"),
        utf8(r"alice\,O=Admins"),
        utf8("alice, O=Admins"),
        common_name(TELETEX, b"Ger\xe4t"),
        common_name(TELETEX, b"Ger\xf6t"),
        common_name(UTF8, b"Ger\xe4t"),
        common_name(UTF8, b"#0c05476572e474"),
        common_name(UTF8, b"alice\0"),
        common_name(UTF8, b"alice\\00"),
        common_name(UTF8, b"alice"),
        name(&[&[attribute("1.2.3.4", UTF8, b"alice")]]),
    ];
    let texts: std::collections::HashSet<String> =
        names.iter().map(|name| facts(&with_subject(name)).subject.to_string()).collect();
    assert_eq!(texts.len(), names.len(), "{texts:?}");
}

#[test]
fn name_that_is_no_der_is_told_in_hexadecimal_as_a_whole() {
    let type_with_padding = element(SEQUENCE, &[&[6, 4, 0x55, 0x80, 4, 3], &element(UTF8, &[b"a"])]);
    let odd = name(&[&[type_with_padding]]);
    let read = facts(&with_subject(&odd)).subject;
    assert_eq!(read.to_string(), "#300d310b30090604558004030c0161");
    assert!(read.attributes().is_empty());
}

#[test]
fn huge_name_is_read_and_cut_in_messages_only() {
    let huge = "\u{7}".repeat(60_000);
    let read = facts(&with_subject(&utf8(&huge)));
    assert_eq!(read.subject.as_str().len(), "CN=".len() + 3 * huge.len());
    assert_eq!(read.common_name(), Some(huge.as_str()));
    assert!(read.to_string().chars().count() < 300, "{read}");
}
