/* uri.c: the members of System.Uri.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/uri.h"

#include <arpa/inet.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "clr/families.h"
#include "clr/text.h"
#include "clr/uri_parts.h"

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

static bool
uri_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct uri *u = (const struct uri *)v.ref;

    *ret = u->is_absolute ? uri_readable(c, u->text) : string_view(c, u->original);
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
    return return_new(c, uri_make(c, c->owner, call_str(c, 0), c->n_args > 1 ? (enum uri_kind)c->args[1].i64 : URI_ABSOLUTE));
}

/* dontEscape is obsolete, and ignored. */
static bool
create_plain(struct call *c)
{
    c->n_args = 1;
    return create(c);
}

static bool
return_resolved(struct call *c, const struct uri *base, struct str relative)
{
    const char *problem;
    struct uri *u = uri_resolve(c, c->owner, base, relative, &problem);

    return !u && problem ? call_throw(c, EXC_URI_FORMAT, "%s", problem) : return_new(c, u);
}

static bool
create_relative(struct call *c)
{
    const struct uri *base = (const struct uri *)c->args[0].ref;

    if (!base)
        return throw_argument_null(c, "baseUri");
    if (!base->is_absolute)
        return throw_argument_range(c, "baseUri", "The URI must be absolute.");
    return return_resolved(c, base, call_str(c, 1));
}

static bool
create_relative_uri(struct call *c)
{
    const struct uri *base = (const struct uri *)c->args[0].ref, *relative = (const struct uri *)c->args[1].ref;

    if (!base || !relative)
        return throw_argument_null(c, base ? "relativeUri" : "baseUri");
    if (!base->is_absolute)
        return throw_argument_range(c, "baseUri", "The URI must be absolute.");
    return return_resolved(c, base, relative->original);
}

static bool
try_create(struct call *c)
{
    const char *problem;
    struct uri *u = NULL;

    if (call_string(c, 0)) {
        u = uri_read(c, type_find_lit(c->run->env, "System.Uri"), call_str(c, 0), (enum uri_kind)c->args[1].i64, &problem);
        if (!u && !problem)
            return false;
    }
    c->args[2] = value_ref(u);
    return return_bool(c, u != NULL);
}

/* (base, relative text or Uri, out) */
static bool
try_create_relative(struct call *c)
{
    const struct uri *base = (const struct uri *)c->args[0].ref;
    const struct object *relative = c->args[1].ref;
    const char *problem = NULL;
    struct uri *u = NULL;

    if (base && base->is_absolute && relative) {
        struct str text = relative->type->kind == TYPE_STRING ? string_str((const struct string *)relative) : uri_original(relative);
        u = uri_resolve(c, type_find_lit(c->run->env, "System.Uri"), base, text, &problem);
        if (!u && !problem)
            return false;
    }
    c->args[2] = value_ref(u);
    return return_bool(c, u != NULL);
}

/* A part of an address needs no escape: it holds none but whole ones and nothing that asks for one, or letters beyond ASCII beside no escape. */
static bool
is_well_formed_part(struct str s, bool may_be_foreign)
{
    bool is_plain = true, has_escape = false, is_foreign = false;

    for (size_t i = 0; i < s.len;) {
        size_t at = i;
        uint32_t ch = utf8_next(s, &i);
        if (ch == '%') {
            bool is_whole = at + 2 < s.len && ascii_hex_value(s.p[at + 1]) >= 0 && ascii_hex_value(s.p[at + 2]) >= 0;
            has_escape = true;
            is_plain = is_plain && is_whole;
            i = is_whole ? at + 3 : i;
        } else if (ch < ' ' || ch == '\\' || (ch >= 0x7f && ch < 0xa0) || (ch >= 0xfdd0 && ch <= 0xfdef) || (ch >= 0xfff0 && ch <= 0xffff)) {
            return false;
        } else if (ch >= 0x80) {
            is_foreign = true;
        } else if (strchr("{|}", (int)ch)) {
            return false;
        } else if (strchr(" \"#<>[]^`", (int)ch)) {
            is_plain = false;
        }
    }
    return is_foreign ? may_be_foreign && !has_escape : is_plain;
}

/* A letter beyond ASCII, or one that is escaped without need: .NET reads such an address with its escapes undone. */
static bool
is_international(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = s.p[i] == '%' && i + 2 < s.len ? ascii_hex_value(s.p[i + 1]) : -1, low = high < 0 ? -1 : ascii_hex_value(s.p[i + 2]);
        char meant = low < 0 ? 0 : (char)(high << 4 | low);
        if ((s.p[i] & 0x80) || (meant > 0 && (ascii_is_alpha(meant) || ascii_is_digit(meant) || strchr("-._~", meant))))
            return true;
    }
    return false;
}

/* Uri.IsWellFormedOriginalString() */
static bool
check_well_formed(struct call *c, const struct uri *u, bool *ret)
{
    struct str s = str_trim(u->original), user = STR(""), path, query, fragment;
    size_t end = 0;

    *ret = !u->is_drive_path && (u->is_absolute || is_well_formed_part(s, false));
    if (!*ret || !u->is_absolute)
        return true;
    if (is_international(s)) {
        struct string *readable = uri_readable(c, s);
        if (!readable)
            return false;
        s = string_str(readable);
    }
    s = str_skip(s, u->scheme.len + 1);
    if (u->has_authority) {
        s = str_skip(s, 2);
        while (end < s.len && !strchr("/?#\\", s.p[end]))
            end++;
        user = str_sub(s, 0, (size_t)(str_rfind_char(str_sub(s, 0, end), '@') + 1));
        s = str_skip(s, end);
    }
    uri_cut_tail(s, &path, &query, &fragment);
    *ret = is_well_formed_part(user, true) && is_well_formed_part(path, true) && is_well_formed_part(query, true) &&
           is_well_formed_part(fragment.len ? str_skip(fragment, 1) : fragment, true);
    return true;
}

static bool
is_well_formed_original(struct call *c)
{
    bool ok;

    return check_well_formed(c, self_of(c), &ok) && return_bool(c, ok);
}

static bool
is_well_formed(struct call *c)
{
    const char *problem;
    struct uri *u;
    bool ok = false;

    if (!call_string(c, 0))
        return return_bool(c, false);
    u = uri_read(c, type_find_lit(c->run->env, "System.Uri"), call_str(c, 0), (enum uri_kind)c->args[1].i64, &problem);
    if (!u)
        return problem && return_bool(c, false);
    return check_well_formed(c, u, &ok) && return_bool(c, ok);
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
    bool is_drive = str_eq_lit(self_of(c)->scheme, "file") && uri_has_drive(self_of(c)->path);
    codec_percent_decode(&b, self_of(c)->path, false);
    for (size_t i = 0; is_drive && i < b.len; i++)
        b.p[i] = b.p[i] == '/' ? '\\' : b.p[i];
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

static bool
host_name_type(struct call *c)
{
    const struct uri *u = self_of(c);

    return need_absolute(c) && return_i64(c, u->has_authority && !u->host.len ? HOST_BASIC : uri_host_kind(u->host));
}

/* Brackets and the zone of an IPv6 address are not for the DNS. */
static struct str
bare_host(struct str host)
{
    return host.len > 1 && host.p[0] == '[' ? str_sub(host, 1, host.len - 1) : host;
}

static bool dns_safe_host(struct call *c) { return need_absolute(c) && return_new(c, string_view(c, bare_host(self_of(c)->host))); }
static bool idn_host(struct call *c) { return need_absolute(c) && return_new(c, uri_idn_host(c, bare_host(self_of(c)->host))); }

static bool
check_host_name(struct call *c)
{
    struct str s = call_str(c, 0);
    unsigned char bytes[16];
    enum host_kind kind = HOST_DNS;
    char text[64];

    if (!s.len)
        return return_i64(c, HOST_UNKNOWN);
    if (s.len < sizeof(text)) {
        struct str bare = bare_host(s);
        memcpy(text, bare.p, bare.len);
        text[bare.len] = '\0';
        if (inet_pton(AF_INET6, text, bytes) == 1)
            return return_i64(c, HOST_IPV6);
        if (inet_pton(AF_INET, text, bytes) == 1)
            return return_i64(c, HOST_IPV4);
    }
    for (size_t i = 0; i < s.len && kind == HOST_DNS; i++) {
        if ((s.p[i] > 0 && strchr(" /\\:@?#[]%", s.p[i])) || (s.p[i] >= 0 && s.p[i] < ' '))
            kind = HOST_UNKNOWN;
        else if (!(s.p[i] & 0x80) && !ascii_is_alpha(s.p[i]) && !ascii_is_digit(s.p[i]) && !strchr("-._", s.p[i]))
            kind = HOST_BASIC;
    }
    return return_i64(c, kind);
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
    if (str_eq_lit(self_of(c)->scheme, "file") && uri_has_drive(p))
        p = str_from(p.p - 1, p.len + 1); /* the root before the drive counts */
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
    u = uri_make(c, a->head.type, out.len ? buf_str(&out) : STR(""), URI_EITHER);
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

static bool
check_scheme_name(struct call *c)
{
    struct str s = call_str(c, 0);
    bool ok = s.len && ascii_is_alpha(s.p[0]);

    for (size_t i = 1; ok && i < s.len; i++)
        ok = ascii_is_alpha(s.p[i]) || ascii_is_digit(s.p[i]) || strchr("+-.", s.p[i]);
    return return_bool(c, ok);
}

/* --- components ------------------------------------------------------------------------------------------------------------------- */

/* System.UriComponents. */
enum { PART_SCHEME = 1, PART_USER = 2, PART_HOST = 4, PART_PORT = 8, PART_PATH = 16, PART_QUERY = 32, PART_FRAGMENT = 64,
       PART_STRONG_PORT = 128, PART_NORMALIZED_HOST = 256, PART_KEEP_DELIMITER = 0x40000000 };
enum { FORMAT_ESCAPED = 1, FORMAT_UNESCAPED, FORMAT_SAFE };

static struct string *
in_format(struct call *c, struct str text, int64_t format)
{
    struct buf b = call_buf(c);

    if (format == FORMAT_ESCAPED)
        return string_new(c, text);
    if (format == FORMAT_SAFE)
        return uri_readable(c, text);
    codec_percent_decode(&b, text, false);
    return string_from_buf(c, &b);
}

/* The parts that `parts` asks for, with what stands between them; a part alone has its delimiter only when that is wanted. */
static struct string *
components(struct call *c, const struct uri *u, uint64_t parts, int64_t format)
{
    struct buf b = call_buf(c);
    uint64_t wanted = parts & 0x1ff;
    bool keep = parts & PART_KEEP_DELIMITER, alone = (wanted & (wanted - 1)) == 0;

    if (wanted & PART_SCHEME) {
        buf_add_str(&b, u->scheme);
        if (!alone || keep)
            buf_add_str(&b, u->has_authority ? STR("://") : STR(":"));
    }
    if ((wanted & PART_USER) && u->user.len) {
        buf_add_str(&b, u->user);
        if (!alone || keep)
            buf_add_char(&b, '@');
    }
    if (wanted & (PART_HOST | PART_NORMALIZED_HOST))
        buf_add_str(&b, u->host);
    if (u->port >= 0 && ((wanted & PART_STRONG_PORT) || ((wanted & PART_PORT) && !u->is_default_port)))
        buf_printf(&b, "%s%d", alone && !keep ? "" : ":", (int)u->port);
    if (wanted & PART_PATH)
        buf_add_str(&b, alone && !keep && u->path.len && u->path.p[0] == '/' ? str_skip(u->path, 1) : u->path);
    if (wanted & PART_QUERY)
        buf_add_str(&b, alone && !keep && u->query.len ? str_skip(u->query, 1) : u->query);
    if (wanted & PART_FRAGMENT)
        buf_add_str(&b, alone && !keep && u->fragment.len ? str_skip(u->fragment, 1) : u->fragment);
    return b.failed ? NULL : in_format(c, b.len ? buf_str(&b) : STR(""), format);
}

static bool
get_components(struct call *c)
{
    if (c->args[2].i64 < FORMAT_ESCAPED || c->args[2].i64 > FORMAT_SAFE)
        return throw_argument_range(c, "format", "Specified argument was out of the range of valid values.");
    return need_absolute(c) && return_new(c, components(c, self_of(c), c->args[1].u64, c->args[2].i64));
}

static bool
compare_parts(struct call *c)
{
    const struct uri *a = (const struct uri *)c->args[0].ref, *b = (const struct uri *)c->args[1].ref;
    enum string_comparison how = (enum string_comparison)c->args[4].i64;
    struct string *x, *y;

    if (!a || !b)
        return return_i64(c, (a != NULL) - (b != NULL));
    if (!a->is_absolute || !b->is_absolute) {
        if (a->is_absolute != b->is_absolute)
            return return_i64(c, a->is_absolute ? 1 : -1);
        return return_i64(c, text_compare_str(a->original, b->original, how));
    }
    x = components(c, a, c->args[2].u64, c->args[3].i64);
    y = components(c, b, c->args[2].u64, c->args[3].i64);
    return x && y && return_i64(c, text_compare(x, y, how));
}

static bool
equals_object(struct call *c)
{
    struct object *other = c->args[1].ref;
    const char *problem;
    bool same = false;

    if (other && other->type->kind == TYPE_STRING) {
        struct uri *u = uri_read(c, c->owner, string_str((struct string *)other), URI_EITHER, &problem);
        if (!u)
            return problem && return_bool(c, false);
        other = &u->head;
    }
    return return_bool(c, other && other->type == c->owner) &&
           (!c->ret.i64 || (uri_equals(c, c->owner, c->args[0], value_ref(other), &same) && return_bool(c, same)));
}

static bool
make_relative_text(struct call *c)
{
    struct string *s;

    return make_relative(c) && uri_to_string(c, c->owner, c->ret, STR_NONE, &s) && return_ref(c, s);
}

#define LITERAL(name, text) \
    static bool name(struct call *c) { return return_new(c, string_lit(c, text)); }
LITERAL(scheme_http, "http")
LITERAL(scheme_https, "https")
LITERAL(scheme_ftp, "ftp")
LITERAL(scheme_file, "file")
LITERAL(scheme_mailto, "mailto")
LITERAL(scheme_gopher, "gopher")
LITERAL(scheme_net_pipe, "net.pipe")
LITERAL(scheme_net_tcp, "net.tcp")
LITERAL(scheme_news, "news")
LITERAL(scheme_nntp, "nntp")
LITERAL(scheme_delimiter, "://")

#define U "Uri"

static const struct type_row types[] = {
    CLASS("System.Uri", NULL, NULL, &uri_hooks),
    ENUM("System.UriKind", "RelativeOrAbsolute = 0, Absolute = 1, Relative = 2"),
    ENUM("System.UriPartial", "Scheme = 0, Authority = 1, Path = 2, Query = 3"),
    ENUM_FLAGS("System.UriComponents",
               "Scheme = 1, UserInfo = 2, Host = 4, Port = 8, SchemeAndServer = 13, Path = 16, Query = 32, PathAndQuery = 48, "
               "HttpRequestUrl = 61, Fragment = 64, AbsoluteUri = 127, StrongPort = 128, HostAndPort = 132, StrongAuthority = 134, "
               "NormalizedHost = 256, KeepDelimiter = 1073741824"),
    ENUM("System.UriFormat", "UriEscaped = 1, Unescaped = 2, SafeUnescaped = 3"),
    ENUM("System.UriHostNameType", "Unknown = 0, Basic = 1, Dns = 2, IPv4 = 3, IPv6 = 4"),
};

static const struct member_row members[] = {
    M(U, "new(string uriString)", create),
    M(U, "new(string uriString, UriKind uriKind)", create),
    M(U, "new(Uri baseUri, string relativeUri)", create_relative),
    M(U, "new(Uri baseUri, Uri relativeUri)", create_relative_uri),
    M(U, "new(string uriString, bool dontEscape)", create_plain),
    M(U, "new(Uri baseUri, string relativeUri, bool dontEscape)", create_relative),
    M(U, "static bool TryCreate(string uriString, UriKind uriKind, out Uri result)", try_create),
    M(U, "static bool TryCreate(Uri baseUri, string relativeUri, out Uri result)", try_create_relative),
    M(U, "static bool TryCreate(Uri baseUri, Uri relativeUri, out Uri result)", try_create_relative),
    M(U, "static bool IsWellFormedUriString(string uriString, UriKind uriKind)", is_well_formed),
    M(U, "string Scheme { get; }", scheme),
    M(U, "string Host { get; }", host),
    M(U, "string DnsSafeHost { get; }", dns_safe_host),
    M(U, "string IdnHost { get; }", idn_host),
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
    M(U, "static string UriSchemeHttp { get; }", scheme_http),
    M(U, "static string UriSchemeHttps { get; }", scheme_https),
    M(U, "static string UriSchemeFtp { get; }", scheme_ftp),
    M(U, "static string UriSchemeFile { get; }", scheme_file),
    M(U, "static string UriSchemeMailto { get; }", scheme_mailto),
    M(U, "static string SchemeDelimiter { get; }", scheme_delimiter),
    M(U, "static string UriSchemeGopher { get; }", scheme_gopher),
    M(U, "static string UriSchemeNetPipe { get; }", scheme_net_pipe),
    M(U, "static string UriSchemeNetTcp { get; }", scheme_net_tcp),
    M(U, "static string UriSchemeNews { get; }", scheme_news),
    M(U, "static string UriSchemeNntp { get; }", scheme_nntp),
    M(U, "string GetComponents(UriComponents components, UriFormat format)", get_components),
    M(U,
      "static int Compare(Uri uri1, Uri uri2, UriComponents partsToCompare, UriFormat compareFormat, StringComparison comparisonType)",
      compare_parts),
    M(U, "bool Equals(object comparand)", equals_object),
    M(U, "string MakeRelative(Uri toUri)", make_relative_text),
    M(U, "bool IsWellFormedOriginalString()", is_well_formed_original),
};

const struct library clr_uri = LIBRARY("Uri", types, members);
