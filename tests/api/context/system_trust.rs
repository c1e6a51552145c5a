//! The roots of the system, and the settings that locate them.

use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::rig::command::{file, folder};
use crate::rig::pair::Authority;

/// The output of the verification of a client by the system's roots; the environment calls the client's CA one of them.
fn verdict(program: &Path, folder: &Path, variable: &str, value: &str) -> (String, String) {
    let chain = folder.join("client.pem");
    let arguments = ["verify", "--purpose", "client", "--system-trust", "--chain", chain.to_str().unwrap()];
    let mut command = Command::new(program);
    command.args(arguments).env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR").env(variable, value);
    let output = command.output().unwrap();
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

/// A group that is not the one that tests run as: any for root, for others one of their own.
fn other_group() -> u32 {
    let of = |option: &str| {
        let output = Command::new("id").arg(option).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(|id| id.parse().unwrap()).collect::<Vec<u32>>()
    };
    let own = of("-g")[0];
    if of("-u") == [0] {
        return own + 1;
    }
    let found = of("-G").into_iter().find(|group| *group != own);
    found.expect("a set-gid program needs root, or a second group of the user that runs the tests")
}

/// The command, made so that it runs with a group that its caller does not run with.
fn set_group_id(folder: &Path) -> PathBuf {
    let program = folder.join("brokertls");
    std::fs::copy(env!("CARGO_BIN_EXE_brokertls"), &program).unwrap();
    chown(&program, None, Some(other_group())).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o2755)).unwrap();
    program
}

#[test]
fn environment_says_where_the_roots_are_except_to_a_program_with_the_rights_of_others() {
    let folder = folder("system-trust");
    let authority = Authority::new("ca of the environment");
    let ca = file(&folder, "ca.pem", authority.pem());
    file(&folder, "client.pem", authority.issue(&["client.example"], |_| {}));
    let roots = folder.join("roots");
    std::fs::create_dir(&roots).unwrap();
    file(&roots, "ca.pem", authority.pem());
    let plain = Path::new(env!("CARGO_BIN_EXE_brokertls"));
    let elevated = set_group_id(&folder);
    for (variable, value) in [("SSL_CERT_FILE", ca.as_str()), ("SSL_CERT_DIR", roots.to_str().unwrap())] {
        let (told, _) = verdict(plain, &folder, variable, value);
        assert!(told.starts_with("accepted\n"), "{variable}: {told}");
        // Without the distribution's roots there is nothing to trust.
        let has_roots = Path::new("/etc/ssl/certs/ca-certificates.crt").exists();
        let code = if has_roots { "CERT_UNKNOWN_ISSUER" } else { "SYSTEM_ROOTS_UNAVAILABLE" };
        let (told, _) = verdict(&elevated, &folder, variable, value);
        assert!(told.starts_with(&format!("refused {code}: ")), "{variable}: {told}");
    }
}
