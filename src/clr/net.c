/* net.c: System.Net.WebUtility and System.Net.IPAddress.
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/string_io.h"
#include "clr/values.h"

/* --- WebUtility ------------------------------------------------------------------------------------------------------------------- */

static void
add_url_encoded(struct buf *to, struct str bytes)
{
    static const char keep[] = "-_.!*()";

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.p[i];
        if (ascii_is_alpha((char)byte) || ascii_is_digit((char)byte) || (byte && strchr(keep, byte)))
            buf_add_char(to, (char)byte);
        else if (byte == ' ')
            buf_add_char(to, '+');
        else
            buf_printf(to, "%%%02X", byte);
    }
}

static bool
url_encode(struct call *c)
{
    struct buf b = call_buf(c), utf8 = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    encoding_encode(TEXT_UTF8, call_str(c, 0), &utf8);
    add_url_encoded(&b, utf8.len ? buf_str(&utf8) : STR(""));
    return return_new(c, string_from_buf(c, &b));
}

/* (bytes, offset, count): false with *ret_null for null bytes, false after throwing otherwise. */
static bool
bytes_argument(struct call *c, struct str *ret, bool *ret_null)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;
    int64_t at = call_i32(c, 1), n = call_i32(c, 2);

    *ret_null = !bytes && n == 0;
    if (*ret_null)
        return false;
    if (!bytes)
        return throw_argument_null(c, "bytes");
    if (at < 0 || at > bytes->n)
        return throw_argument_range(c, "offset", "Specified argument was out of the range of valid values.");
    if (n < 0 || n > bytes->n - at)
        return throw_argument_range(c, "count", "Specified argument was out of the range of valid values.");
    *ret = str_from((const char *)bytes->u.bytes + at, (size_t)n);
    return true;
}

static bool
return_buf_bytes(struct call *c, struct buf *b)
{
    return b->failed ? call_exceed(c, BUDGET_BYTES) : return_new(c, array_of_bytes(c, b->p, (uint32_t)b->len));
}

static bool
url_encode_bytes(struct call *c)
{
    struct buf b = call_buf(c);
    struct str bytes;
    bool is_null;

    if (!bytes_argument(c, &bytes, &is_null))
        return is_null && return_ref(c, NULL);
    add_url_encoded(&b, bytes);
    return return_buf_bytes(c, &b);
}

static bool
url_decode_bytes(struct call *c)
{
    struct buf b = call_buf(c);
    struct str bytes;
    bool is_null;

    if (!bytes_argument(c, &bytes, &is_null))
        return is_null && return_ref(c, NULL);
    codec_percent_decode(&b, bytes, true);
    return return_buf_bytes(c, &b);
}

static bool
url_decode(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    /* Escapes and ASCII are bytes of UTF-8; other characters stay as they are, halves of pairs among them. */
    for (size_t i = 0, from; i < s.len && !b.failed;) {
        struct buf bytes = call_buf(c);
        for (from = i; i < s.len && !(s.p[i] & 0x80); i++)
            ;
        codec_percent_decode(&bytes, str_sub(s, from, i), true);
        encoding_decode(TEXT_UTF8, bytes.len ? buf_str(&bytes) : STR(""), &b);
        for (from = i; i < s.len && (s.p[i] & 0x80); i++)
            ;
        buf_add_str(&b, str_sub(s, from, i));
    }
    return return_new(c, string_from_buf(c, &b));
}

static bool
html_encode(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    for (size_t i = 0; i < s.len && !b.failed;) {
        size_t from = i;
        uint32_t code_point = utf8_next(s, &i);
        switch (code_point) {
        case '<': buf_add_lit(&b, "&lt;"); break;
        case '>': buf_add_lit(&b, "&gt;"); break;
        case '"': buf_add_lit(&b, "&quot;"); break;
        case '\'': buf_add_lit(&b, "&#39;"); break;
        case '&': buf_add_lit(&b, "&amp;"); break;
        default:
            if ((code_point >= 160 && code_point < 256) || code_point >= 0x10000)
                buf_printf(&b, "&#%u;", code_point);
            else
                buf_add_str(&b, str_sub(s, from, i));
        }
    }
    return return_new(c, string_from_buf(c, &b));
}

struct html_entity {
    struct str name;
    uint32_t code_point;
};

static const struct html_entity html_entities[] = {
#define ENTITY(name, code_point) {STR_INIT(name), code_point},
#include "clr/html_entities.def"
#undef ENTITY
};

/* The code point that "&...;" between the marks stands for; 0: none. */
static uint32_t
entity_value(struct str s)
{
    uint32_t n = 0;
    bool hex = s.len > 1 && (s.p[1] == 'x' || s.p[1] == 'X');

    if (s.len > 1 && s.p[0] == '#') {
        for (size_t i = hex ? 2 : 1; i < s.len; i++) {
            int digit = ascii_hex_value(s.p[i]);
            if (digit < 0 || (!hex && digit > 9) || n > 0x10ffff)
                return 0;
            n = n * (hex ? 16 : 10) + (uint32_t)digit;
        }
        return n > 0x10ffff || (n >= 0xd800 && n < 0xe000) ? 0 : n;
    }
    for (size_t i = 0; i < COUNTOF(html_entities); i++)
        if (str_eq(html_entities[i].name, s))
            return html_entities[i].code_point;
    return 0;
}

static bool
html_decode(struct call *c)
{
    struct str s = call_str(c, 0);
    struct buf b = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    for (size_t i = 0; i < s.len && !b.failed; i++) {
        ptrdiff_t end = s.p[i] == '&' ? str_find_char(str_sub(s, 0, MIN(s.len, i + 14)), ';', i) : -1;
        uint32_t code_point = end < 0 ? 0 : entity_value(str_sub(s, i + 1, (size_t)end));
        char room[4];
        if (!code_point) {
            buf_add_char(&b, s.p[i]);
            continue;
        }
        buf_add(&b, room, utf8_put(room, code_point));
        i = (size_t)end;
    }
    return return_new(c, string_from_buf(c, &b));
}

/* (value, TextWriter) */
static bool
written(struct call *c, bool (*fn)(struct call *c))
{
    if (!c->args[1].ref)
        return throw_argument_null(c, "output");
    return fn(c) && (!c->ret.ref || writer_add(c, c->args[1].ref, string_str((struct string *)c->ret.ref)));
}

static bool html_encode_to(struct call *c) { return written(c, html_encode); }
static bool html_decode_to(struct call *c) { return written(c, html_decode); }

/* --- IPAddress --------------------------------------------------------------------------------------------------------------------- */

struct address {
    struct object head;
    uint8_t bytes[16];
    uint8_t n;                        /* 4 or 16 */
    uint32_t scope;
};

static struct address *
self_of(const struct call *c)
{
    return (struct address *)c->args[0].ref;
}

/* 1 to 4 parts, each decimal, 0x or octal, the last one filling the rest, as inet_aton. */
static bool
parse_address(struct str s, struct address *a)
{
    char text[INET6_ADDRSTRLEN + 32];
    char *percent;
    struct in_addr v4;

    if (s.len == 0 || s.len >= sizeof(text))
        return false;
    if (s.p[0] == '[' && s.p[s.len - 1] == ']')
        s = str_sub(s, 1, s.len - 1);
    memcpy(text, s.p, s.len);
    text[s.len] = '\0';
    if (strlen(text) != s.len || strpbrk(text, " \t\r\n"))
        return false;
    if (strchr(text, ':')) {
        if ((percent = strchr(text, '%'))) {
            *percent++ = '\0';
            a->scope = (uint32_t)strtoul(percent, NULL, 10);
        }
        a->n = 16;
        return inet_pton(AF_INET6, text, a->bytes) == 1;
    }
    a->n = 4;
    if (inet_aton(text, &v4) != 1)
        return false;
    memcpy(a->bytes, &v4, 4);
    return true;
}

static bool
address_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    const struct address *a = (const struct address *)v.ref;
    char text[INET6_ADDRSTRLEN];

    inet_ntop(a->n == 4 ? AF_INET : AF_INET6, a->bytes, text, sizeof(text));
    *ret = a->scope ? string_printf(c, "%s%%%u", text, a->scope) : string_new(c, str_from_c(text));
    return *ret != NULL;
}

static bool
address_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    const struct address *x = (const struct address *)a.ref, *y = (const struct address *)b.ref;

    *ret = x == y || (x && y && x->n == y->n && x->scope == y->scope && memcmp(x->bytes, y->bytes, x->n) == 0);
    return true;
}

static bool
address_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    const struct address *a = (const struct address *)v.ref;
    uint32_t h = a->n;

    for (uint32_t i = 0; i < a->n; i++)
        h = h * 31 + a->bytes[i];
    *ret = (int32_t)h;
    return true;
}

static const struct type_hooks address_hooks = {.to_string = address_to_string, .equals = address_equals, .hash = address_hash};

static struct address *
address_new(struct call *c, const struct type *type, const void *bytes, uint8_t n)
{
    struct address *a = object_new(c, type, struct address);

    if (a) {
        memcpy(a->bytes, bytes, n);
        a->n = n;
    }
    return a;
}

static bool
parse(struct call *c)
{
    struct address *a;

    if (!call_string(c, 0))
        return throw_argument_null(c, "ipString");
    if (!(a = address_new(c, c->ret_type, "", 0)))
        return false;
    if (!parse_address(call_str(c, 0), a))
        return call_throw(c, EXC_FORMAT, "An invalid IP address was specified.");
    return return_ref(c, a);
}

static bool
try_parse(struct call *c)
{
    struct address *a = address_new(c, type_find_lit(c->run->env, "System.Net.IPAddress"), "", 0);
    bool ok = a && call_string(c, 0) && parse_address(call_str(c, 0), a);

    c->args[1] = value_ref(ok ? a : NULL);
    return a && return_bool(c, ok);
}

static bool get_address_bytes(struct call *c) { return return_new(c, array_of_bytes(c, self_of(c)->bytes, self_of(c)->n)); }
static bool address_family(struct call *c) { return return_i64(c, self_of(c)->n == 4 ? 2 : 23); }

static bool
is_loopback(struct call *c)
{
    static const uint8_t loopback6[16] = {[15] = 1};
    const struct address *a = (const struct address *)c->args[0].ref;

    if (!a)
        return throw_argument_null(c, "address");
    return return_bool(c, a->n == 4 ? a->bytes[0] == 127 : memcmp(a->bytes, loopback6, 16) == 0);
}

static bool
equals(struct call *c)
{
    bool same = false;
    const struct object *other = c->args[1].ref;

    if (other && other->type != c->args[0].ref->type)
        return return_bool(c, false);
    return address_equals(c, NULL, c->args[0], c->args[1], &same) && return_bool(c, same);
}

static bool
to_string(struct call *c)
{
    struct string *s;

    return address_to_string(c, NULL, c->args[0], STR_NONE, &s) && return_ref(c, s);
}

static const struct type_row types[] = {
    STATIC_CLASS("System.Net.WebUtility"),
    CLASS_ABSTRACT("System.Net.IPAddress", NULL, NULL, &address_hooks),
    ENUM("System.Net.Sockets.AddressFamily", "Unspecified = 0, InterNetwork = 2, InterNetworkV6 = 23"),
};

static const struct member_row members[] = {
    M("WebUtility", "static string UrlEncode(string value)", url_encode),
    M("WebUtility", "static string UrlDecode(string encodedValue)", url_decode),
    M("WebUtility", "static string HtmlEncode(string value)", html_encode),
    M("WebUtility", "static string HtmlDecode(string value)", html_decode),
    M("WebUtility", "static byte[] UrlEncodeToBytes(byte[] value, int offset, int count)", url_encode_bytes),
    M("WebUtility", "static byte[] UrlDecodeToBytes(byte[] encodedValue, int offset, int count)", url_decode_bytes),
    M("WebUtility", "static void HtmlEncode(string value, TextWriter output)", html_encode_to),
    M("WebUtility", "static void HtmlDecode(string value, TextWriter output)", html_decode_to),
    M("IPAddress", "static IPAddress Parse(string ipString)", parse),
    M("IPAddress", "static bool TryParse(string ipString, out IPAddress address)", try_parse),
    M("IPAddress", "static bool IsLoopback(IPAddress address)", is_loopback),
    M("IPAddress", "byte[] GetAddressBytes()", get_address_bytes),
    M("IPAddress", "System.Net.Sockets.AddressFamily AddressFamily { get; }", address_family),
    M("IPAddress", "bool Equals(object comparand)", equals),
    M("IPAddress", "string ToString()", to_string),
};

const struct library clr_net = LIBRARY("net", types, members);
