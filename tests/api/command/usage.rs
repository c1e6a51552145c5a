//! The command's usage and help.

use std::process::Command;

use brokertls::options::OPTIONS;

use crate::rig::command::run;

#[test]
fn help_lists_every_command_and_every_option_of_a_context() {
    let help = run(&["--help"]);
    assert_eq!(help.code, 0);
    for name in ["connect", "serve", "inspect", "verify"] {
        assert!(help.out.contains(&format!("  {name} ")), "{}", help.out);
        let help = run(&[name, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.out.contains("Exit code:") && help.out.contains("Examples:"), "{}", help.out);
    }
    for name in ["connect", "serve"] {
        let help = run(&[name, "--help"]).out;
        for row in OPTIONS {
            assert!(help.contains(&format!("--{}", row.name)), "{name} {}", row.name);
        }
    }
}

#[test]
fn wrong_usage_exits_with_two_and_says_what_is_wrong() {
    let wrong: &[(&[&str], &str)] = &[
        (&[], "Usage"),
        (&["conect"], "connect"),
        (&["connect"], "HOST:PORT"),
        (&["connect", "localhost"], "HOST:PORT"),
        (&["connect", "localhost:99999"], "HOST:PORT"),
        (&["connect", "::1:443"], "HOST:PORT"),
        (&["connect", "localhost:1", "--versoins", "TLS"], "--versions"),
        (&["connect", "localhost:1", "--versions", "TLSv1.4"], "VERSION_NOT_SUPPORTED"),
        (&["connect", "localhost:1", "--cipher-suites", "AES128-SHA", "--insecure-accept-any-server"], "static RSA"),
        (&["connect", "localhost:1", "--password", "secret"], "pass:TEXT"),
        (&["connect", "localhost:1", "--timeout", "0"], "--timeout"),
        (&["serve"], "NO_IDENTITY"),
        (&["serve", "--port", "70000"], "--port"),
        (&["serve", "--bind", "localhost"], "--bind"),
        (&["inspect"], "FILE"),
        (&["verify", "--trust", "ca.pem"], "--chain"),
        (&["verify", "--chain", "server.pem"], "--trust"),
        (&["verify", "--chain", "a", "--trust", "b", "--time", "yesterday"], "INVALID_TIME"),
        (&["verify", "--chain", "a", "--trust", "b", "--purpose", "broker"], "--purpose"),
        (&["verify", "--chain", "a", "--trust", "b", "--allow", "everything"], "--allow"),
        (&["verify", "--chain", "a", "--trust", "b", "--name", "not a name"], "--name"),
    ];
    for (arguments, told) in wrong {
        let ran = run(arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(told), "{arguments:?}: {ran:?}");
        assert!(ran.out.is_empty(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn password_on_the_command_line_is_not_repeated_in_messages() {
    for arguments in [["--password", "hunter2"], ["--password", "file:/nonexistent/hunter"]] {
        let ran = run(&[&["inspect", "/nonexistent"], arguments.as_slice()].concat());
        assert!(!ran.err.contains("hunter2"), "{ran:?}");
    }
}

#[test]
fn output_without_a_reader_ends_the_command_quietly() {
    let pipe = format!("'{}' connect --help | true", env!("CARGO_BIN_EXE_brokertls"));
    let output = Command::new("bash").args(["-c", &pipe]).output().unwrap();
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}
