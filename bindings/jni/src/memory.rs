//! Memory of Java: direct buffers and addresses become slices after a check of their bounds.
#![allow(unsafe_code, reason = "memory that Java passes by address becomes a slice here, after a check of its bounds")]

use std::sync::OnceLock;

use jni::ids::JFieldID;
use jni::objects::JByteBuffer;
use jni::sys::jlong;
use jni::{Env, EnvUnowned, jni_sig, jni_str};

use crate::guard::{Outcome, Raised};

/// A direct buffer, which Java has checked, or else an address; with an offset and a length.
pub(crate) struct Offer<'local> {
    pub(crate) buffer: JByteBuffer<'local>,
    pub(crate) address: jlong,
    pub(crate) offset: i32,
    pub(crate) length: i32,
}

/// The largest length in a packed result, which is longer than any record or flight.
const LENGTH_MAX: usize = 0xff_ffff;

/// The field of `java.nio.Buffer` with the address of a direct buffer, if this JVM has it. To read it takes a tenth of
/// the time of `GetDirectBufferAddress`, which changes the state of the thread.
static ADDRESS: OnceLock<Option<JFieldID>> = OnceLock::new();

/// Looks up the field, when the first buffers are made.
fn find_field(env: &mut Env<'_>) -> Option<JFieldID> {
    *ADDRESS.get_or_init(|| {
        let field = env.get_field_id(jni_str!("java/nio/Buffer"), jni_str!("address"), jni_sig!("J")).ok();
        env.exception_clear();
        field
    })
}

impl Offer<'_> {
    /// Returns the first byte and the length.
    fn resolve(&self, env: &EnvUnowned<'_>) -> Outcome<(*mut u8, usize)> {
        let (Ok(offset), Ok(length)) = (usize::try_from(self.offset), usize::try_from(self.length)) else {
            return Err(Raised::Argument("a negative offset or length"));
        };
        if length == 0 {
            return Ok((std::ptr::NonNull::dangling().as_ptr(), 0));
        }
        let start = match self.buffer.as_raw().is_null() {
            true => self.address as *mut u8,
            false => start_of(env, &self.buffer),
        };
        if start.is_null() {
            return Err(Raised::Argument("neither a direct buffer nor an address"));
        }
        Ok((start.wrapping_add(offset), length.min(LENGTH_MAX)))
    }
}

/// Returns the first byte of a direct buffer, which must not be null.
fn start_of(env: &EnvUnowned<'_>, buffer: &JByteBuffer<'_>) -> *mut u8 {
    let env = env.as_raw();
    match ADDRESS.get().copied().flatten() {
        // SAFETY: the environment is this thread's, as Java passed it; the buffer is not null and has the field.
        Some(field) => unsafe { ((**env).v1_1.GetLongField)(env, buffer.as_raw(), field.into_raw()) as *mut u8 },
        // SAFETY: the environment is this thread's, as Java passed it, and the buffer is not null.
        None => unsafe { ((**env).v1_4.GetDirectBufferAddress)(env, buffer.as_raw()).cast::<u8>() },
    }
}

/// Returns both offers as slices.
///
/// # Errors
/// Returns `INVALID_ARGUMENT` if they overlap, or if one has no memory.
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
    // SAFETY: NativeEngine has checked the bounds of buffers, and passes addresses of buffers that it keeps for the
    // call. The two do not overlap, and an empty one has an address that is aligned and not null.
    unsafe { Ok((std::slice::from_raw_parts_mut(from, from_length), std::slice::from_raw_parts_mut(to, to_length))) }
}

/// Returns the address of the first byte of a direct buffer.
pub(crate) fn address(env: &mut Env<'_>, buffer: &JByteBuffer<'_>) -> Outcome<jlong> {
    if buffer.as_raw().is_null() {
        return Err(Raised::Argument("no buffer"));
    }
    find_field(env);
    // SAFETY: the environment is this thread's, as Java passed it, and the buffer is not null.
    let address = unsafe {
        let env = env.get_raw();
        ((**env).v1_4.GetDirectBufferAddress)(env, buffer.as_raw())
    };
    match address.is_null() {
        true => Err(Raised::Argument("not a direct buffer")),
        false => Ok(address as jlong),
    }
}
