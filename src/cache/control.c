/* control.c: reading Cache-Control (RFC 9111 5.2), targeted cache control (RFC 9213) and Surrogate-Control.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cache/control.h"

void
cache_control_init(struct cache_control *c)
{
    *c = (struct cache_control){.max_age = -1, .s_maxage = -1, .stale_while_revalidate = -1, .stale_if_error = -1,
                                .min_fresh = -1, .max_stale = -1};
}

int64_t
cache_seconds_parse(struct str text)
{
    int64_t n = 0;

    if (!text.len)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (!ascii_is_digit(text.p[i]))
            return -1;
        n = MIN(n * 10 + (text.p[i] - '0'), CONTROL_SECONDS_MAX);
    }
    return n;
}

/* ---- the table of directives ---- */

enum shape { SHAPE_FLAG, SHAPE_SECONDS, SHAPE_FIELDS };

struct directive {
    struct str name;
    enum shape shape;
    unsigned flag;                    /* FLAG; FIELDS without a list */
    size_t offset;                    /* SECONDS, FIELDS */
};

static const struct directive directives[] = {
    {STR_INIT("max-age"), SHAPE_SECONDS, 0, offsetof(struct cache_control, max_age)},
    {STR_INIT("s-maxage"), SHAPE_SECONDS, 0, offsetof(struct cache_control, s_maxage)},
    {STR_INIT("no-store"), SHAPE_FLAG, CONTROL_NO_STORE, 0},
    {STR_INIT("no-cache"), SHAPE_FIELDS, CONTROL_NO_CACHE, offsetof(struct cache_control, no_cache_fields)},
    {STR_INIT("private"), SHAPE_FIELDS, CONTROL_PRIVATE, offsetof(struct cache_control, private_fields)},
    {STR_INIT("public"), SHAPE_FLAG, CONTROL_PUBLIC, 0},
    {STR_INIT("must-revalidate"), SHAPE_FLAG, CONTROL_MUST_REVALIDATE, 0},
    {STR_INIT("proxy-revalidate"), SHAPE_FLAG, CONTROL_PROXY_REVALIDATE, 0},
    {STR_INIT("must-understand"), SHAPE_FLAG, CONTROL_MUST_UNDERSTAND, 0},
    {STR_INIT("no-transform"), SHAPE_FLAG, CONTROL_NO_TRANSFORM, 0},
    {STR_INIT("immutable"), SHAPE_FLAG, CONTROL_IMMUTABLE, 0},
    {STR_INIT("only-if-cached"), SHAPE_FLAG, CONTROL_ONLY_IF_CACHED, 0},
    {STR_INIT("stale-while-revalidate"), SHAPE_SECONDS, 0, offsetof(struct cache_control, stale_while_revalidate)},
    {STR_INIT("stale-if-error"), SHAPE_SECONDS, 0, offsetof(struct cache_control, stale_if_error)},
    {STR_INIT("min-fresh"), SHAPE_SECONDS, 0, offsetof(struct cache_control, min_fresh)},
    {STR_INIT("max-stale"), SHAPE_SECONDS, CONTROL_ANY_STALE, offsetof(struct cache_control, max_stale)},
};

static const struct directive *
find_directive(struct str name)
{
    for (size_t i = 0; i < COUNTOF(directives); i++)
        if (str_eq_nocase(directives[i].name, name))
            return &directives[i];
    return NULL;
}

/* A directive that says two different things is taken as stale (RFC 9111 4.2.1). */
static void
set_seconds(struct cache_control *c, const struct directive *d, int64_t seconds)
{
    int64_t *field = (int64_t *)((char *)c + d->offset);

    seconds = MAX(seconds, (int64_t)0);
    *field = *field < 0 || *field == seconds ? seconds : 0;
}

static void
apply(struct cache_control *c, const struct directive *d, struct str value)
{
    switch (d->shape) {
    case SHAPE_FLAG:
        c->flags |= d->flag;
        return;
    case SHAPE_SECONDS:
        if (!value.p && d->flag)
            c->flags |= d->flag;
        else
            set_seconds(c, d, cache_seconds_parse(value));
        return;
    case SHAPE_FIELDS:
        if (!value.len)
            c->flags |= d->flag;
        else
            *(struct str *)((char *)c + d->offset) = value;
        return;
    }
}

/* ---- Cache-Control ---- */

struct scanner {
    struct str rest;
};

static void
skip_blanks(struct scanner *s)
{
    while (s->rest.len && (s->rest.p[0] == ' ' || s->rest.p[0] == '\t'))
        s->rest = str_skip(s->rest, 1);
}

/* To the next comma outside quotes; the comma goes too. */
static void
skip_item(struct scanner *s)
{
    bool in_quotes = false;

    while (s->rest.len) {
        char c = s->rest.p[0];

        if (c == '\\' && in_quotes && s->rest.len > 1)
            s->rest = str_skip(s->rest, 1);
        else if (c == '"')
            in_quotes = !in_quotes;
        s->rest = str_skip(s->rest, 1);
        if (c == ',' && !in_quotes)
            return;
    }
}

/* What stands before the first of these characters. */
static struct str
until(struct scanner *s, const char *ends)
{
    struct str all = s->rest;
    size_t n = 0;

    while (n < all.len && !strchr(ends, all.p[n] ? all.p[n] : 1))
        n++;
    s->rest = str_skip(all, n);
    return str_sub(all, 0, n);
}

/* "text" without its quotes. An unclosed one ends with the line. Escapes stay: no value we use has any. */
static struct str
quoted(struct scanner *s)
{
    struct str all = s->rest = str_skip(s->rest, 1);
    size_t n = 0;

    while (n < all.len && all.p[n] != '"')
        n += all.p[n] == '\\' && n + 1 < all.len ? 2 : 1;
    s->rest = str_skip(all, n + 1);
    return str_sub(all, 0, n);
}

/* directive = token [ "=" ( token / quoted-string ) ]; false at the end of the line. */
static bool
next_directive(struct scanner *s, struct str *ret_name, struct str *ret_value)
{
    for (skip_blanks(s); s->rest.len && s->rest.p[0] == ','; skip_blanks(s))
        s->rest = str_skip(s->rest, 1);
    if (!s->rest.len)
        return false;
    *ret_name = until(s, "=,");
    *ret_value = STR_NONE;
    if (s->rest.len && s->rest.p[0] == '=') {
        s->rest = str_skip(s->rest, 1);
        *ret_value = s->rest.len && s->rest.p[0] == '"' ? quoted(s) : until(s, ",");
        if (!ret_value->p)
            *ret_value = STR("");
    } else {
        *ret_name = str_trim(*ret_name);
    }
    skip_item(s);
    return true;
}

void
cache_control_read(struct cache_control *c, struct str value)
{
    struct scanner s = {value};
    struct str name, argument;

    while (next_directive(&s, &name, &argument)) {
        const struct directive *d = find_directive(name);

        c->is_there = true;
        if (d)
            apply(c, d, argument.p ? str_trim(argument) : argument);
    }
}

/* ---- targeted fields: sf-dictionary (RFC 8941 3.2), as much of it as tells valid from invalid ---- */

enum sf_type { SF_INVALID, SF_TRUE, SF_FALSE, SF_INTEGER, SF_STRING, SF_OTHER };

static bool
is_key_char(char c, bool is_first)
{
    if ((c >= 'a' && c <= 'z') || c == '*')
        return true;
    return !is_first && (ascii_is_digit(c) || c == '_' || c == '-' || c == '.');
}

static struct str
sf_key(struct scanner *s)
{
    struct str all = s->rest;
    size_t n = 0;

    while (n < all.len && is_key_char(all.p[n], n == 0))
        n++;
    s->rest = str_skip(all, n);
    return str_sub(all, 0, n);
}

static enum sf_type
sf_number(struct scanner *s, struct str *ret)
{
    struct str all = s->rest;
    size_t at = all.p[0] == '-', digits = 0, fraction = 0;

    for (; at < all.len && ascii_is_digit(all.p[at]); at++)
        digits++;
    if (at < all.len && all.p[at] == '.')
        for (at++; at < all.len && ascii_is_digit(all.p[at]); at++)
            fraction++;
    *ret = str_sub(all, 0, at);
    s->rest = str_skip(all, at);
    if (digits == 0 || digits > 15 || fraction > 3 || (at && all.p[at - 1] == '.'))
        return SF_INVALID;
    return fraction ? SF_OTHER : SF_INTEGER;
}

static enum sf_type
sf_string(struct scanner *s, struct str *ret)
{
    struct str all = s->rest = str_skip(s->rest, 1);
    size_t n = 0;

    for (; n < all.len && all.p[n] != '"'; n++) {
        if (all.p[n] < 0x20 || all.p[n] > 0x7e)
            return SF_INVALID;
        if (all.p[n] == '\\' && (++n >= all.len || (all.p[n] != '"' && all.p[n] != '\\')))
            return SF_INVALID;
    }
    if (n >= all.len)
        return SF_INVALID;
    *ret = str_sub(all, 0, n);
    s->rest = str_skip(all, n + 1);
    return SF_STRING;
}

static bool
is_token_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("!#$%&'*+-.^_`|~:/", c));
}

/* bare-item; byte sequences as well. */
static enum sf_type
sf_item(struct scanner *s, struct str *ret)
{
    char c = s->rest.len ? s->rest.p[0] : 0;

    *ret = STR_NONE;
    if (c == '-' || ascii_is_digit(c))
        return sf_number(s, ret);
    if (c == '"')
        return sf_string(s, ret);
    if (c == '?' && s->rest.len > 1 && (s->rest.p[1] == '0' || s->rest.p[1] == '1')) {
        enum sf_type type = s->rest.p[1] == '1' ? SF_TRUE : SF_FALSE;
        s->rest = str_skip(s->rest, 2);
        return type;
    }
    if (c == ':') {
        s->rest = str_skip(s->rest, 1);
        until(s, ":");
        if (!s->rest.len)
            return SF_INVALID;
        s->rest = str_skip(s->rest, 1);
        return SF_OTHER;
    }
    if (!ascii_is_alpha(c) && c != '*')
        return SF_INVALID;
    while (s->rest.len && is_token_char(s->rest.p[0]))
        s->rest = str_skip(s->rest, 1);
    return SF_OTHER;
}

static bool
sf_parameters(struct scanner *s)
{
    struct str value;

    while (s->rest.len && s->rest.p[0] == ';') {
        s->rest = str_skip(s->rest, 1);
        while (s->rest.len && s->rest.p[0] == ' ')
            s->rest = str_skip(s->rest, 1);
        if (!sf_key(s).len)
            return false;
        if (s->rest.len && s->rest.p[0] == '=') {
            s->rest = str_skip(s->rest, 1);
            if (sf_item(s, &value) == SF_INVALID)
                return false;
        }
    }
    return true;
}

static enum sf_type
sf_inner_list(struct scanner *s)
{
    struct str value;

    s->rest = str_skip(s->rest, 1);
    for (;;) {
        while (s->rest.len && s->rest.p[0] == ' ')
            s->rest = str_skip(s->rest, 1);
        if (s->rest.len && s->rest.p[0] == ')')
            break;
        if (sf_item(s, &value) == SF_INVALID || !sf_parameters(s) ||
            !s->rest.len || (s->rest.p[0] != ' ' && s->rest.p[0] != ')'))
            return SF_INVALID;
    }
    s->rest = str_skip(s->rest, 1);
    return SF_OTHER;
}

/* One member: key [ "=" item or list ] parameters. */
static bool
sf_member(struct scanner *s, struct str *ret_key, enum sf_type *ret_type, struct str *ret_value)
{
    *ret_key = sf_key(s);
    *ret_type = SF_TRUE;
    *ret_value = STR_NONE;
    if (!ret_key->len)
        return false;
    if (s->rest.len && s->rest.p[0] == '=') {
        s->rest = str_skip(s->rest, 1);
        *ret_type = s->rest.len && s->rest.p[0] == '(' ? sf_inner_list(s) : sf_item(s, ret_value);
        if (*ret_type == SF_INVALID)
            return false;
    }
    return sf_parameters(s);
}

static bool
apply_targeted(struct cache_control *c, struct str key, enum sf_type type, struct str value)
{
    const struct directive *d = find_directive(key);

    c->is_there = true;
    if (!d)
        return true;
    if (d->shape == SHAPE_SECONDS) {
        if (type != SF_INTEGER)
            return false;
        *(int64_t *)((char *)c + d->offset) = MAX(cache_seconds_parse(value), (int64_t)0); /* the last one counts */
        return true;
    }
    if (d->shape == SHAPE_FIELDS && type == SF_STRING) {
        apply(c, d, value);
        return true;
    }
    if (type == SF_TRUE)
        c->flags |= d->flag;
    else if (type == SF_FALSE)
        c->flags &= ~d->flag;
    else
        return false;
    return true;
}

bool
cache_control_read_targeted(struct cache_control *c, struct str value)
{
    struct scanner s = {value};
    struct str key, text;
    enum sf_type type;

    skip_blanks(&s);
    if (!s.rest.len)
        return false;
    for (;;) {
        if (!sf_member(&s, &key, &type, &text) || !apply_targeted(c, key, type, text))
            return false;
        skip_blanks(&s);
        if (!s.rest.len)
            return true;
        if (s.rest.p[0] != ',')
            return false;
        s.rest = str_skip(s.rest, 1);
        skip_blanks(&s);
        if (!s.rest.len)
            return false;             /* a trailing comma */
    }
}

/* ---- Surrogate-Control ---- */

void
cache_control_read_surrogate(struct cache_control *c, struct str value)
{
    struct scanner s = {value};
    struct str name, argument, rest;

    while (next_directive(&s, &name, &argument)) {
        const struct directive *d = find_directive(name);
        ptrdiff_t plus = str_find_char(argument, '+', 0);

        c->is_there = true;
        if (!d || (d->shape == SHAPE_SECONDS && !str_eq_lit(d->name, "max-age")))
            continue;
        argument = argument.p ? str_trim(argument) : argument;
        rest = plus < 0 ? STR_NONE : str_skip(argument, (size_t)plus + 1);
        apply(c, d, plus < 0 ? argument : str_sub(argument, 0, (size_t)plus));
        if (rest.len)
            c->stale_while_revalidate = MAX(cache_seconds_parse(rest), (int64_t)0);
    }
}
