//! Reads DER element by element, without allocation (lists of revoked certificates have a million), and writes it.
//!
//! [`Elements`] is for certificates, lists and responses: it takes DER alone, and fails without a reason. [`Cursor`] is
//! for keys and stores, which programs write less strictly: it also takes lengths that are not the shortest, and its
//! errors name the faulty part.

mod cursor;

pub(crate) use cursor::Cursor;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP_STRING: u8 = 0x1e;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
/// `[0]`, constructed and context-specific.
pub(crate) const CONTEXT_0: u8 = 0xa0;

/// The bytes are not DER, or not the required element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

type Result<T> = std::result::Result<T, Malformed>;

/// An element: its tag, its content, and its whole encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    pub(crate) whole: &'a [u8],
}

impl<'a> Element<'a> {
    /// The elements of its content.
    pub(crate) fn inside(self) -> Elements<'a> {
        Elements { rest: self.content }
    }

    /// The elements of its content, each with its header.
    pub(crate) fn parts(self) -> Result<Vec<&'a [u8]>> {
        let mut parts = Vec::new();
        let mut elements = self.inside();
        while let Some(element) = elements.next()? {
            parts.push(element.whole);
        }
        Ok(parts)
    }
}

/// The tag and the length in front of an element (X.690 sections 8.1.2 and 8.1.3).
#[derive(Clone, Copy)]
pub(crate) struct Header {
    pub(crate) tag: u8,
    /// The size of the header itself.
    pub(crate) bytes: usize,
    /// The size of the content; none for the indefinite form of BER.
    pub(crate) length: Option<usize>,
    /// False if the length has a shorter form, which DER requires (section 10.1).
    is_shortest: bool,
}

impl Header {
    /// Reads the header at the start of the input. Returns none if it is cut off, its tag has several bytes, or its
    /// length has more than four.
    pub(crate) fn of(input: &[u8]) -> Option<Self> {
        let (tag, first) = (*input.first()?, *input.get(1)?);
        if tag & 0x1f == 0x1f {
            return None;
        }
        match first {
            0..=0x7f => Some(Self { tag, bytes: 2, length: Some(usize::from(first)), is_shortest: true }),
            0x80 => Some(Self { tag, bytes: 2, length: None, is_shortest: true }),
            0x81..=0x84 => {
                let bytes = 2 + usize::from(first & 0x7f);
                let digits = input.get(2..bytes)?;
                let length = digits.iter().fold(0u64, |length, byte| length << 8 | u64::from(*byte));
                let is_shortest = length > 0x7f && digits.first() != Some(&0);
                Some(Self { tag, bytes, length: Some(usize::try_from(length).ok()?), is_shortest })
            }
            _ => None,
        }
    }
}

/// A sequence of elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(crate) fn new(input: &'a [u8]) -> Self {
        Self { rest: input }
    }

    /// The bytes of the remaining elements.
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The tag of the next element.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Reads the next element of any tag, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let header = Header::of(self.rest).filter(|header| header.is_shortest).ok_or(Malformed)?;
        let length = header.length.ok_or(Malformed)?;
        let (whole, rest) =
            self.rest.split_at_checked(header.bytes.checked_add(length).ok_or(Malformed)?).ok_or(Malformed)?;
        self.rest = rest;
        Ok(Some(Element { tag: header.tag, content: whole.get(header.bytes..).ok_or(Malformed)?, whole }))
    }

    /// Reads the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>> {
        self.next()?.filter(|element| element.tag == tag).ok_or(Malformed)
    }

    /// Reads the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>> {
        if self.peek() == Some(tag) { self.next() } else { Ok(None) }
    }

    /// Counts the remaining elements.
    pub(crate) fn count(mut self) -> Result<usize> {
        let mut count = 0;
        while self.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    /// Fails if an element follows.
    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(Malformed) }
    }
}

/// Reads the single element of an input.
pub(crate) fn only(tag: u8, input: &[u8]) -> Result<Element<'_>> {
    let mut elements = Elements::new(input);
    let element = elements.expect(tag)?;
    elements.end().map(|()| element)
}

/// Encodes an element of this tag with these parts as its content.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut out = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let significant: Vec<_> = content.len().to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            // At most the eight bytes of a usize.
            out.push(0x80 | significant.len() as u8);
            out.extend(significant);
        }
    }
    out.extend(content);
    out
}

/// The value of a BOOLEAN's content.
pub(crate) fn boolean(content: &[u8]) -> Result<bool> {
    match content {
        [0] => Ok(false),
        [0xff] => Ok(true),
        _ => Err(Malformed),
    }
}

/// Parses a Time of RFC 5280 section 4.1.2.5 to seconds since 1970 in UTC. Fractions of a second are cut off: RFC 5280
/// forbids them, and some writers of lists and responses add them.
pub(crate) fn unix_s(time: Element<'_>) -> Result<i64> {
    let digits = time.content.strip_suffix(b"Z").ok_or(Malformed)?;
    let digits = if time.tag == GENERALIZED_TIME { without_fraction(digits)? } else { digits };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Malformed);
    }
    let number = |digits: &[u8]| digits.iter().fold(0i64, |number, digit| number * 10 + i64::from(digit - b'0'));
    let (year, rest) = match (time.tag, digits.len()) {
        (UTC_TIME, 12) => {
            let (year, rest) = digits.split_at(2);
            (number(year) + if number(year) < 50 { 2000 } else { 1900 }, rest)
        }
        (GENERALIZED_TIME, 14) => {
            let (year, rest) = digits.split_at(4);
            (number(year), rest)
        }
        _ => return Err(Malformed),
    };
    let mut parts = rest.chunks_exact(2).map(number);
    let mut part = |most: i64| parts.next().filter(|part| *part <= most).ok_or(Malformed);
    let (month, day, hour, minute, second) = (part(12)?, part(31)?, part(23)?, part(59)?, part(59)?);
    if month == 0 || day == 0 || day > days_of_month(year, month) {
        return Err(Malformed);
    }
    Ok(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

fn without_fraction(digits: &[u8]) -> Result<&[u8]> {
    let Some(at) = digits.iter().position(|byte| matches!(byte, b'.' | b',')) else { return Ok(digits) };
    let (whole, fraction) = digits.split_at(at);
    match fraction.get(1..) {
        Some(fraction @ [_, ..]) if fraction.iter().all(u8::is_ascii_digit) => Ok(whole),
        _ => Err(Malformed),
    }
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The Gregorian calendar with years that start in March, so that a leap day is the last of a year.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(tag: u8, text: &str) -> Result<i64> {
        unix_s(Element { tag, content: text.as_bytes(), whole: text.as_bytes() })
    }

    #[test]
    fn times_of_both_forms_are_seconds_since_1970() {
        assert_eq!(time(UTC_TIME, "700101000000Z"), Ok(0));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Ok(2_524_607_999));
        assert_eq!(time(UTC_TIME, "500101000000Z"), Ok(-631_152_000));
        assert_eq!(time(GENERALIZED_TIME, "20240229120000Z"), Ok(1_709_208_000));
        assert_eq!(time(GENERALIZED_TIME, "20501231235959Z"), Ok(2_556_143_999));
        assert_eq!(time(GENERALIZED_TIME, "99991231235959Z"), Ok(253_402_300_799));
        assert_eq!(time(GENERALIZED_TIME, "20240229120000.999Z"), Ok(1_709_208_000));
        assert_eq!(time(GENERALIZED_TIME, "20240229120000,1Z"), Ok(1_709_208_000));
    }

    #[test]
    fn times_that_are_none_are_malformed() {
        for (tag, text) in [
            (UTC_TIME, "700101000000"),
            (UTC_TIME, "7001010000Z"),
            (UTC_TIME, "701301000000Z"),
            (UTC_TIME, "700100000000Z"),
            (UTC_TIME, "700101240000Z"),
            (UTC_TIME, "70010100000+Z"),
            (UTC_TIME, "19700101000000Z"),
            (GENERALIZED_TIME, "20230229000000Z"),
            (GENERALIZED_TIME, "20230228000000.Z"),
            (GENERALIZED_TIME, "20230228000000.5.5Z"),
            (GENERALIZED_TIME, "20230228000000.5"),
            (GENERALIZED_TIME, "202302280000.5Z"),
            (UTC_TIME, "230228000000.5Z"),
        ] {
            assert_eq!(time(tag, text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn element_of_each_length_form_is_taken_apart_again() {
        for length in [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000] {
            let content = vec![7; length];
            let encoded = element(OCTET_STRING, &[&content]);
            assert_eq!(only(OCTET_STRING, &encoded).map(|element| element.content), Ok(content.as_slice()));
            let both = element(SEQUENCE, &[&encoded, &encoded]);
            assert_eq!(only(SEQUENCE, &both).and_then(Element::parts), Ok(vec![encoded.as_slice(); 2]));
        }
    }

    #[test]
    fn elements_of_each_length_form_are_read_and_longer_forms_refused() {
        let short = [OCTET_STRING, 1, 7];
        assert_eq!(only(OCTET_STRING, &short).map(|element| element.content), Ok(&[7][..]));
        let mut long = vec![OCTET_STRING, 0x81, 0x80];
        long.extend([7; 0x80]);
        assert_eq!(only(OCTET_STRING, &long).map(|element| element.content.len()), Ok(0x80));
        for malformed in [
            &[OCTET_STRING][..],
            &[OCTET_STRING, 2, 7],
            &[OCTET_STRING, 0x80, 0, 0],
            &[OCTET_STRING, 0x81, 1, 7],
            &[OCTET_STRING, 0x82, 0, 0x80],
            &[OCTET_STRING, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x1f, 0x20, 0],
            &[OCTET_STRING, 1, 7, 0],
        ] {
            assert_eq!(only(OCTET_STRING, malformed), Err(Malformed), "{malformed:?}");
        }
    }
}
