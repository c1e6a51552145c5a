/* Names of certificates as programs take them for users: texts that differ, single attributes, kinds, NUL
 * characters. */
#include "harness.h"

static btls_certificate *parsed(const char *path) {
    size_t length;
    char *der = content_of(path, &length);
    btls_certificate *certificate = NULL;
    CHECK_STATUS(btls_certificate_parse((const uint8_t *)der, length, &certificate), BTLS_OK);
    free(der);
    return certificate;
}

/* A certificate from the fixtures with a NUL in the place of the last character of a text that it holds. */
static btls_certificate *with_nul_after(const char *path, const char *text) {
    size_t length;
    char *der = content_of(path, &length);
    char *found = (char *)memmem(der, length, text, strlen(text));
    CHECK(found != NULL);
    do {
        found[strlen(text) - 1] = '\0';
        found = (char *)memmem(der, length, text, strlen(text));
    } while (found != NULL);
    btls_certificate *certificate = NULL;
    CHECK_STATUS(btls_certificate_parse((const uint8_t *)der, length, &certificate), BTLS_OK);
    free(der);
    return certificate;
}

#define CASES "tests/fixtures/cases/"

static void subjects_that_differ_have_texts_that_differ(void) {
    static const struct {
        const char *file, *subject, *common_name;
    } rows[] = {
        {CASES "05-subject-text-not-escaped/a4-cn-comma.der", "CN=alice\\, O\\=Admins", "alice, O=Admins"},
        {CASES "05-subject-text-not-escaped/a4-plain-two.der", "O=Admins,CN=alice", "alice"},
        {CASES "05b-plus-and-directory-name-not-escaped/a4-cn-plus.der", "CN=alice \\+ OU\\=root", "alice + OU=root"},
        {CASES "06-subjects-in-teletex-collapse/a3-cn-bmp.der", "CN=ger\u00e4t-1,O=Example", "ger\u00e4t-1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        btls_certificate *certificate = parsed(rows[i].file);
        CHECK_TEXT(btls_certificate_subject(certificate), rows[i].subject);
        CHECK_TEXT(btls_certificate_common_name(certificate), rows[i].common_name);
        btls_certificate_free(certificate);
    }
    btls_certificate *one = parsed(fixture("one-attribute.der")), *two = parsed(fixture("two-attributes.der"));
    CHECK_TEXT(btls_certificate_subject(one), "CN=admin\\, OU\\=Ops,O=Test");
    CHECK_TEXT(btls_certificate_subject(two), "OU=Ops,CN=admin,O=Test");
    CHECK_TEXT(btls_certificate_issuer(two), btls_certificate_subject(two));
    btls_certificate_free(one);
    btls_certificate_free(two);
}

static void subjects_in_teletex_are_read_and_differ(void) {
    btls_certificate *one = parsed(CASES "06-subjects-in-teletex-collapse/one.der");
    btls_certificate *two = parsed(CASES "06-subjects-in-teletex-collapse/two.der");
    CHECK(strcmp(btls_certificate_subject(one), btls_certificate_subject(two)) != 0);
    CHECK(strcmp(btls_certificate_common_name(one), btls_certificate_common_name(two)) != 0);
    CHECK(strchr(btls_certificate_subject(one), '<') == NULL && strchr(btls_certificate_subject(one), '#') == NULL);
    btls_certificate_free(one);
    btls_certificate_free(two);
}

static void attributes_are_found_by_type_and_in_order(void) {
    btls_certificate *certificate = parsed(fixture("two-names.der"));
    size_t count = btls_certificate_attribute_count(certificate);
    CHECK(count == 4);
    CHECK_TEXT(btls_certificate_first_common_name(certificate), "first");
    CHECK_TEXT(btls_certificate_common_name(certificate), "second");
    CHECK_TEXT(btls_certificate_attribute_oid(certificate, 0), "2.5.4.10");
    size_t first = btls_certificate_attribute_find(certificate, "2.5.4.3", 0);
    size_t second = btls_certificate_attribute_find(certificate, "2.5.4.3", first + 1);
    CHECK_TEXT(btls_certificate_attribute_text(certificate, first), "first");
    CHECK_TEXT(btls_certificate_attribute_text(certificate, second), "second");
    CHECK(btls_certificate_attribute_find(certificate, "2.5.4.3", second + 1) == count);
    CHECK(btls_certificate_attribute_find(certificate, "2.5.4.6", 0) == count);
    CHECK(btls_certificate_attribute_find(certificate, "not an identifier", 0) == count);
    CHECK(btls_certificate_attribute_find(certificate, NULL, 0) == count);
    CHECK(btls_certificate_attribute_find(certificate, "2.5.4.3", SIZE_MAX) == count);
    size_t unit = btls_certificate_attribute_find(certificate, "2.5.4.11", 0);
    CHECK(btls_certificate_attribute_rdn(certificate, unit) == btls_certificate_attribute_rdn(certificate, second));
    CHECK(btls_certificate_attribute_rdn(certificate, first) != btls_certificate_attribute_rdn(certificate, second));
    const uint8_t *der;
    size_t length;
    CHECK_STATUS(btls_certificate_attribute_der(certificate, first, &der, &length), BTLS_OK);
    CHECK(length == 7 && memcmp(der + 2, "first", 5) == 0);
    CHECK_STATUS(btls_certificate_attribute_der(certificate, count, &der, &length), BTLS_INVALID_ARGUMENT);
    CHECK(btls_certificate_attribute_text(certificate, count) == NULL);
    CHECK(btls_certificate_attribute_oid(certificate, count) == NULL);
    btls_certificate_free(certificate);
}

static void der_of_subject_and_issuer_is_given(void) {
    btls_certificate *certificate = parsed(fixture("two-names.der"));
    const uint8_t *subject, *issuer;
    size_t subject_length, issuer_length;
    CHECK_STATUS(btls_certificate_subject_der(certificate, &subject, &subject_length), BTLS_OK);
    CHECK_STATUS(btls_certificate_issuer_der(certificate, &issuer, &issuer_length), BTLS_OK);
    CHECK(subject_length == issuer_length && memcmp(subject, issuer, issuer_length) == 0);
    CHECK(subject[0] == 0x30 && subject[1] == subject_length - 2);
    CHECK_STATUS(btls_certificate_subject_der(NULL, &subject, &subject_length), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_certificate_subject_der(certificate, NULL, &subject_length), BTLS_NULL_POINTER);
    CHECK_STATUS(btls_certificate_issuer_der(certificate, &subject, NULL), BTLS_NULL_POINTER);
    btls_certificate_free(certificate);
}

static void alternative_names_have_kinds_and_values(void) {
    static const struct {
        btls_san_kind kind;
        const char *value, *shown;
    } rows[] = {
        {BTLS_SAN_UPN, "user@corp", "UPN:user@corp"},
        {BTLS_SAN_DNS, "bank.example_evil.example", "DNS:bank.example_evil.example"},
        {BTLS_SAN_IP, "192.0.2.1", "IP:192.0.2.1"},
        {BTLS_SAN_EMAIL, "pump@corp.example", "email:pump@corp.example"},
        {BTLS_SAN_URI, "spiffe://example/pump", "URI:spiffe://example/pump"},
        {BTLS_SAN_REGISTERED_ID, "1.2.3.4", "registeredID:1.2.3.4"},
    };
    btls_certificate *certificate = parsed(fixture("names.der"));
    CHECK_TEXT(btls_certificate_serial(certificate), "80ff");
    CHECK(btls_certificate_san_count(certificate) == 7);
    for (size_t i = 0; i < 6; i++) {
        CHECK(btls_certificate_san_kind(certificate, i) == rows[i].kind);
        CHECK_TEXT(btls_certificate_san_value(certificate, i), rows[i].value);
        CHECK_TEXT(btls_certificate_san(certificate, i), rows[i].shown);
    }
    CHECK_TEXT(btls_certificate_san_oid(certificate, 0), "1.3.6.1.4.1.311.20.2.3");
    CHECK(btls_certificate_san_oid(certificate, 1) == NULL);
    CHECK(btls_certificate_san_kind(certificate, 6) == BTLS_SAN_OTHER);
    CHECK(btls_certificate_san_value(certificate, 6) == NULL);
    CHECK_TEXT(btls_certificate_san_oid(certificate, 6), "1.3.6.1.5.5.7.8.5");
    CHECK_TEXT(btls_certificate_san(certificate, 6), "otherName:1.3.6.1.5.5.7.8.5;#0c096368617440636f7270");
    const uint8_t *der;
    size_t length;
    CHECK_STATUS(btls_certificate_san_der(certificate, 6, &der, &length), BTLS_OK);
    CHECK(length == 11 && memcmp(der, "\x0c\x09" "chat@corp", 11) == 0);
    CHECK_STATUS(btls_certificate_san_der(certificate, 7, &der, &length), BTLS_INVALID_ARGUMENT);
    CHECK(btls_certificate_san_kind(certificate, 7) == 0 && btls_certificate_san_value(certificate, 7) == NULL);
    btls_certificate_free(certificate);
    certificate = parsed(CASES "25-user-principal-name/a8-upn.der");
    CHECK_TEXT(btls_certificate_san(certificate, 0), "UPN:pump7@corp.example");
    CHECK_TEXT(btls_certificate_san(certificate, 2), "registeredID:1.2.3.4");
    CHECK(btls_certificate_san_kind(certificate, 3) == BTLS_SAN_DIRECTORY);
    CHECK_TEXT(btls_certificate_san(certificate, 3), "dirName:CN=x\\, y");
    btls_certificate_free(certificate);
}

static void nul_in_a_name_hides_nothing(void) {
    btls_certificate *certificate = with_nul_after(fixture("names.der"), "bank.example_");
    CHECK(btls_certificate_san_value(certificate, 1) == NULL);
    CHECK_TEXT(btls_certificate_san(certificate, 1), "DNS:bank.example\\00evil.example");
    const uint8_t *der;
    size_t length;
    CHECK_STATUS(btls_certificate_san_der(certificate, 1, &der, &length), BTLS_OK);
    CHECK(length == 27 && der[14] == '\0');
    btls_certificate_free(certificate);
    certificate = with_nul_after(fixture("one-attribute.der"), "admin,");
    CHECK_TEXT(btls_certificate_subject(certificate), "CN=admin\\00 OU\\=Ops,O=Test");
    CHECK(btls_certificate_common_name(certificate) == NULL && btls_certificate_first_common_name(certificate) == NULL);
    CHECK(btls_certificate_attribute_text(certificate, 1) == NULL);
    CHECK_STATUS(btls_certificate_attribute_der(certificate, 1, &der, &length), BTLS_OK);
    CHECK(length == 15 && memcmp(der + 2, "admin\0 OU=Ops", 13) == 0);
    btls_certificate_free(certificate);
}

static void null_has_no_names(void) {
    const uint8_t *der;
    size_t length;
    CHECK(btls_certificate_subject(NULL) == NULL && btls_certificate_first_common_name(NULL) == NULL);
    CHECK(btls_certificate_attribute_count(NULL) == 0 && btls_certificate_attribute_find(NULL, "2.5.4.3", 0) == 0);
    CHECK(btls_certificate_attribute_text(NULL, 0) == NULL && btls_certificate_attribute_oid(NULL, 0) == NULL);
    CHECK(btls_certificate_attribute_rdn(NULL, 0) == 0);
    CHECK_STATUS(btls_certificate_attribute_der(NULL, 0, &der, &length), BTLS_NULL_POINTER);
    CHECK(btls_certificate_san_count(NULL) == 0 && btls_certificate_san(NULL, 0) == NULL);
    CHECK(btls_certificate_san_kind(NULL, 0) == 0 && btls_certificate_san_value(NULL, 0) == NULL);
    CHECK(btls_certificate_san_oid(NULL, 0) == NULL);
    CHECK_STATUS(btls_certificate_san_der(NULL, 0, &der, &length), BTLS_NULL_POINTER);
}

int main(void) {
    RUN(subjects_that_differ_have_texts_that_differ);
    RUN(subjects_in_teletex_are_read_and_differ);
    RUN(attributes_are_found_by_type_and_in_order);
    RUN(der_of_subject_and_issuer_is_given);
    RUN(alternative_names_have_kinds_and_values);
    RUN(nul_in_a_name_hides_nothing);
    RUN(null_has_no_names);
    return 0;
}
