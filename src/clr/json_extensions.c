/* json_extensions.c: Newtonsoft.Json.Linq.Extensions: LINQ over sequences of tokens.
 * SPDX-License-Identifier: Apache-2.0 */
#include "clr/families.h"
#include "clr/jsequence.h"

/* A walk from each token of args[0]. */
static struct jsequence *
over(struct call *c, enum jwalk walk)
{
    struct jsequence *s;

    if (!c->args[0].ref) {
        throw_argument_null(c, "source");
        return NULL;
    }
    s = jsequence_new(c, c->ret_type, walk, NULL);
    if (s) {
        s->source = c->args[0].ref;
        s->source_element = jtoken_type(c, JTYPE_NONE);
        s->filter = NULL;
    }
    return s;
}

#define OVER(name, walk) \
    static bool \
    name(struct call *c) \
    { \
        return return_new(c, over(c, walk)); \
    }
OVER(ancestors, JWALK_ANCESTORS)
OVER(ancestors_and_self, JWALK_ANCESTORS_AND_SELF)
OVER(descendants, JWALK_DESCENDANTS)
OVER(descendants_and_self, JWALK_DESCENDANTS_AND_SELF)
OVER(children, JWALK_CHILDREN)

static bool
properties(struct call *c)
{
    return return_new(c, over(c, JWALK_CHILDREN));
}

/* Values(source[, key]), Values<U>(source[, key]), Children<T,U>(source): the last type argument is what elements become. */
static bool
converted(struct call *c, enum jwalk walk, const struct type *to)
{
    struct jsequence *s = over(c, walk);

    if (s) {
        s->convert = to;
        s->key = c->n_args > 1 ? c->args[1].ref : NULL;
    }
    return return_new(c, s);
}

static bool
values(struct call *c)
{
    return converted(c, JWALK_VALUES, NULL);
}

static bool
values_of(struct call *c)
{
    return converted(c, JWALK_VALUES, c->type_args[0]);
}

static bool
children_of(struct call *c)
{
    return converted(c, JWALK_CHILDREN, c->type_args[1]);
}

/* Value<U>(token): the sequence is a token. */
static bool
value_as(struct call *c, const struct type *to)
{
    if (!c->args[0].ref)
        return throw_argument_null(c, "value");
    if (!object_is_jtoken(c->args[0].ref))
        return throw_argument(c, NULL, "Source value must be a JToken.");
    return jtoken_convert(c, (struct jtoken *)c->args[0].ref, to, &c->ret);
}

static bool
value_of(struct call *c)
{
    return value_as(c, c->type_args[0]);
}

static bool
value_of_two(struct call *c)
{
    return value_as(c, c->type_args[1]);
}

static bool
as_enumerable(struct call *c)
{
    return return_ref(c, c->args[0].ref);
}

static const struct type_row types[] = {
    STATIC_CLASS("Newtonsoft.Json.Linq.Extensions"),
};

#define E "Newtonsoft.Json.Linq.Extensions"
#define S "this IEnumerable<JToken> source"

static const struct member_row members[] = {
    M(E, "static IJEnumerable<JToken> Ancestors<T>(this IEnumerable<T> source) where T : JToken", ancestors),
    M(E, "static IJEnumerable<JToken> AncestorsAndSelf<T>(this IEnumerable<T> source) where T : JToken", ancestors_and_self),
    M(E, "static IJEnumerable<JToken> Descendants<T>(this IEnumerable<T> source) where T : JContainer", descendants),
    M(E, "static IJEnumerable<JToken> DescendantsAndSelf<T>(this IEnumerable<T> source) where T : JContainer", descendants_and_self),
    M(E, "static IJEnumerable<JProperty> Properties(this IEnumerable<JObject> source)", properties),
    M(E, "static IJEnumerable<JToken> Values(" S ")", values),
    M(E, "static IJEnumerable<JToken> Values(" S ", object key)", values),
    P("IJEnumerable<T>", "IJEnumerable<JToken> this[object key] { get; }", values, NULL),
    M(E, "static IEnumerable<U> Values<U>(" S ")", values_of),
    M(E, "static IEnumerable<U> Values<U>(" S ", object key)", values_of),
    M(E, "static U Value<U>(this IEnumerable<JToken> value)", value_of),
    M(E, "static U Value<T,U>(this IEnumerable<T> value) where T : JToken", value_of_two),
    M(E, "static IJEnumerable<JToken> Children<T>(this IEnumerable<T> source) where T : JToken", children),
    M(E, "static IEnumerable<U> Children<T,U>(this IEnumerable<T> source) where T : JToken", children_of),
    M(E, "static IJEnumerable<JToken> AsJEnumerable(" S ")", as_enumerable),
    M(E, "static IJEnumerable<T> AsJEnumerable<T>(this IEnumerable<T> source) where T : JToken", as_enumerable),
};

const struct library clr_json_extensions = LIBRARY("json extensions", types, members);
