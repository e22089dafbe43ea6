/* xml_tree.h: XML as a libxml2 tree, for what needs one: XML Schema and XSLT. Everything dangerous is switched off as in xml.h, and
 * no part of libxml2 in this process ever opens a file or a connection.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct _xmlDoc;
struct _xmlError;

/* The text's tree (UTF-8, or as its declaration says), freed with xml_tree_delete(). NULL: ERR_SYNTAX with line and position,
 * ERR_DENIED for a document type, ERR_LIMIT when it is nested deeper than XML_DEPTH_MAX. */
struct _xmlDoc *xml_tree_new(struct str text, struct err *err);
void xml_tree_delete(struct _xmlDoc *doc);
/* Memory of libxml2 and libxslt that the thread takes between begin and end. Beyond it on_exceeded is called, once, and memory is
 * given on: whoever set the budget ends the work soon (neither library survives refusals everywhere). */
struct xml_budget {
    int64_t left;                     /* bytes */
    void (*on_exceeded)(void *ctx);
    void *ctx;
    bool is_exceeded;
};
void xml_budget_begin(struct xml_budget *b);
void xml_budget_end(void);
/* What libxml2 says on this thread to nobody in particular (XPath does) goes there; NULL: nowhere. */
void xml_listen(struct buf *to);
/* Once, before anything of libxml2 is used: external entities, includes and imports lead nowhere. */
void xml_forbid_files(void);
/* Not so warnings, and namespaces that are no URIs: .NET takes any text. */
bool xml_error_counts(const struct _xmlError *e);
/* The error's sentence without line end. Lives as long as the error. */
struct str xml_error_text(const struct _xmlError *e);
