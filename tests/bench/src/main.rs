//! Handshakes and records, server side, in memory: brokertls through its C ABI beside other libraries, in one run.
//!
//! Every side gets the same certificates and the same peer (a rustls client), and only the time inside the server's
//! calls counts. Rounds are interleaved, so that what else the machine does falls on all sides alike; a figure is the
//! median of its rounds. `make bench` runs it.

mod processes;

use std::path::{Path, PathBuf};
use std::{fs, process};

use brokertls_bench::median;
use brokertls_bench::pki::Pki;
use brokertls_bench_report::{Row, Table};
use brokertls_bench_side::cases::{self, Case, Figure};
use brokertls_bench_side::identity::KeyKind;

use processes::{Name, Process};

/// Rounds of each row: odd, so that the median is one of them.
const ROUNDS: usize = 11;
/// The columns of the rows' names.
const NAMES: usize = 52;

const HELP: &str = "\
usage: brokertls-bench [--sides NAMES] [--page FILE] [ROW]

  ROW              runs only the rows with a name that contains this text
  --sides NAMES    runs only these sides: brokertls, rustls, openssl4, boringssl, s2n, rustls-ffi, raw
  --page FILE      writes the tables between their marks in this page, and plots into the folder with its name";

struct Arguments {
    row: String,
    sides: Vec<Name>,
    page: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self, String> {
        let mut read = Self { row: String::new(), sides: processes::ALL.to_vec(), page: None };
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--sides" => {
                    let names = arguments.next().ok_or("--sides needs names")?;
                    let names: Vec<&str> = names.split([',', ' ']).filter(|name| !name.is_empty()).collect();
                    let is_known = |name: &str| processes::ALL.iter().any(|side| side.program == name);
                    if let Some(name) = names.iter().find(|name| !is_known(name)) {
                        return Err(format!("no side is called {name}"));
                    }
                    read.sides.retain(|side| names.contains(&side.program));
                }
                "--page" => read.page = Some(arguments.next().ok_or("--page needs a file")?.into()),
                option if option.starts_with('-') => return Err(format!("no option is called {option}")),
                row => row.clone_into(&mut read.row),
            }
        }
        if read.sides.is_empty() { Err("no sides".to_owned()) } else { Ok(read) }
    }
}

fn main() {
    let arguments = Arguments::read().unwrap_or_else(|error| {
        eprintln!("{error}\n{HELP}");
        process::exit(2);
    });
    let folder = Folder::with_certificates();
    let mut sides: Vec<_> = arguments.sides.iter().map(|name| Process::start(*name, &folder.0)).collect();
    let versions: Vec<_> = sides.iter().map(|side| side.version.clone()).collect();
    println!("server side, in memory, one thread: {}", versions.join(", "));
    let cases: Vec<_> = cases::all().into_iter().filter(|case| case.name().contains(&arguments.row)).collect();
    let mut tables = Vec::new();
    for cases in cases.chunk_by(|one, next| one.table() == next.table()) {
        tables.push(table(cases, &mut sides));
    }
    if let Some(page) = arguments.page {
        write(&page, &versions, &tables);
    }
}

/// Measures the rows of one table, and prints each when it is done.
fn table(cases: &[Case], sides: &mut [Process]) -> Table {
    let unit = match cases[0].figure() {
        Figure::Handshakes => "handshakes a second",
        Figure::Bytes => "GB/s",
    };
    // A side that has no case of the table has no column.
    let has_some = |side: &mut Process| cases.iter().any(|case| side.prepare(case.name()).is_ok());
    let mut sides: Vec<_> = sides.iter_mut().filter_map(|side| has_some(side).then_some(side)).collect();
    let mut table = Table {
        name: cases[0].table().to_owned(),
        unit: unit.to_owned(),
        more_is_better: true,
        sides: sides.iter().map(|side| side.name.shown.to_owned()).collect(),
        rows: Vec::new(),
    };
    println!("\n{}", table.text_head(NAMES));
    for case in cases {
        let figures = measure(case, &mut sides);
        let row = Row { name: case.name().to_owned(), figures };
        println!("{}", Table::text_row(&row, NAMES));
        table.rows.push(Row { name: case.label().to_owned(), ..row });
    }
    table
}

fn write(page: &Path, versions: &[String], tables: &[Table]) {
    brokertls_bench_report::write(page, "make bench-page", versions, tables);
    println!("\nwritten into {}", page.display());
}

/// The certificates of all sides, in a folder for as long as this lives.
struct Folder(PathBuf);

impl Folder {
    fn with_certificates() -> Self {
        let folder = std::env::temp_dir().join(format!("brokertls-bench-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        KeyKind::ALL.iter().for_each(|kind| Pki::new(*kind).identity().write(&folder, *kind));
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The median of each side that has the case, in the unit of its table.
fn measure(case: &Case, sides: &mut [&mut Process]) -> Vec<Option<f64>> {
    let mut reasons = Vec::new();
    let mut is_ready = |side: &mut &mut Process| match side.prepare(case.name()) {
        Ok(()) => true,
        Err(reason) => {
            reasons.push(format!("{} without {}: {reason}", side.name.shown, case.name()));
            false
        }
    };
    let ready: Vec<bool> = sides.iter_mut().map(&mut is_ready).collect();
    reasons.iter().for_each(|reason| println!("{reason}"));
    let mut rates = vec![Vec::with_capacity(ROUNDS); sides.len()];
    for round in 0..ROUNDS {
        for turn in 0..sides.len() {
            let side = (round + turn) % sides.len();
            if ready[side] {
                rates[side].push(sides[side].round());
            }
        }
    }
    let scale = match case.figure() {
        Figure::Handshakes => 1.0,
        Figure::Bytes => 1e9,
    };
    rates.into_iter().map(|rates| (!rates.is_empty()).then(|| median(rates) / scale)).collect()
}
