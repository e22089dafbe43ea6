/* identity_conf.c: finding identities and credential providers; there are few, so they are looked through.
 * SPDX-License-Identifier: Apache-2.0 */
#include "model/identity_conf.h"

#include "model/model.h"

const struct identity_conf *
model_find_identity(const struct model *m, struct str client_id)
{
    const struct identity_conf *any = NULL;

    for (uint32_t i = 0; i < m->n_identities; i++) {
        const struct identity_conf *it = &m->identities[i];

        if (!client_id.len && str_eq_lit(it->name, "system"))
            return it;
        if (client_id.len && (str_eq_nocase(it->client_id, client_id) || str_eq_nocase(it->name, client_id)))
            return it;
        if (client_id.len && !any && it->source == IDENTITY_ENDPOINT && !it->client_id.len)
            any = it;
    }
    return client_id.len || !m->n_identities ? any : &m->identities[0];
}

const struct provider_conf *
model_find_provider(const struct model *m, struct str id)
{
    for (uint32_t i = 0; i < m->n_providers; i++)
        if (str_eq_nocase(m->providers[i].name, id))
            return &m->providers[i];
    return NULL;
}

const struct authorization_conf *
provider_find_authorization(const struct provider_conf *p, struct str id)
{
    for (uint32_t i = 0; i < p->n_authorizations; i++)
        if (str_eq_nocase(p->authorizations[i].name, id))
            return &p->authorizations[i];
    return NULL;
}
