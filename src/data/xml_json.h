/* xml_json.h: XML as JSON and JSON as XML, by the rules of Newtonsoft's converter. Both texts are untrusted: depth, size and
 * entities are limited by the readers.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct xml_to_json {
    bool is_plain;                /* names without '@', '#' and prefixes; namespace declarations left out */
    bool always_arrays;           /* every child element is an array; otherwise only repeated ones */
};

/* <a x="1">t</a> is {"a":{"@x":"1","#text":"t"}}; repeated elements are arrays, an empty tag is null. Scratch memory comes
 * from the arena. ERR_SYNTAX says where. */
MUST_USE bool xml_to_json(struct arena *a, struct str xml, const struct xml_to_json *how, struct buf *to, struct err *err);

struct json_to_xml {
    struct str separator;         /* between prefix and local name in member names: "_" */
    struct str namespace_prefix;  /* members that begin with it declare namespaces: "xmlns"; empty: none do */
    struct str attribute_block;   /* the members of an object of this name are attributes; empty: none */
};

/* A member is an element, an array repeats it, null is an empty element. A root object with one member gives the root
 * element, anything else stands in <Document>. */
MUST_USE bool json_to_xml(struct arena *a, struct str json, const struct json_to_xml *how, struct buf *to, struct err *err);
