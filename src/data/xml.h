/* xml.h: XML text as a sequence of events, on libxml2 with everything dangerous switched off: no DTD, no entities but the five,
 * no network, no files, depth and size limited. Nothing here yields.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define XML_DEPTH_MAX 128
#define XML_ATTRIBUTES_MAX 1000

struct xml_attribute {
    struct str prefix, local, space, value;   /* a declaration: prefix "xmlns" or local "xmlns" */
};

enum xml_event_kind {
    XML_EVENT_ELEMENT,   /* attributes; is_empty: <a/>, no end follows */
    XML_EVENT_END,
    XML_EVENT_TEXT,
    XML_EVENT_BLANK,     /* text of white space only */
    XML_EVENT_CDATA,
    XML_EVENT_COMMENT,
    XML_EVENT_INSTRUCTION,   /* local: target, text: data */
};

/* Texts live until the call-back returns. */
struct xml_event {
    enum xml_event_kind kind;
    struct str prefix, local, space;
    struct str text;
    bool is_empty;
    const struct xml_attribute *attributes;
    uint32_t n_attributes;
    uint32_t depth;
};

/* The <?xml ...?> line in front, if there is one. */
struct xml_declaration {
    struct str version, encoding, standalone;   /* STR_NONE: absent */
};

/* Calls on_event for each event in document order; stops when it returns false (then false is returned, *err untouched).
 * The text is UTF-8 whatever its declaration says. ERR_SYNTAX with line and position; ERR_DENIED for a DTD. */
MUST_USE bool xml_read(struct str text, bool (*on_event)(void *ctx, const struct xml_event *e), void *ctx, struct err *err);
/* Of text that xml_read() took. */
bool xml_read_declaration(struct str text, struct xml_declaration *ret);
/* As text or an attribute's value in double quotes. What XML cannot say becomes U+FFFD. */
void xml_add_escaped(struct buf *to, struct str s);
/* A name without colon that XML allows (ASCII rules checked, other characters taken). */
bool xml_is_name(struct str s);
