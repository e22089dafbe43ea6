/* x500.c: see x500.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "data/x500.h"

#include <openssl/objects.h>

#include "base/buf.h"
#include "base/vec.h"

#define PARTS_MAX 64
#define VALUE_MAX 1024

/* ---- reading ---- */

static int
attribute(struct str key)
{
    static const struct { struct str name; int nid; } others[] = {      /* as .NET writes them */
        {STR_INIT("S"), NID_stateOrProvinceName}, {STR_INIT("E"), NID_pkcs9_emailAddress}, {STR_INIT("EMAIL"), NID_pkcs9_emailAddress},
        {STR_INIT("G"), NID_givenName}, {STR_INIT("T"), NID_title}, {STR_INIT("I"), NID_initials}, {STR_INIT("SERIALNUMBER"), NID_serialNumber},
        {STR_INIT("STREET"), NID_streetAddress}, {STR_INIT("PostalCode"), NID_postalCode}, {STR_INIT("DC"), NID_domainComponent}};
    char text[80];

    for (size_t i = 0; i < COUNTOF(others); i++)
        if (str_eq_nocase(key, others[i].name))
            return others[i].nid;
    if (str_starts_with_nocase(key, STR("OID.")))
        key = str_skip(key, 4);
    if (key.len == 0 || key.len >= sizeof(text))
        return NID_undef;
    for (size_t i = 0; i < key.len; i++)
        text[i] = key.p[i] >= 'a' && key.p[i] <= 'z' && key.len <= 2 ? (char)(key.p[i] & ~0x20) : key.p[i];
    text[key.len] = 0;
    return OBJ_txt2nid(text);
}

/* Up to the next separator outside quotes; what is quoted or escaped is put in plain. */
static bool
read_value(struct arena *a, struct str *rest, struct str *ret)
{
    struct buf b = buf_in(a);
    struct str s = str_trim(*rest);
    bool is_quoted = s.len && s.p[0] == '"', was_escape;
    size_t i = is_quoted ? 1 : 0;

    for (; i < s.len; i++) {
        was_escape = s.p[i] == '\\' && i + 1 < s.len;
        if (was_escape)
            i++;
        else if (is_quoted ? s.p[i] == '"' : s.p[i] == ',' || s.p[i] == ';' || s.p[i] == '+')
            break;
        buf_add_char(&b, s.p[i]);
    }
    if (is_quoted && i == s.len)
        return false;
    s = str_trim(str_skip(s, i + (is_quoted ? 1 : 0)));
    if (s.len && s.p[0] != ',' && s.p[0] != ';' && s.p[0] != '+')
        return false;
    *rest = s.len ? str_skip(s, 1) : STR_NONE;
    *ret = b.len ? is_quoted ? buf_str(&b) : str_trim(buf_str(&b)) : STR("");
    return !b.failed;
}

bool
x500_parse(struct arena *a, struct str text, struct x500_name *ret, struct err *err)
{
    struct { struct x500_part *v; size_t n, cap; } parts = {0};
    struct str rest = str_trim(text), key;

    while (rest.p && str_trim(rest).len) {
        struct x500_part part;

        if (!str_split_next(&rest, '=', &key) || !rest.p)
            return err_set(err, ERR_SYNTAX, "expected NAME=VALUE, ..., found '%.*s'", STR_ARG(text));
        part.nid = attribute(str_trim(key));
        if (part.nid == NID_undef)
            return err_set(err, ERR_SYNTAX, "'%.*s' is no attribute of a name", (int)MIN(str_trim(key).len, (size_t)64), str_trim(key).p);
        if (!read_value(a, &rest, &part.value))
            return err_set(err, ERR_SYNTAX, "a value in '%.*s' does not end", STR_ARG(text));
        if (parts.n == PARTS_MAX)
            return err_set(err, ERR_LIMIT, "a name of more than %d parts", PARTS_MAX);
        *avec_push(a, &parts) = part;
    }
    if (!parts.n)
        return err_set(err, ERR_SYNTAX, "an empty name");
    *ret = (struct x500_name){parts.v, (uint32_t)parts.n};
    return true;
}

/* ---- comparing ---- */

/* Without regard to case, blanks at the ends, and how many stand together (RFC 4518). */
static bool
same_text(struct str a, struct str b)
{
    size_t i = 0, k = 0;

    a = str_trim(a);
    b = str_trim(b);
    while (i < a.len && k < b.len) {
        if (a.p[i] == ' ' && b.p[k] == ' ') {
            while (i < a.len && a.p[i] == ' ')
                i++;
            while (k < b.len && b.p[k] == ' ')
                k++;
        } else if (ascii_lower(a.p[i++]) != ascii_lower(b.p[k++])) {
            return false;
        }
    }
    return i == a.len && k == b.len;
}

static bool
same_part(const struct x500_part *part, const X509_NAME_ENTRY *entry)
{
    unsigned char *utf8 = NULL;
    int n;
    bool same;

    if (OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry)) != part->nid)
        return false;
    n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
    same = n >= 0 && n <= VALUE_MAX && same_text(part->value, str_from((const char *)utf8, (size_t)n));
    OPENSSL_free(utf8);
    return same;
}

static bool
same_order(const struct x500_name *name, const X509_NAME *other, bool is_reversed)
{
    for (uint32_t i = 0; i < name->n; i++)
        if (!same_part(&name->v[is_reversed ? name->n - 1 - i : i], X509_NAME_get_entry(other, (int)i)))
            return false;
    return true;
}

bool
x500_matches(const struct x500_name *name, const X509_NAME *other)
{
    return X509_NAME_entry_count(other) == (int)name->n && (same_order(name, other, false) || same_order(name, other, true));
}

struct str
x500_get(struct arena *a, const X509_NAME *name, int nid)
{
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *utf8 = NULL;
    struct str value = STR_NONE;
    int n;

    if (at < 0)
        return STR_NONE;
    n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
    if (n >= 0)
        value = n ? str_dup(a, str_from((const char *)utf8, (size_t)n)) : STR("");
    OPENSSL_free(utf8);
    return value;
}
