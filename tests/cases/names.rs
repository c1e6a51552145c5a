//! Names in certificates, as `brokertls inspect` prints them.

use serde_json::{Value, json};

use crate::kept::{assert_no_debug_text, kept};
use crate::rig::command::run;

/// The facts of the one certificate of a file.
fn facts(name: &str) -> Value {
    let ran = run(&["inspect", &kept(name), "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_no_debug_text(&run(&["inspect", &kept(name)]).out);
    ran.json()["entries"][0]["certificates"][0].clone()
}

#[test]
fn comma_in_a_common_name_is_escaped() {
    let one = facts("05-subject-text-not-escaped/a4-cn-comma.der");
    let two = facts("05-subject-text-not-escaped/a4-plain-two.der");
    assert_eq!(one["subject"], "CN=alice\\, O\\=Admins");
    assert_eq!(two["subject"], "O=Admins,CN=alice");
}

#[test]
fn plus_sign_and_the_comma_of_a_directory_name_are_escaped() {
    let folder = "05b-plus-and-directory-name-not-escaped";
    assert_eq!(facts(&format!("{folder}/a4-cn-plus.der"))["subject"], "CN=alice \\+ OU\\=root");
    let names = facts(&format!("{folder}/a8-upn.der"))["names"].clone();
    assert!(names.as_array().unwrap().contains(&json!("dirName:CN=x\\, y")), "{names}");
}

#[test]
fn subjects_in_teletex_and_bmp_strings_are_decoded() {
    let folder = "06-subjects-in-teletex-collapse";
    assert_eq!(facts(&format!("{folder}/a3-cn-bmp.der"))["subject"], "CN=gerät-1,O=Example");
    for (file, name) in [("one", "Müller"), ("two", "José")] {
        assert_eq!(facts(&format!("{folder}/{file}.der"))["subject"], format!("CN={name},O=Example"));
    }
}

#[test]
fn user_principal_name_is_readable() {
    let names = facts("25-user-principal-name/a8-upn.der")["names"].clone();
    let names: Vec<&str> = names.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert!(names.contains(&"UPN:pump7@corp.example"), "{names:?}");
    assert!(names.contains(&"email:pump7@corp.example"), "{names:?}");
}
