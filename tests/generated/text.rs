//! Comments as paragraphs, and paragraphs as lines.

/// The comment of an item. The text before a line `# Details` stands in the header; the manual page has all of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doc {
    pub(crate) short: Vec<Paragraph>,
    pub(crate) details: Vec<Paragraph>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Paragraph {
    Text(String),
    /// The entries of a list.
    List(Vec<String>),
}

/// Separates the part of a comment that the header has from the rest.
const DETAILS: &str = "# Details";

impl Doc {
    /// The lines between `/**` and `*/`.
    pub(crate) fn of_comment(comment: &str) -> Self {
        let lines: Vec<&str> = comment.lines().map(|line| line.trim_start().trim_start_matches('*').trim()).collect();
        Self::of_lines(&lines)
    }

    pub(crate) fn of_text(text: &str) -> Self {
        Self::of_lines(&text.lines().map(str::trim).collect::<Vec<_>>())
    }

    fn of_lines(lines: &[&str]) -> Self {
        let mut halves = lines.split(|line| *line == DETAILS);
        let short = halves.next().map(paragraphs).unwrap_or_default();
        let details = halves.next().map(paragraphs).unwrap_or_default();
        assert!(halves.next().is_none(), "two lines {DETAILS} after {}", lines[0]);
        Self { short, details }
    }

    pub(crate) fn whole(&self) -> impl Iterator<Item = &Paragraph> {
        self.short.iter().chain(&self.details)
    }
}

fn paragraphs(lines: &[&str]) -> Vec<Paragraph> {
    let mut found = Vec::new();
    for lines in lines.split(|line| line.is_empty()).filter(|lines| !lines.is_empty()) {
        let joined = lines.join(" ");
        // Text may stand right before a list.
        let mut parts = format!(" {joined}").split(" - ").map(|part| part.trim().to_owned()).collect::<Vec<_>>();
        let is_list = lines.iter().any(|line| line.starts_with("- "));
        if is_list {
            let before = parts.remove(0);
            found.extend((!before.is_empty()).then_some(Paragraph::Text(before)));
            found.push(Paragraph::List(parts));
        } else {
            found.push(Paragraph::Text(joined));
        }
    }
    found
}

/// The words of a text in lines of at most `width` letters, and of `first` letters in the first line.
pub(crate) fn wrap(text: &str, first: usize, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let limit = if lines.len() == 1 { first } else { width };
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= limit {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A comment of C89 with `indent` before each line, in lines of at most `width` letters.
pub(crate) fn comment(paragraphs: &[Paragraph], indent: &str, width: usize) -> String {
    let room = width - indent.len() - " * ".len();
    let mut lines: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        match paragraph {
            Paragraph::Text(text) => lines.extend(wrap(text, room, room)),
            Paragraph::List(entries) => {
                for entry in entries {
                    let wrapped = wrap(entry, room - 2, room - 2);
                    let marked = wrapped.iter().enumerate().map(|(index, line)| match index {
                        0 => format!("- {line}"),
                        _ => format!("  {line}"),
                    });
                    lines.extend(marked);
                }
            }
        }
    }
    let Some(last) = lines.pop() else { return String::new() };
    match last.rsplit_once(' ') {
        // The end of the comment takes the last word into its own line.
        Some((start, word)) if last.chars().count() + " */".len() > room => {
            lines.extend([start.to_owned(), format!("{word} */")]);
        }
        _ => lines.push(format!("{last} */")),
    }
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        let mark = if index == 0 { "/*" } else { " *" };
        text.push_str(format!("{indent}{mark} {line}").trim_end());
        text.push('\n');
    }
    text
}
