//! A table of figures: a row for each case, a column for each side, and the first side compared with the others.

use std::fmt::Write;

/// Columns of a figure and of its ratio in a text.
const CELL: usize = 16;

pub struct Table {
    /// Lower case, and short: the name of the plot's file is made from it.
    pub name: String,
    /// The unit of all figures.
    pub unit: String,
    /// True if the larger figure is the better one.
    pub more_is_better: bool,
    pub sides: Vec<String>,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub name: String,
    /// One for each side that has the case.
    pub figures: Vec<Option<f64>>,
}

impl Table {
    /// The first lines of the table in a text, which its rows follow. `width` is that of their names.
    pub fn text_head(&self, width: usize) -> String {
        let mut text = format!("{}, {}", self.name, self.unit);
        if self.sides.len() > 1 {
            let _ = write!(text, "; in parentheses: that of {} divided by it", self.sides[0]);
        }
        text.push('\n');
        let _ = write!(text, "{:<width$}", "");
        self.sides.iter().for_each(|side| _ = write!(text, "{side:>CELL$}"));
        text
    }

    /// A row in a text.
    pub fn text_row(row: &Row, width: usize) -> String {
        let mut text = format!("{:<width$}", row.name);
        cells(row).iter().for_each(|cell| _ = write!(text, "{cell:>CELL$}"));
        text
    }

    pub fn markdown(&self) -> String {
        let mut text =
            format!("| {} | {} |\n|---|{}\n", self.unit, self.sides.join(" | "), "---:|".repeat(self.sides.len()));
        for row in &self.rows {
            let _ = writeln!(text, "| {} | {} |", row.name, cells(row).join(" | "));
        }
        text
    }

    /// The name of the plot's file.
    pub fn file_name(&self) -> String {
        let name = self.name.to_lowercase();
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        format!("{}.svg", words.collect::<Vec<_>>().join("-"))
    }
}

/// The figures of a row, all but the first with the ratio to it.
fn cells(row: &Row) -> Vec<String> {
    let first = row.figures.first().copied().flatten();
    let cell = |(column, figure): (usize, &Option<f64>)| match (figure, first) {
        (None, _) => "-".to_owned(),
        (Some(figure), Some(first)) if column > 0 => format!("{} ({:.2})", shown(*figure), first / figure),
        (Some(figure), _) => shown(*figure),
    };
    row.figures.iter().enumerate().map(cell).collect()
}

/// Three digits, or all of a whole number.
pub fn shown(figure: f64) -> String {
    let digits = match figure.abs() {
        0.0..1.0 => 3,
        1.0..10.0 => 2,
        10.0..100.0 => 1,
        _ => return grouped(figure.round()),
    };
    format!("{figure:.digits$}")
}

/// A whole number with commas.
fn grouped(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
