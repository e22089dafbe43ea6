#include "data/xml_json.c"
#include "test.h"

static struct arena arena;

static struct str
to_json(const char *xml, struct xml_to_json how)
{
    struct buf out = buf_in(&arena);
    struct err err;

    return xml_to_json(&arena, str_from_c(xml), &how, &out, &err) ? buf_str(&out) : str_dup(&arena, str_from_c(err.text));
}

static struct str
to_xml(const char *json, struct json_to_xml how)
{
    struct buf out = buf_in(&arena);
    struct err err;

    return json_to_xml(&arena, str_from_c(json), &how, &out, &err) ? buf_str(&out) : str_dup(&arena, str_from_c(err.text));
}

TEST(elements_attributes_and_texts_become_members)
{
    arena = ARENA(NULL, 16 << 20);
    struct xml_to_json how = {0};

    EXPECT_STR(to_json("<a x='1'>t</a>", how), "{\"a\":{\"@x\":\"1\",\"#text\":\"t\"}}");
    EXPECT_STR(to_json("<a><b>1</b><c/><b>2</b><d></d></a>", how),
               "{\"a\":{\"b\":[\"1\",\"2\"],\"c\":null,\"d\":\"\"}}");
    EXPECT_STR(to_json("<?xml version=\"1.0\"?><s:e xmlns:s=\"urn:s\"><s:f/></s:e>", how),
               "{\"?xml\":{\"@version\":\"1.0\"},\"s:e\":{\"@xmlns:s\":\"urn:s\",\"s:f\":null}}");
    EXPECT_STR(to_json("<a><![CDATA[<x>]]></a>", how), "{\"a\":\"<x>\"}");
    arena_destroy(&arena);
}

TEST(a_plain_form_leaves_signs_and_namespaces_out)
{
    arena = ARENA(NULL, 16 << 20);

    EXPECT_STR(to_json("<s:e xmlns:s=\"urn:s\" id=\"1\"><s:f>x</s:f></s:e>", (struct xml_to_json){.is_plain = true}),
               "{\"e\":{\"id\":\"1\",\"f\":\"x\"}}");
    EXPECT_STR(to_json("<a><b>1</b></a>", (struct xml_to_json){.always_arrays = true}), "{\"a\":{\"b\":[\"1\"]}}");
    arena_destroy(&arena);
}

TEST(documents_with_entities_of_their_own_are_refused)
{
    arena = ARENA(NULL, 16 << 20);
    struct buf out = buf_in(&arena);
    struct xml_to_json how = {0};
    struct err err;

    EXPECT_ERR(xml_to_json(&arena, STR("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), &how, &out, &err), ERR_DENIED);
    EXPECT_ERR(xml_to_json(&arena, STR("<a>"), &how, &out, &err), ERR_SYNTAX);
    arena_destroy(&arena);
}

TEST(members_become_elements)
{
    arena = ARENA(NULL, 16 << 20);
    struct json_to_xml how = {.separator = STR("_"), .namespace_prefix = STR("xmlns"), .attribute_block = STR("#attrs")};

    EXPECT_STR(to_xml("{\"a\":{\"b\":[1,\"<x>\"],\"c\":null,\"d\":true}}", how),
               "<a><b>1</b><b>&lt;x&gt;</b><c /><d>true</d></a>");
    EXPECT_STR(to_xml("{\"a\":1,\"first_name\":2}", how), "<Document><a>1</a><first_name>2</first_name></Document>");
    EXPECT_STR(to_xml("{\"r\":{\"xmlns_p\":\"urn:p\",\"#attrs\":{\"id\":7},\"p_x\":\"y\"}}", how),
               "<r xmlns:p=\"urn:p\" id=\"7\"><p:x>y</p:x></r>");
    EXPECT_STR(to_xml("{\"a b\":{\"1\":2}}", how), "<a_x0020_b><_x0031_>2</_x0031_></a_x0020_b>");
    EXPECT_STR(to_xml("[1,2]", how), "<Document><item>1</item><item>2</item></Document>");
    arena_destroy(&arena);
}
