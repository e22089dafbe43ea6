/* conversion.c: what json-to-xml and xml-to-json share.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/conversion.h"

#include "clr/encoding.h"
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

/* ";q=0", with any number of zeros behind a point. */
static bool
is_refused(struct str item)
{
    ptrdiff_t at = str_find(item, STR("q=0"), 0);

    if (at <= 0)
        return false;
    for (size_t i = (size_t)at + 3; i < item.len && item.p[i] != ';'; i++)
        if (ascii_is_digit(item.p[i]) && item.p[i] != '0')
            return false;
    return true;
}

static bool
accepts(const struct exchange *ex, bool is_json)
{
    struct str list = http_headers_get_joined(ex->request.headers, STR("Accept")), item;

    while (list.p && http_list_next(&list, &item))
        if (is_format(item, is_json) && !is_refused(item))
            return true;
    return false;
}

static bool
is_wanted(struct exchange *ex, const struct conversion *c, const struct http_headers *headers)
{
    if (!headers)
        return false;
    if (!c->always && !is_format(http_headers_get(headers, HTTP_CONTENT_TYPE), !c->is_to_json))
        return false;
    return (!c->considers_accept || accepts(ex, c->is_to_json)) && exchange_has_body_to_change(ex);
}

bool
message_text(struct exchange *ex, const struct http_headers *headers, struct str bytes, bool is_xml, struct str *ret)
{
    struct buf b = buf_in(ex->arena);

    *ret = bytes.len ? encoding_body_text(bytes, http_headers_get(headers, HTTP_CONTENT_TYPE), is_xml, &b) : STR("");
    if (!ret->p)
        exchange_fail(ex, "no memory left for the text of a body of %zu bytes", bytes.len);
    return ret->p != NULL;
}

struct job {
    const struct conversion *c;
    struct arena *arena;
    struct str body;
    struct buf to;
    struct err err;
    bool is_done;
};

static void
convert(void *arg)
{
    struct job *job = arg;

    job->is_done = job->c->convert(job->arena, job->body, job->c->how, &job->to, &job->err);
}

#define OFFLOAD_BYTES_MIN ((size_t)64 << 10)
#define OUTPUT_DEFAULT ((uint64_t)64 << 20)

static bool
convert_body(struct exchange *ex, const struct conversion *c, struct job *job)
{
    struct arena own AUTO(arena_destroy) = ARENA(NULL, MAX((size_t)64 << 20, job->body.len * 64));
    uint64_t max = ex->limits->transform.conversion_output;

    job->to.max = (size_t)(max ? max : OUTPUT_DEFAULT);
    if (job->body.len < OFFLOAD_BYTES_MIN) {
        job->arena = ex->arena;
        convert(job);
    } else {
        job->arena = &own;            /* not the worker's blocks */
        if (!exchange_offload(ex, convert, job))
            return false;
    }
    if (!job->is_done)
        exchange_fail(ex, "%s: %s", c->policy, job->err.text);
    return job->is_done;
}

enum flow
conversion_run(struct exchange *ex, const struct conversion *c)
{
    struct http_headers *headers = exchange_message_headers(ex);
    struct content *content = exchange_message_content(ex);
    struct job job = {.c = c, .to = BUF_INIT, .err = ERR_INIT};
    enum flow flow = FLOW_ERROR;
    struct err err;

    if (!is_wanted(ex, c, headers))
        return FLOW_NEXT;
    if (!content_read_decoded(ex, content, headers, true, &job.body, &err))
        return exchange_fail_io(ex, &err);
    if (!job.body.len)
        return FLOW_NEXT;
    if (!message_text(ex, headers, job.body, c->is_to_json, &job.body))
        return FLOW_ERROR;
    if (convert_body(ex, c, &job)) {
        flow = FLOW_NEXT;
        if (!content_set_copy(ex, content, job.to.len ? buf_str(&job.to) : STR(""), &err))
            flow = exchange_fail_io(ex, &err);
        http_headers_remove_id(headers, HTTP_CONTENT_ENCODING);
    }
    buf_destroy(&job.to);
    if (flow == FLOW_NEXT &&
        !http_headers_set(headers, STR("Content-Type"), c->is_to_json ? STR("application/json") : STR("application/xml")))
        flow = exchange_fail(ex, "no memory left for a converted body");
    return flow;
}
