//! A write that is encrypted and not wholly sent.

use std::hash::{DefaultHasher, Hasher};

use crate::error::{Code, Error, Result};

use super::scratch::Pieces;

/// A write that is encrypted and not completely sent. The caller still has these bytes and offers them again.
#[derive(Clone, Copy)]
pub(super) struct Owed {
    pub(super) length: usize,
    /// The digests of the first bytes, and of all.
    digests: [u64; 2],
}

impl Owed {
    /// The number of bytes that each call compares; the last compares all. A small step of a slow peer must not cost a
    /// look at everything.
    const START_BYTES: usize = 64;

    pub(super) fn new(start: &Pieces<'_>, length: usize) -> Self {
        let digests =
            [length.min(Self::START_BYTES), length].map(|length| Self::digest(start, length).unwrap_or_default());
        Self { length, digests }
    }

    /// Refuses other bytes than those that are already encrypted: the peer would get what was offered first.
    pub(super) fn check_start(&self, offered: &Pieces<'_>) -> Result<()> {
        let is_long_enough = offered.for_each(self.length, |_| {});
        let start = Self::digest(offered, self.length.min(Self::START_BYTES));
        self.refuse_unless(is_long_enough && start == Some(self.digests[0]))
    }

    pub(super) fn check_all(&self, offered: &Pieces<'_>) -> Result<()> {
        self.refuse_unless(Self::digest(offered, self.length) == Some(self.digests[1]))
    }

    fn refuse_unless(&self, is_same: bool) -> Result<()> {
        match is_same {
            true => Ok(()),
            false => Err(Error::new(
                Code::InvalidArgument,
                format!("the write that must be finished first began with {} other bytes", self.length),
            )),
        }
    }

    fn digest(start: &Pieces<'_>, length: usize) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        start.for_each(length, |bytes| hasher.write(bytes)).then(|| hasher.finish())
    }
}
