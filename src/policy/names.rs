//! Lists of names in texts of the user, and the nearest names for a typing error.

/// The largest size of a list, in bytes. The rest is ignored.
pub(super) const MAX_LIST_BYTES: usize = 16 * 1024;

/// The items of a list with any separator.
///
/// Brackets and quotes are removed, so that `["tlsv1.3", "tlsv1.2"]` reads like `tlsv1.3,tlsv1.2`.
pub(crate) fn items(list: &str) -> impl Iterator<Item = &str> {
    list.split(|c: char| c.is_ascii_whitespace() || matches!(c, ':' | ',' | ';' | '[' | ']' | '"' | '\''))
        .filter(|item| !item.is_empty())
}

/// Returns up to three of `candidates` that are similar to `name`, the most similar first.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    const ALIKE: f64 = 0.85;
    // The cost is the product of the lengths; no real name is longer.
    const MAX_NAME_BYTES: usize = 128;
    if name.len() > MAX_NAME_BYTES {
        return Vec::new();
    }
    let name = name.to_ascii_lowercase();
    let score = |candidate: &str| strsim::jaro_winkler(&name, &candidate.to_ascii_lowercase());
    let mut scored: Vec<(f64, &str)> = candidates.map(|candidate| (score(candidate), candidate)).collect();
    scored.retain(|(score, _)| *score >= ALIKE);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.dedup_by_key(|(_, candidate)| *candidate);
    scored.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// Makes a name safe for a message: quoted, without control characters, and short.
pub(crate) fn quoted(name: &str) -> String {
    const SHOWN_CHARS: usize = 64;
    let shown: String = name.chars().take(SHOWN_CHARS).collect();
    match name.chars().count() > SHOWN_CHARS {
        true => format!("{shown:?}..."),
        false => format!("{shown:?}"),
    }
}

/// The clause with the nearest names, or an empty text.
pub(crate) fn did_you_mean(name: &str, nearest: &[&str]) -> String {
    match nearest {
        [] => quoted(name),
        names => format!("{} (did you mean {}?)", quoted(name), names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_with_brackets_and_quotes_reads_as_its_items() {
        let found: Vec<_> = items(r#"["tlsv1.3", 'tlsv1.2' , a:b;c]"#).collect();
        assert_eq!(found, ["tlsv1.3", "tlsv1.2", "a", "b", "c"]);
        assert_eq!(items(" [,] ").count(), 0);
    }

    #[test]
    fn mistyped_name_brings_the_nearest_first_and_nonsense_nothing() {
        let known = ["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"];
        let near = nearest("ecdhe-rsa-aes128-gcm-sha25", known.into_iter());
        assert_eq!(near.first(), Some(&"ECDHE-RSA-AES128-GCM-SHA256"));
        assert!(nearest("zzzz", known.into_iter()).is_empty());
        assert!(nearest(&"E".repeat(100_000), known.into_iter()).is_empty());
    }

    #[test]
    fn name_in_a_message_has_no_control_characters_and_is_cut() {
        assert_eq!(quoted("a\u{1b}[31m\n"), r#""a\u{1b}[31m\n""#);
        assert!(quoted(&"x".repeat(100_000)).len() < 80);
    }
}
