//! The talk between the driver and the program of a side: lines on the standard streams.
//!
//! | The driver writes | The side answers |
//! |---|---|
//! | `case NAME` | `ready`, or `none` and the reason why the side has no such case |
//! | `round` | the rate of one round of the case |
//!
//! The first line of a side, before any question, is its name and version. It ends with its input.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;

use crate::cases::{self, Case, Run};
use crate::identity::Identity;
use crate::server::Side;

/// The answer to a case that the side does not have. The reason follows.
pub const NONE: &str = "none";
pub const READY: &str = "ready";

/// The program of a side that has every case.
pub fn side(side: &dyn Side) {
    serve(&format!("{} {}", side.name(), side.version()), |case, identity| Ok(case.prepare(side, identity)));
}

/// The program of a side: answers until its input ends. `prepare` makes a case ready, or says why there is none.
pub fn serve(name: &str, prepare: impl Fn(&Case, &Identity) -> Result<Box<dyn Run>, String>) {
    let folder = PathBuf::from(std::env::args_os().nth(1).expect("the folder with the certificates"));
    let cases = cases::all();
    say(name);
    let mut run: Option<Box<dyn Run>> = None;
    for line in io::stdin().lines().map(Result::unwrap) {
        if line == "round" {
            say(run.as_mut().expect("a case before its rounds").round());
            continue;
        }
        let name = line.strip_prefix("case ").unwrap_or_else(|| panic!("not a question: {line}"));
        let case = cases.iter().find(|case| case.name() == name).unwrap_or_else(|| panic!("no case: {name}"));
        // The last case gives its memory back before the next takes its own.
        run = None;
        match prepare(case, &Identity::read(&folder, case.key())) {
            Ok(ready) => {
                run = Some(ready);
                say(READY);
            }
            Err(reason) => say(format!("{NONE} {reason}")),
        }
    }
}

fn say(line: impl Display) {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}").and_then(|()| output.flush()).unwrap();
}
