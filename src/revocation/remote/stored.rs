//! Lists and responses that were fetched, as they are kept.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;

use crate::fetch::Validators;
use crate::revocation::crl::lists::List;
use crate::revocation::ocsp::OcspResponse;

/// A list that was fetched, its signature checked.
pub(super) struct RemoteList {
    pub(super) list: Arc<List>,
    /// One that came after it and is not in force yet.
    pub(super) ahead: Option<Arc<List>>,
    /// Every key that it may be signed with (SubjectPublicKeyInfo), its issuer's first.
    pub(super) keys: Vec<Box<[u8]>>,
    pub(super) validators: Validators,
}

impl RemoteList {
    pub(super) fn is_current(&self, now_unix_s: i64, max_stale_s: i64) -> bool {
        self.lists().any(|list| {
            let next = list.crl.next_update_unix_s();
            !list.crl.is_ahead(now_unix_s) && next.is_none_or(|next| next.saturating_add(max_stale_s) >= now_unix_s)
        })
    }

    pub(super) fn lists(&self) -> impl Iterator<Item = &List> {
        [Some(&self.list), self.ahead.as_ref()].into_iter().flatten().map(Arc::as_ref)
    }

    /// The newest of its lists.
    pub(super) fn newest(&self) -> &Arc<List> {
        self.ahead.as_ref().unwrap_or(&self.list)
    }
}

impl RemoteList {
    /// This list, which is not in force yet, beside the one that is.
    pub(super) fn after(self, old: Option<&Arc<Self>>) -> Self {
        match old {
            Some(old) => Self { ahead: Some(self.list), list: Arc::clone(&old.list), ..self },
            None => self,
        }
    }
}

/// A response about one certificate, and what is needed to ask again.
pub(super) struct Answer {
    pub(super) response: OcspResponse,
    pub(super) certificate: CertificateDer<'static>,
    pub(super) issuer: CertificateDer<'static>,
    pub(super) responder: String,
}
