//! The names of entries: every entry that is written has one of its own.

use std::collections::{HashMap, HashSet};

use super::carried::Entries;
use crate::certificate::printable;
use crate::error::{Code, Error, Result};

/// Gives each entry a name of its own, as Java compares names: without regard to case.
///
/// `asked` becomes the name of the only entry, or of the only key. An entry without a name gets the number that selects
/// it, or the next one that is free. A name that is there before gets a number behind it, with a warning: Java would
/// show one of the two.
///
/// # Errors
/// `OPTION_CONFLICT` if several entries could have the asked name.
pub(crate) fn name(entries: &mut Entries, asked: Option<&str>) -> Result<()> {
    if let Some(asked) = asked {
        let only = match (entries.keys.as_mut_slice(), entries.certificates.as_mut_slice()) {
            ([key], _) => Some(&mut key.alias),
            ([], [certificate]) => Some(&mut certificate.alias),
            _ => None,
        };
        let Some(only) = only else {
            let detail = format!("the name {} is for one entry, and there are several", printable(asked));
            return Err(Error::new(Code::OptionConflict, detail).with_hint("Select one entry by its alias."));
        };
        *only = Some(asked.to_owned());
    }
    let mut names = Names::default();
    let keys = entries.keys.iter_mut().map(|entry| (&mut entry.alias, entry.number));
    let trusted = entries.certificates.iter_mut().filter(|entry| entry.trusted);
    let mut all: Vec<(&mut Option<String>, Option<usize>)> =
        keys.chain(trusted.map(|entry| (&mut entry.alias, entry.number))).collect();
    names.taken.extend(all.iter().filter_map(|(alias, _)| alias.as_deref().map(str::to_lowercase)));
    let mut seen = HashSet::new();
    for (alias, number) in &mut all {
        match alias {
            None => **alias = Some(names.number(*number)),
            Some(given) if seen.insert(given.to_lowercase()) => {}
            Some(given) => {
                let new = names.after(given);
                let (old, shown) = (printable(given), printable(&new));
                entries
                    .warnings
                    .push(format!("alias {old} is there several times; one is called {shown} in the output"));
                **alias = Some(new);
            }
        }
    }
    Ok(())
}

/// The names in use, in lower case.
#[derive(Default)]
struct Names {
    taken: HashSet<String>,
    number: usize,
    /// The last number behind each name: a store can have one name a thousand times.
    behind: HashMap<String, usize>,
}

impl Names {
    /// This number if it is free, or the next one that is.
    fn number(&mut self, own: Option<usize>) -> String {
        if let Some(name) = own.map(|number| number.to_string()).filter(|name| self.taken.insert(name.clone())) {
            return name;
        }
        loop {
            self.number += 1;
            let name = self.number.to_string();
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }

    fn after(&mut self, given: &str) -> String {
        let number = self.behind.entry(given.to_lowercase()).or_insert(1);
        loop {
            *number += 1;
            let name = format!("{given}-{number}");
            if self.taken.insert(name.to_lowercase()) {
                return name;
            }
        }
    }
}
