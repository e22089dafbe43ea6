/* uri.c: System.Uri, System.Net.WebUtility, System.Net.IPAddress.
 *
 * An absolute Uri is kept as its canonical text with the borders of its parts: lower-case scheme and host, default port dropped,
 * dot segments removed (for schemes with a host), characters that a URI may not hold escaped.
 *     https://user@host:8443/a/b?x=1#f
 *          |       |   |    |   |   \ fragment
 * A relative one keeps its text; asking it for a part throws InvalidOperationException.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/uri.h"

#include <arpa/inet.h>

#include "base/codec.h"
#include "base/num.h"
#include "base/utf8.h"
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/values.h"

struct uri {
    struct object head;
    struct str original;
    struct str text;                  /* canonical: AbsoluteUri */
    struct str scheme, user, host, path, query, fragment;   /* query with '?', fragment with '#' */
    int32_t port;                     /* -1: none */
    bool is_absolute, has_authority, is_default_port;
};

static const char reserved_and_more[] = "-._~:/?#[]@!$&'()*+,;=%";

static int32_t
default_port(struct str scheme)
{
    static const struct {
        struct str scheme;
        int32_t port;
    } ports[] = {
        {STR_INIT("http"), 80}, {STR_INIT("https"), 443}, {STR_INIT("ftp"), 21}, {STR_INIT("ws"), 80}, {STR_INIT("wss"), 443},
        {STR_INIT("ldap"), 389}, {STR_INIT("telnet"), 23}, {STR_INIT("gopher"), 70}, {STR_INIT("nntp"), 119},
        {STR_INIT("net.tcp"), 808},
    };

    for (size_t i = 0; i < COUNTOF(ports); i++)
        if (str_eq(ports[i].scheme, scheme))
            return ports[i].port;
    return -1;
}

/* Bytes of "scheme" in "scheme:...", 0 when it does not begin with one. */
static size_t
scheme_len(struct str s)
{
    size_t i = 0;

    if (!s.len || !ascii_is_alpha(s.p[0]))
        return 0;
    while (i < s.len && (ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || s.p[i] == '+' || s.p[i] == '-' || s.p[i] == '.'))
        i++;
    return i < s.len && s.p[i] == ':' && i > 1 ? i : 0;
}

/* What a URI may not hold as it is becomes %XX; a '%' with two digits stays, another one is escaped. */
static void
add_escaped(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_escape = c == '%' && i + 2 < s.len && ascii_hex_value(s.p[i + 1]) >= 0 && ascii_hex_value(s.p[i + 2]) >= 0;
        if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || is_escape || (c && c != '%' && strchr(reserved_and_more, c)))
            buf_add_char(to, (char)c);
        else
            buf_printf(to, "%%%02X", c);
    }
}

/* Path segments with "." and ".." resolved, appended behind to->len. */
static void
add_path(struct buf *to, struct str path)
{
    size_t root = to->len;
    struct buf escaped = {.arena = to->arena};
    struct str rest, segment;

    add_escaped(&escaped, path);
    rest = escaped.len ? str_from(escaped.p, escaped.len) : STR("");
    if (rest.len && rest.p[0] == '/')
        rest = str_skip(rest, 1);
    buf_add_char(to, '/');
    while (str_split_next(&rest, '/', &segment)) {
        bool is_last = !rest.p;
        if (str_eq_lit(segment, "..")) {
            if (to->len > root + 1) {
                to->len--;
                while (to->len > root + 1 && to->p[to->len - 1] != '/')
                    to->len--;
            }
            continue;
        }
        if (str_eq_lit(segment, "."))
            continue;
        buf_add_str(to, segment);
        if (!is_last)
            buf_add_char(to, '/');
    }
}

/* host, host:port, [v6]:port, user@... False for what is none. */
static bool
read_authority(struct uri *u, struct str s)
{
    ptrdiff_t at = str_rfind_char(s, '@'), colon;
    struct str host = s, port = STR_NONE;
    uint32_t number;

    if (at >= 0) {
        u->user = str_sub(s, 0, (size_t)at);
        host = str_skip(s, (size_t)at + 1);
    }
    if (host.len && host.p[0] == '[') {
        ptrdiff_t end = str_find_char(host, ']', 0);
        if (end < 0)
            return false;
        if ((size_t)end + 1 < host.len && host.p[end + 1] == ':')
            port = str_skip(host, (size_t)end + 2);
        else if ((size_t)end + 1 < host.len)
            return false;
        host = str_sub(host, 0, (size_t)end + 1);
    } else if ((colon = str_rfind_char(host, ':')) >= 0) {
        port = str_skip(host, (size_t)colon + 1);
        host = str_sub(host, 0, (size_t)colon);
    }
    u->host = host;
    if (port.len) {
        if (!num_parse_u32(port, 65535, &number, NULL))
            return false;
        u->port = (int32_t)number;
    }
    if (!host.len)
        return str_eq_lit(u->scheme, "file");
    for (size_t i = 0; i < host.len; i++)
        if (!(ascii_is_alpha(host.p[i]) || ascii_is_digit(host.p[i]) || (host.p[i] & 0x80) || strchr("-._~[]:%!$&'()*+,;=", host.p[i])))
            return false;
    return host.p[0] != '.' && host.p[host.len - 1] != '-';
}

/* Cuts path?query#fragment. */
static void
cut_tail(struct str tail, struct str *path, struct str *query, struct str *fragment)
{
    ptrdiff_t hash = str_find_char(tail, '#', 0), mark;

    *fragment = hash < 0 ? STR("") : str_skip(tail, (size_t)hash);
    tail = hash < 0 ? tail : str_sub(tail, 0, (size_t)hash);
    mark = str_find_char(tail, '?', 0);
    *query = mark < 0 ? STR("") : str_skip(tail, (size_t)mark);
    *path = mark < 0 ? tail : str_sub(tail, 0, (size_t)mark);
}

/* Fills text and its borders from the parts. */
static bool
compose(struct call *c, struct uri *u, struct str path, struct str query, struct str fragment)
{
    struct buf b = call_buf(c);
    size_t host_at, path_at, query_at, fragment_at;
    int32_t usual = default_port(u->scheme);

    for (size_t i = 0; i < u->scheme.len; i++)
        buf_add_char(&b, ascii_lower(u->scheme.p[i]));
    buf_add_char(&b, ':');
    if (u->has_authority) {
        buf_add_lit(&b, "//");
        if (u->user.p) {
            add_escaped(&b, u->user);
            buf_add_char(&b, '@');
        }
    }
    host_at = b.len;
    for (size_t i = 0; i < u->host.len; i++)
        buf_add_char(&b, ascii_lower(u->host.p[i]));
    size_t host_end = b.len;
    u->is_default_port = u->port < 0 || u->port == usual;
    if (u->port < 0)
        u->port = usual;
    if (u->has_authority && !u->is_default_port)
        buf_printf(&b, ":%d", (int)u->port);
    path_at = b.len;
    if (u->has_authority)
        add_path(&b, path);
    else
        add_escaped(&b, path);
    query_at = b.len;
    add_escaped(&b, query);
    fragment_at = b.len;
    add_escaped(&b, fragment);
    u->text = buf_str(&b);
    if (!u->text.p)
        return call_exceed(c, BUDGET_BYTES);
    u->scheme = str_sub(u->text, 0, u->scheme.len);
    u->host = str_sub(u->text, host_at, host_end);
    u->path = str_sub(u->text, path_at, query_at);
    u->query = str_sub(u->text, query_at, fragment_at);
    u->fragment = str_skip(u->text, fragment_at);
    return true;
}

enum uri_kind { URI_EITHER, URI_ABSOLUTE, URI_RELATIVE };

/* NULL and *problem for text that is no Uri of that kind; NULL without *problem when out of budget. */
static struct uri *
parse_uri(struct call *c, const struct type *type, struct str text, enum uri_kind kind, const char **problem)
{
    struct uri *u = object_new(c, type, struct uri);
    struct str s = str_trim(text), path, query, fragment;
    size_t n = scheme_len(s);

    *problem = NULL;
    if (!u)
        return NULL;
    u->original = text;
    u->port = -1;
    if (!n || kind == URI_RELATIVE) {
        /* "/a" alone is a file's path on Unix; as in .NET it counts as relative when that is allowed. */
        if (kind == URI_ABSOLUTE || (kind == URI_RELATIVE && n)) {
            *problem = s.len == 0 ? "Invalid URI: The URI is empty."
                       : n        ? "A relative URI cannot be created because the 'uriString' parameter represents an absolute URI."
                                  : "Invalid URI: The format of the URI could not be determined.";
            return NULL;
        }
        u->text = text;
        cut_tail(text, &u->path, &u->query, &u->fragment);
        return u;
    }
    u->is_absolute = true;
    u->scheme = str_sub(s, 0, n);
    char lower[32];
    for (size_t i = 0; i < n && n < sizeof(lower); i++)
        lower[i] = ascii_lower(s.p[i]);
    if (n < sizeof(lower)) { /* compared with known schemes below; compose() makes its own copy */
        struct string *copy = string_new(c, str_from(lower, n));
        if (!copy)
            return NULL;
        u->scheme = string_str(copy);
    }
    s = str_skip(s, n + 1);
    u->has_authority = str_starts_with(s, STR("//"));
    if (u->has_authority) {
        size_t end;
        s = str_skip(s, 2);
        for (end = 0; end < s.len && s.p[end] != '/' && s.p[end] != '?' && s.p[end] != '#' && s.p[end] != '\\';)
            end++;
        if (!read_authority(u, str_sub(s, 0, end))) {
            *problem = "Invalid URI: The hostname could not be parsed.";
            return NULL;
        }
        s = str_skip(s, end);
    } else if (default_port(u->scheme) >= 0) {
        *problem = "Invalid URI: The hostname could not be parsed.";
        return NULL;
    }
    cut_tail(s, &path, &query, &fragment);
    return compose(c, u, path, query, fragment) ? u : NULL;
}

static struct uri *
make(struct call *c, const struct type *type, struct str text, enum uri_kind kind)
{
    const char *problem;
    struct uri *u = parse_uri(c, type, text, kind, &problem);

    if (!u && problem)
        call_throw(c, EXC_URI_FORMAT, "%s", problem);
    return u;
}

struct object *
uri_new(struct call *c, const struct type *type, struct str text)
{
    struct uri *u = make(c, type, text, URI_ABSOLUTE);

    return u ? &u->head : NULL;
}

struct str
uri_original(const struct object *uri)
{
    return ((const struct uri *)uri)->original;
}

static struct uri *
self_of(const struct call *c)
{
    return (struct uri *)c->args[0].ref;
}

static bool
need_absolute(struct call *c)
{
    return self_of(c)->is_absolute ||
           call_throw(c, EXC_INVALID_OPERATION, "This operation is not supported for a relative URI.");
}

/* ToString(): escapes that stand for harmless characters are undone. */
static bool
readable(struct call *c, const struct uri *u, struct string **ret)
{
    struct buf b = call_buf(c);

    for (size_t i = 0; i < u->text.len; i++) {
        int high, low;
        if (u->text.p[i] != '%' || i + 2 >= u->text.len || (high = ascii_hex_value(u->text.p[i + 1])) < 0 ||
            (low = ascii_hex_value(u->text.p[i + 2])) < 0) {
            buf_add_char(&b, u->text.p[i]);
            continue;
        }
        unsigned char byte = (unsigned char)(high << 4 | low);
        if (byte < 0x80 ? byte > 0x20 && byte != 0x7f && !strchr(";/?:@&=+$,#[]%\\!'()*", byte) : true) {
            /* A sequence of UTF-8 is undone as a whole. */
            unsigned char sequence[4] = {byte};
            size_t n = 1, at = i + 3;
            while (byte >= 0x80 && n < 4 && at + 2 < u->text.len && u->text.p[at] == '%' && ascii_hex_value(u->text.p[at + 1]) >= 0) {
                sequence[n++] = (unsigned char)(ascii_hex_value(u->text.p[at + 1]) << 4 | ascii_hex_value(u->text.p[at + 2]));
                at += 3;
                if (utf8_sequence_len(str_from((char *)sequence, n), 0) == n)
                    break;
            }
            if (byte < 0x80 || utf8_sequence_len(str_from((char *)sequence, n), 0) == n) {
                buf_add(&b, sequence, n);
                i += n * 3 - 1;
                continue;
            }
        } else if (byte == 0x20) {
            buf_add_char(&b, ' ');
            i += 2;
            continue;
        }
        buf_add_char(&b, '%');
    }
    *ret = string_from_buf(c, &b);
    return *ret != NULL;
}

static bool
uri_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct uri *u = (const struct uri *)v.ref;

    if (u->is_absolute)
        return readable(c, u, ret);
    *ret = string_view(c, u->original);
    return *ret != NULL;
}

static bool
same_uri(const struct uri *a, const struct uri *b)
{
    size_t n = a->text.len - a->fragment.len, m = b->text.len - b->fragment.len;

    return a->is_absolute == b->is_absolute && str_eq(str_sub(a->text, 0, n), str_sub(b->text, 0, m));
}

static bool
uri_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.ref == b.ref || (a.ref && b.ref && same_uri((struct uri *)a.ref, (struct uri *)b.ref));
    return true;
}

static bool
uri_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    struct str s = ((struct uri *)v.ref)->text;
    uint32_t h = 17;

    for (size_t i = 0; i < s.len && s.p[i] != '#'; i++)
        h = h * 31 + (unsigned char)s.p[i];
    *ret = (int32_t)h;
    return true;
}

static const struct type_hooks uri_hooks = {.to_string = uri_to_string, .equals = uri_equals, .hash = uri_hash};

/* --- members ---------------------------------------------------------------------------------------------------------------------- */

static bool
create(struct call *c)
{
    if (!call_string(c, 0))
        return throw_argument_null(c, "uriString");
    return return_new(c, make(c, c->owner, call_str(c, 0), c->n_args > 1 ? (enum uri_kind)c->args[1].i64 : URI_ABSOLUTE));
}

/* Reference resolution of RFC 3986. */
static struct uri *
resolve(struct call *c, const struct type *type, const struct uri *base, struct str relative)
{
    struct str path, query, fragment;
    struct buf merged = call_buf(c);
    struct uri *u;

    if (scheme_len(relative))
        return make(c, type, relative, URI_ABSOLUTE);
    if (str_starts_with(relative, STR("//"))) {
        buf_add_str(&merged, base->scheme);
        buf_add_char(&merged, ':');
        buf_add_str(&merged, relative);
        return make(c, type, buf_str(&merged), URI_ABSOLUTE);
    }
    if (!(u = object_new(c, type, struct uri)))
        return NULL;
    *u = *base;
    u->head.type = type;
    u->port = base->is_default_port ? -1 : base->port;
    u->user = base->user;
    cut_tail(relative, &path, &query, &fragment);
    if (path.len == 0) {
        path = base->path;
        query = query.len ? query : base->query;
    } else if (path.p[0] != '/') {
        ptrdiff_t slash = str_rfind_char(base->path, '/');
        buf_add_str(&merged, str_sub(base->path, 0, (size_t)(slash + 1)));
        buf_add_str(&merged, path);
        path = buf_str(&merged);
    }
    if (!compose(c, u, path, query, fragment))
        return NULL;
    u->original = u->text;
    return u;
}

static bool
create_relative(struct call *c)
{
    const struct uri *base = (const struct uri *)c->args[0].ref;

    if (!base)
        return throw_argument_null(c, "baseUri");
    if (!base->is_absolute)
        return throw_argument_range(c, "baseUri", "The URI must be absolute.");
    return return_new(c, resolve(c, c->owner, base, call_str(c, 1)));
}

static bool
create_relative_uri(struct call *c)
{
    const struct uri *base = (const struct uri *)c->args[0].ref, *relative = (const struct uri *)c->args[1].ref;

    if (!base || !relative)
        return throw_argument_null(c, base ? "relativeUri" : "baseUri");
    if (!base->is_absolute)
        return throw_argument_range(c, "baseUri", "The URI must be absolute.");
    return return_new(c, resolve(c, c->owner, base, relative->original));
}

static bool
try_create(struct call *c)
{
    const char *problem;
    struct uri *u = NULL;

    if (call_string(c, 0)) {
        u = parse_uri(c, type_find_lit(c->run->env, "System.Uri"), call_str(c, 0), (enum uri_kind)c->args[1].i64, &problem);
        if (!u && !problem)
            return false;
    }
    c->args[2] = value_ref(u);
    return return_bool(c, u != NULL);
}

static bool
is_well_formed(struct call *c)
{
    const char *problem;
    struct uri *u;
    struct str s = call_str(c, 0);

    if (!call_string(c, 0))
        return return_bool(c, false);
    u = parse_uri(c, type_find_lit(c->run->env, "System.Uri"), s, (enum uri_kind)c->args[1].i64, &problem);
    if (!u && !problem)
        return false;
    for (size_t i = 0; u && i < s.len; i++)
        if ((s.p[i] & 0x80) || s.p[i] <= ' ' || strchr("\"<>\\^`{|}", s.p[i]))
            return return_bool(c, false);
    return return_bool(c, u != NULL);
}

#define PART(name, field) \
    static bool name(struct call *c) \
    { \
        return need_absolute(c) && return_new(c, string_view(c, self_of(c)->field.p ? self_of(c)->field : STR(""))); \
    }
PART(scheme, scheme)
PART(host, host)
PART(path, path)
PART(query, query)
PART(fragment, fragment)
PART(absolute_uri, text)
PART(user_info, user)

static bool original_string(struct call *c) { return return_new(c, string_view(c, self_of(c)->original)); }
static bool is_absolute(struct call *c) { return return_bool(c, self_of(c)->is_absolute); }
static bool port(struct call *c) { return need_absolute(c) && return_i64(c, self_of(c)->port); }
static bool is_default(struct call *c) { return need_absolute(c) && return_bool(c, self_of(c)->is_default_port); }
static bool is_file(struct call *c) { return need_absolute(c) && return_bool(c, str_eq_lit(self_of(c)->scheme, "file")); }
static bool no(struct call *c) { return return_bool(c, false); }

static bool
local_path(struct call *c)
{
    struct buf b = call_buf(c);

    if (!need_absolute(c))
        return false;
    codec_percent_decode(&b, self_of(c)->path, false);
    return return_new(c, string_from_buf(c, &b));
}

static bool
path_and_query(struct call *c)
{
    struct uri *u = self_of(c);

    return need_absolute(c) && return_new(c, string_view(c, str_from(u->path.p, u->path.len + u->query.len)));
}

static bool
authority(struct call *c)
{
    struct uri *u = self_of(c);

    if (!need_absolute(c))
        return false;
    if (u->is_default_port)
        return return_new(c, string_view(c, u->host));
    return return_new(c, string_printf(c, "%.*s:%d", STR_ARG(u->host), (int)u->port));
}

/* 0 unknown, 2 DNS, 3 IPv4, 4 IPv6 */
static int
host_kind(struct str host)
{
    char text[INET6_ADDRSTRLEN + 2];
    unsigned char bytes[16];

    if (!host.len)
        return 0;
    if (host.p[0] == '[')
        return 4;
    if (host.len < sizeof(text)) {
        memcpy(text, host.p, host.len);
        text[host.len] = '\0';
        if (inet_pton(AF_INET, text, bytes) == 1)
            return 3;
    }
    return 2;
}

static bool host_name_type(struct call *c) { return need_absolute(c) && return_i64(c, host_kind(self_of(c)->host)); }

static bool
check_host_name(struct call *c)
{
    return return_i64(c, host_kind(call_str(c, 0)));
}

static bool
is_loopback(struct call *c)
{
    struct str h = self_of(c)->host;

    return need_absolute(c) && return_bool(c, str_eq_lit(h, "localhost") || str_eq_lit(h, "loopback") || str_eq_lit(h, "127.0.0.1") ||
                                                  str_eq_lit(h, "[::1]"));
}

static bool
segments(struct call *c)
{
    struct str p = self_of(c)->path, v[256];
    uint32_t n = 0;

    if (!need_absolute(c))
        return false;
    for (size_t from = 0; from < p.len && n < COUNTOF(v);) {
        ptrdiff_t slash = n + 1 < COUNTOF(v) ? str_find_char(p, '/', from) : -1;
        size_t to = slash < 0 ? p.len : (size_t)slash + 1;
        v[n++] = str_sub(p, from, to);
        from = to;
    }
    return return_new(c, array_of_strings(c, v, n));
}

/* UriPartial: Scheme 0, Authority 1, Path 2, Query 3 */
static bool
get_left_part(struct call *c)
{
    struct uri *u = self_of(c);
    size_t end = u->scheme.len + (u->has_authority ? 3 : 1);

    if (!need_absolute(c))
        return false;
    switch (c->args[1].i64) {
    case 0: break;
    case 1: end = u->has_authority ? (size_t)(u->path.p - u->text.p) : 0; break;
    case 2: end = (size_t)(u->query.p - u->text.p); break;
    case 3: end = (size_t)(u->fragment.p - u->text.p); break;
    default: return throw_argument(c, "part", "The value is not a UriPartial.");
    }
    return return_new(c, string_view(c, str_sub(u->text, 0, end)));
}

/* Same scheme, host and port: what is left of the other path; else the other one. */
static bool
make_relative(struct call *c)
{
    struct uri *a = self_of(c), *b = (struct uri *)c->args[1].ref;
    struct buf out = call_buf(c);
    size_t common = 0, slash = 0;
    struct uri *u;

    if (!b)
        return throw_argument_null(c, "uri");
    if (!str_eq(a->scheme, b->scheme) || !str_eq(a->host, b->host) || a->port != b->port)
        return return_ref(c, b);
    for (; common < a->path.len && common < b->path.len && a->path.p[common] == b->path.p[common]; common++)
        if (a->path.p[common] == '/')
            slash = common + 1;
    for (size_t i = slash; i < a->path.len; i++)
        if (a->path.p[i] == '/')
            buf_add_lit(&out, "../");
    buf_add_str(&out, str_skip(b->path, slash));
    buf_add_str(&out, b->query);
    buf_add_str(&out, b->fragment);
    u = make(c, a->head.type, out.len ? buf_str(&out) : STR(""), URI_EITHER);
    return return_new(c, u);
}

static bool
is_base_of(struct call *c)
{
    struct uri *a = self_of(c), *b = (struct uri *)c->args[1].ref;
    ptrdiff_t slash = str_rfind_char(a->path, '/');

    if (!b)
        return throw_argument_null(c, "uri");
    return return_bool(c, str_eq(a->scheme, b->scheme) && str_eq(a->host, b->host) && a->port == b->port &&
                              str_starts_with(b->path, str_sub(a->path, 0, (size_t)(slash + 1))));
}

static bool equal(struct call *c)
{
    bool same = false;

    return uri_equals(c, NULL, c->args[0], c->args[1], &same) && return_bool(c, same);
}

static bool not_equal(struct call *c) { return equal(c) && return_bool(c, !c->ret.i64); }

static bool
to_string(struct call *c)
{
    struct string *s;

    return uri_to_string(c, NULL, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

/* --- escaping -------------------------------------------------------------------------------------------------------------------- */

static bool
escape_keeping(struct call *c, const char *keep, const char *parameter)
{
    struct buf utf8 = call_buf(c), b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, parameter);
    if (!call_charge(c, call_string(c, 0)->size / 16))
        return false;
    encoding_encode(TEXT_UTF8, call_str(c, 0), &utf8);
    codec_percent_encode(&b, utf8.len ? str_from(utf8.p, utf8.len) : STR(""), keep);
    return return_new(c, string_from_buf(c, &b));
}

static bool escape_data(struct call *c) { return escape_keeping(c, "-._~", "stringToEscape"); }

static bool
escape_uri(struct call *c)
{
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "stringToEscape");
    for (size_t i = 0; i < call_string(c, 0)->size; i++) {
        unsigned char byte = (unsigned char)call_string(c, 0)->p[i];
        if (ascii_is_alpha((char)byte) || ascii_is_digit((char)byte) || (byte && byte != '%' && strchr(reserved_and_more, byte)))
            buf_add_char(&b, (char)byte);
        else
            buf_printf(&b, "%%%02X", byte);
    }
    return return_new(c, string_from_buf(c, &b));
}

/* Escapes that make no UTF-8 stay as they are. */
static bool
unescape_data(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return throw_argument_null(c, "stringToUnescape");
    for (size_t i = 0; i < s.len;) {
        unsigned char sequence[4];
        size_t n = 0, at = i;
        if (s.p[i] != '%') {
            buf_add_char(&b, s.p[i++]);
            continue;
        }
        while (n < 4 && at + 2 < s.len && s.p[at] == '%' && ascii_hex_value(s.p[at + 1]) >= 0 && ascii_hex_value(s.p[at + 2]) >= 0) {
            sequence[n++] = (unsigned char)(ascii_hex_value(s.p[at + 1]) << 4 | ascii_hex_value(s.p[at + 2]));
            at += 3;
            if (utf8_sequence_len(str_from((char *)sequence, n), 0) == n)
                break;
        }
        if (n && utf8_sequence_len(str_from((char *)sequence, n), 0) == n) {
            buf_add(&b, sequence, n);
            i = at;
        } else {
            buf_add_char(&b, s.p[i++]);
        }
    }
    return return_new(c, string_from_buf(c, &b));
}

static bool
hex_escape(struct call *c)
{
    if (c->args[0].i64 > 255)
        return throw_argument_range(c, "character", "Specified argument was out of the range of valid values.");
    return return_new(c, string_printf(c, "%%%02X", (unsigned)c->args[0].i64));
}

static bool
is_hex_digit(struct call *c)
{
    return return_bool(c, c->args[0].i64 < 128 && ascii_hex_value((char)c->args[0].i64) >= 0);
}

static bool
check_scheme_name(struct call *c)
{
    struct str s = call_str(c, 0);
    bool ok = s.len && ascii_is_alpha(s.p[0]);

    for (size_t i = 1; ok && i < s.len; i++)
        ok = ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || strchr("+-.", s.p[i]);
    return return_bool(c, ok);
}

#define LITERAL(name, text) \
    static bool name(struct call *c) { return return_new(c, string_lit(c, text)); }
LITERAL(scheme_http, "http")
LITERAL(scheme_https, "https")
LITERAL(scheme_ftp, "ftp")
LITERAL(scheme_file, "file")
LITERAL(scheme_mailto, "mailto")
LITERAL(scheme_delimiter, "://")

#define U "Uri"

static const struct type_row types[] = {
    CLASS("System.Uri", NULL, NULL, &uri_hooks),
    ENUM("System.UriKind", "RelativeOrAbsolute = 0, Absolute = 1, Relative = 2"),
    ENUM("System.UriPartial", "Scheme = 0, Authority = 1, Path = 2, Query = 3"),
    ENUM("System.UriHostNameType", "Unknown = 0, Basic = 1, Dns = 2, IPv4 = 3, IPv6 = 4"),
};

static const struct member_row members[] = {
    M(U, "new(string uriString)", create),
    M(U, "new(string uriString, UriKind uriKind)", create),
    M(U, "new(Uri baseUri, string relativeUri)", create_relative),
    M(U, "new(Uri baseUri, Uri relativeUri)", create_relative_uri),
    M(U, "static bool TryCreate(string uriString, UriKind uriKind, out Uri result)", try_create),
    M(U, "static bool IsWellFormedUriString(string uriString, UriKind uriKind)", is_well_formed),
    M(U, "string Scheme { get; }", scheme),
    M(U, "string Host { get; }", host),
    M(U, "string DnsSafeHost { get; }", host),
    M(U, "string IdnHost { get; }", host),
    M(U, "int Port { get; }", port),
    M(U, "string Authority { get; }", authority),
    M(U, "string AbsolutePath { get; }", path),
    M(U, "string LocalPath { get; }", local_path),
    M(U, "string PathAndQuery { get; }", path_and_query),
    M(U, "string Query { get; }", query),
    M(U, "string Fragment { get; }", fragment),
    M(U, "string UserInfo { get; }", user_info),
    M(U, "string AbsoluteUri { get; }", absolute_uri),
    M(U, "string OriginalString { get; }", original_string),
    M(U, "string[] Segments { get; }", segments),
    M(U, "bool IsAbsoluteUri { get; }", is_absolute),
    M(U, "bool IsDefaultPort { get; }", is_default),
    M(U, "bool IsFile { get; }", is_file),
    M(U, "bool IsLoopback { get; }", is_loopback),
    M(U, "bool IsUnc { get; }", no),
    M(U, "bool UserEscaped { get; }", no),
    M(U, "UriHostNameType HostNameType { get; }", host_name_type),
    M(U, "static UriHostNameType CheckHostName(string name)", check_host_name),
    M(U, "static bool CheckSchemeName(string schemeName)", check_scheme_name),
    M(U, "string GetLeftPart(UriPartial part)", get_left_part),
    M(U, "Uri MakeRelativeUri(Uri uri)", make_relative),
    M(U, "bool IsBaseOf(Uri uri)", is_base_of),
    M(U, "static bool operator ==(Uri uri1, Uri uri2)", equal),
    M(U, "static bool operator !=(Uri uri1, Uri uri2)", not_equal),
    M(U, "string ToString()", to_string),
    M(U, "static string EscapeDataString(string stringToEscape)", escape_data),
    M(U, "static string EscapeUriString(string stringToEscape)", escape_uri),
    M(U, "static string UnescapeDataString(string stringToUnescape)", unescape_data),
    M(U, "static string HexEscape(char character)", hex_escape),
    M(U, "static bool IsHexDigit(char character)", is_hex_digit),
    M(U, "static string UriSchemeHttp { get; }", scheme_http),
    M(U, "static string UriSchemeHttps { get; }", scheme_https),
    M(U, "static string UriSchemeFtp { get; }", scheme_ftp),
    M(U, "static string UriSchemeFile { get; }", scheme_file),
    M(U, "static string UriSchemeMailto { get; }", scheme_mailto),
    M(U, "static string SchemeDelimiter { get; }", scheme_delimiter),
    M_LATER(U, "string GetComponents(int components, int format)"),
    M_LATER(U, "static int Compare(Uri uri1, Uri uri2, int partsToCompare, int compareFormat, StringComparison comparisonType)"),
};

const struct library clr_uri = LIBRARY("Uri", types, members);
