//! The manual's page on the messages of peers: its codes exist, and `make peers` measures its marked tables.
//!
//! The words of peers differ between their versions. So a run is compared by the codes that this side prints, and by
//! the words of peers that have the version of the page. Those of another version are named.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use brokertls::Code;

const PAGE: &str = include_str!("../../docs/peers.md");

/// The column of a table with what this side prints ends so.
const OURS: [&str; 2] = ["prints", "prints (1.3 / 1.2)"];

/// The peers that `make peers` runs.
const PEERS: [&str; 14] = [
    "openssl s_client",
    "openssl s_server",
    "mosquitto_pub",
    "mosquitto",
    "Node tls",
    "SunJSSE",
    "Python ssl",
    "curl",
    "gnutls-cli",
    "Go crypto/tls",
    "Erlang/OTP ssl",
    "paho-mqtt",
    "mqtt.js",
    "amqplib",
];

/// Peers that wait for the failure before they do anything else: of one version, they always print the same.
const STEADY: [&str; 5] = ["openssl s_client", "openssl s_server", "Node tls", "SunJSSE", "Python ssl"];

/// Outcomes with another version of the peer than the page has: title, peer and outcome.
const CHANGED: [(&str, &str, &str); 1] = [(
    "The server requires a certificate, and `connect` has none",
    "SunJSSE",
    "connected, then failed ALERT_CERTIFICATE_REQUIRED / refused ALERT_HANDSHAKE_FAILURE",
)];

struct Row {
    title: String,
    peer: String,
    words: Vec<String>,
    ours: String,
}

/// The rows of the tables that end in a column with what this side prints.
fn rows(text: &str) -> Vec<Row> {
    let (mut title, mut is_measured, mut found) = ("", false, Vec::new());
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            (title, is_measured) = (heading, false);
        }
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else { continue };
        let cells: Vec<&str> = row.split(" | ").collect();
        let last = cells[cells.len() - 1];
        if OURS.iter().any(|end| last.ends_with(end)) {
            is_measured = true;
        } else if is_measured {
            let words = cells[1..cells.len() - 1].iter().map(|&cell| cell.to_owned()).collect();
            found.push(Row { title: title.to_owned(), peer: cells[0].to_owned(), words, ours: last.to_owned() });
        }
    }
    found
}

/// The part that `make peers` writes.
fn rewritten() -> &'static str {
    let (_, after) = PAGE.split_once("<!-- tables of tests/peers/run.sh -->\n").unwrap();
    after.split_once("<!-- end of the tables").unwrap().0
}

/// The codes in a text, known by their form.
fn codes_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| !letter.is_ascii_uppercase() && !letter.is_ascii_digit() && letter != '_');
    words.filter(|word| word.len() > 3)
}

/// The place of a row, for any version of its peer.
fn place(row: &Row) -> (String, String) {
    let is_version = |word: &str| word.starts_with(|letter: char| letter.is_ascii_digit() || letter == '(');
    let words: Vec<&str> = row.peer.split(' ').filter(|word| !is_version(word)).collect();
    (row.title.clone(), words.join(" ").replace(',', ""))
}

#[test]
fn every_code_of_the_page_is_in_the_table_of_codes() {
    let known: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name().trim_start_matches("BTLS_")).collect();
    let rows = rows(PAGE);
    let named: Vec<&str> = rows.iter().flat_map(|row| codes_in(&row.ours)).collect();
    let unknown: Vec<&&str> = named.iter().filter(|code| !known.contains(**code)).collect();
    assert!(unknown.is_empty() && named.len() > rows.len() / 2, "{unknown:?} of {} rows", rows.len());
}

#[test]
fn marked_rows_have_the_words_and_the_outcome_of_a_run() {
    let rows = rows(rewritten());
    let peers: BTreeSet<String> = rows.iter().map(|row| place(row).1).collect();
    for peer in PEERS {
        assert!(peers.contains(peer), "{peer} is missing: {peers:?}");
    }
    for row in &rows {
        let has_words = row.words.iter().all(|words| !["", "nothing", "`timeout`"].contains(&words.as_str()));
        assert!(has_words && !row.ours.is_empty(), "{}, {}: {:?}, {}", row.title, row.peer, row.words, row.ours);
    }
}

#[test]
fn run_against_the_installed_peers_gives_the_codes_and_words_of_the_page() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/run.sh");
    let output = Command::new(script).args([env!("CARGO_BIN_EXE_brokertls"), "--some"]).output().unwrap();
    let (said, failure) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{failure}");
    let on_page: BTreeMap<_, _> = rows(rewritten()).into_iter().map(|row| (place(&row), row)).collect();
    let measured = rows(&said);
    assert!(measured.len() >= 12, "{said}");
    for row in &measured {
        let place = place(row);
        let kept = on_page.get(&place).unwrap_or_else(|| panic!("{place:?} is not on the page:\n{said}"));
        let has_changed = kept.peer != row.peer && CHANGED.contains(&(&place.0, &place.1, &row.ours));
        assert!(kept.ours == row.ours || has_changed, "{place:?}: {} for {}:\n{said}", row.ours, kept.ours);
        if kept.peer != row.peer {
            // The harness hides what `eprintln!` writes in a test that passes.
            let said =
                format!("{}: only the codes of {} are compared: the page has {}", row.title, row.peer, kept.peer);
            writeln!(io::stderr(), "{said}").unwrap();
        } else if STEADY.contains(&place.1.as_str()) {
            assert_eq!(kept.words, row.words, "{place:?}:\n{said}");
        }
    }
}
