/* brokertls: TLS for message brokers. Generated from src/ffi; `make bless` rewrites it.
 *
 * Every function that can fail returns a btls_status of brokertls_errors.h: 0 is success, 1 to 99 ask the caller to do
 * something and call again, everything else is an error. Outputs are the last parameters and are written on success
 * only. Freeing NULL does nothing. A NULL where an object is needed gives BTLS_NULL_POINTER.
 */

#ifndef BROKERTLS_H
#define BROKERTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "brokertls_errors.h"

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The number of the ABI that this library has, the same as in its SONAME.
 *
 * May be called from any thread at any time.
 */
uint32_t btls_abi_version(void);

/**
 * The version of this library as text, e.g. "0.1.0".
 *
 * The text is constant: it is never freed. May be called from any thread at any time.
 */
const char *btls_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BROKERTLS_H */
