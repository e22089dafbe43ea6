/* regex_tree.h: a parsed regular expression, for the parts of data/regex*.c.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"
#include "data/regex.h"

enum regex_kind {
    RE_EMPTY, RE_CHAR, RE_ANY, RE_SET, RE_CONCAT, RE_ALTERNATE, RE_REPEAT, RE_GROUP, RE_CAPTURE, RE_BALANCE, RE_LOOK, RE_ATOMIC,
    RE_BACKREF, RE_BEGIN, RE_END, RE_LINE_BEGIN, RE_LINE_END, RE_END_Z, RE_BEGIN_A, RE_START_G, RE_WORD, RE_NOT_WORD,
    RE_CONDITION,
};

/* What a class can name besides ranges. */
enum regex_class { CLASS_DIGIT, CLASS_WORD, CLASS_SPACE, CLASS_PROPERTY };

struct regex_item {
    uint32_t low, high;               /* a range, when property.p is NULL and named is false */
    bool named, negated;
    enum regex_class class_;
    struct str property;              /* CLASS_PROPERTY: "Lu" */
};

struct regex_set {
    struct { struct regex_item *v; size_t n, cap; } items;
    bool negated;
    struct regex_set *minus;          /* [a-z-[aeiou]] */
};

struct regex_node {
    enum regex_kind kind;
    bool ignore_case, ecmascript;
    bool lazy;                        /* REPEAT */
    bool negative, behind;            /* LOOK */
    bool singleline;                  /* ANY */
    uint32_t c;                       /* CHAR */
    uint32_t min, max;                /* REPEAT; max UINT32_MAX: no end */
    int group, minus;                 /* CAPTURE, BACKREF, CONDITION, BALANCE: positions; -1 none. While parsing: numbers */
    struct str name;                  /* of a group until numbers are given */
    struct regex_set *set;
    struct regex_node *child, *other; /* other: CONDITION's test as a LOOK; child: its ALTERNATE */
    struct { struct regex_node **v; size_t n, cap; } list;   /* CONCAT, ALTERNATE */
};

struct regex_group_info {
    uint32_t number;
    struct str name;
};

struct regex_tree {
    struct arena arena;
    struct regex_node *root;
    struct { struct regex_group_info *v; size_t n, cap; } groups;    /* by position; 0 is the whole match */
    bool needs_backtracker;           /* what PCRE2 cannot do */
    bool has_repeated_capture;
    unsigned options;
};

/* Fills a zeroed tree; its arena is made here and is the caller's to destroy, also after a failure. */
bool regex_parse(struct regex_tree *t, struct str pattern, unsigned options, struct err *err);
/* The tree as a PCRE2 pattern; order[k] of the k-th PCRE2 group is its position. False when PCRE2 has no such thing. */
bool regex_translate(const struct regex_tree *t, struct buf *to, uint16_t *order, uint32_t order_max, uint32_t *ret_n);

/* Unicode tests that both matchers share. */
/* "Lu", "L", "IsCyrillic" ... */
bool regex_is_property(struct str name);
bool regex_set_has(const struct regex_set *s, uint32_t c, bool ignore_case, bool ecmascript);
bool regex_is_word(uint32_t c, bool ecmascript);
uint32_t regex_fold(uint32_t c);

/* The backtracker. */
enum regex_status regex_backtrack(const struct regex_tree *t, struct str text, size_t from, uint64_t steps, bool anchored,
                                  struct regex_span *spans, struct arena *a, struct regex_span **ret, uint32_t *ret_n);
