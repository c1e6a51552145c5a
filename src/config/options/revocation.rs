//! What the options of revocation do.

use crate::config::ContextBuilder;
use crate::config::CrlSource;
use crate::config::Source;
use crate::error::Result;
use crate::revocation::{CertIdHash, Depth, Mode};

use super::value;

pub(super) fn crl(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    let path = value::path(text)?;
    builder.crl(match path.is_dir() {
        true => CrlSource::Directory(path),
        false => CrlSource::Source(Source::file(path)),
    });
    Ok(())
}

pub(super) fn ocsp(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.ocsp_response(Source::file(value::path(text)?));
    Ok(())
}

fn mode(text: &str) -> Result<Mode> {
    Mode::from_name(text).ok_or_else(|| value::refuse(text, "off, prefer or require"))
}

pub(super) fn revocation(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.revocation(mode(text)?);
    Ok(())
}

pub(super) fn crl_mode(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.crl_mode(mode(text)?);
    Ok(())
}

pub(super) fn ocsp_mode(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.ocsp_mode(mode(text)?);
    Ok(())
}

pub(super) fn depth(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.revocation_depth(Depth::from_name(text).ok_or_else(|| value::refuse(text, "leaf or chain"))?);
    Ok(())
}

pub(super) fn max_stale_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.revocation_max_stale_s(value::number(text)?);
    Ok(())
}

pub(super) fn max_crl_bytes(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.max_crl_bytes(value::number(text)?);
    Ok(())
}

pub(super) fn deadline_ms(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.revocation_deadline_ms(value::number(text)?);
    Ok(())
}

pub(super) fn fetch(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch(value::switch(text)?);
    Ok(())
}

pub(super) fn fetch_timeout_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_timeout_s(value::number(text)?);
    Ok(())
}

pub(super) fn fetch_redirects(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_redirects(value::number(text)?);
    Ok(())
}

pub(super) fn fetch_concurrency(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_concurrency(value::number(text)?);
    Ok(())
}

pub(super) fn fetch_private_addresses(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_private_addresses(value::switch(text)?);
    Ok(())
}

pub(super) fn fetch_proxy(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_proxy(text);
    Ok(())
}

pub(super) fn fetch_cache(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_cache(value::path(text)?);
    Ok(())
}

pub(super) fn fetch_refresh_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.fetch_refresh_s(value::number(text)?);
    Ok(())
}

pub(super) fn ocsp_responder(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.ocsp_responder(text);
    Ok(())
}

pub(super) fn ocsp_nonce(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.ocsp_nonce(value::switch(text)?);
    Ok(())
}

pub(super) fn ocsp_hash(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.ocsp_hash(
        CertIdHash::from_name(text).ok_or_else(|| value::refuse(text, "sha1, sha224, sha256, sha384 or sha512"))?,
    );
    Ok(())
}

pub(super) fn insecure_ocsp_sha1(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.insecure_ocsp_sha1(value::switch(text)?);
    Ok(())
}

pub(super) fn staple(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple(value::switch(text)?);
    Ok(())
}

pub(super) fn staple_file(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple_file(Source::file(value::path(text)?));
    Ok(())
}

pub(super) fn staple_issuer(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple_issuer(Source::file(value::path(text)?));
    Ok(())
}

pub(super) fn staple_responder(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple_responder(text);
    Ok(())
}

pub(super) fn staple_refresh_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple_refresh_s(value::number(text)?);
    Ok(())
}

pub(super) fn staple_timeout_s(builder: &mut ContextBuilder, text: &str) -> Result<()> {
    builder.staple_timeout_s(value::number(text)?);
    Ok(())
}
