//! Settings that change nothing: each is refused by its name, or told.

use brokertls::Source;
use brokertls::error::Code;

use super::super::tools::{folder, made, pki};
use super::{assert_code, conversion, converted, identity, refused};

/// Input, settings, and the words of the refusal.
type Case<'a> = (&'a [u8], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn setting_of_the_output_without_effect_is_refused_by_its_name() {
    let new = ("out-password", "pass:new");
    let (identity, trust) = (identity(), pki("root.crt"));
    let cases: [Case<'_>; 11] = [
        (&identity, &[("name", "broker")], "the option name has no effect: PEM has no names"),
        (&trust, &[("name", "ca")], "the option name has no effect: PEM has no names"),
        (&trust, &[new], "the option out-password has no effect: the output has no private key"),
        (&identity, &[new, ("part", "chain")], "the option out-password has no effect: the output has no private key"),
        (&trust, &[("out-password", "pass:"), ("part", "trust")], "the option out-password has no effect"),
        (
            &identity,
            &[("iterations", "2000")],
            "the option iterations has no effect: nothing in the output is encrypted",
        ),
        (&trust, &[("iterations", "2000")], "the option iterations has no effect"),
        (&identity, &[("part", "key"), ("legacy-encryption", "yes")], "the option legacy-encryption has no effect"),
        (&identity, &[("part", "chain"), ("legacy-encryption", "yes")], "the option legacy-encryption has no effect"),
        (&identity, &[("force", "yes")], "the option force has no effect: no file is written"),
        (&trust, &[("part", "trust"), ("key-password", "pass:a")], "the option key-password has no effect"),
    ];
    for (input, settings, detail) in cases {
        let error = refused(input, &[settings, &[("to", "pem")]].concat());
        assert_code(&error, Code::OptionConflict, detail);
        assert_eq!(error.hint(), "Leave it out.");
    }
    let key = [("to", "pem"), ("part", "trust"), ("key", "/nonexistent")];
    assert_code(
        &refused(&trust, &key),
        Code::OptionConflict,
        "the option key has no effect: the part trust has no keys",
    );
}

#[test]
fn setting_that_has_an_effect_or_is_the_default_is_taken() {
    let all: [&[(&str, &str)]; 4] = [
        &[("to", "pem"), ("out-password", "pass:new"), ("iterations", "2000"), ("legacy-encryption", "yes")],
        &[("to", "pem"), ("legacy-encryption", "no"), ("part", "all"), ("force", "no")],
        &[("to", "pkcs12"), ("out-password", "pass:new"), ("name", "broker"), ("iterations", "2000")],
        &[("to", "pem"), ("insecure-allow-missing-mac", "yes"), ("max-content-bytes", "100000")],
    ];
    for settings in all {
        assert_eq!(converted(&identity(), settings).entries.len(), 1, "{settings:?}");
    }
}

#[test]
fn file_is_not_written_if_a_setting_has_no_effect() {
    let folder = folder("convert-effects");
    let out = folder.join("ca.pem");
    let conversion = conversion(&[("out-password", "pass:new"), ("force", "yes")]);
    let error = conversion.convert_to_file(&Source::memory("in", &pki("root.crt")), &out).unwrap_err();
    assert_code(&error, Code::OptionConflict, "out-password");
    assert!(!out.exists());
}

#[test]
fn password_of_an_input_in_which_nothing_is_encrypted_is_told() {
    let open = "the private key in the output is not encrypted";
    for (name, value) in [("password", "pass:a"), ("key-password", "pass:a")] {
        let told = format!("the option {name} has no effect: nothing that it could open is encrypted");
        assert_eq!(converted(&identity(), &[("to", "pem"), (name, value)]).warnings, [told, open.to_owned()]);
    }
    let key = made("openssl pkcs8 -topk8 -in $pki/rsa.key -passout pass:a -out out");
    let input = [key, pki("rsa.crt")].concat();
    for name in ["password", "key-password"] {
        assert_eq!(converted(&input, &[("to", "pem"), (name, "pass:a")]).warnings, [open]);
    }
}

#[test]
fn forms_of_passwords_that_the_command_alone_has_are_refused_by_the_library() {
    for name in ["password", "key-password", "out-password"] {
        for form in ["stdin", "fd:3", "secret"] {
            let error = brokertls::convert::Conversion::new().set(name, form).unwrap_err();
            let detail = "a password is given as pass:TEXT, env:VARIABLE or file:PATH";
            assert_code(&error, Code::InvalidArgument, detail);
        }
    }
}
