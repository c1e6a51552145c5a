//! The way in from Java: every native method is one call of a function here.
//!
//! No panic crosses, and none ends more than the object it was met in. This is the one place that decides what Java
//! sees of an error.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls::{Code, Error};
use jni::errors::ErrorPolicy;
use jni::objects::JThrowable;
use jni::sys::jlong;
use jni::{Env, EnvUnowned};

use crate::failure;
use crate::handles::{Handles, Shared, Unavailable};

/// The failure of a native method.
#[derive(Debug)]
pub(crate) enum Raised {
    /// Thrown as `TlsFailure`.
    Failure(Error),
    /// Thrown as `IllegalStateException`: the object is closed, or in use by another thread.
    State(Unavailable),
    /// Thrown as `IllegalArgumentException`.
    Argument(&'static str),
    /// A pending exception of Java.
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

/// Runs the body of a native method that neither needs the JVM nor throws anything but for an object out of use.
pub(crate) fn guard_bare<'local, T: Default>(env: &mut EnvUnowned<'local>, body: impl FnOnce() -> Outcome<T>) -> T {
    let outcome = contain(body);
    settle(env, outcome)
}

/// Runs the body, a panic becoming an error.
pub(crate) fn contain<T>(body: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Raised::Failure(panic_error(&*payload))))
}

/// Gives Java the value, or throws.
pub(crate) fn settle<'local, T: Default>(env: &mut EnvUnowned<'local>, outcome: Outcome<T>) -> T {
    match outcome {
        Ok(value) => value,
        Err(raised) => guard(env, |_| Err(raised)),
    }
}

/// The object of a handle.
pub(crate) fn object<T>(handles: &Handles<T>, handle: jlong) -> Outcome<Shared<'_, T>> {
    Ok(handles.share(handle)?)
}

/// Keeps an object for Java.
pub(crate) fn keep<T>(handles: &Handles<T>, object: T) -> Outcome<jlong> {
    handles.insert(object).ok_or_else(|| Error::new(Code::Internal, "too many objects").into())
}

/// The message of a contained panic.
pub(crate) fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Panic, text.unwrap_or_default())
}

/// Makes exceptions of errors.
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

/// jni reports a thrown exception as an error; here it is what was wanted.
fn throw(env: &mut Env<'_>, exception: &JThrowable<'_>) {
    let _ = env.throw(exception);
}
