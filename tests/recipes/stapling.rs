//! Responses that a server staples, as `openssl s_client -status` shows them: asked of `openssl ocsp`, and from a file.

use brokertls::{Context, ContextBuilder, Source};

use crate::VERSIONS;
use crate::files::Files;
use crate::openssl::{self, only};
use crate::process::Running;
use crate::settings::certificate_and_key;

/// A CA that has issued a broker's certificate, and says in `index.txt` that it is good.
fn files(test: &str) -> Files {
    let files = Files::new(test);
    let key = "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj";
    files.run(&format!("{key} /CN=RootCA -x509 -keyout ca.key -out ca.pem"), &[]);
    files.run(&format!("{key} /CN=localhost -new -keyout key.pem -out csr"), &[]);
    files.write("names", "subjectAltName=DNS:localhost\n");
    let line = "openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -set_serial 0x1001 -extfile names -out cert.pem";
    files.run(line, &[]);
    files.write("index.txt", "V\t400101000000Z\t\t1001\tunknown\t/CN=localhost\n");
    files
}

const RESPONDER: &str = "openssl ocsp -index index.txt -CA ca.pem -rsigner ca.pem -rkey ca.key -nmin 60";

fn server(files: &Files, set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder) -> Context {
    let mut builder = ContextBuilder::new();
    builder.identity(certificate_and_key(files, "cert.pem", "key.pem", ""));
    set(builder.staple_issuer(Source::file(files.file("ca.pem")))).build().unwrap()
}

/// That clients of both versions are shown the response, if they ask for it.
fn assert_shown(context: &Context, files: &Files) {
    for version in VERSIONS {
        let arguments = format!("-CAfile ca.pem -verify_hostname localhost {}", only(version));
        let meeting = openssl::client(context, files, &format!("{arguments} -status"));
        meeting.went_well(version);
        for words in ["OCSP Response Status: successful (0x0)", "Serial Number: 1001", "Cert Status: good"] {
            meeting.assert_printed(words);
        }
        let meeting = openssl::client(context, files, &arguments);
        meeting.went_well(version);
        assert!(!meeting.theirs.contains("CertificateStatus"), "{}", meeting.last_words());
        assert!(!meeting.theirs.contains("OCSP Response"), "{}", meeting.last_words());
    }
}

#[test]
fn s_client_is_shown_the_response_that_the_responder_gave() {
    let files = &files("stapling-asked");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("exec {RESPONDER} -port 0")]).current_dir(files.path());
    let responder = Running::start(&mut command);
    // ACCEPT [::]:PORT PID=NUMBER, which may stand in the middle of a line of the other output.
    assert!(responder.prints(" PID="), "{}", responder.printed());
    let printed = responder.printed();
    let address = printed.split("ACCEPT ").nth(1).and_then(|after| after.split(' ').next()).unwrap();
    let url = format!("http://127.0.0.1:{}", address.rsplit(':').next().unwrap());
    let context = server(files, |builder| builder.staple(true).staple_responder(&url));
    for version in VERSIONS {
        let arguments = format!("-CAfile ca.pem -status {}", only(version));
        let meeting = openssl::client(&context, files, &arguments);
        meeting.went_well(version);
        meeting.assert_printed("OCSP response: no response sent");
    }
    context.maintain();
    assert_shown(&context, files);
}

#[test]
fn s_client_is_shown_the_response_of_a_file() {
    let files = &files("stapling-file");
    files.run(&format!("{RESPONDER} -issuer ca.pem -cert cert.pem -no_nonce -respout staple.der"), &[]);
    assert_shown(&server(files, |builder| builder.staple_file(Source::file(files.file("staple.der")))), files);
}
