/* p_find_and_replace.c: <find-and-replace from="a" to="b" />
 * Every occurrence in the body of the message, plain text, case matters. Needs the whole body; a compressed one is decoded and stays
 * so, one of another charset than UTF-8 keeps it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "clr/encoding.h"
#include "http/headers.h"
#include "policy/compile.h"
#include "policy/conversion.h"
#include "policy/replace.h"

struct find_and_replace {
    struct pvalue from, to;
};

static const struct attr_def attrs[] = {
    VALUE_STR(struct find_and_replace, from, "from", .required = true, .about = "What is looked for; nothing for an empty text."),
    VALUE_STR(struct find_and_replace, to, "to", .required = true, .about = "What is put in its place."),
    ATTR_END
};

/* False: `from` does not occur, or the result is larger than `to` may be. */
static bool
replace(struct str body, struct str from, struct str by, struct buf *to)
{
    size_t done = 0;

    for (ptrdiff_t at = str_find(body, from, 0); at >= 0 && !to->failed; at = str_find(body, from, done)) {
        buf_add_str(to, str_sub(body, done, (size_t)at));
        buf_add_str(to, by);
        done = (size_t)at + from.len;
    }
    return done > 0 && buf_add_str(to, str_skip(body, done)) && !to->failed;
}

/* Texts of another charset are UTF-8 while they are searched. As replace(). */
static bool
replace_encoded(struct str body, enum text_encoding e, struct str from, struct str by, struct buf *to)
{
    struct buf text AUTO(buf_destroy) = {.max = to->max}, changed AUTO(buf_destroy) = {.max = to->max};
    struct str bytes = encoding_skip_mark(e, body);

    if (e == TEXT_UTF8 || e == TEXT_ASCII)
        return replace(body, from, by, to);
    if (encoding_decode(e, bytes, &text) && text.len && replace(buf_str(&text), from, by, &changed))
        return buf_add_str(to, str_sub(body, 0, body.len - bytes.len)) && (!changed.len || encoding_encode(e, buf_str(&changed), to));
    to->failed |= text.failed || changed.failed;
    return false;
}

bool
replace_in_body(struct exchange *ex, struct str from, struct str to)
{
    struct content *content = exchange_message_content(ex);
    struct http_headers *headers = exchange_message_headers(ex);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str body, type;
    struct err err;

    if (from.len == 0 || !headers || !exchange_has_body_to_change(ex))
        return true;
    type = http_headers_get(headers, HTTP_CONTENT_TYPE);
    if (!content_read_decoded(ex, content, headers, true, &body, &err)) {
        exchange_fail_io(ex, &err);
        return false;
    }
    b.max = ex->limits->buffered_body_max;
    if (!replace_encoded(body, encoding_of_body(body, type, media_type_is(type, STR("xml"))), from, to, &b)) {
        if (b.failed)
            exchange_fail(ex, "the body becomes larger than a buffered body may be");
        return !b.failed;
    }
    if (content_set_copy(ex, content, b.len ? buf_str(&b) : STR(""), &err)) {
        http_headers_remove_id(headers, HTTP_CONTENT_ENCODING);
        return true;
    }
    exchange_fail_io(ex, &err);
    return false;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct find_and_replace *f = conf;
    struct str from, to;

    if (!pvalue_str(ex, &f->from, &from) || !pvalue_str(ex, &f->to, &to))
        return FLOW_ERROR;
    return replace_in_body(ex, from, to) ? FLOW_NEXT : FLOW_ERROR;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    const struct find_and_replace *f = conf;

    if (!f->from.program && !f->from.text.len)
        compile_warning(c, n, "find-and-replace has no effect with an empty from");
    return true;
}

const struct policy_def policy_find_and_replace = {
    .name = "find-and-replace", .sections = IN_ALL, .scopes = AT_ALL, .body = BODY_WHOLE,
    .attrs = attrs, .size = sizeof(struct find_and_replace), .compile = compile, .run = run,
    .summary = "Replaces a text in the body.",
    .usage = "Ordinal, case matters. An empty from, or a message without a body, changes nothing.",
};
