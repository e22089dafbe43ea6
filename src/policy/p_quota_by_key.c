/* p_quota_by_key.c: <quota-by-key calls="1000" renewal-period="3600" counter-key="@(...)" increment-condition="@(...)" />
 * As quota, by any key. The request is counted at its end, once for each key.
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/compile.h"
#include "policy/quotas.h"

#define PERIOD_MIN_S 300
#define FIRST_PERIOD_START "0001-01-01T00:00:00Z"

struct quota_by_key {
    uint32_t calls, bandwidth_kb, period_s;
    struct pvalue key, condition, count;
    struct str first_period_start;
    int64_t start_s;
};

static const struct attr_def attrs[] = {
    ATTR_U32(struct quota_by_key, calls, "calls", .about = "Calls in a window."),
    ATTR_U32(struct quota_by_key, bandwidth_kb, "bandwidth", .about = "Kilobytes in a window."),
    ATTR_U32(struct quota_by_key, period_s, "renewal-period", .required = true,
             .about = "Length of the window in seconds, at least 300; 0: it never renews."),
    VALUE_STR(struct quota_by_key, key, "counter-key", .required = true, .about = "What is counted.",
              .unverified = "A call that one of several policies with the key refuses is counted by none of them."),
    VALUE_BOOL(struct quota_by_key, condition, "increment-condition", .fallback = "true",
               .about = "Whether this request counts; evaluated at its end. One that fails does not count."),
    VALUE_U32(struct quota_by_key, count, "increment-count", .fallback = "1", .about = "How much it counts."),
    ATTR_STR(struct quota_by_key, first_period_start, "first-period-start", .fallback = FIRST_PERIOD_START,
             .about = "When the first window begins, yyyy-MM-ddTHH:mm:ssZ."),
    ATTR_END
};

/* What waits for the end of the request, in the order of the policies. */
struct counted_key {
    struct counted_key *next;
    struct str text, key;             /* counter-key, and the counter's name */
    const struct quota_by_key *conf;
    bool is_counted, is_refused;
};

static struct quota_limit
limit_of(const struct quota_by_key *q)
{
    return (struct quota_limit){.calls = q->calls, .bandwidth_bytes = (uint64_t)q->bandwidth_kb * 1024,
                                .period_s = q->period_s, .start_s = q->start_s};
}

/* Several policies may use one key: the request counts once for it, as the first says whose condition holds. */
static bool
is_counted_before(const struct counted_key *first, const struct counted_key *k)
{
    for (; first != k; first = first->next)
        if (first->is_counted && str_eq(first->key, k->key))
            return true;
    return false;
}

static void
count(struct exchange *ex, struct counted_key *k)
{
    struct quota_limit limit = limit_of(k->conf);
    bool counts;
    uint32_t n;

    if (!pvalue_bool(ex, &k->conf->condition, &counts) || !pvalue_u32(ex, &k->conf->count, &n)) {
        exchange_trace(ex, TRACE_ERROR, STR("quota-by-key"), ex->error.message);
        return;
    }
    if (!counts)
        return;
    quota_count(ex, &limit, k->key, n);
    k->is_counted = true;
}

static void
count_all(struct exchange *ex, void *arg)
{
    struct last_error before = ex->error;

    for (struct counted_key *k = arg; k; k = k->next) {
        if (!k->is_refused && !is_counted_before(arg, k))
            count(ex, k);
        ex->error = before;
    }
}

/* False when memory is short. */
static bool
count_later(struct exchange *ex, const struct quota_by_key *conf, struct str text, struct str key)
{
    struct counted_key **end = &ex->counted_keys, *k = arena_new(ex->arena, struct counted_key);

    if (!k)
        return false;
    *k = (struct counted_key){.text = text, .key = key, .conf = conf};
    while (*end)
        end = &(*end)->next;
    *end = k;
    return k != ex->counted_keys || exchange_defer(ex, count_all, k);
}

/* Shared by all documents with this key whose windows begin and end at the same instants. */
static struct str
counter_name(struct exchange *ex, const struct quota_by_key *q, struct str key)
{
    if (str_eq_lit(str_trim(q->first_period_start), FIRST_PERIOD_START) || !q->period_s)
        return str_printf(ex->arena, "quota-by-key\x1f%" PRIu32 "\x1f%.*s", q->period_s, STR_ARG(key));
    return str_printf(ex->arena, "quota-by-key\x1f%" PRIu32 "@%" PRId64 "\x1f%.*s", q->period_s, q->start_s, STR_ARG(key));
}

/* The key's other windows let the call through and do not count it either. */
static enum flow
refuse(struct exchange *ex, struct str text)
{
    for (struct counted_key *k = ex->counted_keys; k; k = k->next)
        k->is_refused |= str_eq(k->text, text);
    return FLOW_ERROR;
}

static enum flow
run(const void *conf, struct exchange *ex)
{
    const struct quota_by_key *q = conf;
    struct quota_limit limit = limit_of(q);
    struct str text, key;

    if (!pvalue_str(ex, &q->key, &text))
        return FLOW_ERROR;
    if (!ex->services->counters)
        return FLOW_NEXT;
    key = counter_name(ex, q, text);
    if (quota_check(ex, &limit, key) == FLOW_ERROR)
        return refuse(ex, text);
    return count_later(ex, q, text, key) ? FLOW_NEXT : exchange_fail(ex, "no memory left to count calls");
}

/* Days since 1970 of a date of the Gregorian calendar, which was always in force. */
static int64_t
days_from_date(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + (int64_t)day_of_era - 719468;
}

static bool
digits(struct str s, size_t at, size_t n, unsigned *ret)
{
    unsigned value = 0;

    for (size_t i = at; i < at + n; i++) {
        if (i >= s.len || !ascii_is_digit(s.p[i]))
            return false;
        value = value * 10 + (unsigned)(s.p[i] - '0');
    }
    *ret = value;
    return true;
}

/* start = yyyy-MM-ddTHH:mm:ssZ */
static bool
parse_start(struct str s, int64_t *ret)
{
    unsigned year, month, day, h, m, sec;

    s = str_trim(s);
    if (s.len != 20 || !digits(s, 0, 4, &year) || !digits(s, 5, 2, &month) || !digits(s, 8, 2, &day) ||
        !digits(s, 11, 2, &h) || !digits(s, 14, 2, &m) || !digits(s, 17, 2, &sec) || s.p[19] != 'Z' || month < 1 ||
        month > 12 || day < 1 || day > 31 || h > 23 || m > 59 || sec > 59)
        return false;
    *ret = days_from_date(year, month, day) * 86400 + h * 3600 + m * 60 + sec;
    return true;
}

static bool
compile(struct compiler *c, const struct node *n, void *conf)
{
    struct quota_by_key *q = conf;

    if (!q->calls && !q->bandwidth_kb)
        return compile_error(c, n, "<quota-by-key> needs calls or bandwidth");
    if (q->period_s && q->period_s < PERIOD_MIN_S && !compile_strict(c, n, "Azure's shortest renewal-period is 300"))
        return false;
    if (!parse_start(q->first_period_start, &q->start_s))
        return compile_error(c, n, "first-period-start: expected yyyy-MM-ddTHH:mm:ssZ, found '%.*s'",
                             STR_ARG(q->first_period_start));
    return true;
}

const struct policy_def policy_quota_by_key = {
    .name = "quota-by-key", .sections = IN_INBOUND, .scopes = AT_ALL,
    .attrs = attrs, .size = sizeof(struct quota_by_key), .compile = compile, .run = run,
    .summary = "Limits calls or bytes by a key of any kind in a fixed window.",
    .usage = "A request counts once for each key, at its end.",
};
