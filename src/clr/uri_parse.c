/* uri_parse.c: text as a System.Uri, and Uris resolved against each other.
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>

#include "base/num.h"
#include "base/utf8.h"
#include "clr/text.h"
#include "clr/uri.h"
#include "clr/uri_parts.h"

const char uri_reserved_and_more[] = "-._~:/?#[]@!$&'()*+,;=%";

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

static bool
has_slashes_only(struct str scheme)
{
    return str_eq_lit(scheme, "http") || str_eq_lit(scheme, "https") || str_eq_lit(scheme, "ws") || str_eq_lit(scheme, "wss") ||
           str_eq_lit(scheme, "ftp") || str_eq_lit(scheme, "file");
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

bool
uri_has_drive(struct str s)
{
    return s.len > 1 && ascii_is_alpha(s.p[0]) && s.p[1] == ':';
}

static bool
is_unreserved(unsigned char c)
{
    return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || (c && strchr("-._~", c));
}

/* What a URI may not hold as it is becomes %XX; a '%' with two digits stays (but for letters and digits, which need none), another
 * one is escaped. */
static void
add_escaped(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_escape = c == '%' && i + 2 < s.len && ascii_hex_value(s.p[i + 1]) >= 0 && ascii_hex_value(s.p[i + 2]) >= 0;
        if (is_escape) {
            unsigned char meant = (unsigned char)(ascii_hex_value(s.p[i + 1]) << 4 | ascii_hex_value(s.p[i + 2]));
            if (is_unreserved(meant)) {
                buf_add_char(to, (char)meant);
                i += 2;
                continue;
            }
        }
        if (c == 0xed && i + 2 < s.len && (unsigned char)s.p[i + 1] >= 0xa0) { /* half of a pair has no UTF-8 */
            buf_add_lit(to, "%EF%BF%BD");
            i += 2;
            continue;
        }
        if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || is_escape || (c && c != '%' && strchr(uri_reserved_and_more, c)))
            buf_add_char(to, (char)c);
        else
            buf_printf(to, "%%%02X", c);
    }
}

/* Path segments with "." and ".." resolved, appended behind to->len. In the schemes of the web a backslash is a slash. */
static void
add_segments(struct buf *to, struct str path, bool backslash)
{
    size_t root = to->len;
    struct buf slashed = {.arena = to->arena};
    struct str rest, segment;

    if (backslash) {
        buf_add_str(&slashed, path);
        for (size_t i = 0; i < slashed.len; i++)
            slashed.p[i] = slashed.p[i] == '\\' ? '/' : slashed.p[i];
        path = slashed.len ? buf_str(&slashed) : STR("");
    }
    rest = path.len ? path : STR("");
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

static void
add_path(struct buf *to, struct str path, bool backslash)
{
    struct buf slashed = {.arena = to->arena}, escaped = {.arena = to->arena};

    buf_add_str(&slashed, path);
    for (size_t i = 0; backslash && i < slashed.len; i++)
        slashed.p[i] = slashed.p[i] == '\\' ? '/' : slashed.p[i];
    add_escaped(&escaped, slashed.len ? buf_str(&slashed) : STR(""));
    add_segments(to, escaped.len ? buf_str(&escaped) : STR(""), false);
}

static const char bad_host[] = "Invalid URI: The hostname could not be parsed.";

/* A host of digits and dots, or hexadecimal ones, is an address in one of its short forms; it is written in full. */
static bool
canonical_ipv4(struct call *c, struct str *host)
{
    char text[64];
    struct in_addr address;
    struct string *full;

    if (!host->len || host->len >= sizeof(text) || !ascii_is_digit(host->p[0]))
        return true;
    memcpy(text, host->p, host->len);
    text[host->len] = '\0';
    if (inet_aton(text, &address) == 0)
        return true;
    inet_ntop(AF_INET, &address, text, sizeof(text));
    if (!(full = string_new(c, str_from_c(text))))
        return false;
    *host = string_str(full);
    return true;
}

/* host, host:port, [v6]:port, user@... NULL, or what is wrong. */
static const char *
read_authority(struct call *c, struct uri *u, struct str s)
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
            return bad_host;
        if ((size_t)end + 1 < host.len && host.p[end + 1] == ':')
            port = str_skip(host, (size_t)end + 2);
        else if ((size_t)end + 1 < host.len)
            return bad_host;
        host = str_sub(host, 0, (size_t)end + 1);
    } else if ((colon = str_rfind_char(host, ':')) >= 0) {
        port = str_skip(host, (size_t)colon + 1);
        host = str_sub(host, 0, (size_t)colon);
    }
    u->host = host;
    if (port.len) {
        if (!num_parse_u32(port, 65535, &number, NULL))
            return "Invalid URI: Invalid port specified.";
        u->port = (int32_t)number;
    }
    if (!host.len)
        return str_eq_lit(u->scheme, "file") ? NULL : bad_host;
    for (size_t i = 0; i < host.len; i++)
        if (!(ascii_is_alpha(host.p[i]) || ascii_is_digit(host.p[i]) || (host.p[i] & 0x80) || strchr("-._~[]:%!$&'()*+,;=", host.p[i])))
            return bad_host;
    if (host.p[0] == '.' || host.p[host.len - 1] == '-')
        return bad_host;
    return canonical_ipv4(c, &u->host) ? NULL : bad_host;
}

void
uri_cut_tail(struct str tail, struct str *path, struct str *query, struct str *fragment)
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
    if (u->has_authority)
        buf_add_lit(&b, "//");
    if (u->user.p) {
        add_escaped(&b, u->user);
        buf_add_char(&b, '@');
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
        add_path(&b, path, has_slashes_only(u->scheme));
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
    if (str_eq_lit(u->scheme, "file") && uri_has_drive(str_skip(u->path, 1)))
        u->path = str_skip(u->path, 1); /* a drive is no root */
    u->query = str_sub(u->text, query_at, fragment_at);
    u->fragment = str_skip(u->text, fragment_at);
    return true;
}

/* "1http://x": what stands before "://" is no scheme. */
static bool
has_bad_scheme(struct str s)
{
    ptrdiff_t colon = str_find_char(s, ':', 0);

    return colon > 0 && str_find_char(str_sub(s, 0, (size_t)colon), '/', 0) < 0 && !scheme_len(s);
}

/* "C:\\a#b" is the file's address "file:///C:/a%23b". */
static struct str
drive_address(struct call *c, struct str s)
{
    struct buf b = call_buf(c);

    buf_add_lit(&b, "file:///");
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] == '?' || s.p[i] == '#')
            buf_printf(&b, "%%%02X", s.p[i]);
        else
            buf_add_char(&b, s.p[i]);
    }
    return buf_str(&b);
}

struct uri *
uri_read(struct call *c, const struct type *type, struct str text, enum uri_kind kind, const char **problem)
{
    struct uri *u = object_new(c, type, struct uri);
    struct str s = str_trim(text), path, query, fragment;
    size_t n = scheme_len(s);

    *problem = NULL;
    if (!u)
        return NULL;
    u->original = text;
    u->port = -1;
    if (kind != URI_RELATIVE && uri_has_drive(s)) {
        if (s.len < 3 || (s.p[2] != '/' && s.p[2] != '\\')) {
            *problem = "Invalid URI: A Dos path must be rooted, for example, 'c:\\'.";
            return NULL;
        }
        s = drive_address(c, s);
        if (!s.p)
            return call_exceed(c, BUDGET_BYTES), NULL;
        u->is_drive_path = true;
        n = scheme_len(s);
    }
    if (!n || kind == URI_RELATIVE) {
        /* "/a" alone is a file's path on Unix; as in .NET it counts as relative when that is allowed. */
        if (kind == URI_ABSOLUTE || (kind == URI_RELATIVE && n)) {
            *problem = s.len == 0 ? "Invalid URI: The URI is empty."
                       : has_bad_scheme(s) ? "Invalid URI: The URI scheme is not valid."
                       : n        ? "A relative URI cannot be created because the 'uriString' parameter represents an absolute URI."
                                  : "Invalid URI: The format of the URI could not be determined.";
            return NULL;
        }
        u->text = text;
        uri_cut_tail(text, &u->path, &u->query, &u->fragment);
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
        if ((*problem = read_authority(c, u, str_sub(s, 0, end))))
            return NULL;
        s = str_skip(s, end);
    } else if (default_port(u->scheme) >= 0) {
        *problem = bad_host;
        return NULL;
    }
    uri_cut_tail(s, &path, &query, &fragment);
    if (str_eq_lit(u->scheme, "mailto")) {
        ptrdiff_t at = str_find_char(path, '@', 0);
        u->user = at < 0 ? STR_NONE : str_sub(path, 0, (size_t)at);
        u->host = at < 0 ? path : str_skip(path, (size_t)at + 1);
        path = STR("");
    }
    return compose(c, u, path, query, fragment) ? u : NULL;
}

struct uri *
uri_make(struct call *c, const struct type *type, struct str text, enum uri_kind kind)
{
    const char *problem;
    struct uri *u = uri_read(c, type, text, kind, &problem);

    if (!u && problem)
        call_throw(c, EXC_URI_FORMAT, "%s", problem);
    return u;
}

struct object *
uri_new(struct call *c, const struct type *type, struct str text)
{
    struct uri *u = uri_make(c, type, text, URI_ABSOLUTE);

    return u ? &u->head : NULL;
}

struct object *
uri_new_any(struct call *c, const struct type *type, struct str text)
{
    struct uri *u = uri_make(c, type, text, URI_EITHER);

    return u ? &u->head : NULL;
}

struct str
uri_original(const struct object *uri)
{
    return ((const struct uri *)uri)->original;
}

/* OriginalString of what `relative` is under `base`: nothing of it escaped, and of the base what reads as well without. */
static bool
write_original(struct call *c, struct uri *u, const struct uri *base, struct str relative)
{
    struct buf b = call_buf(c), merged = call_buf(c);
    struct str path, query, fragment;
    bool is_drive = base->path.len && base->path.p[0] != '/'; /* the slash before it belongs to the path here */
    struct string *server = uri_readable(c, str_sub(base->text, 0, (size_t)(base->path.p - base->text.p) - is_drive));

    if (!server)
        return false;
    uri_cut_tail(relative, &path, &query, &fragment);
    if (!path.len) {
        const char *end = query.len ? base->query.p : base->fragment.p;
        buf_add_str(&b, str_sub(base->text, 0, (size_t)(end - base->text.p)));
        buf_add_str(&b, relative);
    } else if (path.p[0] == '/') {
        buf_add_str(&b, string_str(server));
        buf_add_str(&b, relative);
    } else {
        struct string *folder = uri_readable(c, str_sub(base->path, 0, (size_t)(str_rfind_char(base->path, '/') + 1)));
        if (!folder)
            return false;
        buf_add_str(&merged, string_str(folder));
        buf_add_str(&merged, path);
        path = buf_str(&merged);
        if (!path.p)
            return call_exceed(c, BUDGET_BYTES);
        buf_add_str(&b, string_str(server));
        add_segments(&b, path, has_slashes_only(base->scheme));
        buf_add_str(&b, query);
        buf_add_str(&b, fragment);
    }
    u->original = buf_str(&b);
    return u->original.p || call_exceed(c, BUDGET_BYTES);
}

/* "https:a" under an address of that scheme: what stands behind it. */
static bool
cut_own_scheme(const struct uri *base, struct str *relative)
{
    size_t n = scheme_len(*relative);

    if (!n || !str_eq_nocase(str_sub(*relative, 0, n), base->scheme) || default_port(base->scheme) < 0 ||
        str_starts_with(str_skip(*relative, n + 1), STR("//")))
        return false;
    *relative = str_skip(*relative, n + 1);
    return true;
}

struct uri *
uri_resolve(struct call *c, const struct type *type, const struct uri *base, struct str relative, const char **problem)
{
    struct str path, query, fragment;
    struct buf merged = call_buf(c);
    bool has_own_scheme;
    struct uri *u;

    *problem = NULL;
    relative = str_trim(relative);
    has_own_scheme = cut_own_scheme(base, &relative);
    if (relative.len == 0) { /* the base as it is, fragment included */
        struct string *readable = has_own_scheme ? string_view(c, base->original) : uri_readable(c, base->text);
        return readable ? uri_read(c, type, string_str(readable), URI_ABSOLUTE, problem) : NULL;
    }
    if (has_own_scheme && strchr("?#", relative.p[0])) { /* "https:?a" is asked of the folder, "?a" of the base itself */
        buf_add_lit(&merged, "./");
        buf_add_str(&merged, relative);
        relative = buf_str(&merged);
        merged = call_buf(c);
        if (!relative.p)
            return call_exceed(c, BUDGET_BYTES), NULL;
    }
    if (scheme_len(relative) || uri_has_drive(relative))
        return uri_read(c, type, relative, URI_ABSOLUTE, problem);
    if (str_starts_with(relative, STR("//"))) {
        buf_add_str(&merged, base->scheme);
        buf_add_char(&merged, ':');
        buf_add_str(&merged, relative);
        return uri_read(c, type, buf_str(&merged), URI_ABSOLUTE, problem);
    }
    if (!(u = object_new(c, type, struct uri)))
        return NULL;
    *u = *base;
    u->head.type = type;
    u->is_drive_path = false;
    u->port = base->is_default_port ? -1 : base->port;
    u->user = base->user;
    uri_cut_tail(relative, &path, &query, &fragment);
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
    return !base->has_authority || write_original(c, u, base, relative) ? u : NULL;
}

struct string *
uri_readable(struct call *c, struct str text)
{
    struct buf b = call_buf(c);

    for (size_t i = 0; i < text.len; i++) {
        int high, low;
        if (text.p[i] != '%' || i + 2 >= text.len || (high = ascii_hex_value(text.p[i + 1])) < 0 ||
            (low = ascii_hex_value(text.p[i + 2])) < 0) {
            buf_add_char(&b, text.p[i]);
            continue;
        }
        unsigned char byte = (unsigned char)(high << 4 | low);
        if (byte < 0x80 ? byte > 0x20 && byte != 0x7f && !strchr(";/?:@&=+$,#[]%\\!'()*", byte) : true) {
            /* A sequence of UTF-8 is undone as a whole. */
            unsigned char sequence[4] = {byte};
            size_t n = 1, at = i + 3;
            while (byte >= 0x80 && n < 4 && at + 2 < text.len && text.p[at] == '%' && ascii_hex_value(text.p[at + 1]) >= 0) {
                sequence[n++] = (unsigned char)(ascii_hex_value(text.p[at + 1]) << 4 | ascii_hex_value(text.p[at + 2]));
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
    return string_from_buf(c, &b);
}

/* --- hosts ------------------------------------------------------------------------------------------------------------------------ */

enum host_kind
uri_host_kind(struct str host)
{
    char text[INET6_ADDRSTRLEN + 2];
    unsigned char bytes[16];

    if (!host.len)
        return HOST_UNKNOWN;
    if (host.p[0] == '[')
        return HOST_IPV6;
    if (host.len < sizeof(text)) {
        memcpy(text, host.p, host.len);
        text[host.len] = '\0';
        if (inet_pton(AF_INET, text, bytes) == 1)
            return HOST_IPV4;
    }
    return HOST_DNS;
}

/* --- Punycode (RFC 3492) ----------------------------------------------------------------------------------------------------- */

enum { PUNY_BASE = 36, PUNY_TMIN = 1, PUNY_TMAX = 26, PUNY_SKEW = 38, PUNY_DAMP = 700, PUNY_BIAS = 72, LABEL_MAX = 63 };

static uint32_t
adapted_bias(uint32_t delta, uint32_t n, bool is_first)
{
    uint32_t k = 0;

    delta = is_first ? delta / PUNY_DAMP : delta / 2;
    for (delta += delta / n; delta > (PUNY_BASE - PUNY_TMIN) * PUNY_TMAX / 2; k += PUNY_BASE)
        delta /= PUNY_BASE - PUNY_TMIN;
    return k + (PUNY_BASE - PUNY_TMIN + 1) * delta / (delta + PUNY_SKEW);
}

static void
add_variable(struct buf *to, uint32_t q, uint32_t bias)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (uint32_t k = PUNY_BASE;; k += PUNY_BASE) {
        uint32_t t = k <= bias ? PUNY_TMIN : k >= bias + PUNY_TMAX ? PUNY_TMAX : k - bias;
        if (q < t)
            break;
        buf_add_char(to, digits[t + (q - t) % (PUNY_BASE - t)]);
        q = (q - t) / (PUNY_BASE - t);
    }
    buf_add_char(to, digits[q]);
}

/* A label that is not ASCII, at most LABEL_MAX characters of it. */
static void
add_punycode(struct buf *to, const uint32_t *v, uint32_t n)
{
    uint32_t next = 0x80, delta = 0, bias = PUNY_BIAS, handled = 0, basic;

    buf_add_lit(to, "xn--");
    for (uint32_t i = 0; i < n; i++)
        if (v[i] < 0x80) {
            buf_add_char(to, ascii_lower((char)v[i]));
            handled++;
        }
    basic = handled;
    if (basic)
        buf_add_char(to, '-');
    while (handled < n) {
        uint32_t least = UINT32_MAX;
        for (uint32_t i = 0; i < n; i++)
            if (v[i] >= next && v[i] < least)
                least = v[i];
        delta += (least - next) * (handled + 1);
        next = least;
        for (uint32_t i = 0; i < n; i++) {
            delta += v[i] < next;
            if (v[i] != next)
                continue;
            add_variable(to, delta, bias);
            bias = adapted_bias(delta, handled + 1, handled == basic);
            delta = 0;
            handled++;
        }
        delta++;
        next++;
    }
}

struct string *
uri_idn_host(struct call *c, struct str host)
{
    struct buf b = call_buf(c);
    struct str rest = host, label;
    bool is_first = true;

    while (str_split_next(&rest, '.', &label)) {
        uint32_t v[LABEL_MAX], n = 0;
        bool is_ascii = utf8_is_ascii(label);
        if (!is_first)
            buf_add_char(&b, '.');
        is_first = false;
        for (size_t i = 0; !is_ascii && i < label.len && n < LABEL_MAX;)
            v[n++] = text_lower(utf8_next(label, &i));
        if (is_ascii)
            buf_add_str(&b, label);
        else
            add_punycode(&b, v, n);
    }
    return string_from_buf(c, &b);
}
