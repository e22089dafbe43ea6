/* type_name.c: types found again by the name that Type.ToString() writes.
 *
 *     name = definition ("`" digits "[" name ("," name)* "]")? "[]"*
 * SPDX-License-Identifier: Apache-2.0 */
#include "expr/type.h"

#define DEPTH_MAX 8u
#define ARGS_MAX 8u

static const struct type *
read_name(const struct expr_env *env, struct str *rest, uint32_t depth)
{
    const struct type *args[ARGS_MAX], *t;
    struct str name;
    uint32_t n = 0;
    size_t end = 0;

    if (depth > DEPTH_MAX)
        return NULL;
    while (end < rest->len && !strchr("`[],", rest->p[end]))
        end++;
    name = str_sub(*rest, 0, end);
    *rest = str_skip(*rest, end);
    if (rest->len && rest->p[0] == '`') {
        ptrdiff_t open = str_find_char(*rest, '[', 0);

        if (open < 0)
            return NULL;
        *rest = str_skip(*rest, (size_t)open);
        do {
            *rest = str_skip(*rest, 1);
            args[n] = read_name(env, rest, depth + 1);
            if (!args[n++])
                return NULL;
        } while (n < ARGS_MAX && rest->len && rest->p[0] == ',');
        if (rest->len == 0 || rest->p[0] != ']')
            return NULL;
        *rest = str_skip(*rest, 1);
    }
    t = type_find(env, name, args, n);
    while (t && str_starts_with(*rest, STR("[]"))) {
        t = type_array_of(t);
        *rest = str_skip(*rest, 2);
    }
    return t;
}

const struct type *
type_of_full_name(const struct expr_env *env, struct str full_name)
{
    const struct type *t = full_name.len && full_name.len <= 1000 ? read_name(env, &full_name, 0) : NULL;

    return full_name.len == 0 ? t : NULL;
}
