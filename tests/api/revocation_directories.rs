//! Directories of lists that hold other files too, and what an operator is told of the lists that a context has.

use std::path::{Path, PathBuf};

use brokertls::{Code, Context, ContextBuilder, CrlSource, Error, IdentitySource, Source};
use rcgen::SerialNumber;

use crate::pair::{Authority, Pair, context};
use crate::revocation_fetch::{BAD, GOOD};

/// A folder of one test; removed when it is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("lists-{test}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn with(self, name: &str, content: impl AsRef<[u8]>) -> Self {
        std::fs::write(self.0.join(name), content).unwrap();
        self
    }

    fn client(&self, authority: &Authority) -> Result<Context, Error> {
        let mut builder = ContextBuilder::new();
        builder.trust(authority.trust()).crl(CrlSource::Directory(self.0.clone())).resumption(false);
        builder.build()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn outcome(authority: &Authority, client: &Context, serial: &[u8]) -> Option<Code> {
    let pem = authority.issue(&["broker"], |params| params.serial_number = Some(SerialNumber::from_slice(serial)));
    let server = context(|builder| builder.identity(IdentitySource::new(Source::memory("broker.pem", pem.as_bytes()))));
    Pair::new(&server, client, "broker").run().client.err().map(|error| error.code())
}

fn der(pem: &str) -> Vec<u8> {
    use base64::Engine as _;
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    base64::engine::general_purpose::STANDARD.decode(body).unwrap()
}

#[test]
fn what_is_no_list_in_a_directory_is_passed_over_with_a_warning_and_the_lists_count() {
    let authority = Authority::new("ca");
    let list = authority.crl(&[BAD]);
    let others: [(&str, Vec<u8>); 9] = [
        ("README", b"Put your lists here.\n".to_vec()),
        ("README.md", b"# Lists\n\n    -----BEGIN NOTHING\n".to_vec()),
        ("empty.crl", Vec::new()),
        ("nsrev.asp", b"<% Response.ContentType = \"application/x-netscape-revocation\" %>".to_vec()),
        ("ca.crt", der(&authority.pem())),
        ("ca.pem", authority.pem().into_bytes()),
        ("key.pem", authority.key_pem().into_bytes()),
        ("zeros.bin", vec![0; 5000]),
        ("base64.txt", b"SGVsbG8sIHRoaXMgaXMgbm8gbGlzdC4=\n".to_vec()),
    ];
    let mut folder = Folder::new("mixed").with("a.crl", &list).with("b.crl", der(&list));
    for (name, content) in &others {
        folder = folder.with(name, content);
    }
    std::fs::create_dir(folder.0.join("below")).unwrap();
    let client = folder.client(&authority).unwrap();
    assert_eq!(outcome(&authority, &client, GOOD), None);
    assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
    let warnings = client.warnings();
    for (name, _) in &others {
        let told = |line: &&String| line.contains(&format!("/{name}: passed over among the lists (CRL)"));
        assert_eq!(warnings.iter().filter(told).count(), 1, "{name}: {warnings:?}");
    }
    // The same list under two names is one.
    assert_eq!(warnings.len(), others.len(), "{warnings:?}");
    assert_eq!(client.revocation_sources().len(), 1);
}

#[test]
fn list_that_is_damaged_or_not_honoured_is_an_error_in_a_directory_too() {
    let authority = Authority::new("ca");
    let list = authority.crl(&[BAD]);
    let whole = der(&list);
    let bare: String = list.lines().filter(|line| !line.starts_with('-')).collect();
    let mut damaged = whole.clone();
    let at = damaged.windows(2).position(|window| window == [0x17, 13]).unwrap();
    damaged[at + 2] = b'x';
    let unserved = {
        // The last byte of ecdsa-with-SHA256, twice.
        let mut other = whole.clone();
        let name = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
        for at in (0..other.len() - 8).filter(|at| whole[*at..*at + 8] == name) {
            other[at + 7] = 9;
        }
        other
    };
    for (content, code) in [
        (whole[..whole.len() - 1].to_vec(), Code::CrlMalformed),
        (whole[..150].to_vec(), Code::CrlMalformed),
        (damaged, Code::CrlMalformed),
        (unserved, Code::CrlUnsupported),
        (bare.into_bytes(), Code::CrlMalformed),
        (list.replace("END X509 CRL", "END X509").into_bytes(), Code::PemMalformed),
        (list.as_bytes()[..list.len() / 2].to_vec(), Code::PemMalformed),
    ] {
        let folder = Folder::new("damaged").with("good.crl", &list).with("other.crl", content);
        let error = folder.client(&authority).unwrap_err();
        assert_eq!(error.code(), code, "{error}");
        assert!(error.detail().contains("/other.crl"), "{error}");
    }
}

#[test]
fn directory_without_a_list_is_told_of_and_nothing_is_known() {
    let authority = Authority::new("ca");
    for folder in [Folder::new("none"), Folder::new("no-list").with("README", "nothing")] {
        let client = folder.client(&authority).unwrap();
        let told = format!("{}: no revocation list (CRL) is in this directory", folder.0.display());
        assert!(client.warnings().contains(&told), "{:?}", client.warnings());
        assert_eq!(outcome(&authority, &client, GOOD), Some(Code::RevocationUnknown));
    }
}

#[test]
fn list_that_counts_for_nothing_yet_or_ever_is_told_of_when_the_context_is_built() {
    let authority = Authority::new("ca");
    let warnings = |trusted: &Authority, list: &str| {
        let list = CrlSource::Source(Source::memory("its.crl", list.as_bytes()));
        context(|builder| builder.trust(trusted.trust()).crl(list)).warnings()
    };
    let only = |warnings: Vec<String>, told: &str| {
        assert!(matches!(warnings.as_slice(), [line] if line.contains(told)), "{told}: {warnings:?}");
    };
    assert!(warnings(&authority, &authority.crl(&[])).is_empty());
    let (first, last) = (rcgen::date_time_ymd(2099, 1, 1), rcgen::date_time_ymd(2100, 1, 1));
    let ahead = authority.crl_between(&[], first, last).pem().unwrap();
    only(warnings(&authority, &ahead), "begins at 2099-01-01T00:00:00Z: until then it revokes, and says nothing else");
    let below = authority.below("below");
    only(warnings(&authority, &below.crl(&[])), "is of \"CN=below\", and no trusted CA certificate has that name");
    only(warnings(&authority, &Authority::new("ca").crl(&[])), "is not signed with the key of the trusted certificate");
}
