//! Java exceptions from errors.

use brokertls::{Code, Error};
use jni::objects::{JString, JThrowable, JValue};
use jni::signature::RuntimeMethodSignature;
use jni::strings::JNIString;
use jni::{Env, jni_sig, jni_str};

use crate::package::class_name;

/// Makes a `TlsFailure` from an error.
pub(crate) fn new<'local>(env: &mut Env<'local>, error: &Error) -> jni::errors::Result<JThrowable<'local>> {
    let number = JValue::Int(error.code().number());
    let codes = class_name("ErrorCode");
    let signature = RuntimeMethodSignature::from_str(format!("(I)L{codes};"))?;
    let signature = signature.method_signature();
    let code = env.call_static_method(JNIString::from(&codes), jni_str!("of"), signature, &[number])?.l()?;
    let message = JString::from_str(env, clean(&error.to_string()))?;
    let hint = JString::from_str(env, clean(error.hint()))?;
    let arguments = [JValue::Object(&code), JValue::Object(&message), JValue::Object(&hint)];
    let signature = format!("(L{codes};Ljava/lang/String;Ljava/lang/String;)V");
    let signature = RuntimeMethodSignature::from_str(signature)?;
    let failure =
        env.new_object(JNIString::from(class_name("TlsFailure")), signature.method_signature(), &arguments)?;
    env.cast_local::<JThrowable<'_>>(failure)
}

/// Returns the code of a number that Java gives.
pub(crate) fn code(number: i32) -> Code {
    Code::ALL.iter().copied().find(|code| code.number() == number).unwrap_or(Code::Internal)
}

pub(crate) fn illegal_state(env: &mut Env<'_>, message: &str) -> jni::errors::Result<()> {
    throw(env, jni_str!("java/lang/IllegalStateException"), message)
}

pub(crate) fn illegal_argument(env: &mut Env<'_>, message: &str) -> jni::errors::Result<()> {
    throw(env, jni_str!("java/lang/IllegalArgumentException"), message)
}

fn throw(env: &mut Env<'_>, class: &jni::strings::JNIStr, message: &str) -> jni::errors::Result<()> {
    let message = JString::from_str(env, message)?;
    let exception = env.new_object(class, jni_sig!("(Ljava/lang/String;)V"), &[JValue::Object(&message)])?;
    let exception = env.cast_local::<JThrowable<'_>>(exception)?;
    let _ = env.throw(&exception);
    Ok(())
}

/// Replaces NUL, which ends a string that native code passes to Java.
pub(crate) fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
