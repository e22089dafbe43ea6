/* revocation.c: asking responders, fetching lists, judging what they say. Judging costs signatures and, for lists, megabytes: it runs on
 * an offload thread, on copies.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exchange/revocation.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "exchange/outgoing.h"
#include "exchange/supply.h"
#include "http/headers.h"
#include "rt/loop.h"
#include "rt/offload.h"

#define PATH_MAX_CERTIFICATES 12
#define URLS_MAX 4                    /* of one certificate that are tried */
#define WAIT_MS 5000                  /* for one responder or list */
#define OCSP_BYTES_MAX ((size_t)256 << 10)
#define CRL_BYTES_MAX ((size_t)16 << 20)
#define LEEWAY_S 300                  /* clocks of responders */
#define VALID_S_MIN 60
#define VALID_S_MAX 3600
#define CRL_VALID_S_MAX (24u * 3600)

static int64_t
now_s(const struct exchange *ex)
{
    return (int64_t)(loop_wall_ns(ex->services->loop) / 1000000000u);
}

/* Seconds from `now` to a time of a certificate; INT64_MAX without one. */
static int64_t
seconds_to(const ASN1_TIME *t, int64_t now)
{
    ASN1_TIME *at = ASN1_TIME_set(NULL, (time_t)now);
    int days = 0, seconds = 0;
    bool ok = t && at && ASN1_TIME_diff(&days, &seconds, at, t) == 1;

    ASN1_TIME_free(at);
    return ok ? (int64_t)days * 86400 + seconds : INT64_MAX;
}

/* thisUpdate has come, nextUpdate has not passed. */
static bool
is_current(const ASN1_TIME *from, const ASN1_TIME *to, int64_t now, int64_t *ret_left_s)
{
    int64_t age = seconds_to(from, now), left = seconds_to(to, now);

    *ret_left_s = left;
    return age <= LEEWAY_S && left > -LEEWAY_S;
}

/* ---- OCSP ---- */

/* What an offload thread judges; nothing here is the fiber's but the texts, which it leaves alone. */
struct verdict {
    X509 *subject, *issuer;
    struct str answer;
    int64_t now;
    X509_CRL *crl;
    uint64_t valid_s;
    struct err err;
    bool is_good;
};

static OCSP_CERTID *
certificate_id(const struct verdict *v)
{
    return OCSP_cert_to_id(EVP_sha1(), v->subject, v->issuer);
}

/* Signed by the issuer, or by a responder that it named. */
static bool
is_signed(OCSP_BASICRESP *basic, const struct verdict *v)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    X509_STORE *store = X509_STORE_new();
    bool ok;

    sk_X509_push(certificates, v->issuer);
    X509_STORE_add_cert(store, v->issuer);
    X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)v->now);
    ok = OCSP_basic_verify(basic, certificates, store, 0) == 1;
    sk_X509_free(certificates);
    X509_STORE_free(store);
    return ok;
}

static bool
judge_status(OCSP_BASICRESP *basic, struct verdict *v)
{
    OCSP_CERTID *id = certificate_id(v);
    ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *to = NULL;
    int status = -1, reason = -1;
    int64_t left;
    bool found = id && OCSP_resp_find_status(basic, id, &status, &reason, &revoked, &from, &to) == 1;

    OCSP_CERTID_free(id);
    if (!found)
        return err_set(&v->err, ERR_PROTOCOL, "the responder answers about another certificate");
    if (!is_current(from, to, v->now, &left))
        return err_set(&v->err, ERR_PROTOCOL, "the responder's answer is too old");
    if (status == V_OCSP_CERTSTATUS_REVOKED)
        return err_set(&v->err, ERR_DENIED, "it is revoked");
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return err_set(&v->err, ERR_NOT_FOUND, "the responder does not know it");
    v->valid_s = left == INT64_MAX ? VALID_S_MIN : (uint64_t)MAX(left, 0);
    return true;
}

static void
judge_ocsp(void *arg)
{
    struct verdict *v = arg;
    const unsigned char *p = (const unsigned char *)v->answer.p;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &p, (long)v->answer.len);
    OCSP_BASICRESP *basic = response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL
                                ? OCSP_response_get1_basic(response) : NULL;

    if (!basic)
        err_set(&v->err, ERR_PROTOCOL, "the responder gives no answer");
    else if (!is_signed(basic, v))
        err_set(&v->err, ERR_PROTOCOL, "the responder's answer is not signed by the issuer");
    else
        v->is_good = judge_status(basic, v);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
}

static bool
make_request(struct exchange *ex, const struct verdict *v, struct str *ret)
{
    OCSP_REQUEST *request = OCSP_REQUEST_new();
    OCSP_CERTID *id = certificate_id(v);
    unsigned char *der = NULL;
    int n = -1;

    if (request && id && OCSP_request_add0_id(request, id))
        n = i2d_OCSP_REQUEST(request, &der);
    else
        OCSP_CERTID_free(id);
    if (n > 0)
        *ret = str_dup(ex->arena, str_from((const char *)der, (size_t)n));
    OPENSSL_free(der);
    OCSP_REQUEST_free(request);
    return n > 0 && ret->p;
}

static bool
send(struct exchange *ex, struct outgoing *o, struct str address, struct str *ret, struct err *err)
{
    struct reply *reply;

    if (!url_parse(ex->arena, address, &o->url, err))
        return false;
    o->timeout_ms = WAIT_MS;
    if (!outgoing_send(ex, o, &reply, err))
        return false;
    if (reply->status != 200)
        return err_set(err, ERR_PROTOCOL, "%.*s answered %u", STR_ARG(o->url.host), reply->status);
    return content_read_decoded(ex, &reply->content, reply->headers, true, ret, err);
}

/* Yields. */
static bool
ask_responder(struct exchange *ex, struct str address, struct verdict *v, struct err *err)
{
    struct http_headers headers = http_headers_in(ex->arena);
    struct outgoing o = {.method = STR("POST"), .headers = &headers};
    struct str request = STR_NONE;

    if (!make_request(ex, v, &request) || !http_headers_add(&headers, STR("Content-Type"), STR("application/ocsp-request")))
        return err_set(err, ERR_NO_MEMORY, "no memory left to ask a responder");
    o.content = (struct content){.state = CONTENT_BYTES, .bytes = request};
    if (!send(ex, &o, address, &v->answer, err))
        return false;
    if (v->answer.len > OCSP_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "the responder's answer is too large");
    v->err = ERR_INIT;
    v->is_good = false;
    if (!offload_call(ex->services->offload, judge_ocsp, v, err))
        return false;
    return v->is_good || err_set(err, v->err.code, "%s", v->err.text);
}

/* ---- lists ---- */

struct crl {
    struct supply_value super;
    X509_CRL *list;
};

static void
destroy_crl(struct supply_value *v)
{
    struct crl *c = CONTAINER_OF(v, struct crl, super);

    X509_CRL_free(c->list);
    free(c);
}

struct parse {
    struct str bytes;
    X509_CRL *list;
};

static void
parse_crl(void *arg)
{
    struct parse *p = arg;
    const unsigned char *der = (const unsigned char *)p->bytes.p;
    BIO *bio;

    p->list = d2i_X509_CRL(NULL, &der, (long)p->bytes.len);
    if (!p->list && (bio = BIO_new_mem_buf(p->bytes.p, (int)MIN(p->bytes.len, (size_t)INT32_MAX)))) {
        p->list = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        BIO_free(bio);
    }
    ERR_clear_error();
}

static bool
fetch_crl(struct exchange *ex, const void *what, struct supply_value **ret, struct supply_life *ret_life, struct err *err)
{
    struct http_headers headers = http_headers_in(ex->arena);
    struct outgoing o = {.method = STR("GET"), .headers = &headers};
    struct parse p = {.bytes = STR("")};
    struct crl *c;
    int64_t left;

    if (!send(ex, &o, *(const struct str *)what, &p.bytes, err) || !offload_call(ex->services->offload, parse_crl, &p, err))
        return false;
    if (!p.list)
        return err_set(err, ERR_PROTOCOL, "%.*s gives no revocation list", STR_ARG(o.url.host));
    if (!is_current(X509_CRL_get0_lastUpdate(p.list), X509_CRL_get0_nextUpdate(p.list), now_s(ex), &left)) {
        X509_CRL_free(p.list);
        return err_set(err, ERR_PROTOCOL, "the revocation list of %.*s is too old", STR_ARG(o.url.host));
    }
    c = xnew(struct crl);
    *c = (struct crl){.super = {.refs = 1, .destroy = destroy_crl, .tag = 1}, .list = p.list};
    left = MAX(MIN(left, (int64_t)CRL_VALID_S_MAX), (int64_t)VALID_S_MIN);
    *ret = &c->super;
    *ret_life = (struct supply_life){.valid_ms = (uint64_t)left * 1000, .fresh_ms = (uint64_t)left * 900};
    return true;
}

static const void *
copy_address(struct arena *a, const void *what)
{
    struct str *copy = arena_new(a, struct str);

    if (copy)
        *copy = str_dup(a, *(const struct str *)what);
    return copy && copy->p ? copy : NULL;
}

static const struct supply_kind crl_kind = {
    .name = "crl", .fetch = fetch_crl, .copy = copy_address, .wait_ms = WAIT_MS + 1000,
    .limits = {.buffered_body_max = CRL_BYTES_MAX, .arena_max = 3 * CRL_BYTES_MAX},
};

static void
judge_crl(void *arg)
{
    struct verdict *v = arg;
    X509_REVOKED *revoked;
    int64_t left;

    if (X509_NAME_cmp(X509_CRL_get_issuer(v->crl), X509_get_subject_name(v->issuer)) != 0 ||
        X509_CRL_verify(v->crl, X509_get0_pubkey(v->issuer)) != 1)
        err_set(&v->err, ERR_PROTOCOL, "the revocation list is not signed by the issuer");
    else if (!is_current(X509_CRL_get0_lastUpdate(v->crl), X509_CRL_get0_nextUpdate(v->crl), v->now, &left))
        err_set(&v->err, ERR_PROTOCOL, "the revocation list is too old");
    else if (X509_CRL_get0_by_cert(v->crl, &revoked, v->subject) == 1)
        err_set(&v->err, ERR_DENIED, "it is revoked");
    else
        v->is_good = true;
    if (v->is_good)
        v->valid_s = (uint64_t)MAX(left, 0);
    ERR_clear_error();
}

/* Yields. */
static bool
look_into_list(struct exchange *ex, struct str address, struct verdict *v, struct err *err)
{
    struct supply_entry *e = ex->services->supplies ? supply_entry_get(ex->services->supplies, &crl_kind, address) : NULL;
    struct supply_value *value = e ? supply_get(ex, e, &address, err) : NULL;
    bool ok;

    if (!e)
        err_set(err, ERR_LIMIT, "too many revocation lists");
    ok = value != NULL;
    if (value) {
        v->crl = CONTAINER_OF(value, struct crl, super)->list;
        v->err = ERR_INIT;
        v->is_good = false;
        ok = offload_call(ex->services->offload, judge_crl, v, err) && (v->is_good || err_set(err, v->err.code, "%s", v->err.text));
        v->crl = NULL;
    }
    supply_value_unref(value);
    supply_entry_unref(e);
    return ok;
}

/* ---- one certificate ---- */

struct urls {
    struct str v[URLS_MAX];
    uint32_t n;
};

static void
add_url(struct exchange *ex, struct urls *to, const ASN1_STRING *s)
{
    struct str text = str_from((const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));

    if (to->n < URLS_MAX && str_starts_with_nocase(text, STR("http")))
        to->v[to->n++] = str_dup(ex->arena, text);
}

static struct urls
responders_of(struct exchange *ex, X509 *x)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(x, NID_info_access, NULL, NULL);
    struct urls urls = {0};

    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(info, i);
        if (OBJ_obj2nid(d->method) == NID_ad_OCSP && d->location->type == GEN_URI)
            add_url(ex, &urls, d->location->d.uniformResourceIdentifier);
    }
    AUTHORITY_INFO_ACCESS_free(info);
    return urls;
}

static struct urls
lists_of(struct exchange *ex, X509 *x)
{
    CRL_DIST_POINTS *points = X509_get_ext_d2i(x, NID_crl_distribution_points, NULL, NULL);
    struct urls urls = {0};

    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const DIST_POINT *point = sk_DIST_POINT_value(points, i);
        const GENERAL_NAMES *names = point->distpoint && point->distpoint->type == 0 ? point->distpoint->name.fullname : NULL;
        for (int k = 0; k < sk_GENERAL_NAME_num(names); k++) {
            const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, k);
            if (name->type == GEN_URI)
                add_url(ex, &urls, name->d.uniformResourceIdentifier);
        }
    }
    CRL_DIST_POINTS_free(points);
    return urls;
}

/* Tries one after another; the first that gives an answer, good or bad, decides. */
static bool
check_one(struct exchange *ex, struct verdict *v, struct err *err)
{
    struct urls responders = responders_of(ex, v->subject), lists = lists_of(ex, v->subject);

    for (uint32_t i = 0; i < responders.n; i++) {
        if (ask_responder(ex, responders.v[i], v, err))
            return true;
        if (err->code == ERR_DENIED && v->err.code == ERR_DENIED)
            return false;
    }
    for (uint32_t i = 0; i < lists.n; i++) {
        if (look_into_list(ex, lists.v[i], v, err))
            return true;
        if (err->code == ERR_DENIED && v->err.code == ERR_DENIED)
            return false;
    }
    if (responders.n || lists.n)
        return false;
    v->valid_s = VALID_S_MAX;
    return true;
}

bool
revocation_check(struct exchange *ex, struct str path, uint64_t *ret_valid_s, struct err *err)
{
    const unsigned char *p = (const unsigned char *)path.p, *end = p + path.len;
    X509 *certificates[PATH_MAX_CERTIFICATES] = {0};
    uint64_t valid_s = VALID_S_MAX;
    struct err why = ERR_INIT;
    size_t n = 0;
    bool ok = true;

    while (p < end && n < PATH_MAX_CERTIFICATES && (certificates[n] = d2i_X509(NULL, &p, end - p)))
        n++;
    for (size_t i = 0; ok && i + 1 < n; i++) {
        struct verdict v = {.subject = certificates[i], .issuer = certificates[i + 1], .now = now_s(ex)};

        ok = check_one(ex, &v, &why);
        valid_s = MIN(valid_s, MAX(v.valid_s, (uint64_t)VALID_S_MIN));
        /* Refused by egress rules is not the same as revoked. */
        if (!ok)
            err_set(err, why.code == ERR_DENIED && v.err.code != ERR_DENIED ? ERR_CONNECT : why.code, "%s%s", i ? "its issuer: " : "", why.text);
    }
    for (size_t i = 0; i < n; i++)
        X509_free(certificates[i]);
    *ret_valid_s = valid_s;
    return ok;
}
