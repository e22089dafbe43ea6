/* cache_report.c: the cache's reasons, as header fields.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/cache_report.h"

#include "cache/flight.h"
#include "cache/key_text.h"
#include "exchange/storing.h"
#include "http/headers.h"
#include "http/message.h"
#include "model/api.h"
#include "observe/metrics.h"
#include "rt/loop.h"

#define TEXT_MAX 3000u                /* of one part of an explanation */

/* --- texts --------------------------------------------------------------------------------------------------------- */

/* As a quoted string (RFC 8941): ASCII, the rest as '?'. */
static void
add_quoted(struct buf *to, struct str text)
{
    buf_add_char(to, '"');
    for (size_t i = 0; i < text.len && i < TEXT_MAX; i++) {
        char c = text.p[i];

        if (c == '"' || c == '\\')
            buf_add_char(to, '\\');
        buf_add_char(to, c >= ' ' && c <= '~' ? c : '?');
    }
    buf_add_char(to, '"');
}

static void
add_value(struct buf *to, struct str value)
{
    buf_printf(to, "%.*s", STR_ARG(value.p ? value : STR("(absent)")));
}

/* What a key is made of. */
static struct str
key_text(struct exchange *ex, const struct cache_key *key, struct str parts)
{
    struct buf text = buf_in(ex->arena);
    struct cache_key_text k;

    if (!cache_key_read(ex->arena, key->bytes, &k))
        return STR("?");
    if (k.api.p)
        buf_printf(&text, "api %.*s, ", STR_ARG(k.api));
    if (k.operation.p)
        buf_printf(&text, "operation %.*s, ", STR_ARG(k.operation));
    if (k.product.p)
        buf_printf(&text, "product %.*s, ", STR_ARG(k.product));
    buf_add_str(&text, k.url);
    for (uint32_t i = 0; !parts.p && i < k.n_parts; i++) {
        buf_add_lit(&text, ", ");
        add_value(&text, k.parts[i]);
    }
    if (parts.len)
        buf_printf(&text, ", %.*s", STR_ARG(parts));
    return buf_str(&text);
}

/* --- why nothing fits ---------------------------------------------------------------------------------------------- */

struct looking {
    struct exchange *ex;
    const struct cache_request *request;
    struct cache_scopes scopes;       /* of the entries that were there, else of the address */
    struct buf differences;
    uint32_t n_variants;
};

/* The fields of one stored variant that the request has otherwise. The shard is locked. */
static void
compare_variant(struct looking *l, struct str vary)
{
    struct str name, stored;

    while (cache_vary_next(&vary, &name, &stored)) {
        struct str own = l->request ? l->request->field(l->request->ctx, name) : STR_NONE;

        if (own.len == stored.len && (own.p != NULL) == (stored.p != NULL) && str_eq(own, stored))
            continue;
        buf_printf(&l->differences, "%s%.*s: stored ", l->differences.len ? "; " : "", STR_ARG(name));
        add_value(&l->differences, stored);
        buf_add_lit(&l->differences, ", asked ");
        add_value(&l->differences, own);
    }
}

static bool
see_variant(void *ctx, const struct cache_entry *e, const struct cache_seen *seen)
{
    struct looking *l = ctx;
    uint32_t n;
    const cache_scope_id *scopes = cache_entry_scopes(e, &n);

    l->n_variants++;
    for (uint32_t i = 0; i < n; i++)
        cache_scopes_add(&l->scopes, scopes[i]);
    if (l->differences.len < TEXT_MAX)
        compare_variant(l, cache_entry_vary(e));
    return l->n_variants < 64;
}

/* The purge that took what was there, or the last one that names what is there or the address. */
static bool
find_purge(struct looking *l, const struct cache_key *held, struct purge_note *ret)
{
    struct cache *memory = tiers_memory(l->ex->services->tiers);
    uint64_t generation = l->n_variants ? 0 : cache_noted_purge(memory, held);

    return (generation && purge_journal_at(cache_journal(memory), generation, ret)) ||
           purge_journal_find(cache_journal(memory), l->scopes.v, l->scopes.n, ret);
}

/* "purged 12 s ago: tag shoes, by anna"; STR_NONE when no purge that is remembered names this. */
static struct str
purge_text(struct looking *l, const struct cache_key *held)
{
    struct exchange *ex = l->ex;
    struct purge_note *note = arena_new(ex->arena, struct purge_note);
    uint64_t now_s = loop_wall_ns(ex->services->loop) / 1000000000;

    if (!note || !find_purge(l, held, note))
        return STR_NONE;
    return str_printf(ex->arena, "%s %llu s ago: %s, by %s", note->is_soft ? "softly purged" : "purged",
                      (unsigned long long)(now_s - MIN(now_s, note->at_s)), note->what, note->by[0] ? note->by : "nobody we know");
}

/* What is known before the look-up; which of it counts is said by its verdict. */
struct reasons {
    struct str purge, refusal, differences;
};

static void
set_why(struct exchange *ex, const struct reasons *r)
{
    struct buf why = buf_in(ex->arena);

    if (r->differences.len)
        buf_printf(&why, "vary differs: %.*s", STR_ARG(r->differences));
    if (r->purge.len)
        buf_printf(&why, "%s%.*s", why.len ? "; " : "", STR_ARG(r->purge));
    if (r->refusal.len)
        buf_printf(&why, "%sthe last answer was not stored: %.*s", why.len ? "; " : "", STR_ARG(r->refusal));
    ex->said.explanation->why = why.len ? buf_str(&why) : STR_NONE;
}

void
cache_report_look(struct exchange *ex, const struct cache_place *place, const struct cache_key *key,
                  const struct cache_request *request, const struct storing_address *address, struct str parts)
{
    struct cache *memory = tiers_memory(ex->services->tiers);
    struct cache_key held = tiers_memory_key(ex->services->tiers, place, key);
    struct looking *l;
    struct http_headers none = http_headers_in(ex->arena);
    struct reasons reasons = {0};
    enum cache_refusal refusal;

    if (!cache_report_is_wanted(ex) || !(l = arena_new(ex->arena, struct looking)))
        return;
    l->ex = ex;
    l->request = request;
    l->differences = buf_in(ex->arena);
    ex->said.explanation->key = key_text(ex, key, parts);
    cache_list_variants(memory, &held, loop_now_ms(ex->services->loop), see_variant, l);
    storing_scopes(ex, &(struct storing){.address = *address}, &none, &l->scopes);
    reasons.purge = purge_text(l, &held);
    reasons.differences = l->differences.len ? buf_str(&l->differences) : STR_NONE;
    if ((refusal = cache_noted_refusal(memory, key)) != CACHE_STORED && l->n_variants == 0)
        reasons.refusal = str_from_c(cache_refusal_sentence(refusal));
    set_why(ex, &reasons);
}

/* --- figures ------------------------------------------------------------------------------------------------------- */

struct cache_series *
cache_report_figures(const struct exchange *ex)
{
    if (!ex->cache_slot || !ex->services->figures)
        return NULL;
    return metrics_cache_series(ex->services->figures, ex->cache_slot, ex->api->root_name, ex->operation ? ex->operation->name : STR(""));
}

void
cache_report_value(const struct exchange *ex, bool is_hit)
{
    struct cache_series *figures = cache_report_figures(ex);

    if (figures)
        metric_bump(is_hit ? &figures->value_hits : &figures->value_misses, 1);
}

void
cache_report_end(const struct exchange *ex)
{
    struct cache_series *figures = ex->cache_outcome ? cache_report_figures(ex) : NULL;

    if (figures)
        metric_bump(&figures->outcomes[ex->cache_outcome], 1);
}

/* --- what happened ------------------------------------------------------------------------------------------------- */

void
cache_report_found(struct exchange *ex, const struct cache_entered *got)
{
    ex->said.look = (uint8_t)(got->verdict + 1);
    ex->said.is_collapsed = got->has_waited || got->fill;
    ex->said.is_external = got->is_external;
}

void
cache_report_served(struct exchange *ex, const struct cache_entry *e)
{
    int64_t left_ms = (int64_t)(cache_entry_expires_ms(e) - loop_now_ms(ex->services->loop));

    struct cache_series *figures = cache_report_figures(ex);

    if (figures)
        metric_bump(&figures->bytes_served, cache_entry_body_length(e));
    ex->said.is_served = true;
    ex->said.ttl_s = (int32_t)MAX(MIN(left_ms / 1000, (int64_t)INT32_MAX), (int64_t)INT32_MIN);
}

void
cache_report_refused(struct exchange *ex, const struct cache_key *key, enum cache_refusal why)
{
    struct cache_series *figures = cache_report_figures(ex);

    if (figures)
        metric_bump(&figures->refused[why], 1);
    ex->said.refusal = (uint8_t)why;
    cache_note_refusal(tiers_memory(ex->services->tiers), key, why);
}

void
cache_report_stored(struct exchange *ex, uint64_t life_ms)
{
    ex->said.ttl_s = (int32_t)MIN(life_ms / 1000, (uint64_t)INT32_MAX);
}

/* --- fields -------------------------------------------------------------------------------------------------------- */

static const char *
bypass_text(enum cache_bypass why, bool is_word)
{
    switch (why) {
#define CACHE_BYPASS(id, word, sentence) case CACHE_BYPASS_##id: return is_word ? word : sentence;
    CACHE_BYPASSES(CACHE_BYPASS)
#undef CACHE_BYPASS
    }
    return "";
}

/* Why it went to the backend, in RFC 9211's words. */
static const char *
forward_word(const struct cache_said *said)
{
    if (said->look == 0)
        return bypass_text((enum cache_bypass)said->bypass, true);
    switch ((enum cache_verdict)(said->look - 1)) {
    case CACHE_HIT: return "request";
    case CACHE_STALE: case CACHE_MISS_EXPIRED: case CACHE_MISS_UNPROVEN: return "stale";
    case CACHE_MISS_ABSENT: return "uri-miss";
    case CACHE_MISS_VARIANT: return "vary-miss";
    case CACHE_MISS_PURGED: return "miss";
    }
    return "miss";
}

/* A soft purge has ended the freshness of what was served, whatever time it had left. */
static int32_t
ttl_of(const struct exchange *ex)
{
    bool is_stale = ex->cache_outcome == CACHE_OUTCOME_STALE || ex->cache_outcome == CACHE_OUTCOME_STALE_ERROR;

    return is_stale ? MIN(ex->said.ttl_s, 0) : ex->said.ttl_s;
}

static void
write_status(struct exchange *ex)
{
    const struct cache_said *said = &ex->said;
    struct buf text = buf_in(ex->arena);

    buf_add_lit(&text, "Headgate");
    if (said->is_served && ex->cache_outcome != CACHE_OUTCOME_VALIDATED)
        buf_printf(&text, "; hit; ttl=%d", ttl_of(ex));
    else {
        buf_printf(&text, "; fwd=%s", forward_word(said));
        if (ex->backend_status)
            buf_printf(&text, "; fwd-status=%u", ex->backend_status);
        if (ex->is_answer_stored || said->is_served)
            buf_printf(&text, "; ttl=%d; stored", said->ttl_s);
    }
    if (said->is_collapsed)
        buf_add_lit(&text, "; collapsed");
    if (said->look == CACHE_MISS_PURGED + 1)
        buf_add_lit(&text, "; detail=purged");
    else if (said->refusal)
        buf_printf(&text, "; detail=%s", cache_refusal_word((enum cache_refusal)said->refusal));
    if (!text.failed)
        http_headers_add(ex->response->headers, STR("Cache-Status"), buf_str(&text));
}

static void
add_why(struct exchange *ex, struct buf *to)
{
    const struct cache_said *said = &ex->said;
    struct buf why = buf_in(ex->arena);
    struct str known = said->explanation->why;

    if (said->look == 0)
        buf_printf(&why, "%s", bypass_text((enum cache_bypass)said->bypass, false));
    else if (said->is_request)
        buf_add_lit(&why, "the client wants it fresher");
    else if (said->look != CACHE_HIT + 1)
        buf_printf(&why, "%s", cache_verdict_word((enum cache_verdict)(said->look - 1)));
    if (known.len && said->look > CACHE_HIT + 1)
        buf_printf(&why, "%s%.*s", why.len ? "; " : "", STR_ARG(known));
    if (why.len) {
        buf_add_lit(to, "; why=");
        add_quoted(to, buf_str(&why));
    }
}

static void
write_explanation(struct exchange *ex)
{
    const struct cache_said *said = &ex->said;
    struct buf text = buf_in(ex->arena);

    buf_printf(&text, "%s", said->look ? cache_outcome_word((enum cache_outcome)ex->cache_outcome) : "bypass");
    add_why(ex, &text);
    if (said->explanation->key.len) {
        buf_add_lit(&text, "; key=");
        add_quoted(&text, said->explanation->key);
    }
    if (said->is_served)
        buf_printf(&text, "; tier=%s", said->is_external ? "external" : "memory");
    if (said->is_served || ex->is_answer_stored)
        buf_printf(&text, "; ttl=%d", ttl_of(ex));
    if (ex->is_answer_stored)
        buf_add_lit(&text, "; stored");
    else if (said->refusal) {
        buf_add_lit(&text, "; not-stored=");
        add_quoted(&text, str_from_c(cache_refusal_sentence((enum cache_refusal)said->refusal)));
    }
    if (!text.failed)
        http_headers_set(ex->response->headers, STR("Headgate-Cache"), buf_str(&text));
}

void
cache_report_write(struct exchange *ex)
{
    if (!ex->response)
        return;
    if (cache_report_is_wanted(ex))
        write_explanation(ex);
    if (cache_report_is_wanted(ex) || (ex->api && ex->api->settings.cache.says_status))
        write_status(ex);
}
