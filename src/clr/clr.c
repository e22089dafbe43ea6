/* clr.c: the list of families. A family is a file: its rows stand at its end, as `const struct library clr_NAME`.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/clr.h"

#include "clr/families.h"
#include "expr/core.h"

/* clang-format off */
const struct library *const clr_libraries[] = {
    &expr_core,
    /* object, text and numbers */
    &clr_culture, &clr_object, &clr_type, &clr_string, &clr_string_search, &clr_string_change, &clr_string_build, &clr_string_comparer, &clr_char, &clr_numbers, &clr_decimal,
    &clr_math, &clr_convert, &clr_datetime, &clr_datetime_offset, &clr_timespan, &clr_guid,
    &clr_encoding, &clr_string_builder, &clr_string_io, &clr_uri, &clr_uri_escape, &clr_net, &clr_regex, &clr_regex_change, &clr_regex_match,
    &clr_timezone, &clr_zone_rules,
    /* collections */
    &clr_sequence, &clr_list, &clr_dictionary, &clr_hash_set, &clr_queue, &clr_array, &clr_array_object, &clr_comparer,
    &clr_linq, &clr_linq_fold, &clr_linq_order, &clr_linq_group,
    /* Newtonsoft.Json */
    &clr_json_token, &clr_json_object, &clr_json_value, &clr_json_extensions, &clr_json_merge, &clr_json_settings, &clr_json_convert,
    /* System.Xml */
    &clr_xml_tree, &clr_xml_element, &clr_xml_extensions, &clr_xml_names, &clr_xml_io, &clr_xml_document,
    /* System.Security.Cryptography */
    &clr_crypto_hash, &clr_crypto_symmetric, &clr_crypto_rsa, &clr_crypto_keys, &clr_x509, &clr_jwt,
};
/* clang-format on */
const size_t clr_libraries_n = COUNTOF(clr_libraries);
