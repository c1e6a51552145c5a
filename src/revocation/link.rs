//! A link of a verified path.

use rustls::pki_types::CertificateDer;

/// A certificate of a verified path and its issuer, the next certificate of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Link<'a> {
    pub(crate) certificate: &'a CertificateDer<'a>,
    pub(crate) issuer: &'a CertificateDer<'a>,
}

/// Returns the links of a path, from the end entity to the trust anchor.
pub(crate) fn links<'a>(
    path: &'a [CertificateDer<'a>],
) -> impl DoubleEndedIterator<Item = Link<'a>> + ExactSizeIterator {
    path.iter().zip(path.iter().skip(1)).map(|(certificate, issuer)| Link { certificate, issuer })
}
