/* net.c: System.Net.WebUtility and System.Net.IPAddress.
 * SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdlib.h>

#include "base/codec.h"
#include "base/utf8.h"
#include "clr/encoding.h"
#include "clr/families.h"
#include "clr/values.h"

/* --- WebUtility ------------------------------------------------------------------------------------------------------------------- */

static bool
url_encode(struct call *c)
{
    static const char keep[] = "-_.!*()";
    struct buf b = call_buf(c), utf8 = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    encoding_encode(TEXT_UTF8, call_str(c, 0), &utf8);
    for (size_t i = 0; i < utf8.len; i++) {
        unsigned char byte = (unsigned char)utf8.p[i];
        if (ascii_is_alpha((char)byte) || ascii_is_digit((char)byte) || (byte && strchr(keep, byte)))
            buf_add_char(&b, (char)byte);
        else if (byte == ' ')
            buf_add_char(&b, '+');
        else
            buf_printf(&b, "%%%02X", byte);
    }
    return return_new(c, string_from_buf(c, &b));
}

static bool
url_decode(struct call *c)
{
    struct buf bytes = call_buf(c), b = call_buf(c);

    if (!call_string(c, 0))
        return return_ref(c, NULL);
    codec_percent_decode(&bytes, call_str(c, 0), true);
    encoding_decode(TEXT_UTF8, bytes.len ? str_from(bytes.p, bytes.len) : STR(""), &b);
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
    M_LATER("WebUtility", "static byte[] UrlEncodeToBytes(byte[] value, int offset, int count)"),
    M_LATER("WebUtility", "static byte[] UrlDecodeToBytes(byte[] encodedValue, int offset, int count)"),
    M("IPAddress", "static IPAddress Parse(string ipString)", parse),
    M("IPAddress", "static bool TryParse(string ipString, out IPAddress address)", try_parse),
    M("IPAddress", "static bool IsLoopback(IPAddress address)", is_loopback),
    M("IPAddress", "byte[] GetAddressBytes()", get_address_bytes),
    M("IPAddress", "System.Net.Sockets.AddressFamily AddressFamily { get; }", address_family),
    M("IPAddress", "bool Equals(object comparand)", equals),
    M("IPAddress", "string ToString()", to_string),
};

const struct library clr_net = LIBRARY("net", types, members);
