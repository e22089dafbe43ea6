/* regex_translate.c: a parsed regular expression as a PCRE2 pattern (UTF, UCP), and the character tests of the backtracker.
 *
 * Every capture becomes a plain bracket; which group it is, is kept beside the pattern. Case is switched by (?i) and (?-i), which
 * in both dialects last to the end of the bracket around them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <wctype.h>

#include "base/buf.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "data/regex_tree.h"

/* --- Unicode blocks ------------------------------------------------------------------------------------------------------------------- */

struct block {
    struct str name;
    uint32_t low, high;
};

/* \p{IsCyrillic} and the like: those that occur. */
static const struct block blocks[] = {
    {STR_INIT("IsBasicLatin"), 0x0, 0x7f},
    {STR_INIT("IsLatin-1Supplement"), 0x80, 0xff},
    {STR_INIT("IsLatinExtended-A"), 0x100, 0x17f},
    {STR_INIT("IsLatinExtended-B"), 0x180, 0x24f},
    {STR_INIT("IsIPAExtensions"), 0x250, 0x2af},
    {STR_INIT("IsSpacingModifierLetters"), 0x2b0, 0x2ff},
    {STR_INIT("IsCombiningDiacriticalMarks"), 0x300, 0x36f},
    {STR_INIT("IsGreek"), 0x370, 0x3ff},
    {STR_INIT("IsGreekandCoptic"), 0x370, 0x3ff},
    {STR_INIT("IsCyrillic"), 0x400, 0x4ff},
    {STR_INIT("IsCyrillicSupplement"), 0x500, 0x52f},
    {STR_INIT("IsArmenian"), 0x530, 0x58f},
    {STR_INIT("IsHebrew"), 0x590, 0x5ff},
    {STR_INIT("IsArabic"), 0x600, 0x6ff},
    {STR_INIT("IsDevanagari"), 0x900, 0x97f},
    {STR_INIT("IsThai"), 0xe00, 0xe7f},
    {STR_INIT("IsGeorgian"), 0x10a0, 0x10ff},
    {STR_INIT("IsHangulJamo"), 0x1100, 0x11ff},
    {STR_INIT("IsLatinExtendedAdditional"), 0x1e00, 0x1eff},
    {STR_INIT("IsGreekExtended"), 0x1f00, 0x1fff},
    {STR_INIT("IsGeneralPunctuation"), 0x2000, 0x206f},
    {STR_INIT("IsSuperscriptsandSubscripts"), 0x2070, 0x209f},
    {STR_INIT("IsCurrencySymbols"), 0x20a0, 0x20cf},
    {STR_INIT("IsLetterlikeSymbols"), 0x2100, 0x214f},
    {STR_INIT("IsNumberForms"), 0x2150, 0x218f},
    {STR_INIT("IsArrows"), 0x2190, 0x21ff},
    {STR_INIT("IsMathematicalOperators"), 0x2200, 0x22ff},
    {STR_INIT("IsBoxDrawing"), 0x2500, 0x257f},
    {STR_INIT("IsGeometricShapes"), 0x25a0, 0x25ff},
    {STR_INIT("IsHiragana"), 0x3040, 0x309f},
    {STR_INIT("IsKatakana"), 0x30a0, 0x30ff},
    {STR_INIT("IsCJKUnifiedIdeographs"), 0x4e00, 0x9fff},
    {STR_INIT("IsHangulSyllables"), 0xac00, 0xd7af},
};

static const struct block *
find_block(struct str name)
{
    for (size_t i = 0; i < COUNTOF(blocks); i++)
        if (str_eq(blocks[i].name, name))
            return &blocks[i];
    return NULL;
}

/* --- writing --------------------------------------------------------------------------------------------------------------------------- */

struct writer {
    const struct regex_tree *t;
    struct buf *to;
    uint16_t *order;
    uint32_t n, max;
    bool ignore_case;                 /* what (?i) says here */
    bool failed;
};

static void write_node(struct writer *w, const struct regex_node *n);

static void
write_char(struct writer *w, uint32_t c)
{
    if (c < 0x80 && (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '_' || c == ' ')) {
        buf_add_char(w->to, (char)c);
    } else if (c >= 0xd800 && c < 0xe000) {
        w->failed = true; /* half a pair: PCRE2 has no such characters */
    } else {
        buf_printf(w->to, "\\x{%x}", c);
    }
}

static void
write_case(struct writer *w, bool ignore_case)
{
    if (w->ignore_case == ignore_case)
        return;
    buf_add_str(w->to, ignore_case ? STR("(?i)") : STR("(?-i)"));
    w->ignore_case = ignore_case;
}

static const char *
class_text(enum regex_class class_, bool ecmascript)
{
    switch (class_) {
    case CLASS_DIGIT: return ecmascript ? "0-9" : "\\p{Nd}";
    case CLASS_WORD: return ecmascript ? "a-zA-Z0-9_" : "\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}";
    case CLASS_SPACE: return ecmascript ? " \\f\\n\\r\\t\\v" : "\\s\\x{85}";
    case CLASS_PROPERTY: break;
    }
    return "";
}

/* An item inside brackets; false when it can only stand alone (the opposite of several classes). */
static bool
write_item(struct writer *w, const struct regex_item *item, bool ecmascript)
{
    const struct block *block;

    if (!item->named) {
        write_char(w, item->low);
        if (item->high > item->low) {
            buf_add_char(w->to, '-');
            write_char(w, item->high);
        }
        return true;
    }
    if (item->class_ != CLASS_PROPERTY) {
        if (!item->negated) {
            buf_add_str(w->to, str_from_c(class_text(item->class_, ecmascript)));
            return true;
        }
        if (item->class_ == CLASS_DIGIT && !ecmascript)
            buf_add_lit(w->to, "\\P{Nd}");
        else if (item->class_ == CLASS_SPACE && !ecmascript)
            buf_add_lit(w->to, "\\S");
        else
            return false;
        return true;
    }
    if (!(block = find_block(item->property))) {
        buf_printf(w->to, "\\%c{%.*s}", item->negated ? 'P' : 'p', STR_ARG(item->property));
        return true;
    }
    if (item->negated)
        return false;
    buf_printf(w->to, "\\x{%x}-\\x{%x}", block->low, block->high);
    return true;
}

/* [items], or with opposites that brackets cannot hold (?:[items]|[^opposite]...); negated by a look ahead. */
static void
write_set(struct writer *w, const struct regex_set *s, bool ecmascript)
{
    bool has_alone = false;
    size_t empty_at, before = w->to->len;

    buf_add_str(w->to, s->negated ? STR("[^") : STR("["));
    empty_at = w->to->len;
    for (size_t i = 0; i < s->items.n; i++)
        has_alone |= !write_item(w, &s->items.v[i], ecmascript);
    if (!has_alone && !s->minus) {
        buf_add_char(w->to, ']');
        return;
    }
    w->to->len = before;
    if (s->minus) {
        buf_add_lit(w->to, "(?:(?!");
        write_set(w, s->minus, ecmascript);
        buf_add_char(w->to, ')');
    }
    buf_add_str(w->to, s->negated ? STR("(?!") : STR("(?:"));
    before = w->to->len;
    buf_add_char(w->to, '[');
    empty_at = w->to->len;
    for (size_t i = 0; i < s->items.n; i++)
        write_item(w, &s->items.v[i], ecmascript);
    if (w->to->len == empty_at)
        w->to->len = before;
    else
        buf_add_char(w->to, ']');
    for (size_t i = 0; i < s->items.n; i++) {
        const struct regex_item *item = &s->items.v[i];
        const struct block *block = item->named && item->class_ == CLASS_PROPERTY ? find_block(item->property) : NULL;
        if (!item->named || !item->negated || (item->class_ == CLASS_PROPERTY && !block) ||
            (!ecmascript && (item->class_ == CLASS_DIGIT || item->class_ == CLASS_SPACE)))
            continue;
        if (w->to->len > before)
            buf_add_char(w->to, '|');
        if (block)
            buf_printf(w->to, "[^\\x{%x}-\\x{%x}]", block->low, block->high);
        else
            buf_printf(w->to, "[^%s]", class_text(item->class_, ecmascript));
    }
    buf_add_char(w->to, ')');
    if (s->negated)
        buf_add_lit(w->to, "(?s:.)");
    if (s->minus)
        buf_add_char(w->to, ')');
}

static void
write_repeat(struct writer *w, const struct regex_node *n)
{
    buf_add_lit(w->to, "(?:");
    bool ignore_case = w->ignore_case;
    write_node(w, n->child);
    w->ignore_case = ignore_case;
    buf_add_char(w->to, ')');
    if (n->max == UINT32_MAX && n->min <= 1)
        buf_add_char(w->to, n->min ? '+' : '*');
    else if (n->max == UINT32_MAX)
        buf_printf(w->to, "{%u,}", n->min);
    else
        buf_printf(w->to, "{%u,%u}", n->min, n->max);
    if (n->lazy)
        buf_add_char(w->to, '?');
}

static void
write_group(struct writer *w, const char *open, const struct regex_node *child)
{
    bool ignore_case = w->ignore_case;

    buf_add_str(w->to, str_from_c(open));
    write_node(w, child);
    buf_add_char(w->to, ')');
    w->ignore_case = ignore_case;
}

static void
write_reference(struct writer *w, int group)
{
    bool any = false;

    /* A name that is used twice is several brackets; one that is still to come is found by none. */
    buf_add_lit(w->to, "(?:");
    for (uint32_t i = 0; i < w->n; i++)
        if (w->order[i] == group) {
            buf_printf(w->to, "%s\\g{%u}", any ? "|" : "", i + 1);
            any = true;
        }
    buf_add_str(w->to, any ? STR(")") : STR("(?!))"));
}

static void
write_condition(struct writer *w, const struct regex_node *n)
{
    const struct regex_node *yes = n->child, *no = NULL;
    uint32_t bracket = 0;

    if (n->child->kind == RE_ALTERNATE) {
        yes = n->child->list.v[0];
        no = n->child->list.v[1];
    }
    if (n->other) {
        buf_add_lit(w->to, "(?");
        write_group(w, "(?=", n->other->child);
    } else {
        for (uint32_t i = 0; i < w->n; i++)
            if (w->order[i] == n->group)
                bracket = i + 1;
        if (!bracket) {
            w->failed = true;
            return;
        }
        buf_printf(w->to, "(?(%u)", bracket);
    }
    write_node(w, yes);
    if (no) {
        buf_add_char(w->to, '|');
        write_node(w, no);
    }
    buf_add_char(w->to, ')');
}

static void
write_capture(struct writer *w, const struct regex_node *n)
{
    if (w->n == w->max) {
        w->failed = true;
        return;
    }
    w->order[w->n++] = (uint16_t)n->group;
    write_group(w, "(", n->child);
}

static void
write_node(struct writer *w, const struct regex_node *n)
{
    if (w->failed || w->to->failed)
        return;
    switch (n->kind) {
    case RE_EMPTY: break;
    case RE_CHAR:
        write_case(w, n->ignore_case);
        write_char(w, n->c);
        break;
    case RE_ANY: buf_add_str(w->to, n->singleline ? STR("(?s:.)") : STR("\\N")); break;
    case RE_SET:
        write_case(w, n->ignore_case);
        write_set(w, n->set, n->ecmascript);
        break;
    case RE_CONCAT:
        for (size_t i = 0; i < n->list.n; i++)
            write_node(w, n->list.v[i]);
        break;
    case RE_ALTERNATE:
        for (size_t i = 0; i < n->list.n; i++) {
            if (i)
                buf_add_char(w->to, '|');
            write_node(w, n->list.v[i]);
        }
        break;
    case RE_REPEAT: write_repeat(w, n); break;
    case RE_GROUP: write_group(w, "(?:", n->child); break;
    case RE_CAPTURE: write_capture(w, n); break;
    case RE_BALANCE: w->failed = true; break;
    case RE_LOOK: write_group(w, n->behind ? n->negative ? "(?<!" : "(?<=" : n->negative ? "(?!" : "(?=", n->child); break;
    case RE_ATOMIC: write_group(w, "(?>", n->child); break;
    case RE_BACKREF:
        write_case(w, n->ignore_case);
        write_reference(w, n->group);
        break;
    case RE_BEGIN:
    case RE_BEGIN_A: buf_add_lit(w->to, "\\A"); break;
    case RE_END: buf_add_lit(w->to, "\\z"); break;
    case RE_END_Z: buf_add_lit(w->to, "\\Z"); break;
    case RE_LINE_BEGIN: buf_add_lit(w->to, "(?:\\A|(?<=\\n))"); break;
    case RE_LINE_END: buf_add_lit(w->to, "(?=\\n|\\z)"); break;
    case RE_START_G: buf_add_lit(w->to, "\\G"); break;
    case RE_WORD: buf_add_lit(w->to, "\\b"); break;
    case RE_NOT_WORD: buf_add_lit(w->to, "\\B"); break;
    case RE_CONDITION: write_condition(w, n); break;
    }
}

bool
regex_translate(const struct regex_tree *t, struct buf *to, uint16_t *order, uint32_t order_max, uint32_t *ret_n)
{
    struct writer w = {.t = t, .to = to, .order = order, .max = order_max};

    write_node(&w, t->root);
    *ret_n = w.n;
    return !w.failed && !to->failed;
}

/* --- tests of characters ------------------------------------------------------------------------------------------------------------------ */

uint32_t
regex_fold(uint32_t c)
{
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return towlower_l(c, unicode_locale());
}

static bool
is_digit(uint32_t c, bool ecmascript)
{
    return c < 0x80 || ecmascript ? c >= '0' && c <= '9' : iswalnum_l(c, unicode_locale()) && !iswalpha_l(c, unicode_locale());
}

bool
regex_is_word(uint32_t c, bool ecmascript)
{
    if (c < 0x80 || ecmascript)
        return c < 0x80 && (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '_');
    return iswalnum_l(c, unicode_locale()) || (c >= 0x300 && c < 0x370) || c == 0x200c || c == 0x200d;
}

static bool
is_space(uint32_t c, bool ecmascript)
{
    if (c < 0x80 || ecmascript)
        return c == ' ' || (c >= 9 && c <= 13);
    return c == 0x85 || c == 0xa0 || iswspace_l(c, unicode_locale());
}

/* A general category, or all that begin with a letter: the range of unicode_category(). False: no such name. */
static bool
find_category(struct str name, enum unicode_category *ret_first, enum unicode_category *ret_last)
{
    static const char names[][3] = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc",
                                    "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Cn"};
    bool found = false;

    for (size_t i = 0; i < COUNTOF(names); i++) {
        if (name.len == 2 ? !str_eq(name, str_from(names[i], 2)) : name.len != 1 || name.p[0] != names[i][0])
            continue;
        if (!found)
            *ret_first = (enum unicode_category)i;
        *ret_last = (enum unicode_category)i;
        found = true;
    }
    return found;
}

bool
regex_is_property(struct str name)
{
    enum unicode_category first, last;

    return find_block(name) || find_category(name, &first, &last);
}

static bool
has_property(struct str name, uint32_t c)
{
    const struct block *block = find_block(name);
    enum unicode_category first, last, category = unicode_category(c);

    if (block)
        return c >= block->low && c <= block->high;
    if (!find_category(name, &first, &last))
        return false;
    if (name.len == 1 && name.p[0] == 'C') /* the last one stands apart */
        return category == CATEGORY_UNASSIGNED || (category >= first && category <= CATEGORY_PRIVATE_USE);
    return category >= first && category <= last;
}

static bool
item_has(const struct regex_item *item, uint32_t c, bool ecmascript)
{
    bool in = false;

    if (!item->named)
        return c >= item->low && c <= item->high;
    switch (item->class_) {
    case CLASS_DIGIT: in = is_digit(c, ecmascript); break;
    case CLASS_WORD: in = regex_is_word(c, ecmascript); break;
    case CLASS_SPACE: in = is_space(c, ecmascript); break;
    case CLASS_PROPERTY: in = has_property(item->property, c); break;
    }
    return in != item->negated;
}

bool
regex_set_has(const struct regex_set *s, uint32_t c, bool ignore_case, bool ecmascript)
{
    uint32_t lower = c, upper = c;
    bool in = false;

    if (ignore_case) {
        lower = regex_fold(c);
        upper = c < 0x80 ? (c >= 'a' && c <= 'z' ? c - 32 : c) : towupper_l(c, unicode_locale());
    }
    for (size_t i = 0; i < s->items.n && !in; i++)
        in = item_has(&s->items.v[i], c, ecmascript) ||
             (ignore_case && (item_has(&s->items.v[i], lower, ecmascript) || item_has(&s->items.v[i], upper, ecmascript)));
    return in != s->negated && !(s->minus && regex_set_has(s->minus, c, ignore_case, ecmascript));
}
