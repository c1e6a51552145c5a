//! The order of the header: its chapters, their sections, and the items of each. A chapter is a manual page too.
//!
//! A new function, type or constant needs a line here. An entry that ends in `*` stands for the constants of this
//! prefix that have no named type; the constants of a named type come with the type.

/// A chapter of the header and a page of the manual.
pub(crate) struct Chapter {
    pub(crate) title: &'static str,
    /// The name of the manual page, in section 3.
    pub(crate) page: &'static str,
    /// The chapter in a clause, for the page's NAME.
    pub(crate) subject: &'static str,
    pub(crate) about: &'static str,
    pub(crate) sections: &'static [Section],
}

impl Chapter {
    /// The header that declares its functions.
    pub(crate) fn header(&self) -> &'static str {
        match self.page {
            CONVERSION => "brokertls_convert.h",
            _ => "brokertls.h",
        }
    }
}

/// The page of the chapter with a header of its own: few programs need it.
const CONVERSION: &str = "btls_conversion";

pub(crate) struct Section {
    pub(crate) title: &'static str,
    pub(crate) items: &'static [&'static str],
}

const fn section(title: &'static str, items: &'static [&'static str]) -> Section {
    Section { title, items }
}

/// The first lines of the header and of the first manual page.
pub(crate) const ABOUT: &str = "brokertls: TLS for message brokers.

A btls_builder collects files and settings and makes a btls_context. A context makes connections, each a btls_conn, which
run over the caller's descriptors, functions or buffers.";

/// The rules that hold for every function.
pub(crate) const RULES: &str = "\
- A function that can fail returns a btls_status: 0 is success, and 1 to 99 ask the caller to do something and to call \
  again. Every other status is an error. Its details are in btls_builder_error, btls_context_error, \
  btls_conn_error, btls_conn_options_error or btls_conversion_error of the object of the call. Comments leave out \
  BTLS_NULL_POINTER, BTLS_INVALID_ARGUMENT for a value out of range, BTLS_BUSY and BTLS_PANIC.
- A function without an object may be called from any thread at any time.
- Outputs are the last parameters. They are written if the status is below 100, and not touched otherwise. A count is \
  exactly what was taken or given: the caller never offers these bytes again. A read or write that must be made again \
  gives 0.
- NULL for a required object, text or output gives BTLS_NULL_POINTER. Bytes of length 0 may be NULL. Freeing NULL does \
  nothing. A function that returns a value and no status returns NULL, 0 or false for NULL and for an index out of range, \
  unless its comment says otherwise. Indexes start at 0.
- Texts are UTF-8 and end with a NUL. The library copies all that it keeps.
- A text or object that a function returns lives as long as the object it belongs to, unless the caller must free it.
- A builder, a conversion and a connection are used by one thread at a time. A second call at the same time, from another thread or \
  from a callback, gives BTLS_BUSY. A function without a status then returns NULL, 0 or false, and btls_conn_error on \
  that thread gives BTLS_BUSY until a call of the thread succeeds. Neither is freed while another thread is in a call on \
  it; freed by a callback, it lives until its call returns. A context may be used by any number of threads.
- A call refused with an error of usage (100 to 199) has no effect.
- A call does a bounded amount of work, whatever the peer sends. It receives at most 256 KiB that carry no data for the \
  caller, then returns BTLS_WANT_READ, with a blocking transport too. To bound the wait of a blocking socket, set \
  SO_RCVTIMEO and SO_SNDTIMEO.
- A callback must return: it may neither throw nor longjmp. The library holds no lock while it calls one.
- A defect in the library gives BTLS_PANIC and makes its object unusable; every other object continues. Only exhausted \
  memory ends the process.
- Times are seconds since 1970-01-01 00:00:00 UTC.";

pub(crate) const CHAPTERS: &[Chapter] = &[
    Chapter {
        title: "Library",
        page: "brokertls",
        subject: "TLS for message brokers",
        about: "The version of the library, and the types that all chapters share.",
        sections: &[
            section("Version", &["BTLS_ABI_VERSION", "btls_abi_version", "btls_version"]),
            section(
                "Objects",
                &[
                    "btls_error",
                    "btls_builder",
                    "btls_context",
                    "btls_conn",
                    "btls_conn_options",
                    "btls_certificate",
                    "btls_list",
                    "btls_revocation_sources",
                    "btls_revocation_source",
                    "btls_revoked_peer",
                    "btls_verify_request",
                    "btls_password_request",
                    "btls_log_line",
                ],
            ),
            section("Lists of texts", &["btls_list_count", "btls_list_get", "btls_list_note", "btls_list_free"]),
        ],
    },
    Chapter {
        title: "Errors",
        page: "btls_error",
        subject: "statuses and errors",
        about: "A status is a number of brokertls_errors.h. An error has a status, and texts that name the file, alias or \
                certificate.",
        sections: &[
            section(
                "Statuses",
                &[
                    "btls_category",
                    "btls_status_category",
                    "btls_status_name",
                    "btls_status_message",
                    "btls_status_hint",
                ],
            ),
            section(
                "Errors",
                &[
                    "btls_error_code",
                    "btls_error_name",
                    "btls_error_message",
                    "btls_error_hint",
                    "btls_error_alert",
                    "btls_error_category",
                    "btls_error_free",
                ],
            ),
        ],
    },
    Chapter {
        title: "Builder",
        page: "btls_builder",
        subject: "settings of a context",
        about: "A builder collects the settings, identities and trust of a broker or of one of its listeners. A \
                function that adds a source opens it: a fault that no later setting can change is the error of that call, \
                and the builder stays as it was. btls_builder_set opens nothing. A build and a reload read all sources \
                again. They alone ask password callbacks, and judge what a password opens.",
        sections: &[
            section("Life", &["btls_builder_new", "btls_builder_free", "btls_builder_error", "btls_builder_build"]),
            section("Options by name", &["btls_builder_set", "btls_options"]),
            section("Identity", &["btls_builder_identity_file", "btls_builder_identity_memory"]),
            section(
                "Trust",
                &[
                    "btls_builder_trust_file",
                    "btls_builder_trust_memory",
                    "btls_builder_trust_directory",
                    "btls_builder_trust_system",
                ],
            ),
            section(
                "Stores and passwords",
                &[
                    "btls_store_type",
                    "btls_builder_store_type",
                    "btls_password_usage",
                    "btls_password_fn",
                    "btls_password_request_usage",
                    "btls_password_request_label",
                    "btls_password_request_alias",
                    "btls_builder_password_callback",
                    "btls_builder_limits",
                    "btls_builder_insecure_allow_missing_mac",
                ],
            ),
            section(
                "Policy",
                &[
                    "btls_builder_preset",
                    "btls_builder_versions",
                    "btls_builder_cipher_suites",
                    "btls_builder_groups",
                    "btls_builder_alpn",
                    "btls_builder_psk",
                    "btls_psk_fn",
                    "btls_builder_psk_callback",
                ],
            ),
            section(
                "Verification",
                &[
                    "btls_client_auth",
                    "btls_builder_client_auth",
                    "btls_builder_send_ca_names",
                    "btls_builder_insecure_allow",
                    "btls_builder_insecure_skip_server_name",
                    "btls_builder_insecure_accept_any_server",
                ],
            ),
            section(
                "Verify callback",
                &[
                    "btls_verify_decision",
                    "btls_verify_fn",
                    "btls_builder_verify_callback",
                    "btls_peer_role",
                    "btls_verify_request_role",
                    "btls_verify_request_conn_id",
                    "btls_verify_request_conn_user",
                    "btls_verify_request_version",
                    "btls_verify_request_server_name",
                    "btls_verify_request_is_resumed",
                    "btls_verify_request_certificate",
                    "btls_verify_request_chain_count",
                    "btls_verify_request_chain",
                    "btls_verify_request_set_reason",
                ],
            ),
            section(
                "Revocation",
                &[
                    "btls_revocation_mode",
                    "btls_builder_revocation",
                    "btls_builder_crl_file",
                    "btls_builder_crl_memory",
                    "btls_builder_crl_directory",
                    "btls_builder_ocsp_file",
                    "btls_builder_ocsp_memory",
                ],
            ),
            section(
                "Peers revoked while connected",
                &[
                    "btls_revoked_action",
                    "btls_revoked_fn",
                    "btls_builder_on_revoked",
                    "btls_revoked_peer_conn_id",
                    "btls_revoked_peer_conn_user",
                    "btls_revoked_peer_subject",
                    "btls_revoked_peer_issuer",
                    "btls_revoked_peer_serial",
                    "btls_revoked_peer_reason",
                    "btls_revoked_peer_time",
                ],
            ),
            section("Sessions", &["btls_builder_resumption"]),
            section(
                "Logs",
                &[
                    "btls_log_level",
                    "btls_log_fn",
                    "btls_builder_log_callback",
                    "btls_builder_log_refusals",
                    "btls_log_line_level",
                    "btls_log_line_text",
                    "btls_log_line_conn_id",
                    "btls_builder_insecure_key_log_file",
                ],
            ),
        ],
    },
    Chapter {
        title: "Context",
        page: "btls_context",
        subject: "what connections are made from",
        about: "A context holds the settings, identities and trust that a builder collected. It is counted by references, and \
                any number of threads may use it at the same time.",
        sections: &[
            section("References", &["btls_context_ref", "btls_context_free", "btls_context_error"]),
            section(
                "Reload and maintenance",
                &["btls_context_reload", "btls_context_maintain", "btls_context_start_maintenance"],
            ),
            section(
                "Facts",
                &[
                    "btls_context_warnings",
                    "btls_context_cipher_suites",
                    "btls_context_not_served",
                    "btls_context_legacy_uses",
                ],
            ),
            section(
                "Revocation sources",
                &[
                    "btls_context_revocation_unknown_accepted",
                    "btls_context_revocation_sources",
                    "btls_revocation_sources_count",
                    "btls_revocation_sources_get",
                    "btls_revocation_sources_free",
                    "btls_source_kind",
                    "btls_revocation_source_kind",
                    "btls_revocation_source_place",
                    "btls_revocation_source_last_success",
                    "btls_revocation_source_next_refresh",
                    "btls_revocation_source_entries",
                    "btls_revocation_source_failures",
                    "btls_revocation_source_last_error",
                ],
            ),
        ],
    },
    Chapter {
        title: "Connection",
        page: "btls_conn",
        subject: "one TLS connection",
        about: "A connection is one TLS session, of a client or of a server. It has one transport: descriptors \
                (btls_conn_set_fd), functions (btls_conn_set_callbacks), or none. Without one, the caller moves the bytes with \
                btls_conn_wrap and btls_conn_unwrap.",
        sections: &[
            section(
                "Options of one connection",
                &[
                    "btls_conn_options_new",
                    "btls_conn_options_free",
                    "btls_conn_options_error",
                    "btls_conn_options_client_auth",
                    "btls_conn_options_alpn",
                    "btls_conn_options_clear_alpn",
                    "btls_conn_options_server_name",
                    "btls_conn_options_user",
                ],
            ),
            section(
                "Set-up",
                &[
                    "btls_conn_new_server",
                    "btls_conn_new_client",
                    "btls_conn_free",
                    "btls_conn_error",
                    "btls_conn_set_fd",
                    "btls_read_fn",
                    "btls_write_fn",
                    "btls_conn_set_callbacks",
                ],
            ),
            section(
                "Handshake and I/O",
                &[
                    "btls_conn_handshake",
                    "btls_conn_read",
                    "btls_conn_write",
                    "btls_conn_writev",
                    "btls_conn_flush",
                    "btls_conn_wants_write",
                    "btls_conn_pending",
                    "btls_conn_sleep",
                    "btls_conn_task_run",
                    "btls_conn_close_write",
                    "btls_conn_shutdown",
                ],
            ),
            section(
                "Buffers of the caller",
                &[
                    "BTLS_MAX_RECORD_BYTES",
                    "BTLS_MAX_PLAINTEXT_BYTES",
                    "btls_conn_unwrap",
                    "btls_conn_wrap",
                    "btls_conn_end_of_input",
                ],
            ),
            section(
                "Facts",
                &[
                    "btls_conn_id",
                    "btls_conn_user",
                    "btls_conn_is_handshaking",
                    "btls_conn_is_resumed",
                    "btls_conn_version",
                    "btls_conn_cipher_suite",
                    "btls_conn_group",
                    "btls_conn_server_name",
                    "btls_conn_alpn",
                    "btls_conn_psk_identity",
                    "btls_conn_peer_certificate",
                    "btls_conn_peer_chain_count",
                    "btls_conn_peer_chain",
                    "btls_conn_deviation_count",
                    "btls_conn_deviation",
                ],
            ),
        ],
    },
    Chapter {
        title: "Certificates",
        page: "btls_certificate",
        subject: "facts of a certificate",
        about: "The facts of one certificate. Those of a peer come from btls_conn_peer_certificate. Nothing here verifies a \
                certificate.",
        sections: &[
            section("Life", &["btls_certificate_parse", "btls_certificate_free"]),
            section(
                "Facts",
                &[
                    "btls_certificate_subject",
                    "btls_certificate_issuer",
                    "btls_certificate_common_name",
                    "btls_certificate_first_common_name",
                    "btls_certificate_serial",
                    "btls_certificate_sha256",
                    "btls_certificate_key",
                    "btls_certificate_x509_version",
                    "btls_certificate_not_before",
                    "btls_certificate_not_after",
                    "btls_certificate_is_ca",
                    "btls_certificate_subject_der",
                    "btls_certificate_issuer_der",
                ],
            ),
            section(
                "Attributes of the subject",
                &[
                    "btls_certificate_attribute_count",
                    "btls_certificate_attribute_find",
                    "btls_certificate_attribute_oid",
                    "btls_certificate_attribute_text",
                    "btls_certificate_attribute_rdn",
                    "btls_certificate_attribute_der",
                ],
            ),
            section(
                "Subject alternative names",
                &[
                    "btls_san_kind",
                    "btls_certificate_san_count",
                    "btls_certificate_san",
                    "btls_certificate_san_kind",
                    "btls_certificate_san_value",
                    "btls_certificate_san_oid",
                    "btls_certificate_san_der",
                ],
            ),
        ],
    },
    Chapter {
        title: "Conversion",
        page: CONVERSION,
        subject: "conversion of keystores",
        about: "A conversion reads a store of keys and certificates, and writes its entries as PKCS#12 or PEM, as the \
                command `brokertls convert` does.",
        sections: &[
            section(
                "Life",
                &["btls_conversion", "btls_conversion_new", "btls_conversion_free", "btls_conversion_error"],
            ),
            section("Options", &["btls_conversion_set", "btls_conversion_options"]),
            section("Stores", &["btls_store_convert", "btls_store_convert_memory"]),
        ],
    },
];
