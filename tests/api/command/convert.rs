//! `brokertls convert`: its output, its passwords and its exit codes.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::rig::command::{command, file, folder, run, run_with_input};
use crate::rig::pair::Authority;

/// A folder with a key and its chain in `server.pem`, and the CA in `ca.pem`.
fn place(name: &str) -> impl Fn(&str) -> String {
    let folder = folder(&format!("convert-{name}"));
    let authority = Authority::new("ca");
    file(&folder, "server.pem", authority.issue(&["broker.example"], |_| {}));
    file(&folder, "ca.pem", authority.pem());
    move |name| folder.join(name).into_os_string().into_string().unwrap()
}

#[test]
fn entries_that_were_written_are_listed_and_the_file_is_private() {
    let at = place("listed");
    let out = at("out.p12");
    let ran = run(&["convert", &at("server.pem"), &out, "--name", "broker\u{1b}", "--out-password", "pass:new"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with(&format!("{out}: \"broker")) && ran.out.contains("private key, "), "{}", ran.out);
    assert!(!ran.out.contains('\u{1b}') && ran.err.is_empty(), "{ran:?}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    let ran = run(&["inspect", &out, "--password", "pass:new", "--json"]);
    assert_eq!(ran.json()["entries"][0]["kind"], "key", "{ran:?}");
    let ran = run(&["convert", &at("server.pem"), &out, "--out-password", "pass:other"]);
    assert!(ran.code == 1 && ran.err.contains("FILE_UNWRITABLE"), "{ran:?}");
    let ran = run(&["convert", &at("server.pem"), &out, "--out-password", "pass:other", "--force", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.json()["entries"][0]["kind"], "key");
    assert_eq!(ran.json()["entries"][0]["alias"], "1");
    assert_eq!(run(&["inspect", &out, "--password", "pass:other"]).code, 0);
}

#[test]
fn warnings_are_printed_and_no_secret_is() {
    let at = place("warnings");
    let ran = run(&["convert", &at("server.pem"), &at("server.key"), "--part", "key"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err, "warning: the private key in the output is not encrypted\n");
    assert!(!ran.out.contains("PRIVATE KEY-"), "{}", ran.out);
    let ran = run(&["convert", &at("server.pem"), &at("a.p12"), "--out-password", "pass:hush-hush", "--part", "key"]);
    assert!(ran.code == 2 && ran.err.contains("OPTION_CONFLICT"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("hush-hush"), "{ran:?}");
}

#[test]
fn passwords_come_from_standard_input_line_by_line() {
    let at = place("stdin");
    let out = at("a.p12");
    let ran = run_with_input(&["convert", &at("server.pem"), &out, "--out-password", "stdin"], b"one\nrest");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(run(&["inspect", &out, "--password", "pass:one"]).code, 0);
    let arguments = ["convert", &out, &at("b.p12"), "--password", "stdin", "--out-password", "stdin"];
    let ran = run_with_input(&arguments, b"one\r\ntw\xc3\xb6");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(run_with_input(&["inspect", &at("b.p12"), "--password", "stdin"], "tw\u{f6}".as_bytes()).code, 0);
    for input in [&b""[..], b"tw\xf6", &[b'x'; 70_000]] {
        let ran = run_with_input(&["inspect", &at("b.p12"), "--password", "stdin"], input);
        assert!(ran.code == 2 && ran.err.contains("a password cannot be read from stdin"), "{ran:?}");
    }
}

#[test]
fn passwords_come_from_descriptors_files_and_variables() {
    let at = place("descriptors");
    fs::write(at("old"), "first\nsecond\n").unwrap();
    fs::write(at("new"), "third\nfourth\n").unwrap();
    let brokertls = command(&[]).get_program().to_owned();
    let shell = |script: &str| {
        let output =
            Command::new("bash").args(["-ec", script, "bash"]).arg(&brokertls).env("FOURTH", "fourth").output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let [server, a, b, c, old, new] = ["server.pem", "a.p12", "b.p12", "c.p12", "old", "new"].map(&at);
    let told = shell(&format!("$1 convert {server} {a} --out-password fd:3 3< <(echo first; echo rest)"));
    assert_eq!(told, (Some(0), String::new()));
    // One descriptor of a file gives one line after another, from its place.
    fs::write(&old, "skipped\nfirst\nsecond\n").unwrap();
    let told = shell(&format!("exec 4< {old}; read -r -u 4; $1 convert {a} {b} --password fd:4 --out-password fd:4"));
    assert_eq!(told.0, Some(0), "{}", told.1);
    let told = shell(&format!("$1 convert {b} {c} --password pass:second --out-password file:{new}"));
    assert_eq!(told.0, Some(0), "{}", told.1);
    let told = shell(&format!("$1 convert {c} {c} --force --password file:{new} --out-password env:FOURTH"));
    assert_eq!(told.0, Some(0), "{}", told.1);
    assert_eq!(run(&["inspect", &c, "--password", "pass:fourth"]).code, 0);
    // An empty line is a mistake, unless the command line says so.
    for from in ["fd:3", "stdin", "env:EMPTY"] {
        let told = shell(&format!(
            "export EMPTY=; exec 3< <(echo); echo | $1 convert {server} {} --out-password {from}",
            at("d.key")
        ));
        assert!(told.0 == Some(2) && told.1.contains("INVALID_ARGUMENT"), "{from}: {told:?}");
        assert!(!std::path::Path::new(&at("d.key")).exists());
    }
    for wrong in ["fd:77", "fd:x", "fd:"] {
        let ran = run(&["convert", &server, &at("d.p12"), "--out-password", wrong]);
        assert!(ran.code == 2 && ran.err.contains("fd:"), "{ran:?}");
    }
}

#[test]
fn failures_have_their_code_as_text_and_as_json_and_leave_no_file() {
    let at = place("failures");
    let out = at("out.p12");
    let cases: [(&[&str], i32, &str); 6] = [
        (&["--out-password", "pass:new", "--alias", "none"], 1, "ALIAS_NOT_FOUND"),
        (&["--out-password", "pass:new", "--key", "/nonexistent"], 1, "FILE_UNREADABLE"),
        (&["--out-password", "pass:new", "--part", "trust"], 1, "NO_TRUSTED_CERTIFICATE"),
        (&[], 1, "STORE_PASSWORD_MISSING"),
        (&["--out-password", "pass:new", "--to", "jks"], 2, "INVALID_ARGUMENT"),
        (&["--out-password", "new"], 2, "INVALID_ARGUMENT"),
    ];
    for (arguments, code, name) in cases {
        let ran = run(&[&["convert", &at("server.pem"), &out], arguments].concat());
        assert!(ran.code == code && ran.err.contains(name), "{ran:?}");
        if code == 1 {
            let ran = run(&[&["convert", &at("server.pem"), &out, "--json"], arguments].concat());
            assert_eq!(ran.json()["error"]["code"], name, "{ran:?}");
        }
    }
    assert!(!std::path::Path::new(&out).exists());
    assert_eq!(run(&["convert", &at("server.pem")]).code, 2);
}

#[test]
fn commands_of_the_manual_page_give_each_broker_its_files() {
    let folder = folder("convert-page");
    let at = |name: &str| folder.join(name);
    let authority = Authority::new("ca");
    file(&folder, "server.pem", authority.issue(&["broker.example"], |_| {}));
    file(&folder, "ca.pem", authority.pem());
    fs::write(at("broker.password"), "secret\n").unwrap();
    fs::write(at("trust.password"), "trusted\n").unwrap();
    let run_in_folder = |script: &str| {
        let output =
            Command::new("bash").args(["-euo", "pipefail", "-c", script]).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    };
    // The keystores of Java that the page begins with.
    run_in_folder(
        "openssl pkcs12 -export -in server.pem -name broker -out one.p12 -passout pass:secret
        import='keytool -J-XX:TieredStopAtLevel=1 -importkeystore -srckeystore one.p12 -srcstorepass secret'
        $import -destkeystore broker.ks -deststoretype JKS -deststorepass secret 2> log
        $import -destkeystore broker.jks -deststoretype JKS -deststorepass secret -destkeypass keypass 2> log
        keytool -importcert -noprompt -alias ca -file ca.pem -keystore broker.ts -storetype JKS -storepass trusted 2> log
        openssl pkey -in server.pem -out server.key
        mkdir from-pem && cp server.pem server.key ca.pem *.password from-pem
        rm server.pem server.key ca.pem",
    );
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/convert.md")).unwrap();
    let commands: Vec<&str> = page.lines().filter(|line| line.starts_with("brokertls convert ")).collect();
    assert_eq!(commands.len(), 6, "{commands:?}");
    let program = command(&[]).get_program().to_str().unwrap().to_owned();
    let run_line = |line: &str| line.replacen("brokertls", &program, 1);
    commands[..3].iter().for_each(|line| run_in_folder(&run_line(line)));
    run_in_folder("openssl verify -CAfile ca.pem server.pem; openssl pkey -in server.key -noout");
    commands[3..5].iter().for_each(|line| run_in_folder(&format!("cd from-pem; {}", run_line(line))));
    run_in_folder(
        "cd from-pem
        keytool -list -keystore broker.p12 -storepass secret | grep 'broker, .*PrivateKeyEntry'
        keytool -list -keystore broker-trust.p12 -storepass trusted | grep '1, .*trustedCertEntry'",
    );
    run_in_folder(&format!("printf 'secret\\nkeypass\\nnew\\n' | {}", run_line(commands[5])));
    run_in_folder("openssl pkcs12 -in broker.p12 -passin pass:new -noout");
}
