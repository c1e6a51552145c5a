//! DER as a tree that can be changed and written again, also with indefinite lengths: to make what no tool writes.

/// One element; `children` count where there are any, else `content`.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) tag: u8,
    pub(super) content: Vec<u8>,
    pub(super) children: Vec<Self>,
}

impl Node {
    /// The one element that these bytes are.
    pub(super) fn parse(bytes: &[u8]) -> Self {
        let (node, rest) = Self::next(bytes);
        assert!(rest.is_empty());
        node
    }

    pub(super) fn octets(content: Vec<u8>) -> Self {
        Self { tag: 0x04, content, children: Vec::new() }
    }

    pub(super) fn integer(number: u64) -> Self {
        Self { tag: 0x02, content: der_integer(number), children: Vec::new() }
    }

    fn next(bytes: &[u8]) -> (Self, &[u8]) {
        let (header, length) = match bytes[1] {
            short @ 0..=0x7f => (2, usize::from(short)),
            long => {
                let count = usize::from(long & 0x7f);
                (2 + count, bytes[2..2 + count].iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
            }
        };
        let (content, rest) = bytes[header..].split_at(length);
        let mut node = Self { tag: bytes[0], content: content.to_vec(), children: Vec::new() };
        let mut inner = content;
        while node.tag & 0x20 != 0 && !inner.is_empty() {
            let (child, rest) = Self::next(inner);
            node.children.push(child);
            inner = rest;
        }
        (node, rest)
    }

    /// The element at the end of this path of positions.
    pub(super) fn at(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |node, index| &mut node.children[*index])
    }

    /// BER with lengths of four bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let content = self.inner(Self::encode);
        let length = match content.len() {
            short @ 0..=0x7f => vec![short as u8],
            long => [&[0x84][..], &(long as u32).to_be_bytes()].concat(),
        };
        [&[self.tag][..], &length, &content].concat()
    }

    /// DER.
    pub(super) fn encode_der(&self) -> Vec<u8> {
        let content = self.inner(Self::encode_der);
        let length = match content.len() {
            short @ 0..=0x7f => vec![short as u8],
            long => {
                let digits = der_integer(long as u64);
                let digits = digits.strip_prefix(&[0]).unwrap_or(&digits);
                [&[0x80 | digits.len() as u8], digits].concat()
            }
        };
        [&[self.tag][..], &length, &content].concat()
    }

    /// BER with an indefinite length wherever there may be one.
    pub(super) fn encode_indefinite(&self) -> Vec<u8> {
        if self.tag & 0x20 == 0 {
            return self.encode();
        }
        [&[self.tag, 0x80][..], &self.inner(Self::encode_indefinite), &[0, 0]].concat()
    }

    fn inner(&self, encode: fn(&Self) -> Vec<u8>) -> Vec<u8> {
        if self.children.is_empty() { self.content.clone() } else { self.children.iter().flat_map(encode).collect() }
    }
}

/// The content of a non-negative INTEGER.
pub(super) fn der_integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let digits = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(7)..];
    if digits[0] & 0x80 == 0 { digits.to_vec() } else { [&[0], digits].concat() }
}
