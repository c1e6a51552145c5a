//! The matrix of the manual's page on revocation, cell by cell. Each cell is the verdict of a server on a client, for
//! one set of modes and one state of lists and OCSP.
//!
//! The lists are made here, the responses by `openssl ocsp`; the expectations are read from the page.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use brokertls::revocation::Mode;
use brokertls::{ClientAuth, Code, Context, ContextBuilder, CrlSource, IdentitySource, Result, Source};

use crate::rig::pair::{Authority, Pair, context};

const PAGE: &str = include_str!("../../../docs/revocation.md");
pub(crate) const SERIAL: &[u8] = &[0x11, 0x22, 0x33];
const MODES: [Mode; 3] = [Mode::Off, Mode::Prefer, Mode::Require];
/// Knowledge of one source, in the words of the column heads.
const KNOWN: [&str; 3] = ["good", "unknown", "revoked"];

/// The cells of each line of the table that starts with this head, without the line below the heads.
fn table(head: &str) -> Vec<Vec<&'static str>> {
    let lines =
        PAGE.lines().skip_while(|line| !line.starts_with(&format!("| {head} "))).take_while(|line| !line.is_empty());
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>();
    let rows: Vec<_> = lines.map(cells).filter(|row| !row[0].starts_with("---")).collect();
    assert!(rows.len() > 1, "no table {head} in the page");
    rows
}

/// A CA, a client of it, and everything that lists and OCSP can say of that client.
struct World {
    authority: Authority,
    client: Context,
    lists: HashMap<&'static str, Source>,
    responses: HashMap<&'static str, Source>,
}

impl World {
    /// `test` names the folder in which the responses are made.
    fn new(test: &str) -> Self {
        let authority = Authority::new("ca");
        let pem = authority.issue(&["device"], |params| {
            params.serial_number = Some(rcgen::SerialNumber::from_slice(SERIAL));
        });
        let identity = IdentitySource::new(Source::memory("device.pem", pem.as_bytes()));
        let client = context(|builder| builder.trust(authority.trust()).identity(identity).resumption(false));
        let lists = [
            ("good", authority.crl(&[&[0x11, 0x22, 0x34]])),
            ("unknown", Authority::new("other").crl(&[SERIAL])),
            ("revoked", authority.crl(&[SERIAL])),
        ];
        let lists = lists.map(|(known, pem)| (known, Source::memory("ca.crl", pem.as_bytes()))).into();
        let folder = Folder::new(test, &authority, &pem);
        let responses = KNOWN.map(|known| (known, Source::memory("device.ocsp", &folder.response(known)))).into();
        Self { authority, client, lists, responses }
    }

    /// A server that checks its clients by a list and a response that know so much.
    fn server(
        &self,
        lists: &str,
        ocsp: &str,
        set: impl FnOnce(&mut ContextBuilder) -> &mut ContextBuilder,
    ) -> Result<Context> {
        let mut builder = ContextBuilder::new();
        builder.identity(self.authority.identity(&["broker"])).trust(self.authority.trust());
        builder.client_auth(ClientAuth::Need).resumption(false);
        builder.crl(CrlSource::Source(self.lists[lists].clone())).ocsp_response(self.responses[ocsp].clone());
        set(&mut builder).build()
    }

    /// The verdict of the server on the client, in the words of the table. The client must receive the matching alert.
    fn outcome(&self, server: &Context) -> &'static str {
        let ended = Pair::new(server, &self.client, "broker").run();
        let told = |code: Code| assert_eq!(ended.client.as_ref().map_err(|error| error.code()), Err(code));
        match (ended.server.map_err(|error| error.code()), server.revocation_unknown_accepted()) {
            (Ok(()), 0) => "accepted",
            (Ok(()), 1) => "counted",
            (Err(Code::CertRevoked), 0) => {
                told(Code::AlertCertificateRevoked);
                "REVOKED"
            }
            (Err(Code::RevocationUnknown), 0) => {
                told(Code::AlertCertificateUnknown);
                "UNKNOWN"
            }
            other => panic!("{other:?}"),
        }
    }
}

/// The files of a responder of OpenSSL. It knows one client, with the serial number [`SERIAL`].
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(test: &str, authority: &Authority, client: &str) -> Self {
        let folder = Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join("revocation_matrix").join(test));
        let _ = fs::remove_dir_all(&folder.0);
        fs::create_dir_all(&folder.0).unwrap();
        folder.write("ca.pem", &authority.pem());
        folder.write("ca.key", &authority.key_pem());
        folder.write("client.pem", client);
        let row = |status: &str| format!("{status}\t112233\tunknown\t/CN=device\n");
        folder.write("good.index", &row("V\t400101000000Z\t"));
        folder.write("unknown.index", "");
        folder.write("revoked.index", &row("R\t400101000000Z\t250102030405Z,keyCompromise"));
        folder
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.0.join(name), content).unwrap();
    }

    /// The answer about the client of a responder with this knowledge.
    pub(crate) fn response(&self, known: &str) -> Vec<u8> {
        let line = format!(
            "ocsp -index {known}.index -CA ca.pem -rsigner ca.pem -rkey ca.key -issuer ca.pem -cert client.pem \
             -ndays 1 -respout {known}.der"
        );
        let output = Command::new("openssl").args(line.split_whitespace()).current_dir(&self.0).output().unwrap();
        assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
        fs::read(self.0.join(format!("{known}.der"))).unwrap()
    }
}

fn modes(row: &[&str]) -> [Mode; 3] {
    [0, 1, 2].map(|column| Mode::from_name(row[column]).unwrap_or_else(|| panic!("{} is no mode", row[column])))
}

#[test]
fn each_cell_of_the_matrix_is_what_becomes_of_a_client() {
    let world = World::new("cells");
    let rows = table("`revocation`");
    let columns: Vec<_> = rows[0][3..].iter().map(|head| head.split_once(", ").unwrap()).collect();
    let all: Vec<_> = KNOWN.iter().flat_map(|lists| KNOWN.iter().map(move |ocsp| (*lists, *ocsp))).collect();
    assert_eq!(columns, all);
    let mut checked = 0;
    for row in &rows[1..] {
        for (cell, (lists, ocsp)) in row[3..].iter().zip(&columns) {
            let server = world.server(lists, ocsp, |builder| match row[1..3] {
                ["-", "-"] => builder.revocation(Mode::from_name(row[0]).unwrap()),
                _ => {
                    let [overall, by_lists, by_ocsp] = modes(row);
                    builder.revocation(overall).crl_mode(by_lists).ocsp_mode(by_ocsp)
                }
            });
            assert_eq!(world.outcome(&server.unwrap()), *cell, "{:?}: lists {lists}, OCSP {ocsp}", &row[..3]);
            checked += 1;
        }
    }
    assert_eq!(checked, 17 * 9);
}

#[test]
fn modes_that_the_matrix_does_not_have_contradict_each_other() {
    let world = World::new("contradictions");
    let rows: Vec<_> = table("`revocation`")[1..].iter().filter(|row| row[1] != "-").map(|row| modes(row)).collect();
    for overall in MODES {
        for by_lists in MODES {
            for by_ocsp in MODES {
                let built = world.server("good", "good", |builder| {
                    builder.revocation(overall).crl_mode(by_lists).ocsp_mode(by_ocsp)
                });
                let is_nothing = [overall, by_lists, by_ocsp] == [Mode::Off; 3];
                let outcome = match rows.contains(&[overall, by_lists, by_ocsp]) || is_nothing {
                    true => Ok(()),
                    false => Err(Code::OptionConflict),
                };
                let built = built.map(|_| ()).map_err(|error| error.code());
                assert_eq!(built, outcome, "{overall:?} {by_lists:?} {by_ocsp:?}");
            }
        }
    }
}

#[test]
fn modes_that_are_not_said_are_those_of_the_page() {
    let world = World::new("unsaid");
    // Either source may know the answer; one of them must.
    let outcome = |lists, ocsp| world.outcome(&world.server(lists, ocsp, |builder| builder).unwrap());
    assert_eq!(outcome("unknown", "good"), "accepted");
    assert_eq!(outcome("good", "unknown"), "accepted");
    assert_eq!(outcome("unknown", "unknown"), "UNKNOWN");
    // The strictest of those that are said.
    let by = |by_lists, by_ocsp| {
        let server = world.server("unknown", "unknown", |builder| builder.crl_mode(by_lists).ocsp_mode(by_ocsp));
        world.outcome(&server.unwrap())
    };
    assert_eq!(by(Mode::Prefer, Mode::Prefer), "counted");
    assert_eq!(by(Mode::Prefer, Mode::Off), "counted");
    assert_eq!(by(Mode::Prefer, Mode::Require), "UNKNOWN");
}

#[test]
fn codes_of_the_page_are_those_of_the_table_of_errors() {
    let alerts = HashMap::from([("certificate_unknown", 46), ("bad_certificate_status_response", 113)]);
    for row in &table("Code")[1..] {
        let (name, number) = row[0].split_once(' ').unwrap();
        let (name, number) = (name.trim_matches('`').trim_start_matches("BTLS_"), number.trim_matches(['(', ')']));
        let code = Code::ALL.iter().find(|code| code.name() == name).unwrap_or_else(|| panic!("{name} is no code"));
        assert_eq!((code.number().to_string(), code.alert()), (number.to_owned(), Some(alerts[row[2]])), "{name}");
    }
}
