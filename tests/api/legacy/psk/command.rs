//! The command on files of keys.

use std::fs;
use std::process::Command;

use super::super::world::{World, library};
use super::{DEVICE, KEYS, SECRET};
use crate::process::Running;
use crate::rig::command::{Server, run};

#[test]
fn inspect_counts_keys_and_lengths_and_shows_no_secret_and_no_identity() {
    let world = World::new("psk-inspect");
    let path = world.file("init.psk");
    fs::write(&path, format!("# fleet\n{KEYS}short:00ff\n")).unwrap();
    let path = path.to_str().unwrap();
    let ran = run(&["inspect", path]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let shown = format!(
        "{path}: pre-shared keys (hex), 3 identities\n  identities   5 to 9 bytes\n  secrets      1 of 2 bytes, 2 of \
         16 bytes\n  warning: pre-shared keys: 1 have less than 16 bytes and can be guessed\n"
    );
    assert_eq!(ran.out, shown);
    let json = run(&["inspect", path, "--json"]).json();
    assert_eq!((json["type"].as_str(), json["count"].as_u64()), (Some("PSK"), Some(3)));
    assert_eq!(json["secret_bytes"], serde_json::json!([{ "length": 2, "count": 1 }, { "length": 16, "count": 2 }]));
    for ran in [run(&["inspect", path]), run(&["inspect", path, "--json"])] {
        assert!(!ran.out.contains(SECRET) && !ran.out.contains("myclient1"), "{}", ran.out);
    }
}

#[test]
fn inspect_reports_the_bad_line_of_a_file_of_keys() {
    let world = World::new("psk-inspect-line");
    let path = world.file("init.psk");
    let path = path.to_str().unwrap();
    for (text, line) in [
        (format!("# fleet\n{KEYS}short:00f\n"), "4: the secret has an odd number of hexadecimal digits"),
        (format!("{SECRET}\n{KEYS}"), "1: no separator"),
        // DER starts with this byte too.
        ("0001:00ff\n0002\n".to_owned(), "2: no separator"),
    ] {
        fs::write(path, text).unwrap();
        let (ran, json) = (run(&["inspect", path]), run(&["inspect", path, "--json"]));
        assert_eq!((ran.code, json.code), (1, 1));
        assert!(ran.err.contains("BTLS_PSK_MALFORMED"), "{}", ran.err);
        assert!(ran.err.contains(&format!(": {path}: line {line}\n")), "{}", ran.err);
        assert_eq!(json.json()["error"]["code"], "PSK_MALFORMED", "{}", json.out);
        assert!(!ran.err.contains(SECRET) && !json.out.contains(SECRET), "{}{}", ran.err, json.out);
    }
}

#[test]
fn inspect_of_a_file_without_any_key_reports_that_it_is_no_keystore() {
    let world = World::new("psk-inspect-none");
    let path = world.file("notes.txt");
    let path = path.to_str().unwrap();
    for text in ["identity: none\nsecret: later\n", "A certificate\nof a broker:\nSHA1 Fingerprint=00:11\n"] {
        fs::write(path, text).unwrap();
        let ran = run(&["inspect", path]);
        assert_eq!(ran.code, 1);
        assert!(ran.err.contains("STORE_FORMAT_UNKNOWN"), "{}", ran.err);
    }
    fs::write(path, KEYS).unwrap();
    let ran = run(&["inspect", path, "--type", "pem"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("STORE_FORMAT_UNKNOWN"), "{}", ran.err);
}

#[test]
fn inspect_of_a_file_of_emqx_takes_its_form_and_its_separator() {
    let world = World::new("psk-inspect-emqx");
    let path = world.file("init.psk");
    fs::write(&path, "myclient1,not digits\n").unwrap();
    let path = path.to_str().unwrap();
    let ran = run(&["inspect", path, "--psk-format", "text", "--psk-separator", ","]);
    assert_eq!((ran.code, ran.first_line()), (0, &*format!("{path}: pre-shared keys (text), 1 identity")));
    let ran = run(&["inspect", path, "--psk-format", "hex", "--psk-separator", ","]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("PSK_MALFORMED") && !ran.err.contains("not digits"), "{}", ran.err);
}

#[test]
fn serve_with_a_file_of_keys_alone_names_the_identity_of_its_client() {
    let world = World::new("psk-serve");
    let path = world.file("init.psk");
    fs::write(&path, KEYS).unwrap();
    let (library, path) = (library(), path.to_str().unwrap().to_owned());
    let arguments = ["--legacy-engine", "--legacy-library", library.to_str().unwrap(), "--psk-file", &path];
    let mut server = Server::start(&arguments);
    let client = |options: &str| {
        let mut client = Command::new("openssl");
        client.args(["s_client", "-connect", &format!("127.0.0.1:{}", server.port)]).args(options.split(' '));
        let mut client = Running::start(&mut client);
        client.end_input();
        client.finish();
    };
    client(&format!("-tls1_3 {DEVICE}"));
    client("-tls1_2 -cipher PSK-AES128-CBC-SHA -psk_identity myclient1 -psk 00ff");
    let (connected, uses, _closed, refused) = (server.line(), server.line(), server.line(), server.line());
    assert!(connected.ends_with("; PSK identity \"myclient1\"\n"), "{connected}");
    assert_eq!(uses, "clients of the second engine so far: legacy-engine 1, pre-shared key 1\n");
    assert!(refused.contains(": PSK_REFUSED: "), "{refused}");
}
