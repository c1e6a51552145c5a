//! Memory of Java: direct buffers and addresses become slices after a check of their bounds.
#![allow(unsafe_code, reason = "memory that Java passes by address becomes a slice here, after a check of its bounds")]

use std::sync::OnceLock;

use jni::ids::JFieldID;
use std::ptr;

use brokertls::{Code, Error, Result};
use jni::objects::{JByteArray, JByteBuffer};
use jni::sys::{JNI_ABORT, JNIEnv, jarray, jint, jlong};
use jni::{Env, EnvUnowned, jni_sig, jni_str};

use crate::guard::{Outcome, Raised};
use crate::log::HeldBack;

/// The memory of one side of a call: an array or else a direct buffer, which Java has checked, with the offset of the
/// first byte; or else its address.
pub(crate) struct Offer<'local> {
    pub(crate) array: JByteArray<'local>,
    pub(crate) buffer: JByteBuffer<'local>,
    pub(crate) start: jlong,
    pub(crate) length: jint,
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
    fn length(&self) -> Outcome<usize> {
        let length = usize::try_from(self.length).map_err(|_| Raised::Argument("a negative length"))?;
        Ok(length.min(LENGTH_MAX))
    }

    fn offset(&self) -> Outcome<usize> {
        usize::try_from(self.start).map_err(|_| Raised::Argument("a negative offset"))
    }

    /// Returns the first byte and the length of memory that does not move.
    fn resolve(&self, env: &EnvUnowned<'_>) -> Outcome<(*mut u8, usize)> {
        let length = self.length()?;
        if length == 0 {
            return Ok((ptr::NonNull::dangling().as_ptr(), 0));
        }
        let (base, offset) = match self.buffer.as_raw().is_null() {
            true => (self.start as *mut u8, 0),
            false => (start_of(env, &self.buffer), self.offset()?),
        };
        // The base of a buffer that is not direct is null, whatever the offset.
        if base.is_null() {
            return Err(Raised::Argument("neither an array nor a direct buffer nor an address"));
        }
        Ok((base.wrapping_add(offset), length))
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

/// Returns both offers as slices. None of them is an array.
///
/// # Errors
/// Returns `INVALID_ARGUMENT` if they overlap, or if one has no memory.
pub(crate) fn slices<'a>(
    env: &EnvUnowned<'a>,
    source: &Offer<'a>,
    destination: &Offer<'a>,
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

/// An array that the collector does not move while it is borrowed, or memory that never moves. No other function of the
/// JVM may be called meanwhile, and the thread must not wait for another one.
struct Pinned {
    env: *mut JNIEnv,
    /// Null for memory that never moves.
    array: jarray,
    start: *mut u8,
    offset: usize,
    length: usize,
    mode: jint,
}

impl Pinned {
    /// Prepares an offer. An array is not pinned yet.
    fn new(env: &EnvUnowned<'_>, offer: &Offer<'_>, mode: jint) -> Outcome<Self> {
        let array: jarray = offer.array.as_raw();
        if array.is_null() {
            let (start, length) = offer.resolve(env)?;
            return Ok(Self { env: env.as_raw(), array, start, offset: 0, length, mode });
        }
        let offset = offer.offset()?;
        Ok(Self { env: env.as_raw(), array, start: ptr::null_mut(), offset, length: offer.length()?, mode })
    }

    /// Pins an array, and returns the memory; none if the JVM says that it gives a copy. A copy is not used, because
    /// its release would write the whole array back, with bytes that other threads change.
    fn pin(&mut self) -> Result<Option<&mut [u8]>> {
        if !self.array.is_null() {
            let (start, is_copy) = critical(self.env, self.array);
            self.start = start;
            if is_copy {
                self.mode = JNI_ABORT;
                return Ok(None);
            }
        }
        if self.start.is_null() {
            return Err(Error::new(Code::Internal, "the JVM gives no access to a buffer"));
        }
        // SAFETY: NativeEngine has checked the bounds. The memory does not move until `self` is dropped, and
        // `Both` has no other slice of it.
        Ok(Some(unsafe { std::slice::from_raw_parts_mut(self.start.wrapping_add(self.offset), self.length) }))
    }
}

/// Returns the first byte of an array, which is not null, and true if it is a copy. The caller releases it.
fn critical(env: *mut JNIEnv, array: jarray) -> (*mut u8, bool) {
    let mut is_copy = false;
    // SAFETY: the environment is this thread's, as Java passed it, and the array is not null.
    let start = unsafe { ((**env).v1_2.GetPrimitiveArrayCritical)(env, array, &raw mut is_copy) };
    (start.cast(), is_copy && !start.is_null())
}

/// Returns true if this JVM gives arrays themselves. With `-Xcheck:jni` HotSpot gives copies and says that they are
/// none, but then two calls for one array give two addresses.
pub(crate) fn pins(env: &EnvUnowned<'_>, array: &JByteArray<'_>) -> Outcome<bool> {
    let (env, array) = (env.as_raw(), array.as_raw());
    if array.is_null() {
        return Err(Raised::Argument("no array"));
    }
    let (one, other) = (critical(env, array), critical(env, array));
    for (start, _) in [other, one] {
        if !start.is_null() {
            // SAFETY: `critical` got the pointer for this array on this thread. Nothing was written.
            unsafe { ((**env).v1_2.ReleasePrimitiveArrayCritical)(env, array, start.cast(), JNI_ABORT) };
        }
    }
    Ok(!one.0.is_null() && one == other && !one.1)
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if !self.array.is_null() && !self.start.is_null() {
            // SAFETY: `pin` got the pointer for this array on this thread, which still runs the same native method.
            unsafe {
                ((**self.env).v1_2.ReleasePrimitiveArrayCritical)(self.env, self.array, self.start.cast(), self.mode);
            }
        }
    }
}

/// Two offers that do not overlap, one of which is an array at least. They are released before the lines of the log are
/// written.
pub(crate) struct Both {
    source: Pinned,
    destination: Pinned,
    _held_back: HeldBack,
}

impl Both {
    /// # Errors
    /// Returns `INVALID_ARGUMENT` if the two are one array, or if one has no memory.
    pub(crate) fn new(env: &EnvUnowned<'_>, source: &Offer<'_>, destination: &Offer<'_>) -> Outcome<Self> {
        // Two references to one array differ, so the JVM compares them.
        // SAFETY: the environment is this thread's, as Java passed it; null is allowed.
        let is_same = unsafe {
            let raw = env.as_raw();
            !source.array.as_raw().is_null()
                && ((**raw).v1_1.IsSameObject)(raw, source.array.as_raw(), destination.array.as_raw())
        };
        let source = Pinned::new(env, source, JNI_ABORT)?;
        let destination = Pinned::new(env, destination, 0)?;
        if is_same {
            return Err(Raised::Argument("source and destination overlap"));
        }
        Ok(Self { source, destination, _held_back: HeldBack::begin() })
    }

    /// Runs the body on both; not at all if the JVM gives a copy of one. The body must be short, and must not wait;
    /// lines of the log are written after it.
    pub(crate) fn with<T>(mut self, body: impl FnOnce(&mut [u8], &mut [u8]) -> Result<T>) -> Result<Option<T>> {
        let Some(source) = self.source.pin()? else { return Ok(None) };
        let Some(destination) = self.destination.pin()? else { return Ok(None) };
        body(source, destination).map(Some)
    }
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::cell::RefCell;
    use std::ffi::c_void;
    use std::mem::MaybeUninit;

    use jni::sys::JNINativeInterface_;

    use super::*;

    thread_local! {
        /// The bytes that the JVM gives as a copy of any array.
        static COPY: RefCell<[u8; 4]> = const { RefCell::new([7; 4]) };
        /// The modes of the releases.
        static RELEASED: RefCell<Vec<jint>> = const { RefCell::new(Vec::new()) };
    }

    extern "system" fn give_copy(_env: *mut JNIEnv, _array: jarray, is_copy: *mut bool) -> *mut c_void {
        // SAFETY: the caller passes the address of a flag.
        unsafe { *is_copy = true };
        COPY.with(|copy| copy.as_ptr().cast())
    }

    extern "system" fn release(_env: *mut JNIEnv, _array: jarray, _start: *mut c_void, mode: jint) {
        RELEASED.with_borrow_mut(|modes| modes.push(mode));
    }

    /// A JVM that gives copies, and has no other function.
    fn copying(table: &mut MaybeUninit<JNINativeInterface_>) -> JNIEnv {
        let table = table.as_mut_ptr();
        // SAFETY: the table has room for both, and no other entry is read.
        unsafe {
            (&raw mut (*table).v1_2.GetPrimitiveArrayCritical).write(give_copy);
            (&raw mut (*table).v1_2.ReleasePrimitiveArrayCritical).write(release);
        }
        table
    }

    #[test]
    fn copy_of_an_array_is_neither_used_nor_written_back() {
        let mut table = MaybeUninit::uninit();
        let mut env = copying(&mut table);
        let env = &raw mut env;
        let mut memory = [0; 4];
        let start = memory.as_mut_ptr();
        let array: jarray = ptr::NonNull::dangling().as_ptr();
        let part = |array: jarray, mode| Pinned { env, array, start, offset: 0, length: 4, mode };
        for (source, destination) in [(array, ptr::null_mut()), (ptr::null_mut(), array)] {
            let (source, destination) = (part(source, JNI_ABORT), part(destination, 0));
            let both = Both { source, destination, _held_back: HeldBack::begin() };
            assert!(both.with(|_, _| -> Result<()> { panic!("the copy was used") }).unwrap().is_none());
        }
        let released = RELEASED.take();
        assert!(released.len() == 2 && released.iter().all(|mode| *mode == JNI_ABORT), "{released:?}");
    }
}
