//! `brokertls.1`, the manual page of the command, from the definition of its command line.

use std::collections::BTreeSet;

use brokertls::options::OPTIONS;
use clap::{Arg, ArgAction, Command};

use crate::pages::{Page, quoted};

/// The page, with the flags that several commands take from the table of options in a section of their own.
pub(crate) fn page(mut command: Command) -> String {
    command.build();
    let mut page = Page::new("brokertls", 1);
    page.line(".Sh NAME\n.Nm brokertls\n.Nd TLS for message brokers, from the shell");
    page.line(".Sh SYNOPSIS");
    for one in command.get_subcommands() {
        page.line(&format!(".Nm\n.Cm {}", one.get_name()));
        for arg in one.get_arguments().filter(|arg| arg.is_required_set()) {
            match arg.get_long() {
                Some(long) => page.line(&format!(".Fl \\-{long} Ar {}", placeholder(arg))),
                None => page.line(&format!(".Ar {}", placeholder(arg))),
            }
        }
        page.line(".Op Ar option ...");
    }
    page.line(".Sh DESCRIPTION");
    page.text(&command.get_about().unwrap().to_string());
    for one in command.get_subcommands() {
        subcommand(&mut page, one);
    }
    page.line(".Sh OPTIONS OF A CONTEXT");
    page.text("These options are the same in the command, in C (btls_builder_set) and in Java.");
    let mut seen = BTreeSet::new();
    let rows = command.get_subcommands().flat_map(Command::get_arguments).filter(|arg| is_of_table(arg));
    let rows: Vec<&Arg> = rows.filter(|arg| seen.insert(arg.get_id().as_str())).collect();
    let mut headings: Vec<&str> = rows.iter().filter_map(|arg| arg.get_help_heading()).collect();
    headings.dedup();
    let mut known = BTreeSet::new();
    headings.retain(|heading| known.insert(*heading));
    for heading in headings {
        page.line(&format!(".Ss {heading}"));
        list(&mut page, rows.iter().copied().filter(|arg| arg.get_help_heading() == Some(heading)));
    }
    page.line(".Sh SEE ALSO\n.Xr brokertls 3 ,\n.Xr btls_builder 3");
    page.finish()
}

fn is_of_table(arg: &Arg) -> bool {
    // A conversion has flags of the same names, which are not those of a context.
    arg.get_help_heading().is_some() && OPTIONS.iter().any(|row| row.name == arg.get_id().as_str())
}

fn subcommand(page: &mut Page, command: &Command) {
    page.line(&format!(".Ss brokertls {}", command.get_name()));
    page.text(&format!("{}.", command.get_about().unwrap()));
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let mut examples = Vec::new();
    for part in after.split("\n\n") {
        match part.strip_prefix("Examples:\n") {
            Some(lines) => examples.extend(lines.lines().map(str::trim)),
            None => {
                page.line(".Pp");
                page.text(part);
            }
        }
    }
    let own = command.get_arguments().filter(|arg| !is_of_table(arg) && arg.get_id() != "help");
    list(page, own);
    if command.get_arguments().any(is_of_table) {
        let all = OPTIONS.iter().all(|row| command.get_arguments().any(|arg| arg.get_id() == row.name));
        let which =
            if all { "It takes every option of a context." } else { "Of the options of a context, it takes these:" };
        page.line(".Pp");
        page.text(which);
        let taken: Vec<String> = command.get_arguments().filter(|arg| is_of_table(arg)).map(flag).collect();
        for (index, flag) in taken.iter().enumerate().filter(|_| !all) {
            page.line(&format!(".Fl {flag}{}", if index + 1 == taken.len() { " ." } else { " ," }));
        }
    }
    page.line(".Pp\nExamples:");
    page.literal(&examples.join("\n"));
}

fn list<'a>(page: &mut Page, args: impl Iterator<Item = &'a Arg>) {
    page.line(".Bl -tag -width Ds");
    for arg in args {
        let name = match (arg.get_long().is_some(), arg.get_action()) {
            (false, _) => format!("Ar {}", placeholder(arg)),
            (true, ArgAction::SetTrue) => format!("Fl {}", flag(arg)),
            // The value of a switch may be left out.
            _ if arg.is_require_equals_set() => format!("Fl {} Ns Op = Ns Ar {}", flag(arg), placeholder(arg)),
            _ => format!("Fl {} Ar {}", flag(arg), placeholder(arg)),
        };
        page.line(&format!(".It {name}"));
        page.text(&format!("{}.", crate::capitalized(&arg.get_help().unwrap().to_string())));
        let defaults = arg.get_default_values();
        if let [default] = defaults
            && !matches!(arg.get_action(), ArgAction::SetTrue)
        {
            page.text(&format!("Default: {}.", default.to_str().unwrap()));
        }
        let values: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
        if !values.is_empty() && !matches!(arg.get_action(), ArgAction::SetTrue) {
            page.text(&format!("Values: {}.", values.join(", ")));
        }
    }
    page.line(".El");
}

/// A long flag; mdoc puts the first hyphen before it.
fn flag(arg: &Arg) -> String {
    format!("\\-{}", arg.get_long().unwrap_or_default())
}

fn placeholder(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    names.first().map_or_else(|| "VALUE".to_owned(), |name| quoted(name))
}
