//! The cost of what a file asks for: derived keys, and private keys made ready. Refused before any of it runs.

use rustls::pki_types::CertificateDer;

use crate::error::{Code, Error, Result};
use crate::keystore::Limits;

/// The cost of one derivation, or of one private key.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// In iterations of PBKDF2 with HMAC-SHA-256, about 0.1 µs each.
    pub(crate) iterations: u64,
    /// Bytes that it holds while it runs.
    pub(crate) memory: u64,
}

impl Cost {
    /// This many iterations of that many hash blocks, each as dear as `weight` blocks of SHA-256.
    pub(crate) fn of(iterations: u64, blocks: u64, weight: u64) -> Self {
        Self { iterations: iterations.saturating_mul(blocks).saturating_mul(weight), memory: 0 }
    }
}

/// The unused part of the limits of one file.
#[derive(Debug)]
pub(crate) struct Budget {
    limits: Limits,
    spent: u64,
}

impl Budget {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, spent: 0 }
    }

    /// Takes the cost from the budget. What is refused takes nothing, so that cheaper work can follow it.
    ///
    /// # Errors
    /// `COST_TOO_HIGH` with what the file has asked for in all, and the option that allows it.
    pub(crate) fn spend(&mut self, cost: Cost) -> Result<()> {
        let limit = self.limits.max_kdf_memory_bytes;
        if cost.memory > limit {
            let detail = format!("scrypt asks for {} bytes of memory, {limit} are allowed", cost.memory);
            return Err(too_high(detail, "max-kdf-memory-bytes", cost.memory));
        }
        let spent = self.spent.saturating_add(cost.iterations);
        let limit = self.limits.max_kdf_iterations;
        if spent > limit {
            let detail = format!("with this the file asks for the work of {spent} iterations, {limit} are allowed");
            return Err(too_high(detail, "max-kdf-iterations", spent));
        }
        self.spent = spent;
        Ok(())
    }
}

/// The bytes of certificates that the chains of one file may hold together. Keys that share their issuers each have a
/// copy, and a file could share large ones by the thousand.
pub(crate) struct Allowance {
    left: usize,
}

/// The allowed size of all chains, in multiples of the largest content.
const CHAINS_PER_CONTENT: usize = 4;

impl Allowance {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { left: limits.max_content_bytes.saturating_mul(CHAINS_PER_CONTENT) }
    }

    /// # Errors
    /// `STORE_TOO_LARGE`.
    pub(crate) fn take(&mut self, chain: &[CertificateDer<'_>]) -> Result<()> {
        let bytes: usize = chain.iter().map(|certificate| certificate.len()).sum();
        self.left = self.left.checked_sub(bytes).ok_or_else(|| {
            Error::new(Code::StoreTooLarge, "the chains of its keys are more than four times the largest file")
        })?;
        Ok(())
    }
}

fn too_high(detail: String, option: &str, needed: u64) -> Error {
    let hint = format!("If the file is what it should be, set the option {option} to {needed} or more.");
    Error::new(Code::CostTooHigh, detail).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_over_a_file_and_never_wrap() {
        let mut budget = Budget::new(Limits { max_kdf_iterations: 10, ..Limits::default() });
        budget.spend(Cost::of(3, 2, 1)).unwrap();
        let error = budget.spend(Cost::of(5, 1, 1)).unwrap_err();
        assert_eq!(error.code(), Code::CostTooHigh);
        assert_eq!(error.detail(), "with this the file asks for the work of 11 iterations, 10 are allowed");
        assert_eq!(error.hint(), "If the file is what it should be, set the option max-kdf-iterations to 11 or more.");
        assert_eq!(budget.spend(Cost::of(u64::MAX, 3, 5)).unwrap_err().code(), Code::CostTooHigh);
    }

    #[test]
    fn what_is_refused_costs_nothing() {
        let mut budget = Budget::new(Limits { max_kdf_iterations: 10, ..Limits::default() });
        budget.spend(Cost::of(11, 1, 1)).unwrap_err();
        budget.spend(Cost::of(10, 1, 1)).unwrap();
    }

    #[test]
    fn memory_is_limited_on_its_own() {
        let mut budget = Budget::new(Limits::default());
        let cost = Cost { iterations: 1, memory: 161 << 20 };
        let error = budget.spend(cost).unwrap_err();
        assert_eq!(error.code(), Code::CostTooHigh);
        assert!(error.hint().contains("max-kdf-memory-bytes"), "{}", error.hint());
    }
}
