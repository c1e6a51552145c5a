//! `brokertls connect` by the second engine, with a key and to old servers.

use std::fs;

use super::super::world::{World, library};
use super::SECRET;
use crate::rig::command::{Ran, Server, run, run_with_input};

/// A file in the folder, by its path.
fn file(world: &World, name: &str, content: &str) -> String {
    fs::write(world.file(name), content).unwrap();
    world.file(name).to_str().unwrap().to_owned()
}

/// The options of the second engine, and these.
fn options(more: &[&str]) -> Vec<String> {
    let library = library();
    let fixed = ["--legacy-engine", "--legacy-library", library.to_str().unwrap()];
    fixed.iter().chain(more).map(|word| (*word).to_owned()).collect()
}

fn serve(more: &[&str]) -> Server {
    let options = options(more);
    Server::start(&options.iter().map(String::as_str).collect::<Vec<_>>())
}

/// Connects with `input` to the server, or with none and `--brief`.
fn connect(server: &Server, more: &[&str], input: Option<&str>) -> Ran {
    let (address, options) = (server.address(), options(more));
    let mut words = vec!["connect", &address];
    words.extend(options.iter().map(String::as_str));
    match input {
        Some(input) => run_with_input(&words, input.as_bytes()),
        None => run(&[words.as_slice(), &["--brief"]].concat()),
    }
}

#[test]
fn connect_with_a_key_meets_serve_with_its_file_and_both_name_the_identity() {
    let world = World::new("client-command");
    let keys = file(&world, "init.psk", &format!("device:{SECRET}\nanother:00ff\n"));
    let mut server = serve(&["--psk-file", &keys, "--echo"]);
    let mine = ["--psk-file", &keys, "--psk-identity", "device"];
    for version in ["TLSv1.3", "TLSv1.2"] {
        let ran = connect(&server, &[&mine[..], &["--versions", version]].concat(), Some("hello\n"));
        assert_eq!((ran.code, ran.out.as_str()), (0, "hello\n"), "{ran:?}");
        for line in ["subject      (no certificate)\n", "PSK identity \"device\"\n"] {
            assert!(ran.err.contains(line), "{line}: {}", ran.err);
        }
        assert!(ran.err.contains(&format!("version      {version}\n")), "{}", ran.err);
        assert!(!ran.err.contains(SECRET), "{}", ran.err);
        let connected = server.line();
        assert!(connected.ends_with("; PSK identity \"device\"\n"), "{connected}");
        assert!(server.line().contains("pre-shared key "));
        assert!(server.line().ends_with(": 6 bytes received\n"));
    }
    let ran = connect(&server, &[&mine[..], &["--json"]].concat(), None);
    assert_eq!((ran.code, ran.json()["psk_identity"].as_str()), (0, Some("device")), "{ran:?}");
}

#[test]
fn connect_with_another_secret_or_without_the_key_is_refused_with_the_code() {
    let world = World::new("client-command-refused");
    let keys = file(&world, "init.psk", &format!("device:{SECRET}\n"));
    let wrong = file(&world, "wrong.psk", "device:00ff\n");
    let mut server = serve(&["--psk-file", &keys]);
    for (version, code) in [("TLSv1.2", "ALERT_BAD_RECORD_MAC"), ("TLSv1.3", "ALERT_DECRYPT_ERROR")] {
        let ran = connect(&server, &["--psk-file", &wrong, "--psk-identity", "device", "--versions", version], None);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(code) && !ran.err.contains("00ff"), "{ran:?}");
        let refused = server.line();
        assert!(refused.contains(": PSK_REFUSED: ") && refused.contains("\"device\""), "{refused}");
    }
    // The file has no key of this identity, so nothing is sent.
    let ran = connect(&server, &["--psk-file", &keys, "--psk-identity", "stranger"], None);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("OPTION_CONFLICT") && ran.err.contains("psk-identity"), "{ran:?}");
}

#[test]
fn connect_to_serve_of_an_old_version_verifies_its_certificate() {
    let world = World::new("client-command-old");
    let server = file(&world, "localhost.pem", &world.authority.issue_rsa("localhost"));
    let trust = world.file("ca.pem");
    let trust = trust.to_str().unwrap();
    let mut server = serve(&["--cert", &server, "--versions", "TLSv1.1,TLSv1", "--echo"]);
    let ran = connect(&server, &["--trust", trust, "--versions", "TLSv1.2,TLSv1.1,TLSv1"], Some("hello\n"));
    assert_eq!((ran.code, ran.out.as_str()), (0, "hello\n"), "{ran:?}");
    assert!(ran.err.contains("subject      CN=localhost\n") && ran.err.contains("version      TLSv1.1\n"), "{ran:?}");
    assert!(!ran.err.contains("PSK identity"), "{}", ran.err);
    assert!(server.line().starts_with("connected "));
    assert!(server.line().contains("TLSv1.1 1"));
    assert!(server.line().starts_with("closed "));
    let stranger = world.file("stranger.pem");
    let ran = connect(&server, &["--trust", stranger.to_str().unwrap(), "--versions", "TLSv1.1,TLSv1"], None);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("BTLS_CERT_UNKNOWN_ISSUER (300)"), "{ran:?}");
    let ran = connect(&server, &["--trust", trust, "--versions", "TLSv1.2"], None);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("BTLS_ALERT_PROTOCOL_VERSION (1070)"), "{ran:?}");
    assert!(server.line().contains(": ALERT_UNKNOWN_CA: "));
    assert!(server.line().contains(": NO_COMMON_VERSION: "));
}
