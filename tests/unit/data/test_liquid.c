#include "clr/liquid_dotnet.h"
#include "data/json.h"
#include "data/liquid.h"
#include "test.h"

static const struct liquid_limits roomy = {.iterations = 10000, .output_bytes = 1 << 20, .regex_steps = 100000};

struct given {
    const char *json, *xml;
    bool no_dates, nil_is_null;
    const struct liquid_limits *limits;
};

static struct liquid_value
get_body(struct liquid_run *run, void *ctx)
{
    const struct given *g = ctx;
    struct liquid_value v = liquid_nil();
    struct err err;

    if (g->json)
        return liquid_of_json(run, json_parse(run->arena, str_from_c(g->json), JSON_LENIENT, NULL), !g->no_dates);
    if (g->xml && !liquid_of_xml(run, str_from_c(g->xml), g->nil_is_null, &v, &err))
        liquid_fail(run, err.code, "%s", err.text);
    return v;
}

static struct arena arena;

/* What a template prints; the error's text when it does not compile or ends early. */
static struct str
render_with(const char *text, struct given g)
{
    const struct liquid_note *notes;
    struct liquid *t = liquid_compile(&arena, str_from_c(text), &notes);
    struct liquid_root root = {STR_INIT("body"), get_body, &g};
    struct liquid_run run = {.arena = &arena, .dotnet = &liquid_dotnet, .limits = g.limits ? g.limits : &roomy, .roots = &root,
                             .n_roots = 1, .wall_ns = UINT64_C(1700000000000000000)};
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    while (!t && notes && !notes->is_error)
        notes = notes->next;
    if (!t)
        return notes ? notes->text : STR("no note");
    if (!liquid_render(t, &run, &b, &err))
        return str_dup(&arena, str_from_c(err.text));
    return b.len ? str_dup(&arena, buf_str(&b)) : STR("");
}

#define BODY \
    "{\"s\":\"hello world\",\"n\":7,\"f\":1.5,\"t\":true,\"no\":false,\"z\":null,\"e\":\"\",\"when\":\"2024-03-05T06:07:08Z\"," \
    "\"day\":\"2024-03-05\",\"list\":[\"b\",\"a\",\"c\"],\"nums\":[3,1,2],\"none\":[],\"o\":{\"a\":1,\"b\":\"x\"}," \
    "\"items\":[{\"name\":\"x\",\"price\":2.5},{\"name\":\"a\",\"price\":10},{\"name\":\"m\"}],\"quote\":\"say \\\"hi\\\"\"," \
    "\"big\":12345678901234567890,\"dup\":[1,2,1,\"1\",2],\"html\":\"<b>x</b> & \\u00e9\",\"deep\":[[1,[2]],3],\"lines\":\"a\\nb\\r\\nc\"}"

#define RENDERS(template, expected) EXPECT_STR(render_with(template, (struct given){.json = BODY}), expected)

static void
begin(void)
{
    arena = ARENA(NULL, 64 << 20);
}

TEST(values_print_as_dotliquid_prints_them)
{
    begin();
    RENDERS("{{ body.s }}|{{body.n}}|{{ body.f }}|{{ body.t }}|{{ body.z }}|{{ body.missing }}|{{ body.missing.more }}",
            "hello world|7|1.5|true|||");
    RENDERS("{{ body.list }} {{ body.nums }} {{ body.list[1] }}{{ body.list[9] }}{{ body['list'][0] }}", "bac 312 ab");
    RENDERS("{{ body.big }} {{ body.o }} {{ body.none }}", "12345678901234567890 {\"a\":1,\"b\":\"x\"} ");
    RENDERS("{{ body.when }} {{ body.day }}", "03/05/2024 06:07:08 2024-03-05");
    EXPECT_STR(render_with("{{ body.when }}", (struct given){.json = BODY, .no_dates = true}), "2024-03-05T06:07:08Z");
    RENDERS("{{ 'it' }} {{ \"x'y\" }} {{ 5 }} {{ -3 }} {{ 1.50 }} {{ 1,234.5 }} {{ true }} {{ nil }}{{ null }}",
            "it x'y 5 -3 1.5 1234.5 true ");
    RENDERS("{{ (1..4) }} {{ (1..body.n) }}", "1234 1234567");
    RENDERS("{{ 99999999999999999999 }}", "Liquid error: Value was either too large or too small for an Int64.");
    RENDERS("{{ 1.2.3 }}", "Liquid error: Input string was not in a correct format.");
    RENDERS("{{ body.list.size }} {{ body.list.first }} {{ body.list.last }} {{ body.s.size }} {{ body.o.size }}", "3 b c 11 2");
    RENDERS("{{ body.o.a }}{{ body.o['b'] }}{{ body[\"o\"].b }}", "1xx");
    arena_destroy(&arena);
}

TEST(braces_and_blanks)
{
    begin();
    RENDERS("a  {{- 'x' -}}  b", "axb");
    RENDERS("a\n  {{- 'x' -}}\n  b", "a\nx  b");
    RENDERS("{% if true -%}\r\n  yes\n{%- endif %}", "  yes\n");
    RENDERS("{{{body.n}}}", "7}");
    RENDERS("{ \"a\": {{body.n}}}", "{ \"a\": 7}");
    RENDERS("{{ body.n }", "Variable '{{ body.n }' was not properly terminated: expected }}");
    RENDERS("{{ '}' }}", "Variable '{{ '}' was not properly terminated: expected }}");
    RENDERS("{% if x", "Tag '{%' was not properly terminated: expected %}");
    RENDERS("{% raw %}{{ x }} {% if %}{% endraw %}.", "{{ x }} {% if %}.");
    RENDERS("a{% comment %} {% foo %} {{ {% comment %}x{% endcomment %} {% endcomment %}b", "ab");
    RENDERS("{% assign x = 5\n | Plus: 2 %}{{ x }}", "7");
    arena_destroy(&arena);
}

TEST(conditions)
{
    begin();
    RENDERS("{% if body.e %}truthy{% endif %}{% if body.z %}no{% else %}else{% endif %}", "truthyelse");
    RENDERS("{% if body.n == 7 %}1{% endif %}{% if body.n == '7' %}2{% endif %}{% if body.s == 'hello world' %}3{% endif %}", "123");
    RENDERS("{% if body.n > 5 and body.n < 8 %}in{% endif %}{% if body.n >= 8 or body.t %}or{% endif %}", "inor");
    RENDERS("{% if body.no and body.no or body.t %}x{% else %}from the right{% endif %}", "from the right");
    RENDERS("{% if body.n != 7 %}a{% elsif body.n <> 8 %}b{% endif %}", "b");
    RENDERS("{% unless body.no %}u{% else %}e{% endunless %}{% unless body.t %}u{% elsif body.t %}e{% endunless %}", "ue");
    RENDERS("{% if body.s contains 'wor' %}1{% endif %}{% if body.list contains 'a' %}2{% endif %}{% if body.nums contains 3 %}3{% endif %}"
            "{% if body.nums contains '3' %}4{% endif %}", "123");
    RENDERS("{% if body.e == empty %}1{% endif %}{% if body.none == blank %}2{% endif %}{% if body.z == empty %}3{% endif %}", "12");
    RENDERS("{% if body.missing > 1 %}a{% else %}b{% endif %}{% if 'b' > 'a' %}c{% endif %}", "bc");
    RENDERS("{% if body.n > 'x' %}a{% endif %}.", "Liquid error: Input string was not in a correct format..");
    RENDERS("{% if body.n is 7 %}a{% endif %}.", "Liquid error: Unknown operator is.");
    RENDERS("{% if body.n==7 %}a{% else %}one name{% endif %}", "one name");
    RENDERS("{% if body.s startsWith 'hell' %}1{% endif %}{% if body.list EndsWith 'c' %}2{% endif %}{% if body.o hasKey 'a' %}3{% endif %}"
            "{% if body.o hasValue 'x' %}4{% endif %}", "1234");
    RENDERS("{% if body.n contains 'x' %}a{% else %}b{% endif %}{% if body.s contains 5 %}c{% endif %}",
            "bLiquid error: Unable to cast object of type 'System.Int32' to type 'System.String'.");
    RENDERS("{% case body.n %}nothing{% when 1 or 7 %}a{% when 'x', 7 %}b{% else %}c{% endcase %}", "ab");
    RENDERS("{% case body.s %}{% when 'x' %}a{% else %}c{% endcase %}", "c");
    RENDERS("{% if body.when == '2024-03-05T06:07:08' %}d{% endif %}{% if body.when > '2024-01-01' %}e{% endif %}", "de");
    arena_destroy(&arena);
}

TEST(loops)
{
    begin();
    RENDERS("{% for i in body.list %}{{ forloop.index }}{{ i }}{% if forloop.last %}.{% else %},{% endif %}{% endfor %}", "1b,2a,3c.");
    RENDERS("{% for i in body.nums reversed %}{{ i }}{% endfor %}{% for i in (1..5) limit:2 offset:1 %}{{ i }}{% endfor %}", "21323");
    RENDERS("{% for i in (1..6) limit: 2 %}{{ i }}{% endfor %}-{% for i in (1..6) offset:continue limit: 3 %}{{ i }}{% endfor %}", "12-345");
    RENDERS("{% for i in (1..9) %}{% if i == 3 %}{% continue %}{% endif %}{% if i > 4 %}{% break %}{% endif %}{{ i }}{% endfor %}", "124");
    RENDERS("{% for p in body.o %}{{ p.Key }}={{ p.Value }} {{ p[0] }}{{ p[1] }};{% endfor %}", "a=1 a1;b=x bx;");
    RENDERS("{% for i in body.items %}{{ i.name }}{{ forloop.rindex0 }}{{ forloop.name }} {% endfor %}",
            "x2i-body.items a1i-body.items m0i-body.items ");
    RENDERS("{% for i in body.missing %}x{% endfor %}{% for i in body.n %}x{% endfor %}.", ".");
    RENDERS("{% for c in 'ab' %}{{ c }},{% endfor %}", "a,b,");
    RENDERS("{% for i in (1..2) %}{% for i in (8..9) %}{{ i }}{{ forloop.length }} {% endfor %}{{ i }};{% endfor %}", "82 92 1;82 92 2;");
    RENDERS("[{% JSONArrayFor i in body.nums %}{{ i }}{% endJSONArrayFor %}]", "[3,1,2]");
    RENDERS("[{% JSONArray For i in body.list %}\"{{ i }}\"{% endJSONArrayFor %}]", "[\"b\",\"a\",\"c\"]");
    RENDERS("[{% JSONArrayFor i in body.o %}{{ i.b }}{% endJSONArrayFor %}][{% JSONArrayFor i in body.missing %}x{% endJSONArrayFor %}]"
            "[{% JSONArrayFor i in body.n %}{{ i }}{% endJSONArrayFor %}][{% JSONArrayFor i in body.e %}x{% endJSONArrayFor %}]",
            "[x][][7][]");
    RENDERS("{% tablerow i in (1..3) cols:2 %}{{ i }}{{ tablerowloop.col }}{% endtablerow %}",
            "<tr class=\"row1\">\n<td class=\"col1\">11</td><td class=\"col2\">22</td></tr>\n<tr class=\"row2\"><td class=\"col1\">31</td></tr>\n");
    RENDERS("{% for i in (1..5) %}{% cycle 'a','b' %}{% cycle 'g': 'x','y','z' %}{% endfor %}", "axbyazbxay");
    RENDERS("{% for i in body.dup %}{% ifchanged %}{{ i }}{% endifchanged %}{% endfor %}", "1212");
    RENDERS("a{% break %}b", "a");
    arena_destroy(&arena);
}

TEST(names)
{
    begin();
    RENDERS("{% assign a = body.s | Upcase %}{{ a }}{% capture c %}<{{ a | Size }}>{% endcapture %}{{ c }}{{ c }}", "HELLO WORLD<11><11>");
    RENDERS("{% for i in (1..2) %}{% assign last = i %}{% endfor %}{{ last }}", "2");
    RENDERS("{% increment n %}{% increment n %}{{ n }} {% decrement m %}{% decrement m %}", "012 -1-2");
    RENDERS("{% assign l = 'a,b,,c' | Split: ',' %}{{ l | Size }}{{ l | Last }}{{ l[1] }}", "3cb");
    RENDERS("{% assign name = 'o' %}{{ body[name].a }}", "1");
    RENDERS("{% include 'x' %}.", "Liquid error: Error - This liquid context does not allow includes.");
    arena_destroy(&arena);
}

TEST(mistakes_are_found_when_the_template_is_compiled)
{
    begin();
    RENDERS("{% foo %}", "Unknown tag 'foo'");
    RENDERS("{% if a %}", "if tag was never closed");
    RENDERS("{% if a %}{% end %}", "'end' is not a valid delimiter for if tags. Use endif");
    RENDERS("{% for a in b %}{% else %}{% endfor %}", "for tag does not expect else tag");
    RENDERS("{% if %}{% endif %}", "Syntax Error in 'if' tag - Valid syntax: if [expression]");
    RENDERS("{% for a b %}{% endfor %}", "Syntax Error in 'for' tag - Valid syntax: for [item] in [collection]");
    RENDERS("{% assign a %}", "Syntax Error in 'assign' tag - Valid syntax: assign [var] = [source]");
    RENDERS("{% case %}{% endcase %}", "Syntax Error in 'case' tag - Valid syntax: case [condition]");
    RENDERS("{% endif %}", "Unknown tag 'endif'");
    RENDERS("{% %}", "a tag needs a name");
    RENDERS("{% raw %}x", "raw tag was never closed");
    arena_destroy(&arena);
}

TEST(filters_over_text)
{
    begin();
    RENDERS("{{ 'aB' | Upcase }}{{ 'aB' | Downcase }}{{ 'hello big WORLD' | Capitalize }}{{ '\xc3\xa9' | Upcase }}",
            "ABabHello Big WORLD\xc3\x89");
    RENDERS("{{ 'x' | Append: 'y' | Prepend: 'w' }}{{ body.z | Append: 'y' }}{{ 'x' | Append: 5 }}", "wxyx5");
    RENDERS("{{ 'hello world' | Truncate: 8 }}|{{ 'hello' | Truncate: 2, '..' }}|{{ 'hello' | Truncate: 0 }}|{{ 'abc' | Truncate }}",
            "hello...|..|...|abc");
    RENDERS("{{ 'a b c d' | TruncateWords: 2 }}|{{ 'a b' | TruncateWords }}", "a b...|a b");
    RENDERS("{{ '  x ' | Strip }}|{{ '  x ' | Lstrip }}|{{ ' x ' | Rstrip }}|", "x|x | x|");
    RENDERS("{{ body.lines | NewlineToBr }}|{{ body.lines | StripNewlines }}", "a<br />\nb<br />\r\nc|abc");
    RENDERS("{{ body.html | Escape }}|{{ body.html | StripHtml }}|{{ '<' | H }}", "&lt;b&gt;x&lt;/b&gt; &amp; &#233;|x & \xc3\xa9|&lt;");
    RENDERS("{{ 'a b&c/\xc3\xa9' | UrlEncode }} {{ 'a%20b+c' | UrlDecode }}", "a+b%26c%2F%C3%A9 a b c");
    RENDERS("{{ 'abcde' | Slice: 1 }}{{ 'abcde' | Slice: 1, 3 }}{{ 'abcde' | Slice: -2, 2 }}{{ 'abc' | Slice: 9 }}{{ 'abc' | Slice: -9, 8 }}",
            "bbcddeab");
    RENDERS("{{ 'a1b22' | Replace: '[0-9]+', '#' }} {{ 'a1b22' | ReplaceFirst: '\\d', '$0' }} {{ 'a.b' | Replace: '.', 'x' }}",
            "a#b# a$0b22 xxx");
    RENDERS("{{ 'john smith' | Replace: '(\\w+) (\\w+)', '$2 $1' }} {% assign by = '[${q}$$]' %}{{ 'ab' | Replace: '(?<q>a)', by }}", "smith john [a$]b");
    RENDERS("{{ body.quote | Replace: '([^\\\\](\\\\\\\\)*)\"', '$1\\\"' }}", "say \\\"hi\\\"");
    RENDERS("{{ 'abab' | Remove: 'b' }}{{ 'abab' | RemoveFirst: 'b' }}{{ 'a.b.' | Remove: '.' }}{{ 'a1b2' | Remove: '[0-9]' }}{{ 'ab' | Remove: '(' }}",
            "aaaababab" "ab");
    RENDERS("{{ 'x' | Replace: '(' }}", "Liquid error: parsing \"(\" - Not enough )'s.");
    RENDERS("{{ 'x' | upcase }}{{ 'x' | Reverse }}", "xx");
    RENDERS("{{ 'x' | Append }}", "Liquid syntax error: Error - Filter 'Append' does not have a default value for 'string' and no value was supplied");
    RENDERS("{{ 'x' | Upcase: 1 }}", "Liquid error: Parameter count mismatch.");
    RENDERS("{{ body.list | Upcase }}",
            "Liquid error: Object of type 'System.Collections.Generic.List`1[System.Object]' cannot be converted to type 'System.String'.");
    RENDERS("{{ body.z | Default: 'd' }}{{ body.e | Default: 'e' }}{{ body.n | Default: 'x' }}{{ body.no | Default: 'y' }}", "de7False");
    arena_destroy(&arena);
}

TEST(filters_over_lists)
{
    begin();
    RENDERS("{{ body.list | Join }} {{ body.list | Join: ', ' }} {{ body.list | Sort | Join: '' }} {{ body.nums | Sort | Join: '<' }}",
            "b a c b, a, c abc 1<2<3");
    RENDERS("{{ body.list | First }}{{ body.list | Last }}{{ body.list | Size }}{{ 5 | Size }}{{ 'abc' | First }}", "bc30a");
    RENDERS("{{ body.items | Map: 'name' | Join: ',' }} {{ body.items | Sort: 'name' | Map: 'name' }} {{ body.items | Map: 'price' | Join: ',' }}",
            "x,a,m amx 2.5,10,");
    RENDERS("{{ body.dup | Uniq | Join: ',' }} {{ body.deep | Uniq | Size }} {{ body.items | Map: 'price' | Compact | Size }}", "1,2,1 3 2");
    RENDERS("{{ 'a b' | Split: ' ' | Join: '-' }} {{ 'a1b1' | Split: '1' | Size }} {{ 'a  b' | Split: '' | Join: '+' }}", "a-b 2 a+b");
    RENDERS("{{ body.n | Join: ',' }}", "Liquid error: Invalid cast from 'System.Int64' to 'System.Collections.IEnumerable'.");
    RENDERS("{{ body.dup | Sort }}", "Liquid error: Failed to compare two elements in the array.");
    arena_destroy(&arena);
}

TEST(filters_over_numbers)
{
    begin();
    RENDERS("{{ 5 | Plus: 2 }} {{ 5 | Minus: 7 }} {{ 5 | Times: 2 }} {{ 7 | DividedBy: 2 }} {{ 7 | Modulo: 4 }}", "7 -2 10 3 3");
    RENDERS("{{ 7.0 | DividedBy: 2 }} {{ 12.5 | Times: 10 }} {{ 0.1 | Plus: 0.2 }} {{ body.f | Plus: 1 }} {{ 7 | Modulo: 2.5 }}",
            "3.5 125 0.3 2.5 2");
    RENDERS("{{ '5' | Plus: 2 }} {{ 'ab' | Times: 2 }} {{ '5' | Minus: 2 }} {{ 'x' | Minus: 1 }}",
            "52 abab 3 Liquid error: Input string was not in a correct format.");
    RENDERS("{{ 1 | DividedBy: 0 }}|{{ 1.5 | DividedBy: 0 }}|{{ 2147483647 | Plus: 1 }}",
            "Liquid error: Attempted to divide by zero.|Infinity|Liquid error: Arithmetic operation resulted in an overflow.");
    RENDERS("{{ body.z | Plus: 1 }}{{ 1 | Plus: body.z }}.", ".");
    RENDERS("{{ 2.5 | Round }} {{ 3.5 | Round }} {{ 1.2345 | Round: 2 }} {{ '4.56' | Round: 1 }}{{ 'x' | Round }}", "2 4 1.23 4.6");
    RENDERS("{{ -5 | Abs }} {{ '-5.5' | Abs }} {{ 'x' | Abs }} {{ 5 | AtLeast: 7 }} {{ 5 | AtMost: 3 }} {{ 'x' | AtMost: 3 }}", "5 5.5 0 7 3 x");
    RENDERS("{{ 1234.5 | Currency: 'en-US' }} {{ 1234.5 | Currency: 'de-DE' }} {{ -3 | Currency: 'en-GB' }} {{ 'x' | Currency }}",
            "$1,234.50 1.234,50\xc2\xa0\xe2\x82\xac -\xc2\xa3" "3.00 x");
    arena_destroy(&arena);
}

TEST(filters_over_dates)
{
    begin();
    RENDERS("{{ body.when | Date: 'yyyy-MM-ddTHH:mm:ssZ' }} {{ body.when | Date: \"dd.MM.yyyy\" }}", "2024-03-05T06:07:08Z 05.03.2024");
    RENDERS("{{ body.day | Date: 'dddd, d MMMM' }} {{ 'now' | Date: 'yyyy-MM-dd' }} {{ 'x' | Date: 'yyyy' }} {{ body.z | Date: 'yyyy' }}.",
            "Tuesday, 5 March 2023-11-14 x .");
    RENDERS("{{ body.when | Date: '' }}|{{ body.day | Date: '' }}", "03/05/2024 06:07:08|2024-03-05");
    RENDERS("{{ '2024-01-02' | Date }}",
            "Liquid syntax error: Error - Filter 'Date' does not have a default value for 'format' and no value was supplied");
    arena_destroy(&arena);
}

#define SOAP \
    "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'><s:Body>" \
    "<m:GetResponse xmlns:m='urn:m'><m:Result id='7'><m:Item><m:Name>a</m:Name><m:Gone xsi:nil='true'/></m:Item>" \
    "<m:Item><m:Name>b</m:Name></m:Item></m:Result><m:One>only &amp; text</m:One><m:Empty/><m:Note lang='en'>hi</m:Note></m:GetResponse>" \
    "</s:Body></s:Envelope>"
#define OF_XML(template, expected) EXPECT_STR(render_with(template, (struct given){.xml = SOAP}), expected)

TEST(xml_is_seen_without_prefixes)
{
    begin();
    OF_XML("{{ body.envelope.body.GetResponse.One }}|{{ body.Envelope.Body.getresponse.one }}", "only & text|only & text");
    OF_XML("[{% JSONArrayFor i in body.envelope.body.GetResponse.Result %}\"{{ i.Name }}\"{% endJSONArrayFor %}]", "[\"a\",\"b\"]");
    OF_XML("{% for i in body.envelope.body.GetResponse.Result.Item %}{{ i.Name }}{% if i.Gone == '' %}blank{% endif %},{% endfor %}", "ablank,b,");
    EXPECT_STR(render_with("{% for i in body.envelope.body.GetResponse.Result.Item %}{% if i.Gone %}x{% else %}null{% endif %}{% endfor %}",
                           (struct given){.xml = SOAP, .nil_is_null = true}), "nullnull");
    OF_XML("{% if body.envelope.body.GetResponse.Empty == '' %}empty{% endif %}{% JSONArrayFor x in body.envelope.body.GetResponse.Empty %}x{% endJSONArrayFor %}",
           "empty");
    OF_XML("{{ body.envelope.body.GetResponse.Result.id }}{{ body.envelope.body.GetResponse.Result[\"@id\"] }}"
           "{{ body.envelope.body.GetResponse.Note }}{{ body.envelope.body.GetResponse.Note.lang | Upcase }}", "77hiEN");
    OF_XML("{{ body.envelope.body.GetResponse.Result.Item.size }}{{ body.envelope.body.GetResponse.size }}", "24");
    EXPECT_STR(render_with("{{ body.a }}", (struct given){.xml = "<a><b></a>"}), "Opening and ending tag mismatch: b line 1 and a Line 1, position 11.");
    EXPECT_STR(render_with("{{ body.a }}", (struct given){.xml = "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;</a>"}),
               "For security reasons DTD is prohibited in this XML document.");
    arena_destroy(&arena);
}

TEST(limits_end_a_rendering)
{
    struct liquid_limits few = {.iterations = 100, .output_bytes = 1000, .regex_steps = 1000};
    struct given g = {.json = BODY, .limits = &few};

    begin();
    EXPECT_STR(render_with("{% for i in (1..1000000000) %}x{% endfor %}", g), "Render Error - Maximum number of iterations 100 exceeded");
    EXPECT_STR(render_with("{% for i in (1..10) %}{% for k in (1..10) %}{% endfor %}{% endfor %}", g),
               "Render Error - Maximum number of iterations 100 exceeded");
    EXPECT_STR(render_with("{% for i in (1..50) %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}", g),
               "the output of a template is larger than 1000 bytes or than the memory left");
    EXPECT_STR(render_with("{{ 'aaaaaaaaaa' | Times: 2000000000 }}", g),
               "a text of a template is larger than 1000 bytes or than the memory left");
    EXPECT_STR(render_with("{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' | Replace: '^(a+)+$', 'x' }}", g),
               "a regular expression of a template took more than 1000 steps");
    EXPECT_STR(render_with("{{ (1..1000000) | Join }}", g).len > 0 ? STR("ended") : STR(""), "ended");
    arena_destroy(&arena);
}

TEST(nesting_is_bounded)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    begin();
    for (int i = 0; i < 79; i++)
        buf_add_lit(&b, "{% if true %}");
    buf_add_lit(&b, "x");
    for (int i = 0; i < 79; i++)
        buf_add_lit(&b, "{% endif %}");
    EXPECT_STR(render_with(buf_str(&b).p, (struct given){.json = BODY}), "x");
    buf_clear(&b);
    for (int i = 0; i < 200; i++)
        buf_add_lit(&b, "{% if true %}");
    EXPECT_STR(render_with(buf_str(&b).p, (struct given){.json = BODY}), "Nesting too deep");
    arena_destroy(&arena);
}

TEST(notes_warn_of_what_dotliquid_would_not_tell)
{
    const struct liquid_note *n;

    begin();
    EXPECT(liquid_compile(&arena, STR("{{ a | upcase }}{% if a==b %}{% endif %}{{ a | Replace: '(' }}"), &n) != NULL);
    EXPECT_STR(n->text, "there is no filter 'upcase', its input stays as it is; did you mean 'Upcase'?");
    EXPECT_EQ(n->at, 7);
    EXPECT_STR(n->next->text, "'a==b' is read as one name: an operator needs blanks around it");
    EXPECT(n->next->next && !n->next->next->is_error);
    arena_destroy(&arena);
}

TEST(a_template_knows_what_it_reads)
{
    const struct liquid_note *n;
    const struct liquid *t;

    begin();
    t = liquid_compile(&arena, STR("{% for i in ['context'].x %}{{ i | Append: name }}{% endfor %}"), &n);
    EXPECT(t && liquid_mentions(t, STR("context")) && liquid_mentions(t, STR("name")) && !liquid_mentions(t, STR("body")));
    arena_destroy(&arena);
}
