//! Makes contexts, or the revocation check alone, from settings.

use crate::config::ContextBuilder;
use crate::config::options::Options;
use crate::error::Result;
use crate::revocation::Revocation;

use super::{Context, load};

impl ContextBuilder {
    /// Reads every source and makes a context.
    ///
    /// # Errors
    /// The first source or setting that cannot be used, by name.
    pub fn build(&self) -> Result<Context> {
        Context::from_spec(self.spec.clone())
    }
}

impl Options {
    /// Makes the revocation check of the options. It reads the lists, also those among the trusted certificates.
    ///
    /// # Errors
    /// `OPTION_CONFLICT` for rules without a list; the first list that cannot be used, by name.
    pub fn revocation(&self) -> Result<Revocation> {
        let mut builder = self.builder.clone();
        self.trust_sources()?.into_iter().for_each(|source| _ = builder.trust(source));
        load::revocation(&builder.spec, load::remote(&builder.spec)?)
    }

    /// Makes a context. The builder may be used again.
    ///
    /// # Errors
    /// As for [`Options::to_builder`] and [`ContextBuilder::build`].
    pub fn build(&self) -> Result<Context> {
        self.to_builder()?.build()
    }
}
