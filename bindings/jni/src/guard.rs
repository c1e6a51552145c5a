//! The entry from Java: every native method is one call of a function here.
//!
//! No panic crosses the boundary, and a panic ends only the object of its call. This file alone maps errors to Java
//! exceptions.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls::{Code, Error};
use jni::errors::ErrorPolicy;
use jni::objects::JThrowable;
use jni::sys::jlong;
use jni::{Env, EnvUnowned};

use crate::failure;
use crate::handles::{Handles, Shared, Unavailable};

/// The reason that a native method returns no value.
#[derive(Debug)]
pub(crate) enum Raised {
    /// Thrown as `TlsFailure`.
    Failure(Error),
    /// Thrown as `IllegalStateException`: the object is closed, or in use by another thread.
    State(Unavailable),
    /// Thrown as `IllegalArgumentException`.
    Argument(&'static str),
    /// A Java exception is pending already.
    Pending,
}

impl From<Error> for Raised {
    fn from(error: Error) -> Self {
        Self::Failure(error)
    }
}

impl From<Unavailable> for Raised {
    fn from(unavailable: Unavailable) -> Self {
        Self::State(unavailable)
    }
}

impl From<jni::errors::Error> for Raised {
    fn from(error: jni::errors::Error) -> Self {
        match error {
            jni::errors::Error::JavaException => Self::Pending,
            jni::errors::Error::NullPtr(what) => Self::Argument(what),
            error => Self::Failure(Error::new(Code::Internal, "a call of Java failed").with_source(error)),
        }
    }
}

pub(crate) type Outcome<T> = Result<T, Raised>;

/// Runs the body of a native method that may throw.
pub(crate) fn guard<'local, T: Default>(
    env: &mut EnvUnowned<'local>,
    body: impl FnOnce(&mut Env<'local>) -> Outcome<T>,
) -> T {
    env.with_env(body).resolve::<Throw>()
}

/// Runs the body of a native method that does not call the JVM.
pub(crate) fn guard_bare<'local, T: Default>(env: &mut EnvUnowned<'local>, body: impl FnOnce() -> Outcome<T>) -> T {
    let outcome = contain(body);
    settle(env, outcome)
}

/// Runs the body, and turns a panic into an error.
pub(crate) fn contain<T>(body: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Raised::Failure(panic_error(&*payload))))
}

/// Returns the value to Java, or throws.
pub(crate) fn settle<'local, T: Default>(env: &mut EnvUnowned<'local>, outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(raised) => guard(env, |_| Err(raised)),
    }
}

/// Returns the object of a handle.
pub(crate) fn object<T>(handles: &Handles<T>, handle: jlong) -> Outcome<Shared<'_, T>> {
    Ok(handles.share(handle)?)
}

/// Keeps an object for Java, and returns its handle.
pub(crate) fn keep<T>(handles: &Handles<T>, object: T) -> Outcome<jlong> {
    handles.insert(object).ok_or_else(|| Error::new(Code::Internal, "too many objects").into())
}

/// Returns the error for a contained panic.
pub(crate) fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Panic, text.unwrap_or_default())
}

/// The mapping of errors to exceptions.
struct Throw;

impl<T: Default> ErrorPolicy<T, Raised> for Throw {
    type Captures<'unowned_env_local: 'native_method, 'native_method> = ();

    fn on_error<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        _captures: &mut Self::Captures<'unowned_env_local, 'native_method>,
        raised: Raised,
    ) -> jni::errors::Result<T> {
        if env.exception_check() {
            return Ok(T::default());
        }
        match raised {
            Raised::Pending => {}
            Raised::Failure(error) => {
                let failure = failure::new(env, &error)?;
                throw(env, &failure);
            }
            Raised::State(Unavailable::Closed) => failure::illegal_state(env, "closed")?,
            Raised::State(Unavailable::Busy) => {
                let error = Error::from(Code::Busy);
                failure::illegal_state(env, &error.to_string())?;
            }
            Raised::Argument(what) => {
                failure::illegal_argument(env, &Error::new(Code::InvalidArgument, what).to_string())?;
            }
        }
        Ok(T::default())
    }

    fn on_panic<'unowned_env_local: 'native_method, 'native_method>(
        env: &mut Env<'unowned_env_local>,
        captures: &mut Self::Captures<'unowned_env_local, 'native_method>,
        payload: Box<dyn Any + Send + 'static>,
    ) -> jni::errors::Result<T> {
        <Self as ErrorPolicy<T, Raised>>::on_error(env, captures, Raised::Failure(panic_error(&*payload)))
    }
}

/// Throws. The jni crate reports the exception as an error, which is intended here.
fn throw(env: &mut Env<'_>, exception: &JThrowable<'_>) {
    let _ = env.throw(exception);
}
