//! The names and rules of a policy that are not supported, with the reason.

/// A configured name that is not supported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotServed {
    /// The name or rule, as the user wrote it.
    pub name: String,
    /// The reason, as a clause without a full stop.
    pub reason: String,
}

impl NotServed {
    /// Appends a line, once for each name.
    pub(super) fn add(lines: &mut Vec<Self>, name: impl Into<String>, reason: impl Into<String>) {
        let name = name.into();
        if lines.iter().all(|line| line.name != name) {
            lines.push(Self { name, reason: reason.into() });
        }
    }

    /// Joins all lines for the detail of an error.
    pub(super) fn list(lines: &[Self]) -> String {
        const MAX_LISTED: usize = 64;
        let shown = lines.iter().take(MAX_LISTED).map(|line| format!("{}: {}", line.name, line.reason));
        let mut shown: Vec<String> = shown.collect();
        if let Some(more @ 1..) = lines.len().checked_sub(MAX_LISTED) {
            shown.push(format!("and {more} more"));
        }
        shown.join("; ")
    }
}
