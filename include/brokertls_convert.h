/* A conversion reads a store of keys and certificates, and writes its entries as PKCS#12 or PEM, as
 * the command `brokertls convert` does.
 *
 * Generated from src/ffi; `make bless` rewrites it. The rules at the top of brokertls.h hold here
 * too. */

#ifndef BROKERTLS_CONVERT_H
#define BROKERTLS_CONVERT_H

#include "brokertls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Conversion: Life --- */

/* The settings of a conversion, and its last result. One thread at a time uses it. */
typedef struct btls_conversion btls_conversion;
/* Makes a conversion without settings. NULL only after a defect in the library. */
btls_conversion *btls_conversion_new(void);
/* Frees a conversion, and wipes its passwords and its content. */
void btls_conversion_free(btls_conversion *conversion);

/* Returns the error of the last failed call on this conversion, valid until the next one, or
 * NULL. */
const btls_error *btls_conversion_error(const btls_conversion *conversion);

/* --- Conversion: Options --- */

/* Sets an option by its name, as the flag of `brokertls convert`: "to", "alias", "out-password".
 * Returns BTLS_UNKNOWN_OPTION with the nearest names. */
btls_status btls_conversion_set(btls_conversion *conversion, const char *option, const char *value);

/* Gives the names of the options of a conversion, with descriptions as notes. Free with
 * btls_list_free. */
btls_status btls_conversion_options(btls_list **options);

/* --- Conversion: Stores --- */

/* Converts the file `source` into the new file `destination`, which only its owner can read. It is
 * written whole or not at all.
 *
 * `entries` has a line for each entry that was written, and `warnings` what is not in the output.
 * Both may be NULL. Free each with btls_list_free. */
btls_status btls_store_convert(
    btls_conversion *conversion, const char *source, const char *destination, btls_list **entries,
    btls_list **warnings);

/* Converts bytes, which messages call `label`. `content` is valid until the next conversion with
 * the object, or until it is freed, and is wiped then.
 *
 * The option "to" must be set. `entries` and `warnings` are as in btls_store_convert. */
btls_status btls_store_convert_memory(
    btls_conversion *conversion, const char *label, const void *data, size_t length,
    const void **content, size_t *content_length, btls_list **entries, btls_list **warnings);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* BROKERTLS_CONVERT_H */
