/* schemas.c: schemas/<id>/: schemas of the service that validate-content names by id. Either a file that is the schema
 * (schema.json, schema.xsd), or schemaInformation.json as the Azure API shows it: schemaType, and value or document.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/loader.h"

/* The schema inside an information file as a source of its own. */
static const struct source *
inner_source(struct loader *l, const struct info *i, const struct doc_node *n)
{
    struct source *s = arena_new(l->keep, struct source);
    struct buf text = buf_in(l->keep);

    if (!s)
        return NULL;
    if (n->kind == DOC_STRING)
        buf_add_str(&text, n->text);
    else
        doc_write_json(n, &text);
    *s = (struct source){.name = i->source->name, .text = text.len ? buf_str(&text) : STR("")};
    return s;
}

static const struct source *
read_information(struct loader *l, struct str path, bool *ret_is_xml)
{
    const struct source *source = NULL;
    const struct doc_node *n;
    struct info i;

    if (!info_open(l, path, "schemaInformation.json", true, &i))
        return NULL;
    *ret_is_xml = str_eq_nocase(info_str(l, &i, "schemaType"), STR("xml"));
    n = doc_get(i.properties, "value") ? doc_get(i.properties, "value") : doc_get(i.properties, "document");
    if (n && n->kind == DOC_MAP && doc_get(n, "value"))
        n = doc_get(n, "value");
    if (n && n->kind != DOC_NULL)
        source = inner_source(l, &i, n);
    else
        doc_report(&i.doc, DIAG_ERROR, i.properties, "`value` is missing: the text of the schema");
    info_close(l, &i);
    return source;
}

void
read_schema(struct loader *l, struct str path, struct str name)
{
    static const char *const known[] = {"schemaInformation.json", "schema.json", "schema.yaml", "schema.xsd", NULL};
    struct schema_conf s = {.name = name};

    folder_warn_unknown(l, path, known);
    for (size_t i = 1; known[i] && !s.source; i++) {
        s.source = folder_read(l, path_join(&l->scratch, path, str_from_c(known[i])));
        s.is_xml = s.source && str_ends_with(s.source->name, STR(".xsd"));
    }
    if (!s.source)
        s.source = read_information(l, path, &s.is_xml);
    if (s.source)
        *vec_push(&l->schemas) = s;
}
