/* Conversion of stores: files, memory, options by name, and what is refused. */
#include "harness.h"

#include <brokertls_convert.h>
#include <sys/stat.h>

#define CHECK_CONVERSION(conversion, call, expected)                                                                   \
    do {                                                                                                               \
        btls_status status_ = (call);                                                                                  \
        check_status(status_, (expected), btls_conversion_error(conversion), __FILE__, __LINE__, #call);               \
    } while (0)

static btls_conversion *with(const char *option, const char *value) {
    btls_conversion *conversion = btls_conversion_new();
    CHECK(conversion != NULL);
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, option, value), BTLS_OK);
    return conversion;
}

/* A path in a new folder. */
static const char *new_place(const char *name) {
    static char folder[64], path[256];
    strcpy(folder, "/tmp/brokertls-convert-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* Removes a path of new_place with its folder. */
static void remove_place(const char *path) {
    char folder[256];
    snprintf(folder, sizeof folder, "%s", path);
    *strrchr(folder, '/') = '\0';
    CHECK(unlink(path) == 0 && rmdir(folder) == 0);
}

static void file_is_converted_and_serves_a_context(void) {
    const char *out = new_place("broker.p12");
    btls_conversion *conversion = with("out-password", "pass:new");
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "key", fixture("server.key")), BTLS_OK);
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "name", "broker"), BTLS_OK);
    btls_list *entries = NULL, *warnings = NULL;
    CHECK_CONVERSION(conversion, btls_store_convert(conversion, fixture("server.pem"), out, &entries, &warnings), BTLS_OK);
    CHECK(btls_list_count(entries) == 1 && btls_list_count(warnings) == 0);
    CHECK_TEXT(btls_list_get(entries, 0), "broker");
    CHECK_HOLDS(btls_list_note(entries, 0), "\"broker\" private key, ");
    btls_list_free(entries);
    btls_list_free(warnings);
    struct stat facts;
    CHECK(stat(out, &facts) == 0 && (facts.st_mode & 0777) == 0600);
    /* The file is there now. */
    CHECK_CONVERSION(conversion, btls_store_convert(conversion, fixture("server.pem"), out, NULL, NULL), BTLS_FILE_UNWRITABLE);
    CHECK_HOLDS(btls_error_message(btls_conversion_error(conversion)), "it is there already");
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "force", "yes"), BTLS_OK);
    CHECK_CONVERSION(conversion, btls_store_convert(conversion, fixture("server.pem"), out, NULL, NULL), BTLS_OK);
    btls_conversion_free(conversion);
    btls_builder *builder = btls_builder_new();
    CHECK_BUILDER(builder, btls_builder_identity_file(builder, out, NULL, "broker", "new", NULL), BTLS_OK);
    btls_context *context = NULL;
    CHECK_BUILDER(builder, btls_builder_build(builder, &context), BTLS_OK);
    btls_context_free(context);
    btls_builder_free(builder);
    remove_place(out);
}

static void memory_is_converted_there_and_back(void) {
    size_t length, new_length, again_length;
    char *pem = content_of(fixture("ca.pem"), &length);
    const void *content = NULL, *again = NULL;
    btls_list *entries = NULL;
    btls_conversion *one = with("to", "pkcs12"), *two = with("to", "pem");
    CHECK_CONVERSION(one, btls_conversion_set(one, "out-password", "pass:new"), BTLS_OK);
    CHECK_CONVERSION(
        one, btls_store_convert_memory(one, "ca.pem", pem, length, &content, &new_length, &entries, NULL), BTLS_OK);
    CHECK_HOLDS(btls_list_note(entries, 0), "trusted certificate");
    btls_list_free(entries);
    CHECK_CONVERSION(two, btls_conversion_set(two, "password", "pass:new"), BTLS_OK);
    CHECK_CONVERSION(
        two, btls_store_convert_memory(two, "ca.p12", content, new_length, &again, &again_length, NULL, NULL), BTLS_OK);
    CHECK(again_length > 0 && memmem(pem, length, again, again_length) != NULL);
    btls_conversion_free(one);
    btls_conversion_free(two);
    free(pem);
}

static void wrong_settings_and_inputs_are_refused_and_leave_the_outputs_alone(void) {
    btls_conversion *conversion = with("to", "pkcs12");
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "too", "pem"), BTLS_UNKNOWN_OPTION);
    CHECK_HOLDS(btls_error_message(btls_conversion_error(conversion)), "did you mean to");
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "to", "jks"), BTLS_INVALID_ARGUMENT);
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "out-password", "secret"), BTLS_INVALID_ARGUMENT);
    CHECK(strstr(btls_error_message(btls_conversion_error(conversion)), "secret") == NULL);
    const void *content = conversion;
    size_t length = 7;
    btls_status status = btls_store_convert_memory(conversion, "x", "x", 1, &content, &length, NULL, NULL);
    CHECK_CONVERSION(conversion, status, BTLS_STORE_PASSWORD_MISSING);
    CHECK_CONVERSION(conversion, btls_conversion_set(conversion, "out-password", "pass:a"), BTLS_OK);
    status = btls_store_convert_memory(conversion, "x", "x", 1, &content, &length, NULL, NULL);
    CHECK_CONVERSION(conversion, status, BTLS_STORE_FORMAT_UNKNOWN);
    CHECK(content == conversion && length == 7);
    status = btls_store_convert(conversion, "/nonexistent", "/tmp/brokertls-nonexistent/a.p12", NULL, NULL);
    CHECK_CONVERSION(conversion, status, BTLS_FILE_UNREADABLE);
    status = btls_store_convert(conversion, NULL, "a.p12", NULL, NULL);
    CHECK_CONVERSION(conversion, status, BTLS_NULL_POINTER);
    status = btls_store_convert_memory(conversion, "x", NULL, 0, NULL, &length, NULL, NULL);
    CHECK_CONVERSION(conversion, status, BTLS_NULL_POINTER);
    btls_conversion_free(conversion);
    btls_conversion_free(NULL);
    CHECK_STATUS(btls_store_convert(NULL, "a", "b", NULL, NULL), BTLS_NULL_POINTER);
}

static void options_are_listed_with_what_they_do(void) {
    btls_list *options = NULL;
    CHECK_STATUS(btls_conversion_options(&options), BTLS_OK);
    CHECK(btls_list_count(options) > 10);
    CHECK_TEXT(btls_list_get(options, 0), "to");
    CHECK_HOLDS(btls_list_note(options, 0), "pem or pkcs12");
    btls_list_free(options);
    CHECK_STATUS(btls_conversion_options(NULL), BTLS_NULL_POINTER);
}

int main(void) {
    RUN(file_is_converted_and_serves_a_context);
    RUN(memory_is_converted_there_and_back);
    RUN(wrong_settings_and_inputs_are_refused_and_leave_the_outputs_alone);
    RUN(options_are_listed_with_what_they_do);
    return 0;
}
