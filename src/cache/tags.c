/* tags.c: reading the fields that name tags and groups.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/tags.h"

struct str
cache_group_name(struct str api, struct str group, char text[GROUP_NAME_MAX])
{
    size_t len = api.len + 1 + group.len;

    if (len > GROUP_NAME_MAX)
        return STR_NONE;
    memcpy(text, api.p, api.len);
    text[api.len] = ' ';
    memcpy(text + api.len + 1, group.p, group.len);
    return str_from(text, len);
}

static void
each_member(const struct http_headers *h, struct str field, void (*tag)(void *ctx, struct str name), void *ctx)
{
    struct http_field *f;
    uint32_t at = 0;

    while ((f = http_headers_next(h, field, &at))) {
        struct str rest = f->value, one;
        while (str_split_next(&rest, ',', &one)) {
            one = str_trim(one);
            if (one.len)
                tag(ctx, one);
        }
    }
}

/* Words, and their parts between commas: lines that somebody joined ("a b" and "c d" become "a b, c d"), or a policy appended to. */
static void
each_key(const struct http_headers *h, struct str field, void (*tag)(void *ctx, struct str name), void *ctx)
{
    struct http_field *f;
    uint32_t at = 0;

    while ((f = http_headers_next(h, field, &at))) {
        struct str rest = f->value, word, part;
        while (str_split_next(&rest, ' ', &word)) {
            word = str_trim(word);
            if (word.len)
                tag(ctx, word);
            if (str_find_char(word, ',', 0) < 0)
                continue;
            while (str_split_next(&word, ',', &part))
                if (part.len)
                    tag(ctx, part);
        }
    }
}

/* The next sf-string of a list; parameters behind it are skipped. Escapes are undone into `text`. False at the end, and at what
 * is not a list of strings. */
static bool
next_string(struct str *rest, char text[GROUP_NAME_MAX], struct str *ret)
{
    size_t n = 0, i = 1;

    while (rest->len && (rest->p[0] == ' ' || rest->p[0] == '\t' || rest->p[0] == ','))
        *rest = str_skip(*rest, 1);
    if (!rest->len || rest->p[0] != '"')
        return false;
    for (; i < rest->len && rest->p[i] != '"'; i++) {
        i += rest->p[i] == '\\';
        if (i >= rest->len || n == GROUP_NAME_MAX)
            return false;
        text[n++] = rest->p[i];
    }
    if (i >= rest->len)
        return false;
    *ret = str_from(text, n);
    *rest = str_skip(*rest, i + 1);
    while (rest->len && rest->p[0] != ',')
        *rest = str_skip(*rest, 1);
    return true;
}

void
cache_groups_of(const struct http_headers *h, struct str field, struct str api, void (*group)(void *ctx, struct str name),
                void *ctx)
{
    struct http_field *f;
    uint32_t at = 0;

    while ((f = http_headers_next(h, field, &at))) {
        char text[GROUP_NAME_MAX], name[GROUP_NAME_MAX];
        struct str rest = f->value, one;

        while (next_string(&rest, text, &one)) {
            one = cache_group_name(api, one, name);
            if (one.p)
                group(ctx, one);
        }
    }
}

void
cache_tags_of(const struct http_headers *answer, struct str api, void (*tag)(void *ctx, struct str name),
              void (*group)(void *ctx, struct str name), void *ctx)
{
    each_key(answer, STR("Surrogate-Key"), tag, ctx);
    each_member(answer, STR("Cache-Tag"), tag, ctx);
    cache_groups_of(answer, STR("Cache-Groups"), api, group, ctx);
}
