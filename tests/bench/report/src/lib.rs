//! Tables of figures: as text, as Markdown between the marks of a page, and as plots (SVG).

mod machine;
mod page;
mod plot;
mod table;

pub use machine::{machine, today};
pub use page::write;
pub use table::{Row, Table};
