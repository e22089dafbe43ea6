/* json_settings.c: the settings that Parse, Load and JsonConvert take. Azure's list has the members but not these types, so only
 * what changes a result is here: how nulls, dates and layout are treated.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/json_settings.h"

#include "clr/families.h"
#include "clr/jtoken.h"

static struct json_settings *
self(const struct call *c)
{
    return (struct json_settings *)c->args[0].ref;
}

static bool
settings_new(struct call *c)
{
    struct json_settings *s = object_new(c, c->owner, struct json_settings);

    if (s)
        s->dates = DATES_AS_DATE_TIME;
    return return_new(c, s);
}

#define SETTING(name, field) \
    static bool name(struct call *c) { return return_i64(c, self(c)->field); } \
    static bool set_##name(struct call *c) \
    { \
        self(c)->field = c->args[1].i64; \
        return true; \
    }
SETTING(formatting, formatting)
SETTING(null_values, null_values)
SETTING(dates, dates)

/* --- JsonLoadSettings ------------------------------------------------------------------------------------------------------- */

struct load_settings {
    struct object head;
    int64_t comments, lines;
};

static bool
load_settings_new(struct call *c)
{
    struct load_settings *s = object_new(c, c->owner, struct load_settings);

    if (s)
        s->lines = 1;
    return return_new(c, s);
}

static bool comments(struct call *c) { return return_i64(c, ((struct load_settings *)c->args[0].ref)->comments); }
static bool lines(struct call *c) { return return_i64(c, ((struct load_settings *)c->args[0].ref)->lines); }

static bool
set_comments(struct call *c)
{
    if ((uint64_t)c->args[1].i64 > 1)
        return throw_argument_range(c, "value", "Specified argument was out of the range of valid values.");
    if (c->args[1].i64)
        return call_throw(c, EXC_NOT_SUPPORTED, "CommentHandling.Load is not supported: comments are left out.");
    ((struct load_settings *)c->args[0].ref)->comments = c->args[1].i64;
    return true;
}

static bool
set_lines(struct call *c)
{
    if ((uint64_t)c->args[1].i64 > 1)
        return throw_argument_range(c, "value", "Specified argument was out of the range of valid values.");
    ((struct load_settings *)c->args[0].ref)->lines = c->args[1].i64;
    return true;
}

#define EXTRA_CLASS(name) {TYPE_CLASS, name, NULL, NULL, NULL, TYPE_IS_EXTRA, NULL}

static const struct type_row types[] = {
    EXTRA_CLASS("Newtonsoft.Json.JsonSerializerSettings"),
    EXTRA_CLASS("Newtonsoft.Json.Linq.JsonLoadSettings"),
    ENUM("Newtonsoft.Json.NullValueHandling", "Include = 0, Ignore = 1"),
    ENUM("Newtonsoft.Json.DateParseHandling", "None = 0, DateTime = 1, DateTimeOffset = 2"),
    ENUM("Newtonsoft.Json.Linq.CommentHandling", "Ignore = 0, Load = 1"),
    ENUM("Newtonsoft.Json.Linq.LineInfoHandling", "Ignore = 0, Load = 1"),
};

static const struct member_row members[] = {
    M("JsonSerializerSettings", "new()", settings_new),
    P("JsonSerializerSettings", "Formatting Formatting { get; set; }", formatting, set_formatting),
    P("JsonSerializerSettings", "NullValueHandling NullValueHandling { get; set; }", null_values, set_null_values),
    P("JsonSerializerSettings", "DateParseHandling DateParseHandling { get; set; }", dates, set_dates),
    M("JsonLoadSettings", "new()", load_settings_new),
    P("JsonLoadSettings", "CommentHandling CommentHandling { get; set; }", comments, set_comments),
    P("JsonLoadSettings", "LineInfoHandling LineInfoHandling { get; set; }", lines, set_lines),
};

const struct library clr_json_settings = LIBRARY("json settings", types, members);
