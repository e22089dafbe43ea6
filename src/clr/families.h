/* families.h: the families of src/clr by name, and natives that several families share.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "expr/type.h"

/* Object, text and numbers. */
extern const struct library clr_culture, clr_object, clr_type, clr_string, clr_string_search, clr_string_change, clr_string_build, clr_string_comparer, clr_char, clr_numbers, clr_decimal;
extern const struct library clr_math, clr_convert, clr_datetime, clr_datetime_offset, clr_timespan, clr_guid;
extern const struct library clr_encoding, clr_string_builder, clr_string_io, clr_uri, clr_uri_escape, clr_net, clr_regex, clr_regex_change,
    clr_regex_match, clr_timezone, clr_zone_rules;
/* Collections and LINQ. */
extern const struct library clr_sequence, clr_list, clr_dictionary, clr_hash_set, clr_queue, clr_array, clr_array_object, clr_comparer;
extern const struct library clr_linq, clr_linq_fold, clr_linq_order, clr_linq_group;
/* Newtonsoft.Json. */
extern const struct library clr_json_token, clr_json_object, clr_json_value, clr_json_extensions, clr_json_merge, clr_json_settings,
    clr_json_convert;
/* System.Xml, System.Security.Cryptography, tokens. */
extern const struct library clr_xml_tree, clr_xml_element, clr_xml_extensions, clr_xml_names, clr_xml_io, clr_xml_document, clr_crypto_hash, clr_crypto_symmetric, clr_crypto_rsa, clr_crypto_keys, clr_x509, clr_jwt;

/* IEnumerable<T>.GetEnumerator() of any sequence. */
bool sequence_get_enumerator(struct call *c);
/* Which collection of ours an object is, by its hooks. */
bool object_is_list(const struct object *o);
bool object_is_dictionary(const struct object *o);
bool object_is_hash_set(const struct object *o);
bool object_is_queue(const struct object *o);
