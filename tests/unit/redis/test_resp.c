/* Replies by the sentence, whole and byte by byte.
 * SPDX-License-Identifier: Apache-2.0 */
#include "redis/resp.c"
#include "test.h"

static const struct resp_limits small = {.reply_bytes = 1000, .nodes = 20};

/* Feeds one byte more at a time; what the last call said. */
static enum resp_result
drip(struct resp_parser *p, struct str text, struct err *err)
{
    enum resp_result result = RESP_MORE;

    for (size_t n = 0; n <= text.len && result == RESP_MORE; n++)
        result = resp_parse(p, str_sub(text, 0, n), err);
    return result;
}

static void
flatten(struct resp r, struct buf *to)
{
    static const char kinds[] = "SEIBDGNAXMP";
    struct resp item = resp_first(r);

    buf_add_char(to, kinds[resp_type(r)]);
    if (resp_type(r) == RESP_INTEGER || resp_type(r) == RESP_BOOL)
        buf_add_i64(to, r.v->integer);
    buf_add_str(to, resp_text(r));
    for (uint32_t i = 0; resp_is_list(r) && i < resp_n(r); i++, item = resp_next(item)) {
        buf_add_char(to, i ? ',' : '(');
        flatten(item, to);
    }
    if (resp_is_list(r))
        buf_add_char(to, ')');
}

static bool
reads(const char *text, size_t len, const char *expected)
{
    struct buf at_once AUTO(buf_destroy) = BUF_INIT, dripped AUTO(buf_destroy) = BUF_INIT;
    struct resp_parser p AUTO(resp_parser_destroy);
    struct str input = str_from(text, len);
    bool ok;

    resp_parser_create(&p, &small);
    ok = resp_parse(&p, input, NULL) == RESP_DONE && p.at == len;
    if (ok)
        flatten(resp_root(&p, input), &at_once);
    resp_parser_next(&p);
    ok = ok && drip(&p, input, NULL) == RESP_DONE && p.at == len;
    if (ok)
        flatten(resp_root(&p, input), &dripped);
    return ok && str_eq(buf_str(&at_once), str_from_c(expected)) && str_eq(buf_str(&dripped), str_from_c(expected));
}
#define READS(text, expected) EXPECT(reads(text, sizeof(text) - 1, expected))

static enum err_code
refusal(const char *text, size_t len)
{
    struct resp_parser p AUTO(resp_parser_destroy);
    struct err err = ERR_INIT;

    resp_parser_create(&p, &small);
    if (resp_parse(&p, str_from(text, len), &err) != RESP_BAD)
        return ERR_NONE;
    resp_parser_next(&p);
    return drip(&p, str_from(text, len), &err) == RESP_BAD ? err.code : ERR_NONE;
}
#define REFUSES(text, code) EXPECT_EQ(refusal(text, sizeof(text) - 1), code)

TEST(single_values_of_both_versions)
{
    READS("+OK\r\n", "SOK");
    READS("-ERR no\r\n", "EERR no");
    READS(":42\r\n", "I42");
    READS(":-9223372036854775808\r\n", "I-9223372036854775808");
    READS("$5\r\na\r\nbc\r\n", "Sa\r\nbc");
    READS("$0\r\n\r\n", "S");
    READS("$-1\r\n", "N");
    READS("*-1\r\n", "N");
    READS("_\r\n", "N");
    READS("#t\r\n", "B1");
    READS(",3.25e-1\r\n", "D3.25e-1");
    READS(",-inf\r\n", "D-inf");
    READS("(3492890328409238509324850943850943825024385\r\n", "G3492890328409238509324850943850943825024385");
    READS("=8\r\ntxt:some\r\n", "Ssome");
    READS("!9\r\nSYNTAX no\r\n", "ESYNTAX no");
}

TEST(aggregates_nest)
{
    READS("*0\r\n", "A)");
    READS("*2\r\n*1\r\n:1\r\n+x\r\n", "A(A(I1),Sx)");
    READS("%1\r\n+k\r\n*2\r\n:1\r\n_\r\n", "M(Sk,A(I1,N))");
    READS("~2\r\n+a\r\n+b\r\n", "X(Sa,Sb)");
    READS(">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n", "P(Sinvalidate,A(Sk))");
    READS("*2\r\n*0\r\n*0\r\n", "A(A),A))");
}

TEST(attributes_are_dropped)
{
    READS("|1\r\n+ttl\r\n:3600\r\n+value\r\n", "Svalue");
    READS("*2\r\n|1\r\n+ttl\r\n:1\r\n:5\r\n|0\r\n:6\r\n", "A(I5,I6)");
}

TEST(what_no_server_writes_is_refused)
{
    REFUSES("hello\r\n", ERR_PROTOCOL);
    REFUSES("\r\n", ERR_PROTOCOL);
    REFUSES(":12a\r\n", ERR_PROTOCOL);
    REFUSES(":\r\n", ERR_PROTOCOL);
    REFUSES(":9223372036854775808\r\n", ERR_PROTOCOL);
    REFUSES("$x\r\n", ERR_PROTOCOL);
    REFUSES("$-2\r\n", ERR_PROTOCOL);
    REFUSES("$+3\r\nabc\r\n", ERR_PROTOCOL);
    REFUSES("$3\r\nabcd\r\n", ERR_PROTOCOL);
    REFUSES("+a\nb\r\n", ERR_PROTOCOL);
    REFUSES("+a\rb\r\n", ERR_PROTOCOL);
    REFUSES("#x\r\n", ERR_PROTOCOL);
    REFUSES("_x\r\n", ERR_PROTOCOL);
    REFUSES(",1.0x\r\n", ERR_PROTOCOL);
    REFUSES("(12.5\r\n", ERR_PROTOCOL);
    REFUSES("=3\r\ntxt\r\n", ERR_PROTOCOL);
    REFUSES("=8\r\ntxt-some\r\n", ERR_PROTOCOL);
    REFUSES("%-1\r\n", ERR_PROTOCOL);
    REFUSES("*?\r\n", ERR_PROTOCOL);
    REFUSES("*1\r\n>1\r\n+x\r\n", ERR_PROTOCOL);
    REFUSES(">0\r\n", ERR_PROTOCOL);
}

TEST(what_is_too_much_is_refused_before_it_comes)
{
    REFUSES("$1001\r\n", ERR_LIMIT);
    REFUSES("$99999999999999999999\r\n", ERR_PROTOCOL);
    REFUSES("*21\r\n", ERR_LIMIT);
    REFUSES("*2\r\n*9\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n*9\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n:1\r\n"
            ":1\r\n", ERR_LIMIT);
    REFUSES("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n", ERR_LIMIT);
    REFUSES("*2\r\n$600\r\n", ERR_NONE);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    buf_add_lit(&b, "*2\r\n$600\r\n");
    for (int i = 0; i < 600; i++)
        buf_add_char(&b, 'x');
    buf_add_lit(&b, "\r\n$600\r\n");
    EXPECT_EQ(refusal(b.p, b.len), ERR_LIMIT);
}

TEST(a_line_without_an_end_is_refused)
{
    struct resp_parser p AUTO(resp_parser_destroy);
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    resp_parser_create(&p, &(struct resp_limits){.reply_bytes = 1 << 20, .nodes = 20});
    buf_add_char(&b, '+');
    while (b.len < RESP_LINE_MAX + 10)
        buf_add_lit(&b, "aaaaaaaaaaaaaaaa");
    EXPECT_EQ(resp_parse(&p, buf_str(&b), &err), RESP_BAD);
    EXPECT_EQ(err.code, ERR_LIMIT);
}

TEST(more_says_how_much_is_missing)
{
    struct resp_parser p AUTO(resp_parser_destroy);

    resp_parser_create(&p, &small);
    EXPECT_EQ(resp_parse(&p, STR("$10\r\nabc"), NULL), RESP_MORE);
    EXPECT_EQ(p.want, 9);
}

TEST(replies_follow_one_another)
{
    struct resp_parser p AUTO(resp_parser_destroy);
    struct str input = STR("+a\r\n:2\r\n");

    resp_parser_create(&p, &small);
    EXPECT_EQ(resp_parse(&p, input, NULL), RESP_DONE);
    EXPECT_STR(resp_text(resp_root(&p, input)), "a");
    input = str_skip(input, p.at);
    resp_parser_next(&p);
    EXPECT_EQ(resp_parse(&p, input, NULL), RESP_DONE);
    EXPECT_EQ(resp_root(&p, input).v->integer, 2);
}

TEST(fields_are_found_in_maps_and_in_flat_lists)
{
    struct resp_parser p AUTO(resp_parser_destroy);
    struct str map = STR("%2\r\n+a\r\n*1\r\n:1\r\n+b\r\n$1\r\n7\r\n"), flat = STR("*2\r\n$1\r\nb\r\n$1\r\n8\r\n");
    struct resp value;
    uint64_t n;

    resp_parser_create(&p, &small);
    EXPECT_EQ(resp_parse(&p, map, NULL), RESP_DONE);
    EXPECT(resp_field(resp_root(&p, map), STR("b"), &value) && resp_u64(value, &n) && n == 7);
    EXPECT(!resp_field(resp_root(&p, map), STR("c"), &value));
    resp_parser_next(&p);
    EXPECT_EQ(resp_parse(&p, flat, NULL), RESP_DONE);
    EXPECT(resp_field(resp_root(&p, flat), STR("b"), &value) && resp_u64(value, &n) && n == 8);
}

TEST(commands_are_arrays_of_texts)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct str words[] = {STR("SET"), STR("k"), STR("a\r\nb"), STR("")};

    EXPECT(resp_command(&b, words, 4));
    EXPECT_STR(buf_str(&b), "*4\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\n$0\r\n\r\n");
    EXPECT(b.len <= resp_command_bytes(words, 4));
}

TEST(a_command_fits_into_the_room_that_is_asked_for)
{
    static const size_t lengths[] = {0, 1, 9, 10, 99, 100, 70000};
    static char bytes[70000];

    for (size_t i = 0; i < COUNTOF(lengths); i++) {
        struct str words[] = {str_from(bytes, lengths[i]), STR_NONE};
        size_t room = resp_command_bytes(words, 2);
        char *p = malloc(room + 1);
        struct buf b = {.p = p, .cap = room + 1};

        EXPECT(resp_command(&b, words, 2));
        EXPECT(b.p == p);             /* it was not moved */
        EXPECT(b.len <= room);
        EXPECT(b.len >= lengths[i] + 12);
        free(p);
    }
}
