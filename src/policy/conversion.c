/* conversion.c: what json-to-xml and xml-to-json share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/conversion.h"

#include "http/headers.h"

bool
media_type_is(struct str type, struct str word)
{
    ptrdiff_t semicolon = str_find_char(type, ';', 0);

    type = str_trim(semicolon < 0 ? type : str_sub(type, 0, (size_t)semicolon));
    if (type.len <= word.len || !str_eq_nocase(str_skip(type, type.len - word.len), word))
        return false;
    char before = type.p[type.len - word.len - 1];
    return before == '/' || before == '+';
}

static bool
is_format(struct str type, bool is_json)
{
    return media_type_is(type, is_json ? STR("json") : STR("xml"));
}

static bool
accepts(const struct exchange *ex, bool is_json)
{
    struct str list = http_headers_get_joined(ex->request.headers, STR("Accept")), item;

    while (list.p && http_list_next(&list, &item))
        if (is_format(item, is_json))
            return true;
    return false;
}

bool
conversion_body(struct exchange *ex, const struct conversion *c, struct str *ret_body)
{
    struct http_headers *headers = exchange_message_headers(ex);
    struct content *content = exchange_message_content(ex);
    struct err err;

    *ret_body = STR_NONE;
    if (!headers || !content || content_is_empty(content))
        return true;
    if (!c->always && !is_format(http_headers_get(headers, HTTP_CONTENT_TYPE), !c->is_to_json))
        return true;
    if (c->considers_accept && !accepts(ex, c->is_to_json))
        return true;
    if (content_read_decoded(ex, content, headers, true, ret_body, &err)) {
        if (ret_body->len == 0)
            *ret_body = STR_NONE;
        return true;
    }
    exchange_fail_io(ex, &err);
    return false;
}

enum flow
conversion_finish(struct exchange *ex, const struct conversion *c, struct buf *result)
{
    struct http_headers *headers = exchange_message_headers(ex);

    content_set(exchange_message_content(ex), buf_str(result));
    http_headers_remove_id(headers, HTTP_CONTENT_ENCODING);
    if (!http_headers_set(headers, STR("Content-Type"), c->is_to_json ? STR("application/json") : STR("application/xml")))
        return exchange_fail(ex, "no memory left for a converted body");
    return FLOW_NEXT;
}
