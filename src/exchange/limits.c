/* limits.c: limits that hold for all nodes, counted by scripts in the external store, one key a limit.
 *
 *     headgate:limit:{<hash>}             a hash: slot number -> calls
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

/* ARGV: slot in ms, limit, needed, wanted, 1: count it whatever the limit says. Gives taken, used, ms until one more fits. */
static const char window_script[] =
    "local t=redis.call('TIME') local now=t[1]*1000+math.floor(t[2]/1000)\n"
    "local ms,limit,need,want=tonumber(ARGV[1]),tonumber(ARGV[2]),tonumber(ARGV[3]),tonumber(ARGV[4])\n"
    "local slot=math.floor(now/ms) local f=redis.call('HGETALL',KEYS[1]) local used=0 local at={} local old={}\n"
    "for i=1,#f,2 do local s=tonumber(f[i]) local n=tonumber(f[i+1])\n"
    " if s and n and s>slot-20 then used=used+n at[s]=n else old[#old+1]=f[i] end end\n"
    "if #old>0 then redis.call('HDEL',KEYS[1],unpack(old)) end\n"
    "local take=math.min(want,limit-used) if ARGV[5]=='1' then take=want end\n"
    "if take>=need then if take>0 then redis.call('HINCRBY',KEYS[1],slot,take) redis.call('PEXPIRE',KEYS[1],ms*21) end\n"
    " return {math.max(take,0),used+math.max(take,0),(slot+1)*ms-now} end\n"
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
static const char window_sha[] = "ca88b4d9f12f0f59845482786e32f91d663f556a";
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

    return str_from(text, (size_t)snprintf(text, NAME_MAX_BYTES, "headgate:limit:{%016" PRIx64 "%016" PRIx64 "}", hash.hi, hash.lo));
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
    char text[NAME_MAX_BYTES];
    uint32_t want = n ? n + MIN(limit / ADVANCE_PART, ADVANCE_MAX) : 0;
    uint64_t args[] = {slot_ms(period_s), limit, n, want, 0};
    struct outcome o;

    if (!run_script(ex, SCRIPT(window_script), SCRIPT(window_sha), window_name(key, text), args, 5, 3, &o))
        return false;
    ret->used = (uint32_t)MIN(MAX(o.v[1], (int64_t)0), (int64_t)UINT32_MAX);
    *ret_ok = o.v[0] >= 0;
    if (!*ret_ok) {
        ret->wait_s = seconds_up((uint64_t)MAX(o.v[2], (int64_t)0));
        permit_refuse(counters, key, limit, now_ms + (uint64_t)MAX(o.v[2], (int64_t)0));
    } else if ((uint64_t)o.v[0] > n) {
        permit_add(counters, key, limit, (uint32_t)o.v[0] - n, ret->used, now_ms + (uint64_t)MAX(o.v[2], (int64_t)0));
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
    if (n && permit_take(counters, key, limit, n, now_ms, &p)) {
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
    uint64_t args[] = {slot_ms(period_s), 0, n, n, 1};
    struct outcome o;

    remember(ex, key, period_s, n, loop_now_ms(ex->services->loop));
    if (!run_script(ex, SCRIPT(window_script), SCRIPT(window_sha), window_name(key, text), args, 5, 3, &o))
        return;
}

/* --- quotas -------------------------------------------------------------------------------------------------------- */

struct quota_state
limit_quota(struct exchange *ex, struct str key, uint64_t window, uint64_t left_s, uint64_t calls, uint64_t bytes)
{
    struct counters *counters = ex->services->counters;
    struct quota_state known = quota_add(counters, key, window, 0, 0);
    struct hash128 hash = hash_128(key);
    char text[NAME_MAX_BYTES];
    struct str name = str_from(text, (size_t)snprintf(text, sizeof(text), "headgate:quota:{%016" PRIx64 "%016" PRIx64 "}:%" PRIu64,
                                                      hash.hi, hash.lo, window));
    uint64_t args[] = {calls, bytes, known.calls, known.bytes, left_s ? left_s * 1000 + KEEP_MS : 0};
    struct outcome o;

    if (!run_script(ex, SCRIPT(quota_script), SCRIPT(quota_sha), name, args, 5, 2, &o))
        return quota_add(counters, key, window, calls, bytes);
    quota_raise(counters, key, window, (uint64_t)o.v[0], (uint64_t)o.v[1]);
    return (struct quota_state){(uint64_t)o.v[0] - MIN(calls, (uint64_t)o.v[0]), (uint64_t)o.v[1] - MIN(bytes, (uint64_t)o.v[1])};
}
