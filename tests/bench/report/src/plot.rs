//! A table as a plot: groups of bars, one for each row. A bar is as long as its part of the row's largest figure.
//!
//! The plot has a ground of its own, so that it can be read wherever it is shown. Its colours follow the reader's choice
//! of light or dark.

use std::fmt::Write;

use crate::table::{Table, shown};

const WIDTH: usize = 760;
const MARGIN: usize = 16;
/// The left end of all bars, after the names of the sides.
const BARS: usize = 130;
/// The length of the longest bar. The figure is to the right of it.
const LONGEST: usize = 520;
const BAR: usize = 11;
const STEP: usize = 15;
const ROW_HEAD: usize = 22;
const ROW_GAP: usize = 10;
const HEAD: usize = 58;

const STYLE: &str = "\
svg{font:12px system-ui,sans-serif}\
.ground{fill:#fff}.text{fill:#1f2328}.faint{fill:#59636e}.own{fill:#0969da}.other{fill:#b6bec8}\
@media (prefers-color-scheme:dark){\
.ground{fill:#0d1117}.text{fill:#f0f6fc}.faint{fill:#9198a1}.own{fill:#4493f8}.other{fill:#4b535d}}";

impl Table {
    /// The plot as the text of an SVG file.
    pub fn svg(&self) -> String {
        let bars: usize = self.rows.iter().map(|row| row.figures.iter().flatten().count()).sum();
        let height = HEAD + self.rows.len() * (ROW_HEAD + ROW_GAP) + bars * STEP + MARGIN;
        let title = escaped(&format!("{}, {}", self.name, self.unit));
        let better = if self.more_is_better { "longer is better" } else { "shorter is better" };
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n\
             <text class=\"text\" x=\"{MARGIN}\" y=\"28\" font-size=\"15\" font-weight=\"600\">{title}</text>\n\
             <text class=\"faint\" x=\"{MARGIN}\" y=\"46\">{better}, each row by its own scale</text>\n"
        );
        let mut y = HEAD;
        for row in &self.rows {
            y += ROW_HEAD;
            let name = escaped(&row.name);
            let _ =
                writeln!(svg, "<text class=\"text\" x=\"{MARGIN}\" y=\"{}\" font-weight=\"600\">{name}</text>", y - 6);
            let most = row.figures.iter().flatten().copied().fold(f64::MIN_POSITIVE, f64::max);
            for (column, figure) in row.figures.iter().enumerate() {
                let Some(figure) = figure else { continue };
                self.bar(&mut svg, y, column, *figure, figure / most);
                y += STEP;
            }
            y += ROW_GAP;
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn bar(&self, svg: &mut String, y: usize, column: usize, figure: f64, part: f64) {
        let (class, text) = if column == 0 { ("own", "text") } else { ("other", "faint") };
        let length = (part * LONGEST as f64).max(1.0);
        let (base, end, after) = (y + BAR - 2, BARS - 8, BARS as f64 + length + 6.0);
        let _ = writeln!(
            svg,
            "<text class=\"{text}\" x=\"{end}\" y=\"{base}\" text-anchor=\"end\">{}</text>\
             <rect class=\"{class}\" x=\"{BARS}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <text class=\"{text}\" x=\"{after:.1}\" y=\"{base}\">{}</text>",
            escaped(&self.sides[column]),
            shown(figure),
        );
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
