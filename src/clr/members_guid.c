/* members_guid.c: System.Guid.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/rand.h"
#include "clr/families.h"
#include "clr/guid.h"
#include "clr/times.h"
#include "clr/values.h"

static bool
guid_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    uint8_t guid[16];
    char text[GUID_TEXT_MAX];
    size_t n;

    guid_bytes(v, guid);
    if (format.len > 1 || !(n = guid_format(guid, format.len ? format.p[0] : '\0', text)))
        return call_throw(c, EXC_FORMAT,
                          "Format String can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", \"X\" or \"x\".");
    *ret = string_new(c, str_from(text, n));
    return *ret != NULL;
}

static int
compare_guids(struct value a, struct value b)
{
    uint8_t x[16], y[16];

    guid_bytes(a, x);
    guid_bytes(b, y);
    int order = memcmp(x, y, 16); /* text order is field order */
    return order < 0 ? -1 : order > 0;
}

static bool
guid_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = a.lo == b.lo && a.hi == b.hi;
    return true;
}

static bool
guid_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = (int32_t)(v.lo ^ v.lo >> 32 ^ v.hi ^ v.hi >> 32);
    return true;
}

static bool
guid_compare(struct call *c, const struct type *type, struct value a, struct value b, int *ret)
{
    *ret = compare_guids(a, b);
    return true;
}

static const struct type_hooks guid_hooks = {
    .to_string = guid_to_string, .equals = guid_equals, .hash = guid_hash, .compare = guid_compare,
};

static bool
return_guid(struct call *c, const uint8_t guid[16])
{
    c->ret = value_guid(guid);
    return true;
}

static bool
new_guid(struct call *c)
{
    uint8_t guid[16];
    uint64_t random[2];

    if (c->run->rand) {
        random[0] = rand_u64(c->run->rand);
        random[1] = rand_u64(c->run->rand);
    } else {
        rand_secret(random, sizeof(random));
    }
    memcpy(guid, random, sizeof(guid));
    guid[6] = (guid[6] & 0x0f) | 0x40;
    guid[8] = (guid[8] & 0x3f) | 0x80;
    return return_guid(c, guid);
}

static bool
bad_format(struct call *c)
{
    return call_throw(c, EXC_FORMAT, "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).");
}

static bool
parse_named(struct call *c, const char *parameter)
{
    uint8_t guid[16];

    if (!call_string(c, 0))
        return throw_argument_null(c, parameter);
    return guid_parse(call_str(c, 0), guid) ? return_guid(c, guid) : bad_format(c);
}

static bool new_from_text(struct call *c) { return parse_named(c, "g"); }
static bool parse(struct call *c) { return parse_named(c, "input"); }

static bool
try_parse(struct call *c)
{
    uint8_t guid[16] = {0};
    bool ok = call_string(c, 0) && guid_parse(call_str(c, 0), guid);

    c->args[1] = ok ? value_guid(guid) : value_i64(0);
    return return_bool(c, ok);
}

static bool
parse_exact(struct call *c)
{
    uint8_t guid[16];
    struct str format = call_str(c, 1);

    if (!call_string(c, 0) || !call_string(c, 1))
        return throw_argument_null(c, call_string(c, 0) ? "format" : "input");
    if (format.len != 1 || !strchr("ndbpxNDBPX", format.p[0]))
        return call_throw(c, EXC_FORMAT,
                          "Format String can be only \"D\", \"d\", \"N\", \"n\", \"P\", \"p\", \"B\", \"b\", \"X\" or \"x\".");
    return guid_parse_exact(call_str(c, 0), format.p[0], guid) ? return_guid(c, guid) : bad_format(c);
}

static bool
try_parse_exact(struct call *c)
{
    uint8_t guid[16] = {0};
    struct str format = call_str(c, 1);
    bool ok = call_string(c, 0) && format.len == 1 && guid_parse_exact(call_str(c, 0), format.p[0], guid);

    c->args[2] = ok ? value_guid(guid) : value_i64(0);
    return return_bool(c, ok);
}

static bool
new_from_bytes(struct call *c)
{
    const struct array *bytes = (const struct array *)c->args[0].ref;
    uint8_t guid[16];

    if (!bytes)
        return throw_argument_null(c, "b");
    if (bytes->n != 16)
        return throw_argument(c, NULL, "Byte array for GUID must be exactly 16 bytes long.");
    guid_swap(bytes->u.bytes, guid);
    return return_guid(c, guid);
}

/* int a, short b, short c, then eight bytes */
static bool
new_from_fields(struct call *c)
{
    uint32_t a = (uint32_t)c->args[0].i64;
    uint16_t b = (uint16_t)c->args[1].i64, d = (uint16_t)c->args[2].i64;
    uint8_t guid[16] = {(uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8), (uint8_t)a,
                        (uint8_t)(b >> 8), (uint8_t)b, (uint8_t)(d >> 8), (uint8_t)d};

    for (uint32_t i = 0; i < 8; i++)
        guid[8 + i] = (uint8_t)c->args[3 + i].i64;
    return return_guid(c, guid);
}

static bool
new_from_fields_and_bytes(struct call *c)
{
    const struct array *d = (const struct array *)c->args[3].ref;
    struct value args[11] = {c->args[0], c->args[1], c->args[2]};

    if (!d)
        return throw_argument_null(c, "d");
    if (d->n != 8)
        return throw_argument(c, NULL, "Byte array for GUID must be exactly 8 bytes long.");
    for (uint32_t i = 0; i < 8; i++)
        args[3 + i] = array_get(d, i);
    c->args = args;
    return new_from_fields(c);
}

static bool
compare_to_object(struct call *c)
{
    struct object *other = c->args[1].ref;

    if (!other)
        return return_i64(c, 1);
    if (other->type != c->owner)
        return throw_argument(c, NULL, "Object must be of type GUID.");
    return return_i64(c, compare_guids(c->args[0], value_unbox(other)));
}

static bool
empty(struct call *c)
{
    c->ret = value_i64(0);
    return true;
}

static bool
to_byte_array(struct call *c)
{
    uint8_t guid[16], bytes[16];

    guid_bytes(c->args[0], guid);
    guid_swap(guid, bytes);
    return return_new(c, array_of_bytes(c, bytes, 16));
}

static bool equal(struct call *c) { return return_bool(c, compare_guids(c->args[0], c->args[1]) == 0); }
static bool not_equal(struct call *c) { return return_bool(c, compare_guids(c->args[0], c->args[1]) != 0); }
static bool compare(struct call *c) { return return_i64(c, compare_guids(c->args[0], c->args[1])); }

static const struct type_row types[] = {
    STRUCT("System.Guid", "IComparable, IComparable<Guid>, IEquatable<Guid>, IFormattable", &guid_hooks),
};

static const struct member_row members[] = {
    M("Guid", "new(string g)", new_from_text),
    M("Guid", "new(byte[] b)", new_from_bytes),
    M("Guid", "new(int a, short b, short c, byte d, byte e, byte f, byte g, byte h, byte i, byte j, byte k)", new_from_fields),
    M("Guid", "new(int a, short b, short c, byte[] d)", new_from_fields_and_bytes),
    M("Guid", "new(uint a, ushort b, ushort c, byte d, byte e, byte f, byte g, byte h, byte i, byte j, byte k)", new_from_fields),
    M("Guid", "static Guid Empty { get; }", empty),
    M("Guid", "static Guid NewGuid()", new_guid),
    M("Guid", "static Guid Parse(string input)", parse),
    M("Guid", "static bool TryParse(string input, out Guid result)", try_parse),
    M("Guid", "static Guid ParseExact(string input, string format)", parse_exact),
    M("Guid", "static bool TryParseExact(string input, string format, out Guid result)", try_parse_exact),
    M("Guid", "byte[] ToByteArray()", to_byte_array),
    M("Guid", "bool Equals(Guid g)", equal),
    M("Guid", "int CompareTo(Guid value)", compare),
    M("Guid", "int CompareTo(object value)", compare_to_object),
    M("Guid", "static bool operator ==(Guid a, Guid b)", equal),
    M("Guid", "static bool operator !=(Guid a, Guid b)", not_equal),
    M("Guid", "string ToString()", value_text),
    M("Guid", "string ToString(string format)", value_text),
    M("Guid", "string ToString(string format, IFormatProvider provider)", value_text),
};

const struct library clr_guid = LIBRARY("Guid", types, members);
