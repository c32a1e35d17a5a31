/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Strings out of TOML files (https://toml.io/en/v1.0.0), as far as the settings of cargo and rustup need it: tables,
 * dotted and quoted keys, inline tables, all four kinds of string. Other values are stepped over; dates, numbers and
 * duplicate keys are not checked. There is no TOML library for C among Debian's packages.
 */
#ifndef QUERYTAP_UTIL_TOML_H
#define QUERYTAP_UTIL_TOML_H

/*
 * Returns the string at `key` in the table `table` (NULL: at the top), the first if there are several; allocated.
 * NULL if it isn't there, is no string, stands behind something malformed, or memory ran out.
 */
char *toml_string(const char *text, const char *table, const char *key);

#endif
