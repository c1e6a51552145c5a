//! Directories of lists that hold other files too, and reports to the operator about the lists that a context has.

use std::path::{Path, PathBuf};

use brokertls::keystore::OpenOptions;
use brokertls::revocation::Mode;
use brokertls::{Code, Context, ContextBuilder, CrlSource, Error, IdentitySource, Source, TrustSource};
use rcgen::SerialNumber;

use crate::revocation::fetch::{BAD, GOOD};
use crate::rig::pair::{Authority, Pair, context};

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
        ("empty", Vec::new()),
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

/// PKCS#7 that carries one list and no certificate, in DER (RFC 5652 section 5).
fn pkcs7(list: &[u8]) -> Vec<u8> {
    let element = |tag: u8, content: Vec<u8>| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [vec![tag, 0x82], length.to_vec(), content].concat()
    };
    let identifier = |last: u8| [&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7][..], &[last]].concat();
    let data = element(0x30, identifier(1));
    let fields = [vec![2, 1, 1, 0x31, 0], data, element(0xa1, list.to_vec()), vec![0x31, 0]].concat();
    element(0x30, [identifier(2), element(0xa0, element(0x30, fields))].concat())
}

fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let body = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

#[test]
fn list_in_another_container_or_under_another_label_counts_as_a_file_and_in_directories() {
    let authority = Authority::new("ca");
    let list = der(&authority.crl(&[BAD]));
    for content in [
        pkcs7(&list),
        pem("PKCS7", &pkcs7(&list)).into_bytes(),
        [list.as_slice(), b"\r\n"].concat(),
        pem("x509 crl", &list).into_bytes(),
        pem("CERTIFICATE REVOCATION LIST", &list).into_bytes(),
        pem("CERTIFICATE", &list).into_bytes(),
        format!("\u{feff}{}", pem("X509 CRL", &list).replace('\n', "\r\n")).into_bytes(),
    ] {
        let folder = Folder::new("container").with("other", &content);
        let trust = Folder::new("container-trust").with("ca.pem", authority.pem()).with("other", &content);
        let file = CrlSource::Source(Source::memory("other", &content));
        let clients = [
            folder.client(&authority).unwrap(),
            client_of(authority.trust(), |builder| _ = builder.crl(file)).unwrap(),
            client_of(TrustSource::directory(trust.0.clone()), |builder| _ = builder.revocation(Mode::Require))
                .unwrap(),
        ];
        for client in clients {
            assert_eq!(outcome(&authority, &client, GOOD), None);
            assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
        }
    }
}

#[test]
fn what_is_no_list_is_named_for_what_it_is_in_a_directory_and_as_a_file() {
    let authority = Authority::new("ca");
    let certificate = der(&authority.pem());
    let utf16: Vec<u8> = authority.crl(&[]).encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (content, what) in [
        (certificate.clone(), "it is a certificate"),
        ([certificate.as_slice(), b"\n"].concat(), "it is a certificate"),
        (authority.pem().into_bytes(), "it is PEM text with CERTIFICATE (1)"),
        (authority.key_pem().into_bytes(), "it is PEM text with PRIVATE KEY (1)"),
        (der(&authority.key_pem()), "it is a private key"),
        (pkcs7(&[]), "it is PKCS#7 (CMS) without a certificate or a revocation list"),
        (b"\x1f\x8b\x08\0".to_vec(), "it is compressed with gzip"),
        (utf16, "it is UTF-16 text"),
        (vec![0x30, 0x80, 0x30, 0, 0, 0], "it is BER of indefinite length"),
        (vec![0x30, 3, 10, 1, 6], "it is an OCSP response"),
        (vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2], "it is a JKS keystore"),
        (Vec::new(), "it is empty"),
    ] {
        let folder = Folder::new("named").with("good.crl", authority.crl(&[BAD])).with("other", &content);
        let client = folder.client(&authority).unwrap();
        let told = format!("/other: passed over among the lists (CRL): {what}");
        assert!(client.warnings().iter().any(|line| line.contains(&told)), "{what}: {:?}", client.warnings());
        assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
        let file = CrlSource::Source(Source::memory("other", &content));
        let error = client_of(authority.trust(), |builder| _ = builder.crl(file)).unwrap_err();
        assert_eq!(error.code(), Code::CrlMalformed, "{what}");
        assert!(error.detail().contains(&format!("other: {what}")) && !error.hint().is_empty(), "{error}");
    }
}

#[test]
fn damaged_pkcs7_beside_a_list_is_not_left_out_in_silence() {
    let authority = Authority::new("ca");
    let message = pkcs7(&der(&authority.crl(&[BAD])));
    let current = authority.crl(&[]);
    let with = |message: &[u8]| {
        let text = [current.as_str(), &pem("PKCS7", message)].concat();
        client_of(authority.trust(), |builder| {
            builder.crl(CrlSource::Source(Source::memory("lists", text.as_bytes())));
        })
    };
    assert_eq!(outcome(&authority, &with(&message).unwrap(), BAD), Some(Code::CertRevoked));
    let error = with(&message[..message.len() - 3]).unwrap_err();
    assert_eq!(error.code(), Code::CrlMalformed, "{error}");
    assert!(error.detail().contains("PKCS#7 that cannot be read"), "{error}");
    // The same if the other list is in PKCS#7 too, in a directory of lists and among trusted certificates.
    let text = [pem("PKCS7", &message), pem("PKCS7", &message[..message.len() - 3])].concat();
    let folder = Folder::new("damaged").with("lists.pem", &text);
    assert_eq!(folder.client(&authority).unwrap_err().code(), Code::CrlMalformed);
    let both = [authority.pem(), text].concat();
    let among = TrustSource::store(Source::memory("both.pem", both.as_bytes()));
    let error = client_of(among, |builder| _ = builder.revocation(Mode::Prefer)).unwrap_err();
    assert_eq!(error.code(), Code::CrlMalformed, "{error}");
}

#[test]
fn line_end_behind_pkcs7_hides_no_list_in_it() {
    let authority = Authority::new("ca");
    let message = [pkcs7(&der(&authority.crl(&[BAD]))), b"\r\n".to_vec()].concat();
    let folder = Folder::new("line-end").with("lists.p7b", &message);
    assert_eq!(outcome(&authority, &folder.client(&authority).unwrap(), BAD), Some(Code::CertRevoked));
    let file = CrlSource::Source(Source::memory("lists", &message));
    let client = client_of(authority.trust(), |builder| _ = builder.crl(file)).unwrap();
    assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
}

#[test]
fn list_beyond_the_limit_in_a_trust_directory_is_an_error_if_its_name_says_that_it_is_one() {
    let authority = Authority::new("ca");
    let content = [authority.crl(&[BAD]).as_bytes(), &[b'\n'; 10_000]].concat();
    let mut options = OpenOptions::default();
    options.limits.max_content_bytes = 4_000;
    let built = |name: &str| {
        let folder = Folder::new("too-large").with("ca.pem", authority.pem()).with(name, &content);
        let trust = TrustSource::Directory { path: folder.0.clone(), options: options.clone() };
        let others = CrlSource::Source(Source::memory("other.crl", Authority::new("other").crl(&[]).as_bytes()));
        client_of(trust, |builder| _ = builder.crl(others).revocation(Mode::Prefer).max_crl_bytes(2_000))
    };
    let error = built("ca.crl").unwrap_err();
    assert_eq!(error.code(), Code::StoreTooLarge, "{error}");
    assert!(error.detail().contains("ca.crl") && error.hint().contains("max-crl-bytes"), "{error}");
    assert!(built("notes.txt").unwrap().warnings().iter().any(|line| line.contains("notes.txt")));
}

#[test]
fn pkcs7_of_lists_is_told_as_such_among_responses() {
    let authority = Authority::new("ca");
    let message = pkcs7(&der(&authority.crl(&[])));
    let error = client_of(authority.trust(), |builder| {
        builder.ocsp_response(Source::memory("response", &message));
    })
    .unwrap_err();
    assert_eq!(error.code(), Code::OcspMalformed, "{error}");
    assert!(error.detail().contains("with certificates: 0, revocation lists: 1"), "{error}");
    assert!(error.hint().contains("openssl ocsp -respout"), "{}", error.hint());
}

#[test]
fn der_of_a_list_with_more_behind_it_is_an_error_that_says_so() {
    let authority = Authority::new("ca");
    let list = der(&authority.crl(&[BAD]));
    let length = list.len();
    for (content, what) in [
        ([&list[..], b"text"].concat(), format!("DER of {length} bytes is followed by 4 more")),
        ([&list[..], &list[..]].concat(), "several elements of DER follow one another".to_owned()),
        (list[..length - 1].to_vec(), format!("it is cut off: DER of {length} bytes")),
    ] {
        let folder = Folder::new("behind").with("other", &content);
        let file = CrlSource::Source(Source::memory("other", &content));
        let as_file = client_of(authority.trust(), |builder| _ = builder.crl(file));
        for error in [folder.client(&authority).unwrap_err(), as_file.unwrap_err()] {
            assert_eq!(error.code(), Code::CrlMalformed, "{error}");
            assert!(error.detail().contains(&what), "{error}");
        }
    }
}

#[test]
fn socket_in_a_directory_of_lists_is_passed_over_and_a_list_that_cannot_be_read_is_an_error() {
    let authority = Authority::new("ca");
    let folder = Folder::new("special").with("good.crl", authority.crl(&[BAD]));
    let _socket = std::os::unix::net::UnixListener::bind(folder.0.join("socket")).unwrap();
    let client = folder.client(&authority).unwrap();
    assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
    let [warning] = client.warnings().try_into().unwrap();
    assert!(warning.ends_with("/socket: passed over among the lists (CRL): not a regular file"), "{warning}");
    std::os::unix::fs::symlink("nowhere", folder.0.join("ca.r0")).unwrap();
    assert_eq!(folder.client(&authority).unwrap_err().code(), Code::FileUnreadable);
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

/// A download that failed, a full disk, or a shell that writes UTF-16 must not end the revocations of an authority.
#[test]
fn file_that_is_named_as_a_list_and_holds_none_is_an_error_in_a_directory() {
    let authority = Authority::new("ca");
    let list = authority.crl(&[BAD]);
    let whole = der(&list);
    let utf16: Vec<u8> = list.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let header = if whole[1] < 0x80 { 2 } else { usize::from(whole[1] & 0x7f) + 2 };
    let indefinite = [&[0x30, 0x80], &whole[header..], &[0, 0]].concat();
    let contents =
        [Vec::new(), whole[..3].to_vec(), whole[..40].to_vec(), utf16, indefinite, b"<html>Not found</html>".to_vec()];
    for name in ["ca.crl", "CA+1.CRL", "ca.crl.pem", "ca.crl.der"] {
        for content in &contents {
            let folder = Folder::new("lost").with("good.crl", &list).with(name, content);
            let error = folder.client(&authority).unwrap_err();
            assert_eq!(error.code(), Code::CrlMalformed, "{name}: {error}");
            assert!(error.detail().contains(&format!("/{name}: ")), "{error}");
        }
    }
    for name in ["crl", "ca.crls", "0f0bd7f4.r0", "ca.crl.txt", "ca.pem", "ca.0"] {
        let folder = Folder::new("others").with("good.crl", &list).with(name, "nothing");
        let client = folder.client(&authority).unwrap();
        assert_eq!(client.warnings().len(), 1, "{name}: {:?}", client.warnings());
    }
}

#[test]
fn directory_without_a_list_is_reported_and_nothing_is_known() {
    let authority = Authority::new("ca");
    for folder in [Folder::new("none"), Folder::new("no-list").with("README", "nothing")] {
        let client = folder.client(&authority).unwrap();
        let told = format!("{}: no revocation list (CRL) is in this directory", folder.0.display());
        assert!(client.warnings().contains(&told), "{:?}", client.warnings());
        assert_eq!(outcome(&authority, &client, GOOD), Some(Code::RevocationUnknown));
    }
}

#[test]
fn list_that_counts_for_nothing_yet_or_ever_is_reported_when_the_context_is_built() {
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

/// A client that trusts a folder, and checks revocation in these modes.
fn client_of(trust: TrustSource, set: impl FnOnce(&mut ContextBuilder)) -> Result<Context, Error> {
    let mut builder = ContextBuilder::new();
    builder.trust(trust).resumption(false);
    set(&mut builder);
    builder.build()
}

/// The same authority as a folder of trust and as one file, with this list in PEM beside it.
fn trust_with(authority: &Authority, list: &str, folder: &Folder) -> [TrustSource; 2] {
    let both = [list.to_owned(), authority.pem()].concat();
    let file = TrustSource::store(Source::memory("both.pem", both.as_bytes()));
    [TrustSource::directory(folder.0.clone()), file]
}

#[test]
fn lists_among_the_trusted_certificates_count_where_revocation_is_on() {
    let (authority, other) = (Authority::new("ca"), Authority::new("other"));
    let list = authority.crl(&[BAD]);
    let folder = Folder::new("trust").with("ca.pem", authority.pem()).with("ca.r0", &list);
    let in_der = Folder::new("trust-der").with("ca.cer", der(&authority.pem())).with("ca.crl", der(&list));
    let joined = Folder::new("trust-both").with("both.pem", [authority.pem(), list.clone()].concat());
    let [directory, file] = trust_with(&authority, &list, &folder);
    let places = [directory, file, TrustSource::directory(in_der.0.clone()), TrustSource::directory(joined.0.clone())];
    for trust in places {
        for mode in [Mode::Require, Mode::Prefer] {
            let by_mode = client_of(trust.clone(), |builder| _ = builder.revocation(mode)).unwrap();
            let by_mode_of_lists = client_of(trust.clone(), |builder| _ = builder.crl_mode(mode)).unwrap();
            let others = CrlSource::Source(Source::memory("other.crl", other.crl(&[]).as_bytes()));
            let beside = client_of(trust.clone(), |builder| _ = builder.crl(others).revocation(mode)).unwrap();
            for client in [by_mode, by_mode_of_lists, beside] {
                assert_eq!(outcome(&authority, &client, GOOD), None, "{trust:?} {mode:?}");
                assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked), "{trust:?} {mode:?}");
                let skipped = |line: &String| line.contains("skipped") || line.contains("not used");
                assert!(!client.warnings().iter().any(skipped), "{:?}", client.warnings());
            }
        }
    }
}

#[test]
fn lists_among_the_trusted_certificates_that_are_not_asked_are_reported() {
    let authority = Authority::new("ca");
    let list = authority.crl(&[BAD]);
    let folder = Folder::new("unasked").with("ca.pem", authority.pem()).with("ca.r0", &list);
    let told = "a revocation list (CRL) that is not used, because";
    for trust in trust_with(&authority, &list, &folder) {
        let off = client_of(trust.clone(), |_| ()).unwrap();
        let said_off = client_of(trust.clone(), |builder| _ = builder.revocation(Mode::Off)).unwrap();
        for client in [off, said_off] {
            assert_eq!(outcome(&authority, &client, BAD), None);
            let warnings = client.warnings();
            let is_told = |line: &String| line.ends_with(&format!("{told} revocation is off"));
            assert!(warnings.len() == 1 && warnings.iter().all(is_told), "{warnings:?}");
        }
        let ocsp_alone = client_of(trust, |builder| _ = builder.crl_mode(Mode::Off).ocsp_mode(Mode::Prefer)).unwrap();
        assert_eq!(outcome(&authority, &ocsp_alone, BAD), None);
        let warnings = ocsp_alone.warnings();
        let is_told = |line: &String| line.ends_with(&format!("{told} lists are not asked (crl-mode off)"));
        assert!(warnings.len() == 1 && warnings.iter().all(is_told), "{warnings:?}");
    }
}

#[test]
fn list_among_the_trusted_certificates_that_cannot_be_used_is_an_error_where_revocation_is_on() {
    let authority = Authority::new("ca");
    let whole = der(&authority.crl(&[BAD]));
    let cut = Folder::new("trust-cut").with("ca.pem", authority.pem()).with("cut.crl", &whole[..whole.len() - 1]);
    let trust = || TrustSource::directory(cut.0.clone());
    let error = client_of(trust(), |builder| _ = builder.revocation(Mode::Prefer)).unwrap_err();
    assert_eq!(error.code(), Code::CrlMalformed, "{error}");
    assert!(error.detail().contains("/cut.crl"), "{error}");
    assert!(client_of(trust(), |_| ()).unwrap().warnings()[0].contains("/cut.crl: "));
    // A list by another key of that name is reported, and says nothing.
    let forged = Authority::new("ca").crl(&[]);
    let folder = Folder::new("trust-forged").with("ca.pem", authority.pem()).with("ca.r0", &forged);
    for (mode, code) in [(Mode::Require, Some(Code::RevocationUnknown)), (Mode::Prefer, None)] {
        for trust in trust_with(&authority, &forged, &folder) {
            let client = client_of(trust, |builder| _ = builder.revocation(mode)).unwrap();
            assert_eq!(outcome(&authority, &client, GOOD), code);
            assert!(client.warnings()[0].contains("is not signed with the key of the trusted"), "{client:?}");
        }
    }
}

#[test]
fn mode_without_a_list_among_the_trusted_certificates_is_a_conflict_at_a_reload_too() {
    let authority = Authority::new("ca");
    let folder = Folder::new("trust-alone").with("ca.pem", authority.pem()).with("README", "X509 CRLs go here");
    let client =
        || client_of(TrustSource::directory(folder.0.clone()), |builder| _ = builder.revocation(Mode::Require));
    assert_eq!(client().unwrap_err().code(), Code::OptionConflict);
    let list = folder.0.join("ca.r0");
    std::fs::write(&list, authority.crl(&[])).unwrap();
    let client = client().unwrap();
    assert_eq!(outcome(&authority, &client, BAD), None);
    std::fs::write(&list, authority.crl(&[BAD])).unwrap();
    client.reload().unwrap();
    assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
    std::fs::remove_file(&list).unwrap();
    assert_eq!(client.reload().unwrap_err().code(), Code::OptionConflict);
    assert_eq!(outcome(&authority, &client, BAD), Some(Code::CertRevoked));
}

#[test]
fn hint_about_a_file_that_is_too_large_names_the_option_that_counts() {
    let authority = Authority::new("ca");
    let list = authority.crl(&[BAD]);
    let folder = Folder::new("large").with("ca.pem", authority.pem()).with("ca.crl", &list);
    let memory = |bytes: &[u8]| Source::memory("large", bytes);
    let trust = TrustSource::directory(folder.0.clone());
    let of_list = [
        client_of(authority.trust(), |builder| {
            builder.crl(CrlSource::Source(memory(list.as_bytes()))).max_crl_bytes(100);
        }),
        client_of(authority.trust(), |builder| {
            builder.crl(CrlSource::Directory(folder.0.clone())).max_crl_bytes(100);
        }),
        client_of(trust, |builder| _ = builder.revocation(Mode::Require).max_crl_bytes(100)),
    ];
    for client in of_list {
        let error = client.unwrap_err();
        assert_eq!(error.code(), Code::StoreTooLarge);
        assert!(error.detail().contains("more than 100 bytes"), "{error}");
        assert_eq!(error.hint(), "If the file is what it should be, raise the option max-crl-bytes.");
    }
    let response = || memory(&[0x30; (1 << 20) + 1]);
    let of_response = [
        client_of(authority.trust(), |builder| _ = builder.ocsp_response(response())),
        client_of(authority.trust(), |builder| {
            builder.identity(authority.identity(&["broker"])).staple_file(response());
        }),
    ];
    for client in of_response {
        let error = client.unwrap_err();
        assert_eq!(error.code(), Code::StoreTooLarge);
        assert_eq!(error.hint(), "Give the responses in several files; for one there is no option.");
    }
    let issuer = client_of(authority.trust(), |builder| {
        let identity = authority.identity(&["broker"]);
        builder.identity(identity).staple(true).staple_issuer(memory(&vec![b' '; (16 << 20) + 1]));
    });
    let error = issuer.unwrap_err();
    assert_eq!(error.code(), Code::StoreTooLarge);
    assert_eq!(error.hint(), "Give the issuer's certificate alone; for this file there is no option.");
}

#[test]
fn what_is_odd_in_the_file_of_the_issuer_of_staples_is_told() {
    let authority = Authority::new("ca");
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/cases");
    let odd = std::fs::read_to_string(cases.join("11-one-odd-certificate-in-a-bundle/trust.pem")).unwrap();
    let issuers = [odd, authority.pem()].concat();
    let context = context(|builder| {
        builder.identity(authority.identity(&["broker"])).staple(true).staple_responder("http://127.0.0.1:9/");
        builder.staple_issuer(Source::memory("issuers.pem", issuers.as_bytes()))
    });
    let warnings = context.warnings();
    let told = |line: &String| line.contains("issuers.pem, line 1") && line.contains("its validity cannot be read");
    assert!(warnings.iter().any(told), "{warnings:?}");
}
