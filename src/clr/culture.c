/* culture.c: what overloads with an IFormatProvider take. There is one culture here, the invariant one, under which the gateway
 * formats and parses everything; a provider is therefore accepted, and ignored. Asking for another culture by name fails instead
 * of giving its name to invariant results.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/families.h"
#include "clr/values.h"
#include "expr/member.h"

struct provider {
    struct object head;
};

static bool
invariant(struct call *c)
{
    return return_new(c, object_new(c, c->ret_type, struct provider));
}

static bool
culture_named(struct call *c)
{
    struct string *name = call_string(c, 0);

    if (!name)
        return throw_argument_null(c, "name");
    if (name->size && !str_eq_nocase(string_str(name), STR("iv")))
        return call_throw(c, EXC_CULTURE_NOT_FOUND,
                          "Culture is not supported.\nParameter name: name\n%.*s is an invalid culture identifier; the invariant "
                          "culture (\"\") is the one here.",
                          STR_ARG(string_str(name)));
    return return_new(c, object_new(c, c->member->kind == MEMBER_CONSTRUCTOR ? c->owner : c->ret_type, struct provider));
}

static bool empty_text(struct call *c) { return return_new(c, string_lit(c, "")); }
static bool english_name(struct call *c) { return return_new(c, string_lit(c, "Invariant Language (Invariant Country)")); }
static bool two_letters(struct call *c) { return return_new(c, string_lit(c, "iv")); }
static bool three_letters(struct call *c) { return return_new(c, string_lit(c, "ivl")); }
static bool no(struct call *c) { return return_bool(c, false); }

static bool
provider_to_string(struct call *c, const struct type *type, struct value v, struct str format, struct string **ret)
{
    *ret = string_lit(c, "");
    return *ret != NULL;
}

/* There is one of each. */
static bool
provider_equals(struct call *c, const struct type *type, struct value a, struct value b, bool *ret)
{
    *ret = (a.ref != NULL) == (b.ref != NULL);
    return true;
}

static bool
provider_hash(struct call *c, const struct type *type, struct value v, int32_t *ret)
{
    *ret = 1;
    return true;
}

static const struct type_hooks culture_hooks = {
    .to_string = provider_to_string, .equals = provider_equals, .hash = provider_hash,
};

#define G "System.Globalization."
#define STYLES(name, values) {TYPE_ENUM, name, NULL, NULL, NULL, TYPE_IS_FLAGS | TYPE_IS_IMPORTED, values}
#define EXTRA_CLASS(name, interfaces, hooks) {TYPE_CLASS, name, NULL, interfaces, hooks, TYPE_IS_EXTRA | TYPE_IS_IMPORTED, NULL}

static const struct type_row types[] = {
    INTERFACE("System.IFormatProvider", NULL),
    EXTRA_CLASS(G "CultureInfo", "IFormatProvider", &culture_hooks),
    EXTRA_CLASS(G "NumberFormatInfo", "IFormatProvider", NULL),
    EXTRA_CLASS(G "DateTimeFormatInfo", "IFormatProvider", NULL),
    CLASS_ABSTRACT(G "Calendar", NULL, NULL, NULL),
    EXTRA_CLASS(G "GregorianCalendar", NULL, NULL),
    STYLES(G "CompareOptions", "None = 0, IgnoreCase = 1, IgnoreNonSpace = 2, IgnoreSymbols = 4, IgnoreKanaType = 8, "
                                   "IgnoreWidth = 16, OrdinalIgnoreCase = 268435456, StringSort = 536870912, Ordinal = 1073741824"),
    STYLES(G "DateTimeStyles", "None = 0, AllowLeadingWhite = 1, AllowTrailingWhite = 2, AllowInnerWhite = 4, AllowWhiteSpaces = 7, "
                                   "NoCurrentDateDefault = 8, AdjustToUniversal = 16, AssumeLocal = 32, AssumeUniversal = 64, "
                                   "RoundtripKind = 128"),
    ENUM("System.Text.NormalizationForm", "FormC = 1, FormD = 2, FormKC = 5, FormKD = 6"),
    STYLES(G "TimeSpanStyles", "None = 0, AssumeNegative = 1"),
};

static const struct member_row members[] = {
    M(G "CultureInfo", "new(string name)", culture_named),
    M(G "CultureInfo", "static CultureInfo InvariantCulture { get; }", invariant),
    M(G "CultureInfo", "static CultureInfo CurrentCulture { get; }", invariant),
    M(G "CultureInfo", "static CultureInfo CurrentUICulture { get; }", invariant),
    M(G "CultureInfo", "static CultureInfo GetCultureInfo(string name)", culture_named),
    M(G "CultureInfo", "string Name { get; }", empty_text),
    M(G "CultureInfo", "string EnglishName { get; }", english_name),
    M(G "CultureInfo", "string DisplayName { get; }", english_name),
    M(G "CultureInfo", "string NativeName { get; }", english_name),
    M(G "CultureInfo", "string TwoLetterISOLanguageName { get; }", two_letters),
    M(G "CultureInfo", "string ThreeLetterISOLanguageName { get; }", three_letters),
    M(G "CultureInfo", "bool IsNeutralCulture { get; }", no),
    M(G "CultureInfo", "NumberFormatInfo NumberFormat { get; }", invariant),
    M(G "CultureInfo", "DateTimeFormatInfo DateTimeFormat { get; }", invariant),
    M(G "NumberFormatInfo", "static NumberFormatInfo InvariantInfo { get; }", invariant),
    M(G "NumberFormatInfo", "static NumberFormatInfo CurrentInfo { get; }", invariant),
    M(G "DateTimeFormatInfo", "static DateTimeFormatInfo InvariantInfo { get; }", invariant),
    M(G "DateTimeFormatInfo", "static DateTimeFormatInfo CurrentInfo { get; }", invariant),
};

const struct library clr_culture = LIBRARY("culture", types, members);
