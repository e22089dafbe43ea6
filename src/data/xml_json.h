/* xml_json.h: XML as JSON and JSON as XML, by the rules of Newtonsoft's converter. Both texts are untrusted: depth, size and
 * entities are limited by the readers, the result by to->max. Nothing here yields.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct xml_to_json {
    bool is_plain;                /* names without '@', '#' and prefixes; declarations and instructions left out */
    bool always_arrays;           /* every child element is an array; otherwise only repeated ones */
};

/* <a x="1">t</a> is {"a":{"@x":"1","#text":"t"}}; what is repeated becomes an array, an empty tag null. Scratch memory comes
 * from the arena. ERR_SYNTAX says where. */
MUST_USE bool xml_to_json(struct arena *a, struct str xml, const struct xml_to_json *how, struct buf *to, struct err *err);

#define XML_DECLARED_MAX 256      /* namespaces in force at one place */

struct json_to_xml {
    struct str separator;         /* between prefix and local name in member names: "_" */
    struct str namespace_prefix;  /* members that begin with it declare namespaces: "xmlns"; empty: none do */
    struct str attribute_block;   /* the members of an object of this name are attributes; empty: none */
    /* Writes a text that looks like a date as one; false: it does not. NULL: texts stay. */
    bool (*date)(struct str text, struct buf *to);
};

/* A member is an element, an array repeats it, null is an empty element. A root object with one member gives the root
 * element, anything else stands in <Document>. The result is well-formed, whatever the names were. */
MUST_USE bool json_to_xml(struct arena *a, struct str json, const struct json_to_xml *how, struct buf *to, struct err *err);
