//! What key derivation may cost, summed over a file and refused before any of it runs.

use super::Limits;
use crate::error::{Code, Error, Result};

/// What one derivation takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// In iterations of PBKDF2 with HMAC-SHA-256, about 0.1 µs each.
    pub(super) iterations: u64,
    /// Bytes that it holds while it runs.
    pub(super) memory: u64,
}

impl Cost {
    /// This many iterations of that many hash blocks, each as dear as `weight` blocks of SHA-256.
    pub(super) fn of(iterations: u64, blocks: u64, weight: u64) -> Self {
        Self { iterations: iterations.saturating_mul(blocks).saturating_mul(weight), memory: 0 }
    }
}

/// What is left of the limits of one file.
pub(super) struct Budget {
    limits: Limits,
    spent: u64,
}

impl Budget {
    pub(super) fn new(limits: Limits) -> Self {
        Self { limits, spent: 0 }
    }

    /// Takes the cost from the budget; `what` names what it is for.
    ///
    /// # Errors
    /// `COST_TOO_HIGH` where the file has asked for too much with it.
    pub(super) fn spend(&mut self, cost: Cost, what: &str) -> Result<()> {
        self.spent = self.spent.saturating_add(cost.iterations);
        let limit = self.limits.max_kdf_iterations;
        if self.spent > limit {
            let detail =
                format!("{what}: the file asks for the work of {} iterations, {limit} are allowed", self.spent);
            return Err(Error::new(Code::CostTooHigh, detail));
        }
        let limit = self.limits.max_kdf_memory_bytes;
        if cost.memory > limit {
            let detail = format!("{what}: scrypt asks for {} bytes of memory, {limit} are allowed", cost.memory);
            return Err(Error::new(Code::CostTooHigh, detail));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_add_up_over_a_file_and_never_wrap() {
        let mut budget = Budget::new(Limits { max_kdf_iterations: 10, ..Limits::default() });
        budget.spend(Cost::of(3, 2, 1), "first").unwrap();
        let error = budget.spend(Cost::of(5, 1, 1), "second").unwrap_err();
        assert_eq!(error.code(), Code::CostTooHigh);
        assert_eq!(error.detail(), "second: the file asks for the work of 11 iterations, 10 are allowed");
        assert_eq!(budget.spend(Cost::of(u64::MAX, 3, 5), "third").unwrap_err().code(), Code::CostTooHigh);
    }

    #[test]
    fn memory_is_limited_on_its_own() {
        let mut budget = Budget::new(Limits::default());
        let cost = Cost { iterations: 1, memory: 65 << 20 };
        assert_eq!(budget.spend(cost, "key").unwrap_err().code(), Code::CostTooHigh);
    }
}
