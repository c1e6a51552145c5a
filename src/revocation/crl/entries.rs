//! The serial numbers that a list revokes, as one flat sorted table.

use std::ops::Range;

use crate::revocation::Reason;

/// The longest serial number that an issuer may give (RFC 5280 section 4.1.2.2).
const SERIAL_LENGTH: usize = 20;
const RECORD_LENGTH: usize = SERIAL_LENGTH + size_of::<u32>() + 1;

/// A row of so many records has one entry in the index.
const ROW_LENGTH: usize = 16;

type Digits = [u8; SERIAL_LENGTH];

/// The serial number, zeros before it; when it was revoked, in seconds since 1970; why.
type Record = [u8; RECORD_LENGTH];

/// The entry of a serial number in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) revoked_unix_s: u32,
    pub(crate) reason: Reason,
}

/// Sorted by serial number, 25 bytes each.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    positive: Table,
    /// RFC 5280 forbids them, and issuers give them: -1 and 255 differ in a byte of their encoding alone.
    negative: Table,
    /// Those that break the limit, sorted: there are such issuers.
    longer: Vec<(Box<[u8]>, Entry)>,
}

/// Serial numbers of one sign.
#[derive(Debug, Default)]
struct Table {
    records: Vec<Record>,
    index: Index,
}

impl Entries {
    /// A table for this many.
    pub(crate) fn with_capacity(count: usize) -> Self {
        let positive = Table { records: Vec::with_capacity(count), index: Index::default() };
        Self { positive, ..Self::default() }
    }

    /// Adds one; `serial` is the content of its INTEGER.
    pub(crate) fn push(&mut self, serial: &[u8], entry: Entry) {
        let Serial { is_negative, digits } = Serial::new(serial);
        if digits.len() > SERIAL_LENGTH {
            return self.longer.push((shortest(serial).into(), entry));
        }
        let table = if is_negative { &mut self.negative } else { &mut self.positive };
        table.records.push(record(digits, entry));
    }

    /// Ends the adding. Of entries of one serial number the first by date counts.
    pub(crate) fn sort(&mut self) {
        self.positive.sort();
        self.negative.sort();
        self.longer.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.revoked_unix_s.cmp(&other.1.revoked_unix_s)));
        self.longer.dedup_by(|later, first| later.0 == first.0);
        self.longer.shrink_to_fit();
    }

    pub(crate) fn len(&self) -> usize {
        let tables = self.positive.records.len().saturating_add(self.negative.records.len());
        tables.saturating_add(self.longer.len())
    }

    /// Returns the entry of a serial number, the content of its INTEGER.
    pub(crate) fn find(&self, serial: &[u8]) -> Option<Entry> {
        let Serial { is_negative, digits } = Serial::new(serial);
        if digits.len() > SERIAL_LENGTH {
            let found = self.longer.binary_search_by(|(known, _)| known.as_ref().cmp(shortest(serial))).ok()?;
            return self.longer.get(found).map(|(_, entry)| *entry);
        }
        if is_negative { self.negative.find(digits) } else { self.positive.find(digits) }
    }
}

impl Table {
    fn sort(&mut self) {
        self.records.sort_unstable();
        self.records.dedup_by_key(|record| serial_of(record));
        self.records.shrink_to_fit();
        self.index = Index::new(&self.records);
    }

    fn find(&self, digits: &[u8]) -> Option<Entry> {
        let wanted = serial_of(&record(digits, Entry { revoked_unix_s: 0, reason: Reason::Unspecified }));
        let Range { start, end } = self.index.rows(&wanted);
        let rows = self.records.get(start..end.min(self.records.len()))?;
        let found = rows.binary_search_by_key(&wanted, serial_of).ok()?;
        rows.get(found).map(entry_of)
    }
}

/// Finds the row of a serial number without the records. For a million records, it has half a megabyte, which fits into
/// the cache of a processor.
#[derive(Debug, Default)]
struct Index {
    /// The first byte in which the serial numbers differ. The index starts there.
    start: usize,
    /// That part of the first serial number of each row.
    parts: Vec<u64>,
}

impl Index {
    fn new(records: &[Record]) -> Self {
        let (Some(first), Some(last)) = (records.first(), records.last()) else { return Self::default() };
        let shared = first.iter().zip(last).take_while(|(one, other)| one == other).count();
        let start = shared.min(SERIAL_LENGTH - size_of::<u64>());
        let parts = records.iter().step_by(ROW_LENGTH).map(|record| part(&serial_of(record), start)).collect();
        Self { start, parts }
    }

    /// The records among which a serial number stands, if anywhere.
    fn rows(&self, serial: &Digits) -> Range<usize> {
        let part = part(serial, self.start);
        let first = self.parts.partition_point(|row| *row < part);
        let more = match self.parts.get(first..) {
            Some(rows @ [row, ..]) if *row == part => rows.partition_point(|row| *row == part),
            _ => 0,
        };
        first.saturating_sub(1) * ROW_LENGTH..(first + more) * ROW_LENGTH
    }
}

fn part(serial: &Digits, start: usize) -> u64 {
    u64::from_be_bytes(std::array::from_fn(|at| serial[start + at]))
}

/// A serial number taken apart.
struct Serial<'a> {
    is_negative: bool,
    /// Its bytes in two's complement, of a positive one without the zero that keeps it from being negative.
    digits: &'a [u8],
}

impl<'a> Serial<'a> {
    fn new(serial: &'a [u8]) -> Self {
        match shortest(serial) {
            [0, digits @ ..] => Self { is_negative: false, digits },
            digits => Self { is_negative: digits.first().is_some_and(|first| *first >= 0x80), digits },
        }
    }
}

/// The content of an INTEGER as DER has it: there are certificates with zeros before their serial number.
pub(crate) fn shortest(mut serial: &[u8]) -> &[u8] {
    while let [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] = serial {
        serial = serial.get(1..).unwrap_or_default();
    }
    serial
}

fn record(serial: &[u8], entry: Entry) -> Record {
    let mut record = [0; RECORD_LENGTH];
    let [date @ .., reason] = &mut record;
    *reason = entry.reason.number();
    let (number, date) = date.split_at_mut(SERIAL_LENGTH);
    date.copy_from_slice(&entry.revoked_unix_s.to_be_bytes());
    let (_, end) = number.split_at_mut(SERIAL_LENGTH.saturating_sub(serial.len()));
    end.copy_from_slice(serial);
    record
}

fn serial_of(record: &Record) -> Digits {
    std::array::from_fn(|at| record[at])
}

fn entry_of(record: &Record) -> Entry {
    let date: [u8; 4] = std::array::from_fn(|at| record[SERIAL_LENGTH + at]);
    Entry {
        revoked_unix_s: u32::from_be_bytes(date),
        reason: Reason::from_number(record[RECORD_LENGTH - 1]).unwrap_or(Reason::Unspecified),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(revoked_unix_s: u32) -> Entry {
        Entry { revoked_unix_s, reason: Reason::KeyCompromise }
    }

    #[test]
    fn serials_of_every_length_are_found_and_their_neighbours_are_not() {
        let serials: Vec<Vec<u8>> = (1..=40).map(|length| vec![0x55; length]).collect();
        let mut entries = Entries::default();
        for (at, serial) in (0..).zip(&serials) {
            entries.push(serial, entry(at));
        }
        entries.sort();
        assert_eq!(entries.len(), 40);
        for (at, serial) in (0..).zip(&serials) {
            assert_eq!(entries.find(serial), Some(entry(at)));
            let mut neighbour = serial.clone();
            *neighbour.last_mut().unwrap() += 1;
            assert_eq!(entries.find(&neighbour), None);
        }
        assert_eq!(entries.find(&[]), None);
    }

    /// Every number is found, and none beside it; `serial` keeps the order of numbers.
    fn check_index(count: usize, serial: impl Fn(u32) -> Vec<u8>) {
        let numbers = || (0..count as u32).rev().map(|number| 3 * number + 1);
        let mut entries = Entries::with_capacity(count);
        numbers().for_each(|number| entries.push(&serial(number), entry(number)));
        entries.sort();
        for number in numbers() {
            assert_eq!(entries.find(&serial(number)), Some(entry(number)), "{number} of {count}");
            assert_eq!(entries.find(&serial(number - 1)), None, "before {number} of {count}");
            assert_eq!(entries.find(&serial(number + 1)), None, "after {number} of {count}");
        }
    }

    #[test]
    fn serials_are_found_wherever_they_differ_and_in_whichever_row_they_stand() {
        for count in [1, ROW_LENGTH - 1, ROW_LENGTH, ROW_LENGTH + 1, 5 * ROW_LENGTH + 3] {
            check_index(count, |number| number.to_be_bytes().to_vec());
            for zeros in [0, 8, 12, 16] {
                // The first one differs from the others early, so that rows of these are the same to the index.
                check_index(count, |number| {
                    let head = if number <= 2 { 1 } else { 2 };
                    [&[head][..], &vec![0; zeros - zeros.min(1)], &number.to_be_bytes()[1..]].concat()
                });
            }
        }
    }

    #[test]
    fn table_of_a_hundred_thousand_has_every_serial() {
        check_index(100_000, |number| [&number.wrapping_mul(2_654_435_761).to_be_bytes()[..], &[7; 12]].concat());
    }

    #[test]
    fn empty_table_has_nothing() {
        let mut entries = Entries::default();
        entries.sort();
        assert_eq!((entries.len(), entries.find(&[1])), (0, None));
    }

    #[test]
    fn serial_with_a_sign_byte_is_the_same_number() {
        let mut entries = Entries::default();
        entries.push(&[0, 0x80, 1], entry(1));
        entries.sort();
        assert_eq!(entries.find(&[0, 0x80, 1]), Some(entry(1)));
    }

    #[test]
    fn serials_of_the_same_bytes_and_another_sign_are_two() {
        for length in [1, 2, 19, 20, 21] {
            let negative = vec![0xff - length as u8; length];
            let positive = [&[0][..], &negative].concat();
            for (known, other) in [(&negative, &positive), (&positive, &negative)] {
                let mut entries = Entries::default();
                entries.push(known, entry(1));
                entries.sort();
                assert_eq!((entries.len(), entries.find(known)), (1, Some(entry(1))));
                assert_eq!(entries.find(other), None, "{length}");
                // Written with more bytes than needed.
                let sign = if known == &negative { 0xff } else { 0 };
                assert_eq!(entries.find(&[&[sign; 3][..], known].concat()), Some(entry(1)));
            }
        }
        let mut entries = Entries::default();
        [&[0xff][..], &[0, 0xff], &[1], &[0xff, 1]].iter().for_each(|serial| entries.push(serial, entry(7)));
        entries.sort();
        assert_eq!(entries.len(), 4);
        assert!([&[0xff, 0][..], &[0], &[0xfe], &[0, 0xfe]].iter().all(|serial| entries.find(serial).is_none()));
    }

    #[test]
    fn of_two_entries_of_a_serial_the_first_by_date_counts() {
        for length in [3, 30] {
            let mut entries = Entries::default();
            for date in [5, 2, 9] {
                entries.push(&vec![7; length], entry(date));
            }
            entries.sort();
            assert_eq!((entries.len(), entries.find(&vec![7; length])), (1, Some(entry(2))));
        }
    }
}
