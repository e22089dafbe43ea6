#include "data/doc_json.c"
#include "test.h"

static struct arena arena = ARENA(NULL, 16 << 20);
static struct diags diags;
static struct doc doc;
static struct source source = {STR_INIT("f.json"), {0}};

static bool
parse(const char *text)
{
    diags_init(&diags, &arena);
    source.text = str_from_c(text);
    return doc_parse(&doc, &source, &arena, &diags);
}

TEST(json_text_comes_back_as_it_was)
{
    static const char text[] = "{\"a\":[1,-2.50,1e9,true,false,null,\"x\\\"\\u00e9\"],\"b\":{},\"c\":[]}";
    struct buf out = buf_in(&arena);

    EXPECT(parse(text));
    doc_write_json(doc.root, &out);
    EXPECT_STR(buf_str(&out), "{\"a\":[1,-2.50,1e9,true,false,null,\"x\\\"é\"],\"b\":{},\"c\":[]}");
}

TEST(values_and_keys_know_their_place)
{
    const struct doc_node *n;

    EXPECT(parse("{ \"one\" :  \"two\",\n  \"n\": 12 }"));
    n = doc_get(doc.root, "one");
    EXPECT_EQ(n->at, 11);
    EXPECT_EQ(n->len, 5);
    EXPECT_EQ(n->key_at, 3);
    n = doc_get(doc.root, "n");
    EXPECT_EQ(n->len, 2);
    EXPECT_EQ(n->key_at, 21);
}

TEST(what_yaml_would_take_is_no_json)
{
    EXPECT(!parse("{a: 1}"));
    EXPECT(!parse("{\"a\": 1,}"));
    EXPECT(!parse("{\"a\": 1, \"a\": 2}"));
    EXPECT(!parse("[1] x"));
}

TEST(what_is_nearly_json_is_read_loosely_and_said)
{
    static const struct { const char *text; uint32_t warnings; const char *json; } cases[] = {
        {"{\"a\": 1}", 0, "{\"a\":1}"},
        {"{\"a\": [1, 2,],\n \"b\": 'x', c: y z,\n}", 1, "{\"a\":[1,2],\"b\":\"x\",\"c\":\"y z\"}"},
        {"a: 1\n", 0, "{\"a\":1}"},
        {"{\"a\": 1", 0, NULL},
        {"{\"a\": 1, \"a\": 2}", 0, NULL},
        {"[1,2,]", 0, NULL},
    };

    for (size_t i = 0; i < COUNTOF(cases); i++) {
        struct buf out = buf_in(&arena);

        diags_init(&diags, &arena);
        source.text = str_from_c(cases[i].text);
        EXPECT_EQ(doc_parse_loosely(&doc, &source, &arena, &diags), cases[i].json != NULL);
        EXPECT_EQ(diags.errors > 0, !cases[i].json);
        EXPECT_EQ(diags.warnings, cases[i].warnings);
        if (!cases[i].json)
            continue;
        EXPECT(doc.diags == &diags);
        doc_write_json(doc.root, &out);
        EXPECT_STR(buf_str(&out), cases[i].json);
    }
    source.text = STR("{\"a\": 1,}");
    diags_init(&diags, &arena);
    EXPECT(doc_parse_loosely(&doc, &source, &arena, &diags));
    EXPECT_STR(diags.first->message, "this is no JSON, read as YAML: expected a member name in double quotes, found '}'");
    EXPECT_EQ(diags.first->offset, 8);
}
