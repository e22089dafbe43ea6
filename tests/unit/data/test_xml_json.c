#include "data/xml_json.c"
#include "base/clock.h"
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
    arena_destroy(&arena);
}

TEST(the_rules_are_newtonsofts)
{
    arena = ARENA(NULL, 16 << 20);
    struct xml_to_json how = {0};

    EXPECT_STR(to_json("<a><![CDATA[<x>]]></a>", how), "{\"a\":{\"#cdata-section\":\"<x>\"}}");
    EXPECT_STR(to_json("<a>x<!-- c -->y<b/>z &amp; z</a>", how), "{\"a\":{\"#text\":[\"x\",\"y\",\"z & z\"],\"b\":null}}");
    EXPECT_STR(to_json("<a> <b> </b>\n</a>", how), "{\"a\":{\"b\":\"\"}}");
    EXPECT_STR(to_json("<?x-style href='a'?><a><?go on?></a>", how), "{\"?x-style\":\"href='a'\",\"a\":{\"?go\":\"on\"}}");
    EXPECT_STR(to_json("<?xml version='1.0' encoding='utf-8' standalone='yes'?><a/>", how),
               "{\"?xml\":{\"@version\":\"1.0\",\"@encoding\":\"utf-8\",\"@standalone\":\"yes\"},\"a\":null}");
    EXPECT_STR(to_json("<a_x0020_b _x0031_='' _x='' _x00zz_=''/>", how),
               "{\"a b\":{\"@1\":\"\",\"@_x\":\"\",\"@_x00zz_\":\"\"}}");
    EXPECT_STR(to_json("<a xmlns:j='http://james.newtonking.com/projects/json'><b j:Array='true'>1</b><c j:Array='false' j:id='2'/></a>",
                       how), "{\"a\":{\"b\":[\"1\"],\"c\":{\"$id\":\"2\"}}}");
    EXPECT_STR(to_json("\xef\xbb\xbf<a/>", how), "{\"a\":null}");
    arena_destroy(&arena);
}

TEST(a_plain_form_leaves_signs_and_namespaces_out)
{
    arena = ARENA(NULL, 16 << 20);

    EXPECT_STR(to_json("<s:e xmlns:s=\"urn:s\" id=\"1\"><s:f>x</s:f></s:e>", (struct xml_to_json){.is_plain = true}),
               "{\"e\":{\"id\":\"1\",\"f\":\"x\"}}");
    EXPECT_STR(to_json("<a><b>1</b></a>", (struct xml_to_json){.always_arrays = true}), "{\"a\":{\"b\":[\"1\"]}}");
    EXPECT_STR(to_json("<?xml version='1.0'?><a b='1'><?p i?><b>2</b>x<![CDATA[y]]></a>", (struct xml_to_json){.is_plain = true}),
               "{\"a\":{\"b\":[\"1\",\"2\"],\"text\":\"xy\"}}");
    arena_destroy(&arena);
}

/* <a><a>...x...</a></a>, or {"a":{"a":...}}. */
static struct str
nested(const char *open, const char *inner, const char *close, int depth)
{
    struct buf b = buf_in(&arena);

    for (int i = 0; i < depth; i++)
        buf_add_str(&b, str_from_c(open));
    buf_add_str(&b, str_from_c(inner));
    for (int i = 0; i < depth; i++)
        buf_add_str(&b, str_from_c(close));
    buf_add_char(&b, '\0');
    return str_from(b.p, b.len - 1);
}

TEST(depth_and_size_of_the_result_are_bounded)
{
    arena = ARENA(NULL, 64 << 20);
    struct buf small = buf_in(&arena);
    struct json_to_xml how = {0};
    struct err err;

    EXPECT(str_ends_with(to_json(nested("<a>", "x", "</a>", 126).p, (struct xml_to_json){0}), STR("}}}")));
    EXPECT_STR(to_json(nested("<a>", "x", "</a>", 127).p, (struct xml_to_json){.always_arrays = true}),
               "the JSON would be nested deeper than 128 levels");
    EXPECT(str_starts_with(to_xml(nested("{\"a\":", "1", "}", 127).p, how), STR("<a><a>")));
    small.max = 100;
    EXPECT_ERR(json_to_xml(&arena, STR("{\"aaaaaaaaaaaaaaaaaaaaaaaaaaa\":{\"bbbbbbbbbbbbbbbbbbbbbbbbb\":[1,1,1,1,1,1]}}"), &how, &small,
                           &err), ERR_LIMIT);
    EXPECT_STR(str_from_c(err.text), "the XML is larger than 100 bytes");
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
    EXPECT_STR(to_xml("{\"a\":{\"b\":[[1,2],[],3]}}", how), "<a><b><b>1</b><b>2</b></b><b></b><b>3</b></a>");
    EXPECT_STR(to_xml("{\"a\":{}}", how), "<a />");
    EXPECT_STR(to_xml("{\"a\":[1]}", how), "<Document><a>1</a></Document>");
    EXPECT_STR(to_xml("7", how), "<Document>7</Document>");
    EXPECT_STR(to_xml("{'a' : 1.50, /* c */ b: 'x'}", how), "<Document><a>1.50</a><b>x</b></Document>");
    EXPECT_STR(to_xml("{\"a\":", how), "the body is not JSON: Unexpected end of content while loading JObject. Path 'a', line 1, position 5.");
    arena_destroy(&arena);
}

TEST(what_comes_out_is_well_formed)
{
    arena = ARENA(NULL, 16 << 20);
    struct json_to_xml how = {.separator = STR("_"), .namespace_prefix = STR("xmlns"), .attribute_block = STR("@")};

    EXPECT_STR(to_xml("{\"a:b\":{\"\":1,\"_x0041_\":2,\"\xc3\x97\":3,\"\xf0\x9f\x98\x80\":4,\"-\":5,\"\xc3\xa9\":6}}", how),
               "<a_x003A_b><_>1</_><_x005F_x0041_>2</_x005F_x0041_><_x00D7_>3</_x00D7_><\xf0\x9f\x98\x80>4</\xf0\x9f\x98\x80>"
               "<_x002D_>5</_x002D_><\xc3\xa9>6</\xc3\xa9></a_x003A_b>");
    EXPECT_STR(to_xml("{\"a\":\"\\u0001\\ud800\\uffff\\t\\r\\n\\\"'&<>\"}", how),
               "<a>\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\t&#xD;\n&quot;'&amp;&lt;&gt;</a>");
    EXPECT_STR(to_xml("{\"a\":{\"xmlns\":\"u\",\"xmlns:p\":\"v\",\"xmlns_p\":\"w\",\"@\":{\"p_x\":1,\"p:x\":2,\"y\":null}}}", how),
               "<a xmlns=\"u\" xmlns:p=\"v\" p:x=\"1\" y=\"\" />");
    EXPECT_STR(to_xml("{\"a\":\"\\ud83d\\ude00\xc3\xa9\xff\"}", how), "<a>\xf0\x9f\x98\x80\xc3\xa9\xef\xbf\xbd</a>");
    EXPECT_STR(to_xml("{\"xmlns\":\"u\"}", how), "<Document xmlns=\"u\" />");
    EXPECT_STR(to_xml("{\"@\":{\"a\":1}}", how), "<Document a=\"1\" />");
    EXPECT_STR(to_xml("{\"@\":1}", how), "<_x0040_>1</_x0040_>");
    arena_destroy(&arena);
}

static bool
shout(struct str text, struct buf *to)
{
    return str_eq_lit(text, "now") && buf_add_lit(to, "NOW");
}

TEST(dates_are_the_callers)
{
    arena = ARENA(NULL, 16 << 20);

    EXPECT_STR(to_xml("{\"a\":{\"b\":\"now\",\"c\":\"then\"}}", (struct json_to_xml){.date = shout}), "<a><b>NOW</b><c>then</c></a>");
    arena_destroy(&arena);
}

static struct str
members(const char *each, uint32_t n, const char *before, const char *after)
{
    struct buf b = buf_in(&arena);

    buf_add_str(&b, str_from_c(before));
    for (uint32_t i = 0; i < n; i++) {
        if (i)
            buf_add_char(&b, ',');
        buf_printf(&b, "\"%s%u\":\"1\"", each, i);
    }
    buf_add_str(&b, str_from_c(after));
    buf_add_char(&b, '\0');
    return str_from(b.p, b.len - 1);
}

TEST(many_names_are_no_trap)
{
    arena = ARENA(NULL, (size_t)512 << 20);
    struct json_to_xml how = {.separator = STR("_"), .namespace_prefix = STR("xmlns"), .attribute_block = STR("@")};
    struct buf b = buf_in(&arena);
    uint64_t started_ns = clock_mono_ns(NULL);

    EXPECT_STR(to_xml(members("xmlns_", 300, "{\"a\":{", "}}").p, how), "more than 256 namespaces are declared");
    EXPECT_STR(to_xml(members("a", 300, "{\"a\":{\"@\":{", "}}}").p, how), "an element would have more than 256 attributes");
    EXPECT(str_starts_with(to_xml(members("a_", 100000, "{\"r\":{\"xmlns_b\":\"u\",", "}}").p, how), STR("<r xmlns:b=\"u\"><a_0>")));
    buf_add_lit(&b, "<a>");
    for (int i = 0; i < 100000; i++)
        buf_printf(&b, "<b%d/>", i);
    buf_add(&b, "</a>", 5);
    EXPECT(str_starts_with(to_json(b.p, (struct xml_to_json){0}), STR("{\"a\":{\"b0\":null,\"b1\":null,")));
    EXPECT(clock_mono_ns(NULL) - started_ns < 20000000000);   /* quadratic: minutes */
    arena_destroy(&arena);
}
