//! Cipher strings: OpenSSL's rules, or plain lists of names, turned into an ordered choice of cipher suites.
//!
//! The rules and their effects are those of openssl-ciphers(1), with three exceptions, which avoid silent surprises:
//! - An unknown word is an error. OpenSSL ignores it.
//! - Names of TLS 1.3 are accepted and replace the default ones. OpenSSL has a separate setting for them.
//! - `@SECLEVEL` above 2 is an error, because it asks for checks of keys that are not made.

use super::keywords::{KEYWORDS, Selects, keyword};
use super::names::{MAX_LIST_BYTES, did_you_mean, items, nearest, quoted};
use super::not_served::NotServed;
use super::second::{Verdict, verdict};
use super::suite_table::SUITES;
use super::suites::{Since, Suite};
use crate::error::{Code, Error, Result};

/// The result of a cipher string.
#[derive(Debug)]
pub(super) struct Selection {
    /// The supported suites of TLS 1.2, in order.
    pub(super) tls12: Vec<&'static Suite>,
    /// The supported suites of TLS 1.3, in order, or the default ones if the string names none.
    pub(super) tls13: Vec<&'static Suite>,
    /// All suites that the string selects, in order, supported or not.
    pub(super) active: Vec<&'static Suite>,
    /// True if the string has a rule for TLS 1.2 or older.
    pub(super) speaks_of_tls12: bool,
    /// True if the string adds suites of TLS 1.3 by name.
    pub(super) names_tls13: bool,
    /// The suites that were added by their own name, supported or not.
    pub(super) named: Vec<&'static Suite>,
    /// The names and rules without a supported suite.
    pub(super) not_served: Vec<NotServed>,
}

/// Parses a cipher string, for rustls alone.
pub(super) fn select(text: &str) -> Result<Selection> {
    select_with(text, &|suite| verdict(suite, None))
}

/// Parses a cipher string. `judge` decides which names and rules are reported, and with which reason.
pub(super) fn select_with(text: &str, judge: &dyn Fn(&Suite) -> Verdict) -> Result<Selection> {
    if text.len() > MAX_LIST_BYTES {
        return Err(Error::new(Code::CipherNotSupported, "the cipher string is too long"));
    }
    let commands = parse(text)?;
    let adds = || commands.iter().filter_map(Command::as_addition);
    let names_tls13 = adds().any(|rule| rule.is_of_tls13());
    let mut list = List::new(names_tls13);
    commands.iter().for_each(|command| list.apply(command));

    let mut not_served = Vec::new();
    adds().for_each(|rule| rule.report(judge, &mut not_served));
    for command in &commands {
        if let Command::SecurityLevel(level @ 0..=1) = command {
            let reason = "weak keys and digests are let in by switches of their own, not by a security level";
            NotServed::add(&mut not_served, format!("@SECLEVEL={level}"), reason);
        }
    }
    let served = |list: &List, tls13: bool| {
        let active = list.0.iter().filter(|entry| entry.active).map(|entry| entry.suite);
        active.filter(|suite| (suite.since == Since::Tls13) == tls13 && suite.served().is_some()).collect()
    };
    Ok(Selection {
        active: list.0.iter().filter(|entry| entry.active).map(|entry| entry.suite).collect(),
        tls12: served(&list, false),
        tls13: served(&list, true),
        speaks_of_tls12: commands.iter().any(|command| command.as_rule().is_some_and(|rule| !rule.is_of_tls13())),
        names_tls13,
        named: adds().filter_map(Rule::named_suite).collect(),
        not_served,
    })
}

/// A step of a cipher string.
enum Command {
    Rule(Action, Rule),
    /// The rules of `DEFAULT`.
    Default,
    /// `@STRENGTH`: sort by the length of the key.
    Strength,
    /// `@SECLEVEL=n`, 0 to 2.
    SecurityLevel(u8),
    /// A signalling value, which Java lists among the suites. It has no effect.
    Signal,
}

/// The action of a rule on the suites that it selects.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Action {
    /// No mark: append those that are not in the list.
    Add,
    /// `-`: remove; a later rule may add them again.
    Remove,
    /// `+`: move to the end those that are in the list.
    Last,
    /// `!`: remove permanently.
    Kill,
}

/// A word, or several joined by `+`, which select the suites that all of them select.
struct Rule {
    text: String,
    words: Vec<Word>,
}

#[derive(Clone, Copy)]
enum Word {
    Suite(&'static Suite),
    Keyword(Selects),
}

impl Command {
    fn as_rule(&self) -> Option<&Rule> {
        match self {
            Self::Rule(_, rule) => Some(rule),
            Self::Default | Self::Strength | Self::SecurityLevel(_) | Self::Signal => None,
        }
    }

    fn as_addition(&self) -> Option<&Rule> {
        match self {
            Self::Rule(Action::Add, rule) => Some(rule),
            _ => None,
        }
    }
}

impl Rule {
    fn selects(&self, suite: &Suite) -> bool {
        self.words.iter().all(|word| match word {
            Word::Suite(named) => named.id == suite.id,
            Word::Keyword(selects) => suite.since != Since::Tls13 && selects(suite),
        })
    }

    fn named_suite(&self) -> Option<&'static Suite> {
        match self.words.as_slice() {
            [Word::Suite(suite)] => Some(suite),
            _ => None,
        }
    }

    fn is_of_tls13(&self) -> bool {
        self.named_suite().is_some_and(|suite| suite.since == Since::Tls13)
    }

    /// Reports a rule without a served suite. A rule with one needs no report.
    fn report(&self, judge: &dyn Fn(&Suite) -> Verdict, not_served: &mut Vec<NotServed>) {
        let verdicts: Vec<Verdict> = SUITES.iter().filter(|suite| self.selects(suite)).map(judge).collect();
        if verdicts.iter().any(Verdict::is_served) {
            return;
        }
        let reason = match verdicts.len() {
            0 => "no cipher suite is selected by it".to_owned(),
            1 => Verdict::reason(&verdicts),
            count => format!("all {count} suites of it: {}", Verdict::reason(&verdicts)),
        };
        NotServed::add(not_served, self.text.as_str(), reason);
    }
}

/// Splits a cipher string into its commands.
fn parse(text: &str) -> Result<Vec<Command>> {
    let mut commands = Vec::new();
    for item in items(text) {
        let mut rest = item;
        // A mark may follow a word without a separator, as in `ALL@SECLEVEL=1`.
        while !rest.is_empty() {
            let command;
            (command, rest) = parse_command(rest, commands.is_empty())?;
            commands.push(command);
        }
    }
    match commands.is_empty() {
        true => Err(Error::new(Code::NoCipherSuite, "the cipher string is empty")),
        false => Ok(commands),
    }
}

/// Parses one command from the front of `item`, and returns the rest.
fn parse_command(item: &str, first: bool) -> Result<(Command, &str)> {
    let (mark, mut rest) = match item.chars().next() {
        Some(mark @ ('!' | '-' | '+' | '@')) => (mark, item.get(1..).unwrap_or_default()),
        _ => (' ', item),
    };
    let mut words = Vec::new();
    loop {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.' | '='));
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        if word.is_empty() {
            return Err(Error::new(Code::CipherNotSupported, format!("{} is not a rule", quoted(item))));
        }
        words.push(word);
        match after.strip_prefix('+') {
            Some(next) if mark != '@' => rest = next,
            _ => {
                rest = after;
                break;
            }
        }
    }
    let command = match (mark, words.as_slice()) {
        ('@', [word]) => special(word)?,
        (' ', [word]) if word.eq_ignore_ascii_case("DEFAULT") && first => Command::Default,
        (' ', [word]) if is_signal(word) => Command::Signal,
        _ => {
            let words_text = words.join("+");
            let words = words.into_iter().map(parse_word).collect::<Result<_>>()?;
            Command::Rule(action(mark), Rule { text: words_text, words })
        }
    };
    Ok((command, rest))
}

fn action(mark: char) -> Action {
    match mark {
        '!' => Action::Kill,
        '-' => Action::Remove,
        '+' => Action::Last,
        _ => Action::Add,
    }
}

/// The signalling values of RFC 5746 and RFC 7507, which Java lists among the suites.
fn is_signal(word: &str) -> bool {
    ["TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV"].iter().any(|signal| signal.eq_ignore_ascii_case(word))
}

/// Parses the text after an `@`.
///
/// Levels 0 to 2 change nothing: all supported suites have level 2, and weaker certificates have their own switches.
fn special(word: &str) -> Result<Command> {
    let upper = word.to_ascii_uppercase();
    let refuse = |why: &str| Error::new(Code::CipherNotSupported, format!("{}: {why}", quoted(&format!("@{word}"))));
    match (upper.as_str(), upper.strip_prefix("SECLEVEL=")) {
        ("STRENGTH", _) => Ok(Command::Strength),
        (_, Some("0")) => Ok(Command::SecurityLevel(0)),
        (_, Some("1")) => Ok(Command::SecurityLevel(1)),
        (_, Some("2")) => Ok(Command::SecurityLevel(2)),
        (_, Some("3" | "4" | "5")) => {
            Err(refuse("levels above 2 are not enforced; name the suites and groups instead"))
        }
        _ => Err(refuse("the commands are @STRENGTH and @SECLEVEL=n")),
    }
}

fn parse_word(word: &str) -> Result<Word> {
    if let Some(selects) = keyword(word) {
        return Ok(Word::Keyword(selects));
    }
    if let Some(suite) = Suite::by_name(word) {
        return Ok(Word::Suite(suite));
    }
    let upper = word.to_ascii_uppercase();
    let detail = match upper.as_str() {
        "DEFAULT" => "DEFAULT has a meaning only at the start of a cipher string, on its own".to_owned(),
        _ if upper.starts_with("SUITEB") => format!(
            "{word} also restricts signatures and groups, which is not done; name ECDHE-ECDSA suites and groups instead"
        ),
        _ => {
            let names = SUITES.iter().flat_map(|suite| [suite.openssl, suite.iana]);
            let near = nearest(word, names.chain(KEYWORDS.iter().map(|(name, _)| *name)));
            format!("no cipher suite or rule is called {}", did_you_mean(word, &near))
        }
    };
    Err(Error::new(Code::CipherNotSupported, detail))
}

/// The suites in the order of the rules so far. Before the first rule, it is OpenSSL's.
struct List(Vec<Entry>);

#[derive(Clone, Copy)]
struct Entry {
    suite: &'static Suite,
    active: bool,
}

impl List {
    /// Starts with no suite of TLS 1.2.
    fn new(names_tls13: bool) -> Self {
        let entry = |suite: &'static Suite| Entry { suite, active: suite.since == Since::Tls13 && !names_tls13 };
        Self(SUITES.iter().map(entry).collect())
    }

    fn apply(&mut self, command: &Command) {
        match command {
            Command::Rule(action, rule) => self.act(*action, |suite| rule.selects(suite)),
            Command::Default => {
                self.act(Action::Add, Suite::is_in_all);
                self.act(Action::Kill, Suite::is_outside_default);
                self.act(Action::Kill, Suite::is_outside_all);
            }
            Command::Strength => self.sort_by_strength(),
            Command::SecurityLevel(_) | Command::Signal => {}
        }
    }

    /// Applies an action: it moves its suites, in their order, to one end of the list.
    ///
    /// Removed suites move to the front, so that they come first if a later rule adds them again.
    fn act(&mut self, action: Action, selects: impl Fn(&Suite) -> bool) {
        let touches = |entry: &Entry| {
            selects(entry.suite)
                && match action {
                    Action::Add => !entry.active,
                    Action::Remove | Action::Last => entry.active,
                    Action::Kill => true,
                }
        };
        let (mut touched, mut others): (Vec<Entry>, Vec<Entry>) = self.0.iter().partition(|entry| touches(entry));
        touched.iter_mut().for_each(|entry| entry.active = action != Action::Remove);
        match action {
            Action::Add | Action::Last => others.append(&mut touched),
            Action::Remove => {
                touched.append(&mut others);
                others = touched;
            }
            Action::Kill => {}
        }
        self.0 = others;
    }

    /// Applies `@STRENGTH`: sorts by the length of the key, and keeps the order otherwise.
    fn sort_by_strength(&mut self) {
        let mut strengths: Vec<u16> = self.0.iter().map(|entry| entry.suite.strength_bits()).collect();
        strengths.sort_unstable_by(|a, b| b.cmp(a));
        strengths.dedup();
        for strength in strengths {
            self.act(Action::Last, |suite| suite.strength_bits() == strength);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        select(text).unwrap().tls12.iter().map(|suite| suite.openssl).collect()
    }

    #[test]
    fn removed_suite_can_be_added_again_and_killed_one_cannot() {
        assert_eq!(
            names("ECDHE-RSA-AES128-GCM-SHA256:-AESGCM:ECDHE-RSA-AES128-GCM-SHA256"),
            ["ECDHE-RSA-AES128-GCM-SHA256"]
        );
        assert!(names("!AESGCM:ECDHE-RSA-AES128-GCM-SHA256").is_empty());
    }

    #[test]
    fn static_ecdh_of_openssl_1_0_is_told_from_ephemeral_by_case() {
        assert_eq!(names("ALL:!kECDHe:!kECDHr").len(), 6);
        assert!(names("ALL:!kECDHE").is_empty());
    }

    #[test]
    fn mark_without_separator_starts_a_new_rule() {
        assert_eq!(names("ALL!aRSA@STRENGTH").len(), 3);
    }

    #[test]
    fn malformed_rules_are_refused_with_their_own_code() {
        for text in
            ["!", "AES+", "+", "@", "@STRENGT", "@SECLEVEL=9", "@SECLEVEL=3", "AES^GCM", "é", "!é", "ALL:DEFAULT"]
        {
            assert_eq!(select(text).unwrap_err().code(), Code::CipherNotSupported, "{text}");
        }
        for text in ["", " : ,", "[]"] {
            assert_eq!(select(text).unwrap_err().code(), Code::NoCipherSuite, "{text}");
        }
        assert_eq!(select(&"ALL:".repeat(100_000)).unwrap_err().code(), Code::CipherNotSupported);
    }
}
