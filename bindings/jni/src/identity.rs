//! `NativeIdentity`: certificate chains with keys that Java exports, or that sign in Java.
#![allow(unsafe_code, reason = "exported functions need an unsafe attribute; nothing else here does")]

use std::fmt;
use std::sync::Arc;

use brokertls::keystore::Identity;
use jni::objects::{JByteArray, JClass, JIntArray, JObject, JValue};
use jni::refs::Global;
use jni::sys::jlong;
use jni::{EnvUnowned, JavaVM, jni_sig, jni_str};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::{Signer, SigningKey};
use rustls::{SignatureAlgorithm, SignatureScheme};

use crate::guard::{Outcome, Raised, guard, guard_bare, keep};
use crate::handles::Handles;
use crate::text::{ByteArrays, bytes, certificates, ints};

pub(crate) static IDENTITIES: Handles<Arc<Identity>> = Handles::new();

/// A key that signs in Java.
struct ForeignKey {
    key: Arc<Global<JObject<'static>>>,
    schemes: Vec<SignatureScheme>,
    algorithm: SignatureAlgorithm,
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignKey").field("schemes", &self.schemes).finish_non_exhaustive()
    }
}

impl SigningKey for ForeignKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = *self.schemes.iter().find(|scheme| offered.contains(scheme))?;
        Some(Box::new(ForeignSigner { key: Arc::clone(&self.key), scheme }))
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }
}

/// One scheme of a [`ForeignKey`].
struct ForeignSigner {
    key: Arc<Global<JObject<'static>>>,
    scheme: SignatureScheme,
}

impl fmt::Debug for ForeignSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignSigner").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl Signer for ForeignSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let failed = |_| rustls::Error::General("the provider of the private key did not sign".to_owned());
        let vm = JavaVM::singleton().map_err(failed)?;
        let signed = vm.attach_current_thread(|env| {
            let signed = env.with_local_frame(8, |env| {
                let message = env.byte_array_from_slice(message)?;
                let arguments = [JValue::Int(i32::from(u16::from(self.scheme))), JValue::Object(&message)];
                let signed = env.call_method(&*self.key, jni_str!("sign"), jni_sig!("(I[B)[B"), &arguments)?.l()?;
                let signed = env.cast_local::<JByteArray<'_>>(signed)?;
                env.convert_byte_array(&signed)
            });
            env.exception_clear();
            signed
        });
        signed.map_err(failed)
    }

    fn scheme(&self) -> SignatureScheme {
        self.scheme
    }
}

/// Returns the key algorithm of a scheme (RFC 8446 section 4.2.3).
fn algorithm_of(scheme: SignatureScheme) -> Option<SignatureAlgorithm> {
    match u16::from(scheme) {
        0x0201 | 0x0401 | 0x0501 | 0x0601 | 0x0804..=0x0806 | 0x0809..=0x080b => Some(SignatureAlgorithm::RSA),
        0x0203 | 0x0403 | 0x0503 | 0x0603 => Some(SignatureAlgorithm::ECDSA),
        0x0807 => Some(SignatureAlgorithm::ED25519),
        0x0808 => Some(SignatureAlgorithm::ED448),
        _ => None,
    }
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeIdentity_create<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    chain: ByteArrays<'local>,
    pkcs8: JByteArray<'local>,
) -> jlong {
    guard(&mut env, |env| {
        let chain = certificates(env, &chain)?;
        let key = bytes(env, &pkcs8)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.as_slice()));
        let mut identity = Identity::of_key(chain, &key, "key manager")?;
        // The second engine needs it in bytes. It is wiped with the identity.
        identity.key = Some(key.clone_key());
        keep(&IDENTITIES, Arc::new(identity))
    })
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeIdentity_createForeign<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    chain: ByteArrays<'local>,
    key: JObject<'local>,
    schemes: JIntArray<'local>,
) -> jlong {
    guard(&mut env, |env| {
        let chain = certificates(env, &chain)?;
        let schemes = ints(env, &schemes)?.into_iter().map(scheme).collect::<Outcome<Vec<_>>>()?;
        let algorithm = schemes.first().copied().and_then(algorithm_of).ok_or(brokertls::Code::KeyAlgorithmUnsupported);
        let algorithm = algorithm.map_err(brokertls::Error::from)?;
        let key = Arc::new(env.new_global_ref(&key)?);
        let key = Arc::new(ForeignKey { key, schemes, algorithm });
        keep(&IDENTITIES, Arc::new(Identity::new(chain, key, "key manager")?))
    })
}

fn scheme(number: i32) -> Outcome<SignatureScheme> {
    u16::try_from(number).map(SignatureScheme::from).map_err(|_| Raised::Argument("no signature scheme"))
}

#[unsafe(no_mangle)]
extern "system" fn Java_io_brokertls_internal_NativeIdentity_free<'local>(
    mut env: EnvUnowned<'local>,
    _class: JClass<'local>,
    identity: jlong,
) {
    guard_bare(&mut env, || {
        IDENTITIES.remove(identity);
        Ok(())
    });
}
