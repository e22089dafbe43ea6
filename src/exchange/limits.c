/* limits.c: limits that hold for all nodes, counted by scripts in the external store, one key a limit.
 *
 *     headgate:window:{<hash>}            a hash: "ms of a slot:slot number" -> calls
 *     headgate:quota:{<hash>}:<window>    a hash: c -> calls, b -> bytes
 *
 * What is counted there is counted in memory too, so that a node that is cut off goes on from what it knew. A store that comes
 * back empty is told what a quota had reached.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/limits.h"

#include <stdio.h>

#include "base/hash.h"
#include "cache/tiers.h"
#include "redis/client.h"
#include "rt/loop.h"

#define SLOTS 20
#define ADVANCE_PART 100u     /* of a limit: what is taken at a time */
#define ADVANCE_MAX 1000u
#define KEEP_MS 86400000u     /* a quota's window is kept for a day after its end */
#define NAME_MAX_BYTES 96u

/* Fields are "ms:slot"; what is taken counts in every period that the key is known by, and a period that is new begins with what the
 * longest of the others knows. ARGV: slot in ms, limit, needed, wanted, how: 0 within the limit, 1 whatever it says, 2 give back what is
 * wanted. Gives taken, used, ms until one more fits. */
static const char window_script[] =
    "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "local ms,limit,need,want,how=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3]),tonumber(ARGV[4]),ARGV[5]\n"
    "local slot=math.floor(now/ms) local f=redis.call('HGETALL',KEYS[1]) local used=0 local at={} local old={}\n"
    "local all={[ms]={}} local known=false local longest=ms\n"
    "for i=1,#f,2 do local a,s=string.match(f[i],'^(%d+):(%d+)$') a=tonumber(a) s=tonumber(s) local n=tonumber(f[i+1])\n"
    " if a and a>0 and n and s>math.floor(now/a)-20 then all[a]=all[a] or {} all[a][s]=n known=known or a==ms\n"
    "  if a>longest then longest=a end else old[#old+1]=f[i] end end\n"
    "if #old>0 then redis.call('HDEL',KEYS[1],unpack(old)) end\n"
    "if not known then for a in pairs(all) do if a~=ms and (longest==ms or a>longest) then longest=a end end\n"
    " if longest~=ms then for s,n in pairs(all[longest]) do local x=math.floor(math.min((s+1)*longest-1,now)/ms)\n"
    "  if x>slot-20 then all[ms][x]=(all[ms][x] or 0)+n redis.call('HINCRBY',KEYS[1],ms..':'..x,n) end end end end\n"
    "at=all[ms] for s,n in pairs(at) do used=used+n end\n"
    "local take=math.min(want,limit-used) if how=='1' then take=want elseif how=='2' then take=-want end\n"
    "if how~='0' or take>=need then if take>0 or how=='2' then\n"
    "  for a in pairs(all) do redis.call('HINCRBY',KEYS[1],a..':'..math.floor(now/a),take) if a>longest then longest=a end end\n"
    "  redis.call('PEXPIRE',KEYS[1],longest*21) end\n"
    " return {math.max(take,0),math.max(used+take,0),(slot+1)*ms-now} end\n"
    "local left,wait=0,ms*20 for s=slot-19,slot do left=left+(at[s] or 0)\n"
    " if left>=used+need-limit then wait=(s+20)*ms-now break end end\n"
    "return {-1,used,wait}";
/* ARGV: calls, bytes, what this node knows at least of both, ms to keep or 0. Gives both, with what was added. */
static const char quota_script[] =
    "local v=redis.call('HMGET',KEYS[1],'c','b')\n"
    "local c=math.max(tonumber(v[1] or 0),tonumber(ARGV[3]))+tonumber(ARGV[1])\n"
    "local b=math.max(tonumber(v[2] or 0),tonumber(ARGV[4]))+tonumber(ARGV[2])\n"
    "if c>0 or b>0 then redis.call('HSET',KEYS[1],'c',string.format('%.0f',c),'b',string.format('%.0f',b))\n"
    " if ARGV[5]~='0' then redis.call('PEXPIRE',KEYS[1],ARGV[5]) end end\n"
    "return {string.format('%.0f',c),string.format('%.0f',b)}";
/* SHA-1 of the texts above: how a server that knows them is told which one to run. */
static const char window_sha[] = "d18ce047ab5edceb90e60d856c53ea9fc498935c";
static const char quota_sha[] = "b2639c73e4033e671afb5803f9c581467b03c3c0";

/* --- running a script ---------------------------------------------------------------------------------------------- */

#define RESULTS 3

struct outcome {
    int64_t v[RESULTS];
    uint32_t n;                       /* results that came */
    bool is_unknown;                  /* the server does not have the script yet */
};

static void
take_outcome(void *ctx, const struct redis_ask *ask, struct resp reply)
{
    struct outcome *o = ctx;
    struct resp item;
    uint64_t n;

    o->is_unknown = resp_type(reply) == RESP_ERROR && str_starts_with(resp_text(reply), STR("NOSCRIPT"));
    for (o->n = 0; o->n < RESULTS && resp_item(reply, o->n, &item); o->n++) {
        if (resp_type(item) == RESP_INTEGER)
            o->v[o->n] = item.v->integer;
        else if (resp_u64(item, &n))
            o->v[o->n] = (int64_t)MIN(n, (uint64_t)INT64_MAX);
        else
            break;
    }
}

#define ARGUMENTS_MAX 5

static bool
ask(struct exchange *ex, struct str command, struct str script, struct str key, const uint64_t *args, uint32_t n,
    struct outcome *ret)
{
    char texts[ARGUMENTS_MAX][24];
    struct str words[4 + ARGUMENTS_MAX] = {command, script, STR("1"), key};
    struct redis_ask one = {words, 4 + n, take_outcome, ret, 0, 0};

    for (uint32_t i = 0; i < n; i++)
        words[4 + i] = str_from(texts[i], (size_t)snprintf(texts[i], sizeof(texts[i]), "%" PRIu64, args[i]));
    *ret = (struct outcome){0};
    return tiers_command(ex->services->tiers, key, &one, 1);
}

/* False when the store is away or cannot do it. Yields. */
static bool
run_script(struct exchange *ex, struct str text, struct str sha, struct str key, const uint64_t *args, uint32_t n,
           uint32_t n_results, struct outcome *ret)
{
    if (!ex->services->tiers || !tiers_can_command(ex->services->tiers, key))
        return false;
    if (!ask(ex, STR("EVALSHA"), sha, key, args, n, ret))
        return false;
    if (ret->is_unknown && !ask(ex, STR("EVAL"), text, key, args, n, ret))
        return false;
    return ret->n == n_results;
}

#define SCRIPT(text) str_from(text, sizeof(text) - 1)

/* --- windows ------------------------------------------------------------------------------------------------------- */

static struct str
window_name(struct str key, char text[NAME_MAX_BYTES])
{
    struct hash128 hash = hash_128(key);

    return str_from(text, (size_t)snprintf(text, NAME_MAX_BYTES, "headgate:window:{%016" PRIx64 "%016" PRIx64 "}", hash.hi, hash.lo));
}

static uint64_t
slot_ms(uint32_t period_s)
{
    return MAX((uint64_t)period_s * 1000 / SLOTS, (uint64_t)1);
}

static uint32_t
seconds_up(uint64_t ms)
{
    return MAX((uint32_t)MIN((ms + 999) / 1000, (uint64_t)UINT32_MAX), 1u);
}

/* Permits are of a period: they say nothing of another. */
static struct str
permit_name(struct exchange *ex, struct str key, uint32_t period_s)
{
    return str_printf(ex->arena, "%" PRIu32 "\x1f%.*s", period_s, STR_ARG(key));
}

enum { HOW_WITHIN, HOW_ANYWAY, HOW_GIVE_BACK };   /* the script's last argument */

/* What memory alone would say is what it keeps in mind for when the store is away. */
static void
remember(struct exchange *ex, struct str key, uint32_t period_s, uint32_t n, uint64_t now_ms)
{
    if (n)
        window_add(ex->services->counters, key, period_s, n, now_ms);
}

/* True when the store has decided; *ret_ok is what it decided. Yields. */
static bool
take_from_store(struct exchange *ex, struct str key, uint32_t period_s, uint32_t limit, uint32_t n, uint64_t now_ms,
                struct window_state *ret, bool *ret_ok)
{
    struct counters *counters = ex->services->counters;
    struct str permits = permit_name(ex, key, period_s);
    char text[NAME_MAX_BYTES];
    uint32_t want = n ? n + MIN(limit / ADVANCE_PART, ADVANCE_MAX) : 0;
    uint64_t args[] = {slot_ms(period_s), limit, n, want, HOW_WITHIN};
    struct outcome o;

    if (!run_script(ex, SCRIPT(window_script), SCRIPT(window_sha), window_name(key, text), args, 5, 3, &o))
        return false;
    ret->used = (uint32_t)MIN(MAX(o.v[1], (int64_t)0), (int64_t)UINT32_MAX);
    *ret_ok = o.v[0] >= 0;
    if (!*ret_ok) {
        ret->wait_s = seconds_up((uint64_t)MAX(o.v[2], (int64_t)0));
        permit_refuse(counters, permits, limit, now_ms + (uint64_t)MAX(o.v[2], (int64_t)0));
    } else if ((uint64_t)o.v[0] > n) {
        permit_add(counters, permits, limit, (uint32_t)o.v[0] - n, ret->used, now_ms + (uint64_t)MAX(o.v[2], (int64_t)0));
    }
    return true;
}

bool
limit_take(struct exchange *ex, struct str key, uint32_t period_s, uint32_t limit, uint32_t n, struct window_state *ret)
{
    struct counters *counters = ex->services->counters;
    uint64_t now_ms = loop_now_ms(ex->services->loop);
    struct permit_state p;
    char text[NAME_MAX_BYTES];
    bool ok;

    *ret = (struct window_state){0};
    if (!ex->services->tiers || !tiers_has(ex->services->tiers, CACHING_EXTERNAL) || !tiers_can_command(ex->services->tiers, window_name(key, text)))
        return window_take(counters, key, period_s, limit, n, now_ms, ret);
    if (n && permit_take(counters, permit_name(ex, key, period_s), limit, n, now_ms, &p)) {
        ret->used = p.used;
        remember(ex, key, period_s, n, now_ms);
        return true;
    }
    if (n && now_ms < p.refused_until_ms) {
        ret->used = limit;
        ret->wait_s = seconds_up(p.refused_until_ms - now_ms);
        return false;
    }
    if (!take_from_store(ex, key, period_s, limit, n, now_ms, ret, &ok))
        return window_take(counters, key, period_s, limit, n, now_ms, ret);
    if (ok)
        remember(ex, key, period_s, n, now_ms);
    return ok;
}

void
limit_add(struct exchange *ex, struct str key, uint32_t period_s, uint32_t n)
{
    char text[NAME_MAX_BYTES];
    uint64_t args[] = {slot_ms(period_s), 0, n, n, HOW_ANYWAY};
    struct outcome o;

    remember(ex, key, period_s, n, loop_now_ms(ex->services->loop));
    if (!run_script(ex, SCRIPT(window_script), SCRIPT(window_sha), window_name(key, text), args, 5, 3, &o))
        return;
}

void
limit_give_back(struct exchange *ex, struct str key, uint32_t period_s, uint32_t n)
{
    char text[NAME_MAX_BYTES];
    uint64_t args[] = {slot_ms(period_s), 0, 0, n, HOW_GIVE_BACK};
    struct outcome o;

    window_give_back(ex->services->counters, key, n);
    if (!run_script(ex, SCRIPT(window_script), SCRIPT(window_sha), window_name(key, text), args, 5, 3, &o))
        return;
}

/* --- quotas -------------------------------------------------------------------------------------------------------- */

struct quota_state
limit_quota(struct exchange *ex, struct str key, uint64_t window, uint64_t left_s, uint64_t calls, uint64_t bytes)
{
    struct counters *counters = ex->services->counters;
    uint64_t late = quota_take_late(counters, key, window);
    struct quota_state known = quota_add(counters, key, window, 0, 0);
    struct hash128 hash = hash_128(key);
    char text[NAME_MAX_BYTES];
    struct str name = str_from(text, (size_t)snprintf(text, sizeof(text), "headgate:quota:{%016" PRIx64 "%016" PRIx64 "}:%" PRIu64,
                                                      hash.hi, hash.lo, window));
    uint64_t args[] = {calls, bytes + late, known.calls, known.bytes, left_s ? left_s * 1000 + KEEP_MS : 0};
    struct outcome o;

    if (!run_script(ex, SCRIPT(quota_script), SCRIPT(quota_sha), name, args, 5, 2, &o)) {
        if (late)
            quota_add(counters, key, window, 0, late);
        return quota_add(counters, key, window, calls, bytes);
    }
    quota_raise(counters, key, window, (uint64_t)o.v[0], (uint64_t)o.v[1]);
    return (struct quota_state){(uint64_t)o.v[0] - MIN(calls, (uint64_t)o.v[0]), (uint64_t)o.v[1] - MIN(bytes, (uint64_t)o.v[1])};
}
