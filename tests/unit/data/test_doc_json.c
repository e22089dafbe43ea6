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
