//! The folder that OpenSSL 4 is installed in: `include`, and `lib` with `libssl.a` and `libcrypto.a`.

/// The folder, absolute.
pub const ROOT: &str = env!("OPENSSL4_ROOT");
