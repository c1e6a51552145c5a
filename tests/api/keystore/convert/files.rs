//! The file that is written: its rights, its place, and what is left after a failure.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use brokertls::Source;
use brokertls::error::{Code, Error};

use super::super::tools::folder;
use super::{assert_code, conversion, identity};

/// A folder with the input in it.
fn place(name: &str) -> PathBuf {
    let folder = folder(&format!("convert-{name}"));
    fs::write(folder.join("in.pem"), identity()).unwrap();
    folder
}

fn write(out: &Path, settings: &[(&str, &str)]) -> Result<(), Error> {
    let input = out.parent().unwrap().join("in.pem");
    let settings = [&[("out-password", "pass:new")], settings].concat();
    conversion(&settings).convert_to_file(&Source::file(input), out).map(drop)
}

/// The warnings about a file that is written.
fn warnings(out: &Path, settings: &[(&str, &str)]) -> Vec<String> {
    let input = out.parent().unwrap().join("in.pem");
    let settings = [&[("out-password", "pass:new")], settings].concat();
    conversion(&settings).convert_to_file(&Source::file(input), out).unwrap().warnings
}

/// The names in a folder beside the input.
fn names(folder: &Path) -> Vec<String> {
    let names = folder.read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != "in.pem").collect();
    names.sort();
    names
}

#[test]
fn new_file_belongs_to_its_owner_alone_and_its_ending_is_its_format() {
    let folder = place("new");
    let formats: [(&str, &[u8]); 4] =
        [("a.p12", b"0"), ("a.PFX", b"0"), ("a.pem", b"-----BEGIN"), ("a.key", b"-----BEGIN")];
    for (name, start) in formats {
        write(&folder.join(name), &[]).unwrap();
        assert!(fs::read(folder.join(name)).unwrap().starts_with(start), "{name}");
        let mode = fs::metadata(folder.join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert_eq!(names(&folder), ["a.PFX", "a.key", "a.p12", "a.pem"]);
    let error = write(&folder.join("a.store"), &[]).unwrap_err();
    assert_code(&error, Code::InvalidArgument, "the format of the output is not known");
    write(&folder.join("a.store"), &[("to", "pkcs12")]).unwrap();
}

#[test]
fn file_that_is_there_is_replaced_only_if_asked() {
    let folder = place("there");
    let out = folder.join("out.p12");
    fs::write(&out, "before").unwrap();
    fs::set_permissions(&out, fs::Permissions::from_mode(0o644)).unwrap();
    let error = write(&out, &[]).unwrap_err();
    assert_code(&error, Code::FileUnwritable, "out.p12: it is there already");
    assert_eq!(fs::read(&out).unwrap(), b"before");
    // Others that could read the old file are not able to read the new one.
    let told = format!("{}: only its owner can read it now; its mode was 0644", out.display());
    assert_eq!(warnings(&out, &[("force", "yes")]), [told]);
    assert_eq!(fs::read(&out).unwrap()[0], 0x30);
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(warnings(&out, &[("force", "yes")]), [""; 0]);
    assert_eq!(names(&folder), ["out.p12"]);
}

#[test]
fn file_of_another_user_is_not_replaced_and_not_given_away() {
    let folder = place("owner");
    let out = folder.join("out.p12");
    fs::write(&out, "before").unwrap();
    match chown(&out, Some(1), None) {
        Ok(()) => {
            let error = write(&out, &[("force", "yes")]).unwrap_err();
            assert_code(&error, Code::FileUnwritable, "out.p12: it belongs to another user (1)");
            assert!(error.hint().starts_with("Remove it, or run as its user"), "{error:?}");
            assert_eq!(fs::read(&out).unwrap(), b"before");
        }
        // Only root makes a file of another user. Then the file is the own one, and is replaced.
        Err(error) => {
            assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
            write(&out, &[("force", "yes")]).unwrap();
        }
    }
    assert_eq!(names(&folder), ["out.p12"]);
}

#[test]
fn mask_of_the_process_takes_no_right_of_the_owner() {
    let folder = place("mask");
    let out = folder.join("out.p12");
    let script = format!(
        "umask 0777; '{}' convert '{}' '{}' --out-password pass:new",
        env!("CARGO_BIN_EXE_brokertls"),
        folder.join("in.pem").display(),
        out.display()
    );
    let ran = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(fs::metadata(&out).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn symbolic_links_and_what_is_no_file_are_refused_and_left_as_they_are() {
    let folder = place("links");
    let target = folder.join("target");
    fs::write(&target, "before").unwrap();
    symlink(&target, folder.join("link.p12")).unwrap();
    symlink(folder.join("missing"), folder.join("dangling.p12")).unwrap();
    fs::create_dir(folder.join("folder.p12")).unwrap();
    for force in ["no", "yes"] {
        for (name, why) in [
            ("link.p12", "it is a symbolic link"),
            ("dangling.p12", "it is a symbolic link"),
            ("folder.p12", "it is not a regular file"),
        ] {
            let error = write(&folder.join(name), &[("force", force)]).unwrap_err();
            assert_code(&error, Code::FileUnwritable, why);
        }
    }
    assert_eq!(fs::read(&target).unwrap(), b"before");
    assert!(!folder.join("missing").exists());
    assert_eq!(names(&folder), ["dangling.p12", "folder.p12", "link.p12", "target"]);
}

#[test]
fn failure_leaves_nothing_behind() {
    let folder = place("failure");
    let error = write(&folder.join("out.p12"), &[("alias", "none")]).unwrap_err();
    assert_eq!(error.code(), Code::AliasNotFound);
    assert!(names(&folder).is_empty());
    let input = Source::file(folder.join("in.pem"));
    let settings = [("out-password", "pass:new")];
    for out in
        [folder.join("no/out.p12"), folder.join("in.pem/out.p12"), folder.join("x".repeat(300) + ".p12"), "".into()]
    {
        let error = conversion(&settings).convert_to_file(&input, &out).unwrap_err();
        assert!(matches!(error.code(), Code::FileUnwritable | Code::InvalidArgument), "{error:?}");
    }
    assert!(names(&folder).is_empty());
}

#[test]
fn name_as_long_as_the_system_allows_is_written() {
    let folder = place("long");
    let name = format!("{}.p12", "x".repeat(251));
    write(&folder.join(&name), &[]).unwrap();
    assert_eq!(names(&folder), [name]);
}

#[test]
fn of_many_at_once_one_writes_the_file_and_the_others_are_refused() {
    let folder = place("race");
    let out = folder.join("out.p12");
    let outcomes: Vec<Result<(), Error>> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..8).map(|_| scope.spawn(|| write(&out, &[]))).collect();
        running.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for error in outcomes.into_iter().filter_map(Result::err) {
        assert_code(&error, Code::FileUnwritable, "it is there already");
    }
    assert_eq!(names(&folder), ["out.p12"]);
}

#[test]
fn file_can_take_the_place_of_its_own_input() {
    let folder = place("self");
    let path = folder.join("in.pem");
    let settings = [("to", "pkcs12"), ("out-password", "pass:new"), ("force", "yes")];
    conversion(&settings).convert_to_file(&Source::file(&path), &path).unwrap();
    assert_eq!(fs::read(&path).unwrap()[0], 0x30);
}
