/* lex.h: C# text to tokens. All tokens are made before parsing begins, so that the parser can look ahead at will.
 * An interpolated string is a run of tokens: INTERPOLATION_BEGIN, then TEXT pieces and holes (HOLE_BEGIN, the tokens of the
 * expression with its alignment, HOLE_FORMAT when there is one, HOLE_END), then INTERPOLATION_END.
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/diag.h"
#include "expr/type.h"

enum token_kind {
    TOK_END,
    TOK_IDENTIFIER,
    TOK_NUMBER,                       /* value, literal_kind */
    TOK_CHARACTER,                    /* value */
    TOK_TEXT,                         /* string literal or piece of an interpolated one: text, decoded to WTF-8 */
    TOK_INTERPOLATION_BEGIN,
    TOK_INTERPOLATION_END,
    TOK_HOLE_BEGIN,
    TOK_HOLE_FORMAT,                  /* text */
    TOK_HOLE_END,
    TOK_UNKNOWN,                      /* reported by the lexer */
#define SIGN(name, text) TOK_##name,
#define WORD(name, text) TOK_##name,
#include "expr/tokens.def"
#undef SIGN
#undef WORD
    TOK_COUNT
};

struct token {
    enum token_kind kind;
    enum type_kind literal_kind;      /* of a number */
    uint32_t at, len;                 /* in the text */
    struct str text;                  /* identifier without '@', decoded string, digits of a decimal literal */
    struct value value;
};

struct tokens {
    struct token *v;                  /* the last one is TOK_END */
    size_t n, cap;
};

/* Tokens of text[from, to). Problems go to diags; the result can be parsed in any case. False only when the arena is full. */
bool lex(struct str text, uint32_t from, uint32_t to, const struct text_map *map, struct arena *arena,
         struct diags *diags, struct tokens *ret);
/* "=>", "while", "identifier", "end of expression": for messages. */
const char *token_kind_text(enum token_kind kind);
