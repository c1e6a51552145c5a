//! Serial numbers, beside what OpenSSL prints.

use std::process::Command;

use super::folder::Folder;
use super::made::*;

#[test]
fn serial_number_is_minimal_and_as_openssl_prints_it_but_for_case() {
    let dir = Folder::new("serial");
    let file = dir.path().join("certificate");
    for (content, text) in [
        (&[0, 0x80, 0xff][..], "80ff"),
        (&[0x4d], "4d"),
        (&[1], "01"),
        (&[0], "00"),
        (&[0, 0xff], "ff"),
        (&[0xff], "-01"),
        (&[0x80], "-80"),
        (&[0xff, 0], "-0100"),
        (&[0xfe, 0xff], "-0101"),
        (&[0x0a, 0, 0], "0a0000"),
    ] {
        let certificate = with_serial(content);
        assert_eq!(facts(&certificate).serial, text);
        std::fs::write(&file, &certificate).unwrap();
        let ran = Command::new("openssl").args("x509 -inform DER -noout -serial -in".split(' ')).arg(&file).output();
        let printed = String::from_utf8(ran.unwrap().stdout).unwrap();
        assert_eq!(printed.trim_end(), format!("serial={}", text.to_uppercase()));
    }
}

#[test]
fn serial_number_with_needless_zeros_has_the_text_of_its_number() {
    assert_eq!(facts(&with_serial(&[0, 0, 0, 7])).serial, "07");
    assert_eq!(facts(&with_serial(&[0; 60_000])).serial, "00");
    assert_eq!(facts(&with_serial(&[0x7f; 60_000])).serial, "7f".repeat(60_000));
    assert!(facts(&with_serial(&[0x7f; 60_000])).to_string().len() < 400);
}
