//! The package of the Java classes: another one than `io.brokertls` in a jar with relocated classes.
//!
//! The JVM finds the functions of this library by the original names. Classes of another package bind theirs one by
//! one, and only the function that does so is bound here. Each copy of the classes has a library of its own.
#![allow(unsafe_code, reason = "functions are looked up by their names and given to the JVM")]

use std::ffi::{CStr, CString, c_void};
use std::mem::MaybeUninit;
use std::sync::{PoisonError, RwLock};

use jni::objects::{JClass, JString, JThrowable};
use jni::strings::JNIString;
use jni::sys::{JNI_VERSION_1_8, jint};
use jni::{Env, EnvUnowned, JavaVM, NativeMethod, jni_sig, jni_str};

use crate::guard::{Outcome, Raised, contain, guard};
use crate::text::text;
use crate::{exceptions, host};

const ORIGINAL: &str = "io/brokertls";
const LOADER: &str = "internal/NativeLoader";
/// The names of the functions start with it, whatever the package of the classes is.
const FUNCTIONS: &str = "Java_io_brokertls_internal_";

static PACKAGE: RwLock<String> = RwLock::new(String::new());

/// Returns the complete name of a class, for example of `internal/HandshakeHost`.
pub(crate) fn class_name(name: &str) -> String {
    let package = PACKAGE.read().unwrap_or_else(PoisonError::into_inner);
    let package = if package.is_empty() { ORIGINAL } else { package.as_str() };
    format!("{package}/{name}")
}

/// Called by the JVM inside `System.load`.
#[unsafe(no_mangle)]
extern "system" fn JNI_OnLoad(vm: *mut jni::sys::JavaVM, _reserved: *mut c_void) -> jint {
    // SAFETY: the JVM passes its own pointer.
    let vm = unsafe { JavaVM::from_raw(vm) };
    // A failure shows in Java: the loader cannot call `bind`, or finds another version.
    let _ = contain(|| {
        vm.attach_current_thread(|env| {
            let begun = begin(env).and_then(|()| exceptions::know(env));
            env.exception_clear();
            begun
        })
    });
    JNI_VERSION_1_8
}

fn begin(env: &mut Env<'_>) -> Outcome<()> {
    // The library stays mapped after the class loader that has loaded it, and can be loaded by another one.
    host::forget();
    let package = package_of_the_caller(env)?.unwrap_or_else(|| ORIGINAL.to_owned());
    package.clone_into(&mut PACKAGE.write().unwrap_or_else(PoisonError::into_inner));
    if package == ORIGINAL {
        return Ok(());
    }
    let loader = env.find_class(JNIString::from(class_name(LOADER)))?;
    let signature = jni_str!("(Ljava/lang/Class;Ljava/lang/String;Ljava/lang/String;Ljava/lang/String;)V");
    // SAFETY: the function below has these parameters.
    let bind = unsafe {
        let function = Java_io_brokertls_internal_NativeLoader_bind as *mut c_void;
        NativeMethod::from_raw_parts(jni_str!("bind"), signature, function)
    };
    // SAFETY: the method is static, as its function.
    Ok(unsafe { env.register_native_methods(&loader, &[bind]) }?)
}

/// Returns the package of the class that called `System.load`, from the stack of this thread. `None` if the JVM has
/// been told to keep no stacks.
fn package_of_the_caller(env: &mut Env<'_>) -> Outcome<Option<String>> {
    let stack = env.new_object(jni_str!("java/lang/Throwable"), jni_sig!("()V"), &[])?;
    let stack = env.cast_local::<JThrowable<'_>>(stack)?.get_stack_trace(env)?;
    for index in 0..stack.len(env)? {
        let frame = stack.get_element(env, index)?;
        let name = frame.get_class_name(env)?;
        let name = text(env, &name)?.replace('.', "/");
        if let Some(package) = name.strip_suffix(LOADER).and_then(|package| package.strip_suffix('/')) {
            return Ok(Some(package.to_owned()));
        }
    }
    Ok(None)
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeLoader_bind<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    bound: JClass<'local>,
    method: JString<'local>,
    signature: JString<'local>,
    function: JString<'local>,
) {
    guard(&mut env, |env| {
        let function = function_named(&[FUNCTIONS, &text(env, &function)?].concat());
        let function = function.ok_or(Raised::Argument("no function for a native method"))?;
        let (method, signature) = (JNIString::from(text(env, &method)?), JNIString::from(text(env, &signature)?));
        // SAFETY: the function of a native method has the parameters that its declaration in Java has.
        let method = unsafe { NativeMethod::from_raw_parts(&method, &signature, function) };
        // SAFETY: native methods are static, as their functions.
        Ok(unsafe { env.register_native_methods(&bound, &[method]) }?)
    });
}

/// Looks up a function of this library, wherever it has been loaded from.
fn function_named(name: &str) -> Option<*mut c_void> {
    let name = CString::new(name).ok()?;
    let mut found = MaybeUninit::<libc::Dl_info>::uninit();
    // SAFETY: the address is one in this library, and the file's name lives as long as the library.
    let file = unsafe {
        if libc::dladdr(JNI_OnLoad as *const c_void, found.as_mut_ptr()) == 0 {
            return None;
        }
        CStr::from_ptr(found.assume_init().dli_fname)
    };
    // SAFETY: both names are C strings, and the library remains loaded after its handle is closed.
    let function = unsafe {
        let library = libc::dlopen(file.as_ptr(), libc::RTLD_NOLOAD | libc::RTLD_LAZY);
        if library.is_null() {
            return None;
        }
        let function = libc::dlsym(library, name.as_ptr());
        libc::dlclose(library);
        function
    };
    (!function.is_null()).then_some(function)
}
