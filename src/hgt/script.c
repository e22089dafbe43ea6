/* script.c: from lines to steps, one parse function a step, found through steps.def.
 * SPDX-License-Identifier: Apache-2.0 */
#include "hgt/script.h"

#include "base/num.h"
#include "base/vec.h"

struct parser {
    struct arena *arena;
    struct diags *diags;
    bool uses_admin;
};

static bool
is_blank_line(struct str text)
{
    struct str t = str_trim(text);

    return t.len == 0 || t.p[0] == '#';
}

static uint32_t
indentation(struct str line)
{
    uint32_t n = 0;

    while (n < line.len && (line.p[n] == ' ' || line.p[n] == '\t'))
        n++;
    return n;
}

/* The physical line at `at`, without its end; *next is where the following one starts. */
static struct str
physical_line(const struct region *r, uint32_t at, uint32_t *next)
{
    struct str rest = str_sub(r->source->text, at, r->end);
    ptrdiff_t newline = str_find_char(rest, '\n', 0);
    struct str line = newline < 0 ? rest : str_sub(rest, 0, (size_t)newline);

    *next = at + (uint32_t)line.len + (newline >= 0);
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    return line;
}

bool
line_next(struct region *r, struct line *ret)
{
    uint32_t next, end;
    struct str line;

    for (;; r->at = next) {
        if (r->at >= r->end)
            return false;
        line = physical_line(r, r->at, &next);
        if (!is_blank_line(line))
            break;
    }
    uint32_t indent = indentation(line);
    *ret = (struct line){.source = r->source, .text = str_trim(line), .offset = r->at + indent};
    ret->indent = str_sub(line, 0, indent);
    ret->block = (struct region){.source = r->source, .at = next, .end = next};
    for (end = next; end < r->end;) {
        struct str below = physical_line(r, end, &next);
        if (str_trim(below).len && indentation(below) <= indent)
            break;
        end = next;
        if (str_trim(below).len)
            ret->block.end = end;
    }
    r->at = MAX(end, ret->block.end);
    return true;
}

struct str
block_text(const struct region *block, struct arena *a)
{
    struct buf text = buf_in(a);
    uint32_t indent = UINT32_MAX, next;

    for (uint32_t at = block->at; at < block->end; at = next) {
        struct str line = physical_line(block, at, &next);
        if (str_trim(line).len)
            indent = MIN(indent, indentation(line));
    }
    for (uint32_t at = block->at; at < block->end; at = next) {
        struct str line = physical_line(block, at, &next);
        if (at != block->at)
            buf_add_char(&text, '\n');
        buf_add_str(&text, str_skip(line, MIN(indent, indentation(line))));
    }
    return buf_str(&text);
}

struct str
unescape(struct str text, struct arena *a)
{
    struct buf out = buf_in(a);

    for (size_t i = 0; i < text.len; i++) {
        int hi, lo;

        if (text.p[i] != '\\' || i + 1 == text.len) {
            buf_add_char(&out, text.p[i]);
            continue;
        }
        switch (text.p[++i]) {
        case 'n': buf_add_char(&out, '\n'); break;
        case 'r': buf_add_char(&out, '\r'); break;
        case 't': buf_add_char(&out, '\t'); break;
        case '0': buf_add_char(&out, '\0'); break;
        case 'x':
            if (i + 2 < text.len && (hi = ascii_hex_value(text.p[i + 1])) >= 0 &&
                (lo = ascii_hex_value(text.p[i + 2])) >= 0) {
                buf_add_char(&out, (char)(hi << 4 | lo));
                i += 2;
                break;
            }
            buf_add_lit(&out, "\\x");
            break;
        case '"':
        case '\\': buf_add_char(&out, text.p[i]); break;
        default: buf_add(&out, (char[]){'\\', text.p[i]}, 2);
        }
    }
    return buf_str(&out);
}

bool
word_next(struct arena *a, struct str *rest, struct str *ret)
{
    size_t n = 1;

    *rest = str_trim(*rest);
    if (!rest->len)
        return false;
    if (rest->p[0] == '"') {
        while (n < rest->len && rest->p[n] != '"')
            n += rest->p[n] == '\\' ? 2 : 1;
        if (n >= rest->len)
            return false;
        *ret = unescape(str_sub(*rest, 1, n), a);
        *rest = str_trim(str_skip(*rest, n + 1));
        return true;
    }
    while (n < rest->len && rest->p[n] != ' ' && rest->p[n] != '\t')
        n++;
    *ret = str_sub(*rest, 0, n);
    *rest = str_trim(str_skip(*rest, n));
    return true;
}

static bool
complain(struct parser *p, const struct line *line, const char *expected)
{
    diag_add(p->diags, DIAG_ERROR, line->source, line->offset, (uint32_t)line->text.len, "expected %s", expected);
    return false;
}

/* The next line of a block. Blanks and tabs are not compared with each other: a line that has the one where its neighbours have
 * the other stands nobody knows where. */
static bool
next_line(struct parser *p, struct region *r, struct line *ret)
{
    if (!line_next(r, ret))
        return false;
    if (!r->indent.p)
        r->indent = ret->indent;
    if (!str_starts_with(ret->indent, r->indent) && !str_starts_with(r->indent, ret->indent))
        complain(p, ret, "the indentation of the lines above: blanks and tabs do not mix");
    return true;
}

/* For what takes a line and no more. */
static bool
ends(struct parser *p, const struct line *line, struct str rest)
{
    struct region block = line->block;
    struct line below;

    if (rest.len) {
        diag_add(p->diags, DIAG_ERROR, line->source, (uint32_t)(rest.p - line->source->text.p), (uint32_t)rest.len,
                 "expected the end of the line");
        return false;
    }
    return !line_next(&block, &below) || complain(p, &below, "nothing: the line above takes no lines below it");
}

/* True, and taken, when the next word is this one. */
static bool
accept(struct parser *p, struct str *rest, const char *word)
{
    struct str copy = *rest, found;

    if (!word_next(p->arena, &copy, &found) || !str_eq(found, str_from_c(word)))
        return false;
    *rest = copy;
    return true;
}

/* The rest of a line as a value: a quoted word, or the text as it stands. */
static struct str
rest_text(struct parser *p, struct str rest)
{
    struct str word, copy = rest;

    return rest.len && rest.p[0] == '"' && word_next(p->arena, &copy, &word) && !copy.len ? word : rest;
}

/* The same; the block when there is no rest. */
static struct str
rest_or_block(struct parser *p, const struct line *line, struct str rest)
{
    if (!rest.len)
        return block_text(&line->block, p->arena);
    ends(p, line, STR(""));
    return rest_text(p, rest);
}

static bool
add_header(struct parser *p, const struct line *line, struct str rest, struct str *headers)
{
    ptrdiff_t colon = str_find_char(rest, ':', 1);

    if (colon < 0)
        return complain(p, line, "`header NAME: VALUE`");
    *headers = str_printf(p->arena, "%.*s%.*s: %.*s\r\n", STR_ARG(*headers), STR_ARG(str_trim(str_sub(rest, 0, (size_t)colon))),
                          STR_ARG(str_trim(str_skip(rest, (size_t)colon + 1))));
    return ends(p, line, STR(""));
}

/* body TEXT | body "TEXT" | body repeat "x" COUNT | body (block) */
static bool
parse_body(struct parser *p, const struct line *line, struct str rest, struct str *ret)
{
    struct str unit, count;
    uint32_t n;
    struct buf text = buf_in(p->arena);

    if (!accept(p, &rest, "repeat")) {
        *ret = rest_or_block(p, line, rest);
        return true;
    }
    if (!word_next(p->arena, &rest, &unit) || !word_next(p->arena, &rest, &count) ||
        !num_parse_u32(count, 64 << 20, &n, NULL))
        return complain(p, line, "`body repeat TEXT COUNT`");
    for (uint32_t i = 0; i < n; i++)
        buf_add_str(&text, unit);
    *ret = buf_str(&text);
    return (ret->p != NULL && ends(p, line, rest)) || complain(p, line, "a body that fits into memory");
}

static bool
parse_milliseconds(struct parser *p, const struct line *line, struct str rest, uint32_t *ret)
{
    uint64_t ms;

    if (!num_parse_duration(rest, &ms, NULL) || ms > UINT32_MAX)
        return complain(p, line, "a duration such as 200ms");
    *ret = (uint32_t)ms;
    return true;
}

static bool
parse_action(struct parser *p, const struct line *line, struct rule *r)
{
    struct str rest = line->text, word, number;
    uint32_t n;

    word_next(p->arena, &rest, &word);
    if (str_eq_lit(word, "status")) {
        if (!word_next(p->arena, &rest, &number) || !num_parse_u32(number, 999, &n, NULL))
            return complain(p, line, "`status CODE`");
        r->status = (uint16_t)n;
        return ends(p, line, rest);
    }
    if (str_eq_lit(word, "header"))
        return add_header(p, line, rest, &r->headers);
    if (str_eq_lit(word, "trailer"))
        return add_header(p, line, rest, &r->trailers);
    if (str_eq_lit(word, "body"))
        return parse_body(p, line, rest, &r->body);
    if (str_eq_lit(word, "delay"))
        return parse_milliseconds(p, line, rest, &r->delay_ms);
    if (str_eq_lit(word, "pieces")) {
        if (!word_next(p->arena, &rest, &number) || !num_parse_u32(number, 10000, &r->pieces, NULL))
            return complain(p, line, "`pieces COUNT [every DURATION]`");
        return !accept(p, &rest, "every") || parse_milliseconds(p, line, rest, &r->piece_delay_ms);
    }
    if (str_eq_lit(word, "interim") || str_eq_lit(word, "raw")) {
        struct str text = rest_or_block(p, line, rest);
        struct buf lines = buf_in(p->arena);
        struct str head;
        bool first = true;

        for (; str_split_next(&text, '\n', &head); first = false) {
            if (!first)
                buf_add_lit(&lines, "\r\n");
            buf_add_str(&lines, unescape(head, p->arena));
        }
        *(str_eq_lit(word, "raw") ? &r->raw : &r->interim) = buf_str(&lines);
        return true;
    }
    static const struct {
        const char *word;
        size_t offset;
    } flags[] = {
        {"chunked", offsetof(struct rule, is_chunked)}, {"unframed", offsetof(struct rule, no_length)},
        {"reset", offsetof(struct rule, reset)},        {"hang", offsetof(struct rule, hang)},
        {"half", offsetof(struct rule, half)},          {"close", offsetof(struct rule, closes)},
        {"echo", offsetof(struct rule, echoes)},        {"tunnel", offsetof(struct rule, tunnels)},
    };
    for (size_t i = 0; i < COUNTOF(flags); i++)
        if (str_eq(word, str_from_c(flags[i].word))) {
            *(bool *)((char *)r + flags[i].offset) = true;
            return ends(p, line, rest);
        }
    return complain(p, line, "status, header, body, trailer, delay, pieces, interim, raw, chunked, unframed, reset, "
                             "hang, half, close, echo or tunnel");
}

/* origin NAME [as URL [with IDENTITY]]: block of `on METHOD PATH [once]` with actions below; actions without `on` answer everything */
static bool
parse_origin(struct parser *p, struct step *s, struct str rest)
{
    struct rule **last = &s->rules, *bare = NULL;
    struct region block = s->line.block;
    struct line line;

    if (!word_next(p->arena, &rest, &s->name))
        return complain(p, &s->line, "`origin NAME`");
    if (accept(p, &rest, "as") && !word_next(p->arena, &rest, &s->value))
        return complain(p, &s->line, "a URL after `as`");
    if (accept(p, &rest, "with") && !word_next(p->arena, &rest, &s->identity))
        return complain(p, &s->line, "an identity after `with`");
    if (rest.len)
        return complain(p, &s->line, "`origin NAME [as URL [with IDENTITY]]`");
    while (next_line(p, &block, &line)) {
        struct str words = line.text;
        struct rule *r;
        struct region actions = line.block;
        struct line action;

        if (!accept(p, &words, "on")) {
            if (!bare) {
                bare = arena_new(p->arena, struct rule);
                *bare = (struct rule){.method = STR("*"), .path = STR("*"), .status = 200};
            }
            if (!parse_action(p, &line, bare))
                return false;
            continue;
        }
        r = arena_new(p->arena, struct rule);
        *r = (struct rule){.status = 200};
        if (!word_next(p->arena, &words, &r->method) || !word_next(p->arena, &words, &r->path))
            return complain(p, &line, "`on METHOD PATH [once]`");
        r->once = accept(p, &words, "once");
        if (words.len)
            return complain(p, &line, "`on METHOD PATH [once]`");
        while (next_line(p, &actions, &action))
            if (!parse_action(p, &action, r))
                return false;
        *last = r;
        last = &r->next;
    }
    *last = bare;
    return true;
}

/* needs PATH [as NAME] */
static bool
parse_needs(struct parser *p, struct step *s, struct str rest)
{
    if (!word_next(p->arena, &rest, &s->value) || (accept(p, &rest, "as") && !word_next(p->arena, &rest, &s->name)))
        return complain(p, &s->line, "`needs PATH [as NAME]`");
    return ends(p, &s->line, rest);
}

static bool
parse_named_value(struct parser *p, struct step *s, struct str rest)
{
    if (!word_next(p->arena, &rest, &s->name))
        return complain(p, &s->line, "`named-value NAME VALUE`");
    s->value = rest_or_block(p, &s->line, rest);
    return true;
}

static bool
parse_env(struct parser *p, struct step *s, struct str rest)
{
    if (!word_next(p->arena, &rest, &s->name) || !word_next(p->arena, &rest, &s->value))
        return complain(p, &s->line, "`env NAME VALUE`");
    return ends(p, &s->line, rest);
}

/* key NAME KIND [VALUE] [kid TEXT] */
static bool
parse_key(struct parser *p, struct step *s, struct str rest)
{
    static const char *const kinds[] = {"rsa", "p-256", "p-384", "p-521", "ed25519", "secret", "secret-base64"};
    bool is_known = false;

    if (!word_next(p->arena, &rest, &s->name) || !word_next(p->arena, &rest, &s->method))
        return complain(p, &s->line, "`key NAME KIND [VALUE] [kid TEXT]`");
    for (size_t i = 0; i < COUNTOF(kinds); i++)
        is_known |= str_eq(s->method, str_from_c(kinds[i]));
    if (!is_known)
        return complain(p, &s->line, "rsa, p-256, p-384, p-521, ed25519, secret or secret-base64");
    if (rest.len && !str_starts_with(rest, STR("kid ")))
        word_next(p->arena, &rest, &s->value);
    if (accept(p, &rest, "kid") && !word_next(p->arena, &rest, &s->target))
        return complain(p, &s->line, "a text after `kid`");
    return (!rest.len || complain(p, &s->line, "`kid TEXT`")) && ends(p, &s->line, rest);
}

/* token NAME by KEY [as ALG] [for KEY [as ALG [with ENC]]] */
static bool
parse_token(struct parser *p, struct step *s, struct str rest)
{
    struct region block = s->line.block;
    struct line line;
    bool ok = word_next(p->arena, &rest, &s->name) && accept(p, &rest, "by") && word_next(p->arena, &rest, &s->target) &&
              (!accept(p, &rest, "as") || word_next(p->arena, &rest, &s->method));

    if (ok && accept(p, &rest, "for"))
        ok = word_next(p->arena, &rest, &s->path) && (!accept(p, &rest, "as") || word_next(p->arena, &rest, &s->connection)) &&
             (!accept(p, &rest, "with") || word_next(p->arena, &rest, &s->operations));
    if (!ok || rest.len)
        return complain(p, &s->line, "`token NAME by KEY [as ALG] [for KEY [as ALG [with ENC]]]`");
    while (next_line(p, &block, &line)) {
        struct str words = line.text;

        if (accept(p, &words, "header"))
            s->headers = rest_or_block(p, &line, words);
        else if (accept(p, &words, "claims"))
            s->body = rest_or_block(p, &line, words);
        else
            return complain(p, &line, "`header JSON` or `claims JSON`");
    }
    return true;
}

static bool
parse_identity(struct parser *p, struct step *s, struct str rest)
{
    s->value = block_text(&s->line.block, p->arena);
    return (word_next(p->arena, &rest, &s->name) && !rest.len) || complain(p, &s->line, "`identity NAME`, its traits below");
}

static bool
parse_artifacts(struct parser *p, struct step *s, struct str rest)
{
    return (word_next(p->arena, &rest, &s->value) || complain(p, &s->line, "`artifacts PATH`")) && ends(p, &s->line, rest);
}

static bool
parse_yaml(struct parser *p, struct step *s, struct str rest)
{
    s->value = block_text(&s->line.block, p->arena);
    return !rest.len || complain(p, &s->line, "`yaml` and the text of headgate.yaml below");
}

static bool
parse_file(struct parser *p, struct step *s, struct str rest)
{
    ptrdiff_t from = str_find(rest, STR(" from "), 0);

    s->name = rest_text(p, from < 0 ? rest : str_sub(rest, 0, (size_t)from));
    s->value = block_text(&s->line.block, p->arena);
    s->text_block = s->line.block;
    if (from >= 0) {
        s->from = str_trim(str_skip(rest, (size_t)from + 6));
        if (!ends(p, &s->line, STR("")))
            return false;
    }
    return (rest.len && str_find(s->name, STR(".."), 0) < 0 && s->name.p[0] != '/') ||
           complain(p, &s->line, "`file PATH` inside the configuration folder");
}

static size_t
count_words(struct parser *p, struct str text)
{
    struct str word;
    size_t n = 0;

    while (word_next(p->arena, &text, &word))
        n++;
    return n;
}

/* policy [from PATH] */
static bool
parse_policy(struct parser *p, const struct line *line, struct str rest, struct str *ret_text, struct str *ret_from)
{
    if (accept(p, &rest, "from")) {
        *ret_from = rest;
        return (rest.len || complain(p, line, "a path after `policy from`")) && ends(p, line, STR(""));
    }
    *ret_text = block_text(&line->block, p->arena);
    return (!rest.len && ret_text->len) || complain(p, line, "`policy` with the document below it, or `policy from PATH`");
}

/* operation [ID] METHOD TEMPLATE, with a policy of its own below. One without an id gets a name by its place, so that the
 * policy finds it. */
static bool
parse_operation_line(struct parser *p, struct step *s, const struct line *line, struct str words, uint32_t index)
{
    struct region block = line->block;
    struct str id = STR_NONE;
    struct line below;

    if (count_words(p, words) != 2 && count_words(p, words) != 3)
        return complain(p, line, "`operation [ID] METHOD TEMPLATE`");
    if (count_words(p, words) == 2)
        words = str_printf(p->arena, "operation-%" PRIu32 " %.*s", index, STR_ARG(words));
    s->operations = str_printf(p->arena, "%.*s%.*s\n", STR_ARG(s->operations), STR_ARG(words));
    word_next(p->arena, &words, &id);
    while (next_line(p, &block, &below)) {
        struct operation_policy *own = arena_new(p->arena, struct operation_policy);

        struct str words_below = below.text;

        if (!own || !accept(p, &words_below, "policy"))
            return complain(p, &below, "`policy` or `policy from PATH` below an operation");
        *own = (struct operation_policy){.next = s->operation_policies, .operation = id, .block = below.block};
        if (!parse_policy(p, &below, words_below, &own->text, &own->from))
            return false;
        s->operation_policies = own;
    }
    return true;
}

/* api NAME at PATH [to ORIGIN] */
static bool
parse_api(struct parser *p, struct step *s, struct str rest)
{
    struct region block = s->line.block;
    uint32_t n_operations = 0;
    struct line line;

    if (!word_next(p->arena, &rest, &s->name) || !accept(p, &rest, "at") || !word_next(p->arena, &rest, &s->path))
        return complain(p, &s->line, "`api NAME at PATH [to ORIGIN]`");
    if (accept(p, &rest, "to") && !word_next(p->arena, &rest, &s->target))
        return complain(p, &s->line, "an origin's name or a URL after `to`");
    if (rest.len)
        return complain(p, &s->line, "`api NAME at PATH [to ORIGIN]`");
    while (next_line(p, &block, &line)) {
        struct str words = line.text;

        if (accept(p, &words, "operation")) {
            if (!parse_operation_line(p, s, &line, words, ++n_operations))
                return false;
        } else if (accept(p, &words, "subscription") && accept(p, &words, "required")) {
            s->needs_key = true;
            if (!ends(p, &line, words))
                return false;
        } else if (accept(p, &words, "policy")) {
            s->text_block = line.block;
            if (!parse_policy(p, &line, words, &s->policy, &s->from))
                return false;
        } else
            return complain(p, &line, "`operation METHOD TEMPLATE`, `subscription required`, `policy` or `policy from PATH`");
    }
    return true;
}

static bool
parse_test(struct parser *p, struct step *s, struct str rest)
{
    s->name = rest_text(p, rest);
    return s->name.len || complain(p, &s->line, "`test NAME`");
}

/* request METHOD TARGET [to admin] [on CONNECTION] [times N [at once]] [http/1.0|http/2] [tls [as IDENTITY]] */
static bool
parse_request(struct parser *p, struct step *s, struct str rest)
{
    struct region block = s->line.block;
    struct line line;
    struct str count;

    s->times = 1;
    if (!word_next(p->arena, &rest, &s->method) || !word_next(p->arena, &rest, &s->value))
        return complain(p, &s->line, "`request METHOD TARGET`");
    while (rest.len) {
        if (accept(p, &rest, "on") && word_next(p->arena, &rest, &s->connection))
            continue;
        if (accept(p, &rest, "times") && word_next(p->arena, &rest, &count) &&
            num_parse_u32(count, 100000, &s->times, NULL))
            continue;
        if (accept(p, &rest, "to") && accept(p, &rest, "admin")) {
            s->to_admin = p->uses_admin = true;
            continue;
        }
        if (accept(p, &rest, "at") && accept(p, &rest, "once")) {
            s->at_once = true;
            continue;
        }
        if (accept(p, &rest, "later")) {
            s->is_later = true;
            continue;
        }
        if (accept(p, &rest, "http/1.0")) {
            s->is_http10 = true;
            continue;
        }
        if (accept(p, &rest, "http/2")) {
            s->is_http2 = true;
            continue;
        }
        if (accept(p, &rest, "tls")) {
            s->is_tls = true;
            if (!accept(p, &rest, "as") || word_next(p->arena, &rest, &s->identity))
                continue;
        }
        return complain(p, &s->line, "`on CONNECTION`, `to admin`, `times N [at once]`, `later`, `http/1.0`, `http/2` or `tls [as IDENTITY]`");
    }
    if (s->is_later && (s->is_http2 || s->times != 1))
        return complain(p, &s->line, "one request over HTTP/1 for `later`");
    if (s->connection.p && (s->is_http2 || s->at_once))
        return complain(p, &s->line, "requests one after the other over HTTP/1 for `on CONNECTION`");
    while (next_line(p, &block, &line)) {
        struct str words = line.text;

        if (accept(p, &words, "header")) {
            if (!add_header(p, &line, words, &s->headers))
                return false;
        } else if (accept(p, &words, "body")) {
            s->has_body = true;
            if (!parse_body(p, &line, words, &s->body))
                return false;
        } else {
            return complain(p, &line, "`header NAME: VALUE` or `body ...`");
        }
    }
    return true;
}

/* A block ends with its last line that says something; an empty line behind it ends a head. */
static bool
is_blank_after(const struct region *block)
{
    struct region rest = {.source = block->source, .at = block->end, .end = (uint32_t)block->source->text.len};
    uint32_t next;

    return rest.at < rest.end && str_trim(physical_line(&rest, rest.at, &next)).len == 0;
}

static bool
parse_raw(struct parser *p, struct step *s, struct str rest)
{
    struct str text = block_text(&s->line.block, p->arena), line;
    struct buf bytes = buf_in(p->arena);

    if (accept(p, &rest, "on") && !word_next(p->arena, &rest, &s->connection))
        return complain(p, &s->line, "`raw [on CONNECTION] [later]`");
    s->is_later = accept(p, &rest, "later");
    if (rest.len)
        return complain(p, &s->line, "`raw [on CONNECTION] [later]`");
    while (str_split_next(&text, '\n', &line)) {
        bool joined = line.len && line.p[line.len - 1] == '\\'; /* no line end after a final backslash */
        buf_add_str(&bytes, unescape(joined ? str_sub(line, 0, line.len - 1) : line, p->arena));
        if (!joined)
            buf_add_lit(&bytes, "\r\n");
    }
    if (is_blank_after(&s->line.block))
        buf_add_lit(&bytes, "\r\n");
    s->body = buf_str(&bytes);
    return true;
}

/* [not] = VALUE | contains VALUE | ~ REGEX | < N | > N | present | absent | VALUE; nothing means present */
static bool
parse_match(struct parser *p, const struct line *line, struct str rest, struct expectation *e)
{
    e->is_negated = accept(p, &rest, "not");
    if (!rest.len && !(line->block.end > line->block.at)) {
        e->op = MATCH_PRESENT;
        return true;
    }
    if (accept(p, &rest, "absent")) {
        e->op = MATCH_ABSENT;
        return ends(p, line, rest);
    }
    if (accept(p, &rest, "present")) {
        e->op = MATCH_PRESENT;
        return ends(p, line, rest);
    }
    e->op = accept(p, &rest, "contains") ? MATCH_CONTAINS : accept(p, &rest, "~") ? MATCH_REGEX
            : accept(p, &rest, "<") ? MATCH_LESS : accept(p, &rest, ">") ? MATCH_MORE : MATCH_EQUALS;
    if (e->op == MATCH_EQUALS && accept(p, &rest, "!="))
        e->is_negated = !e->is_negated;
    else if (e->op == MATCH_EQUALS)
        accept(p, &rest, "=");
    e->value = rest_or_block(p, line, rest);
    return true;
}

static bool
is_named_subject(struct str subject)
{
    static const char *const named[] = {"header", "trailer", "json", "origin", "log", "variable", "metric"};

    for (size_t i = 0; i < COUNTOF(named); i++)
        if (str_eq(subject, str_from_c(named[i])))
            return true;
    return false;
}

static bool
is_subject(struct str subject)
{
    static const char *const plain[] = {"status", "reason", "body", "answers", "closed", "aborted", "complete", "cache",
                                        "interim", "version"};

    for (size_t i = 0; i < COUNTOF(plain); i++)
        if (str_eq(subject, str_from_c(plain[i])))
            return true;
    return is_named_subject(subject);
}

static bool
is_origin_part(struct str part)
{
    static const char *const parts[] = {"requests", "connections", "method", "path", "header", "body", "certificate", "fault"};

    for (size_t i = 0; i < COUNTOF(parts); i++)
        if (str_eq(part, str_from_c(parts[i])))
            return true;
    return false;
}

/* A column, or a place in one that holds JSON: RequestHeaders.Accept, TraceRecords[0].message. */
static bool
is_log_column(struct str name)
{
    static const char *const columns[] = {
#define COLUMN(column, type, field) #column,
#include "observe/log_columns.def"
#undef COLUMN
    };

    for (size_t i = 0; i < COUNTOF(columns); i++) {
        struct str column = str_from_c(columns[i]), below = str_skip(name, MIN(name.len, column.len));
        if (str_starts_with(name, column) && (!below.len || below.p[0] == '.' || below.p[0] == '['))
            return true;
    }
    return false;
}

/* SUBJECT [NAME [PART [NAME]]]: what is looked at. */
static bool
parse_subject(struct parser *p, const struct line *line, struct str *rest, struct expectation *e)
{
    if (!word_next(p->arena, rest, &e->subject) || !is_subject(e->subject))
        return complain(p, line, "one of status, reason, version, header, trailer, body, json, origin, cache, "
                                 "log, metric, variable, answers, interim, closed, aborted, complete");
    if (is_named_subject(e->subject) && !word_next(p->arena, rest, &e->name))
        return complain(p, line, "a name after the subject");
    if (str_eq_lit(e->subject, "log") && !is_log_column(e->name))
        return complain(p, line, "a column of the gateway log after `log`, such as ResponseCode");
    if (str_eq_lit(e->subject, "origin")) {
        if (!word_next(p->arena, rest, &e->part) || !is_origin_part(e->part))
            return complain(p, line, "requests, connections, method, path, header NAME, body, certificate or fault");
        if (str_eq_lit(e->part, "header") && !word_next(p->arena, rest, &e->part_name))
            return complain(p, line, "a header's name");
    }
    if (str_eq_lit(e->subject, "cache") && !word_next(p->arena, rest, &e->part))
        return complain(p, line, "entries, bytes, hits, misses or another figure of the cache");
    return true;
}

static bool
parse_expect(struct parser *p, struct step *s, struct str rest)
{
    return parse_subject(p, &s->line, &rest, &s->expect) && parse_match(p, &s->line, rest, &s->expect);
}

/* set NAME = "TEXT" | what `expect` can look at */
static bool
parse_set(struct parser *p, struct step *s, struct str rest)
{
    if (!word_next(p->arena, &rest, &s->name) || !accept(p, &rest, "=") || !rest.len)
        return complain(p, &s->line, "`set NAME = status | body | header NAME | json PATH | \"TEXT\"`");
    if (rest.p[0] == '"') {
        s->expect.subject = STR("text");
        return (word_next(p->arena, &rest, &s->value) || complain(p, &s->line, "a closing quote")) && ends(p, &s->line, rest);
    }
    return parse_subject(p, &s->line, &rest, &s->expect) && ends(p, &s->line, rest);
}

/* With variables it is read when it is run. */
static bool
parse_advance(struct parser *p, struct step *s, struct str rest)
{
    if (str_find(rest, STR("${"), 0) >= 0) {
        s->value = rest;
        return ends(p, &s->line, STR(""));
    }
    return (num_parse_duration(rest, &s->number, NULL) || complain(p, &s->line, "a duration such as 31s")) &&
           ends(p, &s->line, STR(""));
}

/* clock forward DURATION | clock back DURATION */
static bool
parse_clock(struct parser *p, struct step *s, struct str rest)
{
    s->at_once = accept(p, &rest, "back"); /* else forward */
    if (!s->at_once && !accept(p, &rest, "forward"))
        return complain(p, &s->line, "`clock forward DURATION` or `clock back DURATION`");
    return parse_advance(p, s, rest);
}

static bool
parse_publish(struct parser *p, struct step *s, struct str rest)
{
    if (!rest.len)
        return ends(p, &s->line, rest);
    if (!accept(p, &rest, "fails"))
        return complain(p, &s->line, "`publish` or `publish fails TEXT`");
    s->value = rest_or_block(p, &s->line, rest);
    s->at_once = true; /* it must fail */
    return true;
}

static bool
parse_answer(struct parser *p, struct step *s, struct str rest)
{
    if (accept(p, &rest, "on") && !word_next(p->arena, &rest, &s->connection))
        return complain(p, &s->line, "`answer [on CONNECTION]`");
    return (!rest.len || complain(p, &s->line, "`answer [on CONNECTION]`")) && ends(p, &s->line, rest);
}

static bool
parse_wait(struct parser *p, struct step *s, struct str rest)
{
    struct str count, answer = rest;
    bool is_named;

    if (str_eq_lit(rest, "for background work")) {
        s->waits_for_background = true;
        return ends(p, &s->line, STR(""));
    }
    if (accept(p, &answer, "for") && accept(p, &answer, "answer")) {
        s->is_for_answer = true;
        return parse_answer(p, s, answer);
    }
    is_named = accept(p, &rest, "for") && word_next(p->arena, &rest, &s->name);
    if (is_named && !accept(p, &rest, "requests")) {
        s->is_for_metric = str_eq_lit(s->name, "metric");
        is_named = s->is_for_metric && word_next(p->arena, &rest, &s->name);
    }
    if (!is_named || !word_next(p->arena, &rest, &count) || !num_parse_u64(count, UINT32_MAX, &s->number, NULL))
        return complain(p, &s->line, "`wait for ORIGIN requests N`, `wait for metric NAME N`, `wait for answer [on CONNECTION]` or "
                                     "`wait for background work`");
    return ends(p, &s->line, rest);
}

static bool
parse_name(struct parser *p, struct step *s, struct str rest)
{
    return (word_next(p->arena, &rest, &s->name) || complain(p, &s->line, "an origin's name")) && ends(p, &s->line, rest);
}

static bool parse_each(struct parser *p, struct step *s, struct str rest);

static bool (*const parse_step[STEP_COUNT])(struct parser *, struct step *, struct str) = {
    [STEP_ORIGIN] = parse_origin, [STEP_ENV] = parse_env,         [STEP_ARTIFACTS] = parse_artifacts,
    [STEP_YAML] = parse_yaml,     [STEP_FILE] = parse_file,       [STEP_API] = parse_api,
    [STEP_TEST] = parse_test,     [STEP_REQUEST] = parse_request, [STEP_RAW] = parse_raw,
    [STEP_EXPECT] = parse_expect, [STEP_SET] = parse_set,         [STEP_ADVANCE] = parse_advance, [STEP_CLOCK] = parse_clock,
    [STEP_PUBLISH] = parse_publish, [STEP_WAIT] = parse_wait,     [STEP_DROP] = parse_name,
    [STEP_REVIVE] = parse_name, [STEP_EACH] = parse_each, [STEP_KEY] = parse_key, [STEP_TOKEN] = parse_token,
    [STEP_IDENTITY] = parse_identity, [STEP_ANSWER] = parse_answer, [STEP_NEEDS] = parse_needs,
    [STEP_NAMED_VALUE] = parse_named_value,
};

static const char *const step_words[STEP_COUNT] = {
#define STEP(id, word) [STEP_##id] = word,
#include "hgt/steps.def"
#undef STEP
};

static bool
next_word(void *ctx, struct str *candidate)
{
    size_t *i = ctx;

    if (*i == STEP_COUNT)
        return false;
    *candidate = str_from_c(step_words[(*i)++]);
    return true;
}

static void
unknown_step(struct parser *p, const struct line *line, struct str word)
{
    size_t i = 0;
    struct str near = diag_nearest(word, next_word, &i);

    if (near.p)
        diag_add(p->diags, DIAG_ERROR, line->source, line->offset, (uint32_t)word.len,
                 "no step begins with `%.*s`; did you mean `%.*s`?", STR_ARG(word), STR_ARG(near));
    else
        diag_add(p->diags, DIAG_ERROR, line->source, line->offset, (uint32_t)word.len,
                 "no step begins with `%.*s`", STR_ARG(word));
}

/* The steps of a region, in order; what does not parse is reported and left out. */
static struct step *
parse_steps(struct parser *p, struct region region)
{
    struct step *first = NULL, **last = &first;
    struct line line;

    while (next_line(p, &region, &line)) {
        struct str rest = line.text, word;
        size_t kind = 0;
        struct step *s;

        if (!word_next(p->arena, &rest, &word)) {
            complain(p, &line, "a closing quote");
            continue;
        }
        while (kind < STEP_COUNT && !str_eq(word, str_from_c(step_words[kind])))
            kind++;
        if (kind == STEP_COUNT) {
            unknown_step(p, &line, word);
            continue;
        }
        s = arena_new(p->arena, struct step);
        *s = (struct step){.kind = (enum step_kind)kind, .line = line};
        if (!parse_step[kind](p, s, rest))
            continue;
        *last = s;
        last = &s->next;
        if (s->kind == STEP_TEST)     /* whoever indents the steps of a test means the same */
            for (*last = parse_steps(p, line.block); *last; last = &(*last)->next)
                ;
    }
    return first;
}

/* each NAME in WORD WORD ...: block of steps */
static bool
parse_each(struct parser *p, struct step *s, struct str rest)
{
    struct str word;

    if (!word_next(p->arena, &rest, &s->name) || !accept(p, &rest, "in") || !rest.len)
        return complain(p, &s->line, "`each NAME in WORD WORD ...`");
    while (word_next(p->arena, &rest, &word))
        *avec_push(p->arena, &s->values) = word;
    if (rest.len)
        return complain(p, &s->line, "a closing quote");
    s->steps = parse_steps(p, s->line.block);
    return true;
}

bool
script_parse(const struct source *source, struct arena *a, struct script *ret, struct diags *diags)
{
    struct parser p = {.arena = a, .diags = diags};

    *ret = (struct script){.source = source};
    uint32_t mark = str_starts_with(source->text, STR("\xef\xbb\xbf")) ? 3 : 0; /* an editor's byte order mark */
    ret->first = parse_steps(&p, (struct region){.source = source, .at = mark, .end = (uint32_t)source->text.len});
    ret->uses_admin = p.uses_admin;
    return diags->errors == 0;
}
