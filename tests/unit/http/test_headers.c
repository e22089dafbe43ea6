#include "http/headers.c"
#include "test.h"

TEST(each_known_name_stands_in_the_slot_of_its_row)
{
#define FIELD(slot, id, name, flags) \
    if (field_hash(STR(name)) != slot) \
        TEST_FAIL("%s belongs into slot %u", name, field_hash(STR(name)));
#include "http/fields.def"
#undef FIELD
    EXPECT_EQ(http_field_id(STR("Content-TYPE")), HTTP_CONTENT_TYPE);
    EXPECT_EQ(http_field_id(STR("content_type")), HTTP_FIELD_OTHER);
    EXPECT_EQ(http_field_id(STR("")), HTTP_FIELD_OTHER);
    EXPECT_EQ(http_field_id(STR("x")), HTTP_FIELD_OTHER);
}

TEST(fields_are_found_in_any_case_and_order_is_kept)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = http_headers_in(&arena);
    uint32_t at = 0;

    EXPECT(http_headers_add(&h, STR("Accept"), STR("a")));
    EXPECT(http_headers_add(&h, STR("X-Own"), STR("1")));
    EXPECT(http_headers_add(&h, STR("accept"), STR("b")));
    EXPECT_STR(http_headers_get(&h, HTTP_ACCEPT), "a");
    EXPECT_STR(http_headers_get_name(&h, STR("x-OWN")), "1");
    EXPECT_STR(http_headers_get_joined(&h, STR("ACCEPT")), "a, b");
    EXPECT_STR(http_headers_next(&h, STR("Accept"), &at)->value, "a");
    EXPECT_STR(http_headers_next(&h, STR("Accept"), &at)->value, "b");
    EXPECT(!http_headers_next(&h, STR("Accept"), &at));
    EXPECT(!http_headers_get(&h, HTTP_HOST).p);
}

TEST(set_replaces_the_first_and_removes_the_others)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, 1 << 20);
    struct http_headers h = http_headers_in(&arena);

    for (int i = 0; i < 40; i++)
        EXPECT(http_headers_add(&h, i % 2 ? STR("Via") : STR("x-more"), STR("v")));
    EXPECT(http_headers_set(&h, STR("via"), STR("new")));
    EXPECT_EQ(h.n, 21);
    EXPECT_STR(h.v[1].value, "new");
    EXPECT_EQ(http_headers_remove(&h, STR("X-MORE")), 20);
    EXPECT_EQ(http_headers_remove_id(&h, HTTP_VIA), 1);
    EXPECT(!http_headers_has(&h, HTTP_VIA));
    EXPECT_EQ(h.n, 0);
    EXPECT(http_headers_set_id(&h, HTTP_AGE, STR("Age"), STR("1")));
    EXPECT(http_headers_set_id(&h, HTTP_AGE, STR("age"), STR("2")));
    EXPECT_EQ(h.n, 1);
    EXPECT_STR(http_headers_get_name(&h, STR("AGE")), "2");
}

TEST(values_with_line_ends_are_invalid)
{
    EXPECT(http_value_is_valid(STR("a\tb \xc3\xa4")));
    EXPECT(!http_value_is_valid(STR("a\r\nX: y")));
    EXPECT(!http_value_is_valid(str_from("a\0b", 3)));
    EXPECT(!http_value_is_valid(STR("\x7f")));
    EXPECT(http_name_is_valid(STR("X-a_b")));
    EXPECT(!http_name_is_valid(STR("a b")));
    EXPECT(!http_name_is_valid(STR("")));
}

TEST(lists_split_at_commas_outside_quotes)
{
    struct str rest = STR(" a, ,\"x,\\\"y\" ;q=1,b"), item;

    EXPECT(http_list_next(&rest, &item));
    EXPECT_STR(item, "a");
    EXPECT(http_list_next(&rest, &item));
    EXPECT_STR(item, "\"x,\\\"y\" ;q=1");
    EXPECT(http_list_next(&rest, &item));
    EXPECT_STR(item, "b");
    EXPECT(!http_list_next(&rest, &item));
    EXPECT(http_list_has(STR("gzip;q=0.5, BR"), STR("br")));
    EXPECT(!http_list_has(STR("gzip;q=0.5, br2"), STR("br")));
}
