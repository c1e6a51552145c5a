//! The serial numbers that a list revokes, as one flat sorted table.

use super::Reason;

/// The longest serial number that an issuer may give (RFC 5280 section 4.1.2.2).
const SERIAL_LENGTH: usize = 20;
const RECORD_LENGTH: usize = SERIAL_LENGTH + size_of::<u32>() + 1;

/// The serial number, zeros before it; when it was revoked, in seconds since 1970; why.
type Record = [u8; RECORD_LENGTH];

/// What a list says of one serial number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) revoked_unix_s: u32,
    pub(super) reason: Reason,
}

/// Sorted by serial number, 25 bytes each.
#[derive(Debug, Default)]
pub(super) struct Entries {
    records: Vec<Record>,
    /// Those that break the limit, sorted: there are such issuers.
    longer: Vec<(Box<[u8]>, Entry)>,
}

impl Entries {
    /// A table for about this many.
    pub(super) fn with_capacity(count: usize) -> Self {
        Self { records: Vec::with_capacity(count), longer: Vec::new() }
    }

    /// Adds one; `serial` is the content of its INTEGER.
    pub(super) fn push(&mut self, serial: &[u8], entry: Entry) {
        let serial = significant(serial);
        match SERIAL_LENGTH.checked_sub(serial.len()) {
            Some(_) => self.records.push(record(serial, entry)),
            None => self.longer.push((serial.into(), entry)),
        }
    }

    /// Ends the adding. Of entries of one serial number the first by date counts.
    pub(super) fn sort(&mut self) {
        self.records.sort_unstable();
        self.records.dedup_by_key(|record| serial_of(record));
        self.records.shrink_to_fit();
        self.longer.sort_by(|one, other| one.0.cmp(&other.0).then(one.1.revoked_unix_s.cmp(&other.1.revoked_unix_s)));
        self.longer.dedup_by(|later, first| later.0 == first.0);
        self.longer.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.records.len().saturating_add(self.longer.len())
    }

    /// What is said of a serial number, the content of its INTEGER.
    pub(super) fn find(&self, serial: &[u8]) -> Option<Entry> {
        let serial = significant(serial);
        if serial.len() > SERIAL_LENGTH {
            let found = self.longer.binary_search_by(|(known, _)| known.as_ref().cmp(serial)).ok()?;
            return self.longer.get(found).map(|(_, entry)| *entry);
        }
        let wanted = serial_of(&record(serial, Entry { revoked_unix_s: 0, reason: Reason::Unspecified }));
        let found = self.records.binary_search_by_key(&wanted, serial_of).ok()?;
        self.records.get(found).map(entry_of)
    }
}

/// Without the zero that keeps a large number from being negative.
fn significant(serial: &[u8]) -> &[u8] {
    match serial {
        [0, rest @ ..] => rest,
        all => all,
    }
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

fn serial_of(record: &Record) -> [u8; SERIAL_LENGTH] {
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

    #[test]
    fn serial_with_a_sign_byte_is_the_same_number() {
        let mut entries = Entries::default();
        entries.push(&[0, 0x80, 1], entry(1));
        entries.sort();
        assert_eq!(entries.find(&[0, 0x80, 1]), Some(entry(1)));
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
