/* xml.c: see xml.h. libxml2's reader does the parsing; its errors are gathered, never printed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/xml.h"

#include <libxml/xmlreader.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "data/xml_tree.h"

struct reading {
    xmlTextReaderPtr reader;
    struct err *err;
    bool failed;
    struct xml_attribute *attributes;
    uint32_t cap;
};

static struct str
from_xml(const xmlChar *s)
{
    return s ? str_from_c((const char *)s) : STR_NONE;
}

static void
on_error(void *ctx, xmlErrorPtr error)
{
    struct reading *r = ctx;
    struct str text = str_trim(str_from_c(error->message ? error->message : "not well-formed"));

    if (r->failed || !xml_error_counts(error))
        return;
    r->failed = true;
    err_set(r->err, ERR_SYNTAX, "%.*s Line %d, position %d.", (int)MIN(text.len, (size_t)300), text.p, error->line, error->int2);
}

static void
collect_attributes(struct reading *r, struct xml_event *e)
{
    uint32_t n = 0;

    while (xmlTextReaderMoveToNextAttribute(r->reader) == 1) {
        if (n == r->cap) {
            r->cap = MAX(2 * r->cap, 16u);
            r->attributes = xrealloc(r->attributes, r->cap * sizeof(*r->attributes));
        }
        r->attributes[n++] = (struct xml_attribute){
            from_xml(xmlTextReaderConstPrefix(r->reader)), from_xml(xmlTextReaderConstLocalName(r->reader)),
            from_xml(xmlTextReaderConstNamespaceUri(r->reader)), from_xml(xmlTextReaderConstValue(r->reader))};
    }
    xmlTextReaderMoveToElement(r->reader);
    e->attributes = r->attributes;
    e->n_attributes = n;
}

/* The current node as an event; false for those that are none (the document type is an error). */
static bool
to_event(struct reading *r, struct xml_event *e)
{
    *e = (struct xml_event){.local = from_xml(xmlTextReaderConstLocalName(r->reader)),
                            .text = from_xml(xmlTextReaderConstValue(r->reader)),
                            .depth = (uint32_t)xmlTextReaderDepth(r->reader)};
    switch (xmlTextReaderNodeType(r->reader)) {
    case XML_READER_TYPE_ELEMENT:
        e->kind = XML_EVENT_ELEMENT;
        e->prefix = from_xml(xmlTextReaderConstPrefix(r->reader));
        e->space = from_xml(xmlTextReaderConstNamespaceUri(r->reader));
        e->is_empty = xmlTextReaderIsEmptyElement(r->reader) == 1;
        collect_attributes(r, e);
        return true;
    case XML_READER_TYPE_END_ELEMENT: e->kind = XML_EVENT_END; return true;
    case XML_READER_TYPE_TEXT: e->kind = XML_EVENT_TEXT; return true;
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE: e->kind = XML_EVENT_BLANK; return true;
    case XML_READER_TYPE_CDATA: e->kind = XML_EVENT_CDATA; return true;
    case XML_READER_TYPE_COMMENT: e->kind = XML_EVENT_COMMENT; return true;
    case XML_READER_TYPE_PROCESSING_INSTRUCTION: e->kind = XML_EVENT_INSTRUCTION; return true;
    case XML_READER_TYPE_DOCUMENT_TYPE:
        r->failed = true;
        err_set(r->err, ERR_DENIED, "For security reasons DTD is prohibited in this XML document.");
        return false;
    }
    return false;
}

static bool
check_limits(struct reading *r, const struct xml_event *e)
{
    if (e->depth < XML_DEPTH_MAX && e->n_attributes <= XML_ATTRIBUTES_MAX)
        return true;
    r->failed = true;
    return err_set(r->err, ERR_LIMIT, "XML is nested deeper than %d levels or an element has more than %d attributes",
                   XML_DEPTH_MAX, XML_ATTRIBUTES_MAX);
}

bool
xml_read(struct str text, bool (*on_event)(void *ctx, const struct xml_event *e), void *ctx, struct err *err)
{
    struct reading r = {.err = err};
    struct xml_event e;
    bool stopped = false;
    int got = -1;

    if (text.len > INT32_MAX)
        return err_set(err, ERR_LIMIT, "XML text is longer than 2 GiB");
    if (text.len == 0)
        return err_set(err, ERR_SYNTAX, "Root element is missing.");
    xml_forbid_files();
    r.reader = xmlReaderForMemory(text.p, (int)text.len, NULL, "UTF-8",
                                  XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_COMPACT | XML_PARSE_IGNORE_ENC);
    if (!r.reader)
        return err_set(err, ERR_NO_MEMORY, "XML cannot be read now");
    xmlTextReaderSetStructuredErrorHandler(r.reader, on_error, &r);
    while (!stopped && !r.failed && (got = xmlTextReaderRead(r.reader)) == 1)
        if (to_event(&r, &e))
            stopped = !check_limits(&r, &e) || !on_event(ctx, &e);
    xmlFreeTextReader(r.reader);
    free(r.attributes);
    if (got < 0 && !r.failed)
        return err_set(err, ERR_SYNTAX, "XML is not well-formed");
    return !r.failed && !stopped;
}

/* NAME="value" or NAME='value' behind `name`, inside the declaration. */
static struct str
pseudo_attribute(struct str inside, const char *name)
{
    ptrdiff_t at = str_find(inside, str_from_c(name), 0);
    struct str rest;

    if (at < 0)
        return STR_NONE;
    rest = str_trim(str_skip(inside, (size_t)at + strlen(name)));
    if (!rest.len || rest.p[0] != '=')
        return STR_NONE;
    rest = str_trim(str_skip(rest, 1));
    if (!rest.len || (rest.p[0] != '"' && rest.p[0] != '\''))
        return STR_NONE;
    at = str_find_char(rest, rest.p[0], 1);
    return at < 0 ? STR_NONE : str_sub(rest, 1, (size_t)at);
}

bool
xml_read_declaration(struct str text, struct xml_declaration *ret)
{
    ptrdiff_t end = str_find(text, STR("?>"), 0);
    struct str inside;

    if (str_starts_with(text, STR("\xef\xbb\xbf")))
        text = str_skip(text, 3);
    if (end < 0 || !str_starts_with(text, STR("<?xml")) || text.len < 6 || !ascii_is_blank(text.p[5]))
        return false;
    inside = str_sub(text, 5, (size_t)end);
    *ret = (struct xml_declaration){pseudo_attribute(inside, "version"), pseudo_attribute(inside, "encoding"),
                                    pseudo_attribute(inside, "standalone")};
    return true;
}

bool
xml_is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];
        bool start = ascii_is_alpha(c) || c == '_' || (c & 0x80);
        if (!start && (i == 0 || !(ascii_is_digit(c) || c == '-' || c == '.')))
            return false;
    }
    return s.len > 0;
}

/* Control characters, halves of pairs, U+FFFE, U+FFFF, bytes that are no UTF-8: the length of one at s[at], or 0. */
static size_t
unsayable_at(struct str s, size_t at, size_t sequence)
{
    unsigned char c = (unsigned char)s.p[at];

    if (c < 0x20)
        return c != '\t' && c != '\n' && c != '\r';
    if (sequence == 0)
        return c == 0xed && at + 2 < s.len && (unsigned char)s.p[at + 1] >= 0xa0 ? 3 : 1;
    return c == 0xef && (str_starts_with(str_skip(s, at), STR("\xef\xbf\xbe")) ||
                         str_starts_with(str_skip(s, at), STR("\xef\xbf\xbf"))) ? 3 : 0;
}

void
xml_add_escaped(struct buf *to, struct str s)
{
    for (size_t i = 0, step; i < s.len; i += step) {
        size_t sequence = (s.p[i] & 0x80) ? utf8_sequence_len(s, i) : 1, unsayable = unsayable_at(s, i, sequence);

        step = MAX(sequence, unsayable);
        if (unsayable) {
            buf_add_lit(to, "\xef\xbf\xbd");
            continue;
        }
        switch (s.p[i]) {
        case '&': buf_add_lit(to, "&amp;"); break;
        case '<': buf_add_lit(to, "&lt;"); break;
        case '>': buf_add_lit(to, "&gt;"); break;
        case '"': buf_add_lit(to, "&quot;"); break;
        case '\r': buf_add_lit(to, "&#xD;"); break;
        default: buf_add(to, s.p + i, step);
        }
    }
}
