//! The way in from Java: every native method is one call of a function here.
//!
//! No panic crosses, and none ends more than the object it was met in. This is the one place that decides what Java sees
//! of an error, and that makes slices of addresses.
#![allow(unsafe_code, reason = "memory that Java names by address is made a slice here, once its bounds are known")]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use brokertls::{Code, Error};
use jni::errors::ErrorPolicy;
use jni::objects::{JByteBuffer, JThrowable};
use jni::sys::jlong;
use jni::{Env, EnvUnowned};

use crate::failure;
use crate::handles::{Handles, Shared, Unavailable};

/// Why a native method gives nothing.
#[derive(Debug)]
pub(crate) enum Raised {
    /// Thrown as `TlsFailure`.
    Failure(Error),
    /// Thrown as `IllegalStateException`: the object is closed, or in use by another thread.
    State(Unavailable),
    /// Thrown as `IllegalArgumentException`.
    Argument(&'static str),
    /// What Java has thrown already.
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
            error => Self::Failure(Error::new(Code::Internal, error.to_string())),
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

/// What is said of a contained panic.
pub(crate) fn panic_error(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    Error::new(Code::Panic, text.unwrap_or_default())
}

/// How errors become exceptions.
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
                let error = Error::new(Code::WrongState, "another thread is in a call on this object");
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

/// Memory that Java offers: a direct buffer, or an address where that is null; an offset into it, and a length.
pub(crate) struct Offer<'local> {
    pub(crate) buffer: JByteBuffer<'local>,
    pub(crate) address: jlong,
    pub(crate) offset: i32,
    pub(crate) length: i32,
}

/// More than a record or flight ever has; lengths beyond it do not fit the packed answer.
const LENGTH_MAX: usize = 0xff_ffff;

impl Offer<'_> {
    /// The first byte and the length.
    fn resolve(&self, env: &EnvUnowned<'_>) -> Outcome<(*mut u8, usize)> {
        let (Ok(offset), Ok(length)) = (usize::try_from(self.offset), usize::try_from(self.length)) else {
            return Err(Raised::Argument("a negative offset or length"));
        };
        if length == 0 {
            return Ok((std::ptr::NonNull::dangling().as_ptr(), 0));
        }
        let start = match self.buffer.as_raw().is_null() {
            true => self.address as *mut u8,
            // SAFETY: the environment is this thread's, as Java passed it, and the buffer is not null.
            false => unsafe {
                let env = env.as_raw();
                ((**env).v1_4.GetDirectBufferAddress)(env, self.buffer.as_raw()).cast::<u8>()
            },
        };
        if start.is_null() {
            return Err(Raised::Argument("neither a direct buffer nor an address"));
        }
        Ok((start.wrapping_add(offset), length.min(LENGTH_MAX)))
    }
}

/// Both offers as slices.
///
/// # Errors
/// `INVALID_ARGUMENT` where they overlap, or one is no memory.
pub(crate) fn slices<'a>(
    env: &EnvUnowned<'a>,
    source: Offer<'a>,
    destination: Offer<'a>,
) -> Outcome<(&'a mut [u8], &'a mut [u8])> {
    let (from, from_length) = source.resolve(env)?;
    let (to, to_length) = destination.resolve(env)?;
    let overlap = (from as usize) < (to as usize).saturating_add(to_length)
        && (to as usize) < (from as usize).saturating_add(from_length);
    if overlap && from_length > 0 && to_length > 0 {
        return Err(Raised::Argument("source and destination overlap"));
    }
    // SAFETY: Java vouches for address and bounds (NativeEngine checks those of buffers) for the length of the call; the
    // two do not overlap, and an empty one has an address that is aligned and not null.
    unsafe { Ok((std::slice::from_raw_parts_mut(from, from_length), std::slice::from_raw_parts_mut(to, to_length))) }
}

/// The address of a direct buffer's first byte.
pub(crate) fn address(env: &EnvUnowned<'_>, buffer: &JByteBuffer<'_>) -> Outcome<jlong> {
    if buffer.as_raw().is_null() {
        return Err(Raised::Argument("no buffer"));
    }
    // SAFETY: the environment is this thread's, as Java passed it, and the buffer is not null.
    let address = unsafe {
        let env = env.as_raw();
        ((**env).v1_4.GetDirectBufferAddress)(env, buffer.as_raw())
    };
    match address.is_null() {
        true => Err(Raised::Argument("not a direct buffer")),
        false => Ok(address as jlong),
    }
}
