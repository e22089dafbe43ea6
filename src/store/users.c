/* users.c: users.yaml, what an APIOps folder has no place for: who the users are, their groups, and who owns which
 * subscription.
 *
 *     users:  {alice: {first-name: Alice, email: alice@example.org, groups: [partners]}}
 *     groups: {partners: {display-name: Partners}}
 *     owners: {gold-subscription: alice}
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/loader.h"

static bool
is_one_of(struct str name, const char *const *known)
{
    for (; *known; known++)
        if (str_eq(name, str_from_c(*known)))
            return true;
    return false;
}

static void
refuse_unknown_keys(const struct info *i, const struct doc_node *map, const char *const *known)
{
    doc_each(it, map)
        if (!is_one_of(it->key, known))
            doc_report_key(&i->doc, DIAG_ERROR, it, "no key `%.*s` here", STR_ARG(it->key));
}

/* Nothing is fine: every key may be left out. */
static bool
is_description(const struct info *i, const struct doc_node *n)
{
    if (n->kind == DOC_MAP || n->kind == DOC_NULL)
        return true;
    doc_report(&i->doc, DIAG_ERROR, n, "expected a map of keys, found %s", doc_kind_name(n));
    return false;
}

static struct str
text(struct loader *l, const struct info *i, const struct doc_node *map, const char *key)
{
    return keep_str(l, doc_get_str(&i->doc, map, key, STR("")));
}

static void
read_user_group(struct loader *l, const struct info *i, const struct doc_node *n)
{
    static const char *const known[] = {"display-name", "description", "external-id", NULL};

    if (!is_description(i, n))
        return;
    refuse_unknown_keys(i, n, known);
    *vec_push(&l->groups) = (struct group){.name = keep_str(l, n->key), .display_name = text(l, i, n, "display-name"),
                                           .description = text(l, i, n, "description"), .type = STR("custom"),
                                           .external_id = text(l, i, n, "external-id")};
}

/* Groups are read before; their pointers are set when the model is linked, by these names. */
static void
read_user_groups(struct loader *l, const struct info *i, const struct doc_node *n, struct user *u)
{
    uint32_t count;
    const struct str *names = keep_strs(l, i, n, "groups", &count);
    struct group *stand_ins = count ? arena_new_array(l->keep, struct group, count) : NULL;
    const struct group **list = count ? arena_new_array(l->keep, const struct group *, count) : NULL;

    for (uint32_t k = 0; stand_ins && list && k < count; k++) {
        stand_ins[k].name = names[k];
        list[u->n_groups++] = &stand_ins[k];
    }
    u->groups = list;
}

static void
read_identities(struct loader *l, const struct info *i, const struct doc_node *n, struct user *u)
{
    const struct doc_node *list = doc_get_list(&i->doc, n, "identities");
    struct user_identity *all = list && list->n ? arena_new_array(l->keep, struct user_identity, list->n) : NULL;

    doc_each(it, all ? list : NULL)
        if (is_description(i, it))
            all[u->n_identities++] = (struct user_identity){text(l, i, it, "provider"), text(l, i, it, "id")};
    u->identities = all;
}

static void
read_user(struct loader *l, const struct info *i, const struct doc_node *n)
{
    static const char *const known[] = {"first-name", "last-name", "email", "note", "state", "registered", "groups",
                                        "identities", NULL};
    struct user u = {.name = keep_str(l, n->key), .first_name = text(l, i, n, "first-name"),
                     .last_name = text(l, i, n, "last-name"), .email = text(l, i, n, "email"),
                     .note = text(l, i, n, "note"), .state = text(l, i, n, "state")};
    struct info of_user = *i;

    if (!is_description(i, n))
        return;
    refuse_unknown_keys(i, n, known);
    of_user.properties = n;
    u.registered_s = info_date(l, &of_user, "registered");
    read_user_groups(l, i, n, &u);
    read_identities(l, i, n, &u);
    *vec_push(&l->users) = u;
}

static void
read_owner(struct loader *l, const struct info *i, const struct doc_node *n)
{
    struct str *name = doc_is_scalar(n) ? arena_new(l->keep, struct str) : NULL;

    if (!name) {
        doc_report(&i->doc, DIAG_ERROR, n, "expected the name of a user, found %s", doc_kind_name(n));
        return;
    }
    *name = keep_str(l, n->text);
    map_set(&l->owners, keep_str(l, n->key), name);
}

static void
each_entry(struct loader *l, const struct info *i, const char *key,
           void (*read)(struct loader *, const struct info *, const struct doc_node *))
{
    doc_each(it, doc_get_map(&i->doc, i->properties, key))
        read(l, i, it);
}

void
read_users(struct loader *l)
{
    static const char *const known[] = {"users", "groups", "owners", NULL};
    struct arena_mark mark = arena_mark(&l->scratch);
    struct str path = l->options->users;
    struct info i = {0};

    if (!path.len && l->root.len)
        path = path_join(&l->scratch, l->root, STR("users.yaml"));
    i.source = path.len ? folder_read(l, path) : NULL;
    if (!i.source && l->options->users.len)
        diag_add(l->diags, DIAG_ERROR, NULL, 0, 0, "%.*s: no such file", STR_ARG(path));
    if (i.source && doc_parse(&i.doc, i.source, &l->scratch, l->diags)) {
        i.properties = i.doc.root;
        if (i.doc.root->kind == DOC_MAP) {
            refuse_unknown_keys(&i, i.doc.root, known);
            each_entry(l, &i, "groups", read_user_group);
            each_entry(l, &i, "users", read_user);
            each_entry(l, &i, "owners", read_owner);
        } else if (i.doc.root->kind != DOC_NULL) {
            doc_report(&i.doc, DIAG_ERROR, i.doc.root, "expected a map of keys, found %s", doc_kind_name(i.doc.root));
        }
    }
    arena_rewind(&l->scratch, mark);
}
