/* Prints the entries of the stores that standard input names, by PKCS12_parse of OpenSSL. */
#include <openssl/pkcs12.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static void show(const X509 *certificate) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    unsigned int length = sizeof digest;
    X509_digest(certificate, EVP_sha256(), digest, &length);
    for (int i = 0; i < 8; i++) {
        printf("%02x", digest[i]);
    }
}

static void show_alias(X509 *certificate) {
    int length;
    const unsigned char *alias = X509_alias_get0(certificate, &length);
    printf("%.*s ", alias ? length : 1, alias ? (const char *)alias : "-");
}

static int is_named(X509 *certificate) {
    int length;
    return X509_alias_get0(certificate, &length) != NULL;
}

static void show_other(const char *file, const char *kind, X509 *certificate) {
    printf("%s: %s ", file, kind);
    show_alias(certificate);
    show(certificate);
    printf("\n");
}

static void read_store(const char *file, const char *password) {
    FILE *opened = fopen(file, "rb");
    PKCS12 *store = d2i_PKCS12_fp(opened, NULL);
    EVP_PKEY *key = NULL;
    X509 *certificate = NULL;
    STACK_OF(X509) *others = NULL;
    if (!store || !PKCS12_parse(store, password, &key, &certificate, &others)) {
        printf("%s: refused\n", file);
    } else if (key) {
        printf("%s: %s ", file, certificate && X509_check_private_key(certificate, key) ? "key" : "wrong-key");
        show_alias(certificate);
        show(certificate);
        for (int i = 0; i < sk_X509_num(others); i++) {
            if (!is_named(sk_X509_value(others, i))) {
                printf(",");
                show(sk_X509_value(others, i));
            }
        }
        printf("\n");
        for (int i = 0; i < sk_X509_num(others); i++) {
            if (is_named(sk_X509_value(others, i))) {
                show_other(file, "other", sk_X509_value(others, i));
            }
        }
    } else {
        for (int i = 0; i < sk_X509_num(others); i++) {
            show_other(file, "trusted", sk_X509_value(others, i));
        }
    }
    EVP_PKEY_free(key);
    X509_free(certificate);
    sk_X509_pop_free(others, X509_free);
    PKCS12_free(store);
    fclose(opened);
}

int main(void) {
    char line[1024];
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        char *type = strchr(line, '\t'), *password = strrchr(line, '\t');
        *type = '\0';
        read_store(line, password + 1);
    }
    return 0;
}
