//! The exceptions that the jni crate catches when it looks up a class.

use jni::Env;
use jni::exceptions::{
    JClassCircularityError, JClassFormatError, JClassNotFoundException, JExceptionInInitializerError, JLinkageError,
    JNoClassDefFoundError, JOutOfMemoryError, JSecurityException,
};
use jni::refs::{LoaderContext, Reference};

use crate::guard::Outcome;

/// Looks up their classes, which the crate then keeps. Otherwise it looks them up when it catches one. At the end of a
/// stack that lookup fails too, is caught in the same way, and so on until the process ends.
pub(crate) fn know(env: &Env<'_>) -> Outcome<()> {
    let loader = LoaderContext::None;
    JSecurityException::lookup_class(env, &loader)?;
    JNoClassDefFoundError::lookup_class(env, &loader)?;
    JClassNotFoundException::lookup_class(env, &loader)?;
    JClassFormatError::lookup_class(env, &loader)?;
    JClassCircularityError::lookup_class(env, &loader)?;
    JExceptionInInitializerError::lookup_class(env, &loader)?;
    JLinkageError::lookup_class(env, &loader)?;
    JOutOfMemoryError::lookup_class(env, &loader)?;
    Ok(())
}
