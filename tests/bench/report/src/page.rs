//! The tables in a page of the manual, between two marks, and their plots in a folder beside it.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::{Table, machine, today};

/// Rewrites what is between the marks of `command` in a page, and the plots of the tables.
///
/// The plots are in a folder beside the page, with the name of the page. `versions` are the compared libraries.
pub fn write(page: &Path, command: &str, versions: &[String], tables: &[Table]) {
    let text = fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
    let (start, end) = (format!("<!-- tables of {command} -->\n"), format!("<!-- end of the tables of {command} -->"));
    let (before, rest) = text.split_once(&start).unwrap_or_else(|| panic!("{} lacks {start}", page.display()));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("{} lacks {end}", page.display()));
    let folder = page.with_extension("");
    let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
    fs::create_dir_all(&folder).unwrap();
    let mut made = format!("\n- Measured on {} by `{command}`\n- Machine: {}\n", today(), machine());
    versions.iter().for_each(|version| _ = writeln!(made, "- {version}"));
    made.push('\n');
    if let Some(first) = tables.iter().find_map(|table| (table.sides.len() > 1).then(|| &table.sides[0])) {
        let _ = writeln!(made, "In parentheses is the figure of {first} divided by the other's.\n");
    }
    for table in tables {
        let file = table.file_name();
        fs::write(folder.join(&file), table.svg()).unwrap();
        let (title, table) = (&table.name, table.markdown());
        // An image by a link of Markdown would be a link between pages for rustdoc.
        let _ = writeln!(made, "<img src=\"{name}/{file}\" alt=\"{title}\">\n\n{table}");
    }
    fs::write(page, [before, &start, &made, &end, after].concat()).unwrap();
}
