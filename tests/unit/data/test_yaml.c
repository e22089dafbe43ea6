#include "data/yaml.c"
#include "test.h"

struct parsed {
    struct arena arena;
    struct source source;
    struct diags diags;
    struct doc doc;
    bool ok;
};

static void
parse(struct parsed *p, const char *text)
{
    *p = (struct parsed){.arena = ARENA(NULL, 64 << 20), .source = {STR("f.yaml"), str_from_c(text)}};
    diags_init(&p->diags, &p->arena);
    p->ok = doc_parse_yaml(&p->doc, &p->source, &p->arena, &p->diags);
}

static struct str
first_error(struct parsed *p)
{
    return diags_first_error(&p->diags, &p->arena);
}

static struct str
as_json(struct parsed *p)
{
    struct buf out = buf_in(&p->arena);

    if (!p->ok)
        return first_error(p);
    doc_write_json(p->doc.root, &out);
    return buf_str(&out);
}

#define EXPECT_JSON(text, json) \
    do { \
        struct parsed p_; \
        parse(&p_, text); \
        EXPECT_STR(as_json(&p_), json); \
        arena_destroy(&p_.arena); \
    } while (0)

TEST(block_and_flow_forms_give_one_tree)
{
    EXPECT_JSON("a: 1\nb: [x, 'y', \"z\\n\"]\nc:\n  d: {e: f}\n",
                "{\"a\":1,\"b\":[\"x\",\"y\",\"z\\n\"],\"c\":{\"d\":{\"e\":\"f\"}}}");
    EXPECT_JSON("", "null");
    EXPECT_JSON("\xef\xbb\xbf" "a: b", "{\"a\":\"b\"}");
}

TEST(plain_scalars_have_the_types_of_yaml_1_2)
{
    EXPECT_JSON("[true, False, null, ~, 1, -2.5, 1e3, 0x1F, 1.0.0, yes, no, '1', 12:30, +4, .5, -, 1_000]",
                "[true,false,null,null,1,-2.5,1e3,\"0x1F\",\"1.0.0\",\"yes\",\"no\",\"1\",\"12:30\",\"+4\",\".5\",\"-\","
                "\"1_000\"]");
}

TEST(aliases_and_merge_keys_are_written_out_and_own_entries_win)
{
    EXPECT_JSON("base: &b {x: 1, y: 2}\nmore: {<<: *b, y: 3}\nsame: *b\n",
                "{\"base\":{\"x\":1,\"y\":2},\"more\":{\"y\":3,\"x\":1},\"same\":{\"x\":1,\"y\":2}}");
}

TEST(a_repeated_key_is_an_error_with_its_place)
{
    EXPECT_JSON("a: 1\nb: 2\na: 3\n", "f.yaml:3:1: `a` is here for the second time");
}

TEST(repeats_are_found_among_many_keys_too)
{
    struct buf text = BUF_INIT;
    struct parsed p;

    for (int i = 0; i < 100; i++)
        buf_printf(&text, "k%d: 1\n", i);
    buf_add_lit(&text, "k77: 1\n");
    parse(&p, buf_str(&text).p);
    EXPECT_STR(first_error(&p), "f.yaml:101:1: `k77` is here for the second time");
    arena_destroy(&p.arena);
    buf_destroy(&text);
}

TEST(columns_count_characters_also_behind_other_alphabets)
{
    EXPECT_JSON("ключ: [значение, {]\n", "f.yaml:1:19: did not find expected node content while parsing a flow node");
}

TEST(positions_are_bytes)
{
    struct parsed p;

    parse(&p, "é: ü\nb: \"q\"\n");
    EXPECT_EQ(doc_get(p.doc.root, "é")->at, 4);
    EXPECT_EQ(doc_get(p.doc.root, "é")->len, 2);
    EXPECT_EQ(doc_get(p.doc.root, "b")->at, 10);
    EXPECT_EQ(doc_get(p.doc.root, "b")->key_at, 7);
    arena_destroy(&p.arena);
}

TEST(a_bomb_of_aliases_is_refused)
{
    struct buf text = BUF_INIT;
    struct parsed p;

    buf_add_lit(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&text, "%s*a%d", k ? ", " : "", i - 1);
        buf_add_lit(&text, "]\n");
    }
    parse(&p, buf_str(&text).p);
    EXPECT(!p.ok);
    EXPECT(str_find(first_error(&p), STR("more than 2,000,000 values"), 0) > 0);
    arena_destroy(&p.arena);
    buf_destroy(&text);
}

TEST(depth_is_limited)
{
    struct buf text = BUF_INIT;
    struct parsed p;

    for (int i = 0; i < 200; i++)
        buf_add_char(&text, '[');
    parse(&p, buf_str(&text).p);
    EXPECT_STR(first_error(&p), "f.yaml:1:101: nested more than 100 levels deep");
    arena_destroy(&p.arena);
    buf_destroy(&text);
}

TEST(what_is_not_one_document_of_text_keys_is_refused)
{
    EXPECT_JSON("a: *nowhere\n", "f.yaml:1:4: no such anchor");
    EXPECT_JSON("a: &a [*a]\n", "f.yaml:1:8: an alias inside its own anchor");
    EXPECT_JSON("? [a]\n: b\n", "f.yaml:1:3: a key must be text");
    EXPECT_JSON("a: b\n---\nc: d\n", "f.yaml:2:1: a second document; one is expected");
    EXPECT_JSON("a: b\n c: d\n", "f.yaml:2:3: mapping values are not allowed in this context");
}

TEST(pointers_find_nodes)
{
    struct parsed p;

    parse(&p, "paths:\n  /a/{b}: {x: [10, 20]}\n  t~: y\n");
    EXPECT_STR(doc_pointer(p.doc.root, STR("#/paths/~1a~1{b}/x/1"))->text, "20");
    EXPECT_STR(doc_pointer(p.doc.root, STR("#/paths/~1a~1%7Bb%7D/x/0"))->text, "10");
    EXPECT_STR(doc_pointer(p.doc.root, STR("/paths/t~0"))->text, "y");
    EXPECT(doc_pointer(p.doc.root, STR("#")) == p.doc.root);
    EXPECT(!doc_pointer(p.doc.root, STR("#/paths/none")));
    EXPECT(!doc_pointer(p.doc.root, STR("#/paths/~1a~1{b}/x/2")));
    EXPECT(!doc_pointer(p.doc.root, STR("other.yaml")));
    arena_destroy(&p.arena);
}

TEST(getters_report_the_wrong_type)
{
    struct parsed p;
    uint32_t n;

    parse(&p, "s: [1]\nb: maybe\nn: 70000\nl: {}\none: x\nnothing: null\n");
    EXPECT_STR(doc_get_str(&p.doc, p.doc.root, "s", STR("d")), "d");
    EXPECT_EQ(doc_get_bool(&p.doc, p.doc.root, "b", true), true);
    EXPECT_EQ(doc_get_u32(&p.doc, p.doc.root, "n", 65535, 7), 7);
    EXPECT(!doc_get_list(&p.doc, p.doc.root, "l"));
    EXPECT_EQ(p.diags.errors, 4);
    EXPECT_STR(doc_get_strs(&p.doc, p.doc.root, "one", &n)[0], "x");
    EXPECT_EQ(n, 1);
    EXPECT_STR(doc_get_str(&p.doc, p.doc.root, "nothing", STR("d")), "d");
    EXPECT_STR(first_error(&p), "f.yaml:1:4: `s` must be text, found a list");
    arena_destroy(&p.arena);
}
