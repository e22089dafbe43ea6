/* 10,000 generated messages that RFC 9110 and 9112 allow, none of which may be refused (robustness T3). The
 * generator knows the grammar, not the parser. */
#include "http/h1_framing.h"
#include "test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/rand.h"
#include "http/h1_chunk.h"
#include "http/path.h"

#define MESSAGES 10000

static const char token_chars[] =
    "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char pchars[] =
    "-._~!$&'()*+,;=:@0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

static void
add_from(struct buf *b, struct rand *r, const char *chars, unsigned min, unsigned max)
{
    for (uint64_t n = min + rand_below(r, max - min + 1); n > 0; n--)
        buf_add_char(b, chars[rand_below(r, strlen(chars))]);
}

static void
add_blanks(struct buf *b, struct rand *r)
{
    for (uint64_t n = rand_below(r, 3); n > 0; n--)
        buf_add_char(b, rand_below(r, 2) ? ' ' : '\t');
}

/* The word in any mixture of cases. */
static void
add_cased(struct buf *b, struct rand *r, const char *word)
{
    for (; *word; word++)
        buf_add_char(b, ascii_is_alpha(*word) && rand_below(r, 2) ? (char)(*word ^ 0x20) : *word);
}

static void
add_path(struct buf *b, struct rand *r)
{
    static const char *const escapes[] = {"%20", "%C3%A4", "%e2%82%ac", "%F0%9F%98%80",
                                          "%41", "%3f",    "%25"};

    do {
        buf_add_char(b, '/');
        /* A segment that begins with a letter is no dot segment. */
        buf_add_char(b, 'a');
        add_from(b, r, pchars, 0, 12);
        if (rand_below(r, 4) == 0)
            buf_add_str(b, str_from_c(escapes[rand_below(r, COUNTOF(escapes))]));
    } while (rand_below(r, 3));
    if (rand_below(r, 2)) {
        buf_add_char(b, '?');
        add_from(b, r, pchars, 0, 30);
        add_from(b, r, "/?", 0, 2);
    }
}

static void
add_host(struct buf *b, struct rand *r)
{
    static const char *const hosts[] = {
        "example.com", "a", "xn--bcher-kva.example", "192.0.2.7", "[2001:db8::1]", "A.B.C.", "a_b"};

    buf_add_str(b, str_from_c(hosts[rand_below(r, COUNTOF(hosts))]));
    if (rand_below(r, 3) == 0)
        buf_printf(b, ":%u", 1 + (unsigned)rand_below(r, 65535));
}

static void
add_field(struct buf *b, struct rand *r)
{
    /* A letter that begins no framing field, then any token. */
    buf_add_lit(b, "Q-");
    add_from(b, r, token_chars, 1, 24);
    buf_add_char(b, ':');
    add_blanks(b, r);
    for (uint64_t n = rand_below(r, 60); n > 0; n--) {
        uint8_t c = (uint8_t)rand_below(r, 256);
        buf_add_char(b, (c < 0x20 && c != '\t') || c == 0x7f ? 'v' : (char)c);
    }
    add_blanks(b, r);
    buf_add_lit(b, "\r\n");
}

static void
add_fields(struct buf *b, struct rand *r)
{
    for (uint64_t n = rand_below(r, 15); n > 0; n--)
        add_field(b, r);
}

/* Returns the kind of body it announces. */
static enum h1_body_kind
add_framing(struct buf *b, struct rand *r)
{
    switch (rand_below(r, 4)) {
    case 0:
        add_cased(b, r, "transfer-encoding:");
        add_blanks(b, r);
        add_cased(b, r, "chunked");
        add_blanks(b, r);
        buf_add_lit(b, "\r\n");
        return H1_BODY_CHUNKED;
    case 1:
        add_cased(b, r, "content-length:");
        add_blanks(b, r);
        buf_printf(b, "%llu\r\n", 1 + (unsigned long long)rand_below(r, 1000000));
        return H1_BODY_LENGTH;
    default:
        return H1_BODY_NONE;
    }
}

static enum h1_body_kind
add_request(struct buf *b, struct rand *r, struct buf *host)
{
    static const char *const methods[] = {"GET",   "HEAD",    "POST",     "PUT",      "DELETE",
                                          "PATCH", "OPTIONS", "PROPFIND", "M-SEARCH", "get"};
    enum h1_body_kind kind;

    add_host(host, r);
    buf_add_str(b, str_from_c(methods[rand_below(r, COUNTOF(methods))]));
    buf_add_char(b, ' ');
    if (rand_below(r, 8) == 0) {
        add_cased(b, r, rand_below(r, 2) ? "http://" : "https://");
        buf_add_str(b, buf_str(host));
    }
    add_path(b, r);
    buf_add_lit(b, " HTTP/1.1\r\n");
    add_fields(b, r);
    add_cased(b, r, "host:");
    add_blanks(b, r);
    buf_add_str(b, buf_str(host));
    add_blanks(b, r);
    buf_add_lit(b, "\r\n");
    add_fields(b, r);
    kind = add_framing(b, r);
    if (rand_below(r, 4) == 0)
        buf_add_lit(b, "Expect: 100-continue\r\n");
    if (rand_below(r, 4) == 0)
        buf_add_lit(b, "Connection: keep-alive, Upgrade\r\n");
    add_fields(b, r);
    buf_add_lit(b, "\r\n");
    return kind;
}

TEST(no_valid_request_is_refused)
{
    static const struct h1_head_limits limits = {.target_bytes = 8192, .fields = 100};
    struct rand r;

    rand_seed(&r, 2026);
    for (int i = 0; i < MESSAGES; i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct buf b AUTO(buf_destroy) = BUF_INIT, host AUTO(buf_destroy) = BUF_INIT;
        struct http_request rq = {.headers = http_headers_in(&arena)};
        enum h1_body_kind kind = add_request(&b, &r, &host);
        struct h1_framing f;
        struct h1_refusal why = {0};
        struct err err = ERR_INIT;
        struct str path;
        bool u;
        ptrdiff_t n = h1_parse_request(buf_str(&b), &limits, &rq, &u, &why);
        if (n != (ptrdiff_t)b.len || !h1_frame_request(&rq, STR("http"), u, &f, &why) ||
            f.kind != kind || !http_path_normalise(&arena, rq.path, 0, &path, &err) ||
            !str_eq(rq.authority, buf_str(&host)))
            TEST_FAIL("message %d: %td, %s %s\n%.*s", i, n, why.why ? why.why : "", err.text,
                      STR_ARG(buf_str(&b)));
    }
}

TEST(no_valid_response_is_refused)
{
    static const struct h1_head_limits limits = {.target_bytes = 8192, .fields = 100};
    static const char *const reasons[] = {" OK", " ", "", " Not \tas expected \xc3\xa4"};
    struct rand r;

    rand_seed(&r, 7);
    for (int i = 0; i < MESSAGES; i++) {
        struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
        struct buf b AUTO(buf_destroy) = BUF_INIT;
        struct http_response rs = {.headers = http_headers_in(&arena)};
        enum h1_body_kind kind;
        struct h1_framing f;
        struct h1_refusal why = {0};
        ptrdiff_t n;
        buf_printf(&b, "HTTP/1.1 %u%s\r\n", 200 + (unsigned)rand_below(&r, 400),
                   reasons[rand_below(&r, COUNTOF(reasons))]);
        add_fields(&b, &r);
        kind = add_framing(&b, &r);
        add_fields(&b, &r);
        buf_add_lit(&b, "\r\n");
        n = h1_parse_response(buf_str(&b), &limits, &rs, &why);
        if (kind == H1_BODY_NONE)
            kind = H1_BODY_UNTIL_CLOSE;
        if (n != (ptrdiff_t)b.len || !h1_frame_response(&rs, HTTP_METHOD_GET, &f, &why) ||
            (http_status_has_body(rs.status) && f.kind != kind))
            TEST_FAIL("message %d: %td, %s\n%.*s", i, n, why.why ? why.why : "",
                      STR_ARG(buf_str(&b)));
    }
}

TEST(no_valid_chunked_body_is_refused)
{
    struct rand r;

    rand_seed(&r, 11);
    for (int i = 0; i < MESSAGES; i++) {
        struct buf b AUTO(buf_destroy) = BUF_INIT, data AUTO(buf_destroy) = BUF_INIT,
                     out AUTO(buf_destroy) = BUF_INIT;
        struct h1_chunk c = {.extension_left = H1_CHUNK_EXTENSION_BYTES};
        enum h1_chunk_event e;
        const char *why = "";
        for (uint64_t n = rand_below(&r, 5); n > 0; n--) {
            uint64_t size = 1 + rand_below(&r, 300);
            buf_printf(&b, rand_below(&r, 2) ? "%llx" : "%010llX", (unsigned long long)size);
            if (rand_below(&r, 3) == 0)
                buf_add_lit(&b, ";ext=\"quoted \xc3\xa4;\t\"; x");
            buf_add_lit(&b, "\r\n");
            for (; size > 0; size--) {
                char byte = (char)rand_below(&r, 256);
                buf_add_char(&b, byte);
                buf_add_char(&data, byte);
            }
            buf_add_lit(&b, "\r\n");
        }
        buf_add_lit(&b, "0\r\n\r\n");
        struct str rest = buf_str(&b), piece;
        while ((e = h1_chunk_next(&c, &rest, &piece, &why)) == H1_CHUNK_PIECE)
            buf_add_str(&out, piece);
        if (e != H1_CHUNK_END || rest.len != 2 || !str_eq(buf_str(&out), buf_str(&data)))
            TEST_FAIL("body %d: %s", i, why);
    }
}
