/* crypto_keys.c: RSA keys as numbers, XML and DER, and KeySizes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "base/codec.h"
#include "clr/crypto.h"
#include "clr/families.h"

/* The numbers in the order of RSAKeyValue; a public key has the first two. */
enum { PART_MODULUS, PART_EXPONENT, PART_P, PART_Q, PART_DP, PART_DQ, PART_INVERSE_Q, PART_D, PARTS };

static const struct {
    const char *element, *parameter;
} parts[PARTS] = {
    [PART_MODULUS] = {"Modulus", OSSL_PKEY_PARAM_RSA_N},      [PART_EXPONENT] = {"Exponent", OSSL_PKEY_PARAM_RSA_E},
    [PART_P] = {"P", OSSL_PKEY_PARAM_RSA_FACTOR1},            [PART_Q] = {"Q", OSSL_PKEY_PARAM_RSA_FACTOR2},
    [PART_DP] = {"DP", OSSL_PKEY_PARAM_RSA_EXPONENT1},        [PART_DQ] = {"DQ", OSSL_PKEY_PARAM_RSA_EXPONENT2},
    [PART_INVERSE_Q] = {"InverseQ", OSSL_PKEY_PARAM_RSA_COEFFICIENT1}, [PART_D] = {"D", OSSL_PKEY_PARAM_RSA_D},
};

enum { NUMBER_MAX = 1024 };

/* RSAParameters: byte arrays. A struct in .NET; here assigning it shares it. */
struct parameters {
    struct object head;
    struct array *v[PARTS];
};

static struct rsa *
self_of(const struct call *c)
{
    return (struct rsa *)c->args[0].ref;
}

static bool
needs_private(struct call *c)
{
    return self_of(c)->is_private || call_throw(c, EXC_CRYPTOGRAPHIC, "Key does not exist.");
}

/* A number of the key as bytes, left-filled to width. False after throwing. */
static bool
read_number(struct call *c, int part, int width, uint8_t bytes[NUMBER_MAX], int *ret_size)
{
    BIGNUM *number = NULL;
    bool ok = EVP_PKEY_get_bn_param(self_of(c)->key, parts[part].parameter, &number) == 1 && BN_num_bytes(number) <= NUMBER_MAX;

    if (ok) {
        *ret_size = MAX(width, BN_num_bytes(number));
        ok = BN_bn2binpad(number, bytes, *ret_size) >= 0;
    }
    BN_clear_free(number);
    return ok || call_throw_default(c, EXC_CRYPTOGRAPHIC);
}

/* Bytes that .NET writes of a part: primes and their like are half as long as the modulus. */
static int
part_width(const struct call *c, int part)
{
    int bytes = (EVP_PKEY_get_bits(self_of(c)->key) + 7) / 8;

    return part == PART_EXPONENT ? 0 : part == PART_MODULUS || part == PART_D ? bytes : (bytes + 1) / 2;
}

/* --- from numbers ---------------------------------------------------------------------------------------------------------------- */

static EVP_PKEY *
key_of_numbers(const struct str numbers[PARTS], bool is_private)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    BIGNUM *v[PARTS] = {NULL};
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;
    bool ok = build && ctx;

    for (int i = 0; ok && i < PARTS; i++) {
        if (!numbers[i].p || (!is_private && i > PART_EXPONENT))
            continue;
        v[i] = BN_bin2bn((const unsigned char *)numbers[i].p, (int)numbers[i].len, NULL);
        ok = v[i] && OSSL_PARAM_BLD_push_BN(build, parts[i].parameter, v[i]) == 1;
    }
    if (ok && (params = OSSL_PARAM_BLD_to_param(build)) && EVP_PKEY_fromdata_init(ctx) == 1)
        EVP_PKEY_fromdata(ctx, &key, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    for (int i = 0; i < PARTS; i++)
        BN_clear_free(v[i]);
    ERR_clear_error();
    return key;
}

static bool
take_numbers(struct call *c, struct rsa *r, const struct str numbers[PARTS])
{
    bool is_private = numbers[PART_D].p != NULL;
    EVP_PKEY *key = numbers[PART_MODULUS].len && numbers[PART_EXPONENT].len && numbers[PART_MODULUS].len <= 2048
                        ? key_of_numbers(numbers, is_private)
                        : NULL;

    if (!call_charge(c, 2000))
        return false;
    return key ? rsa_take_key(c, r, key, is_private)
               : call_throw(c, EXC_CRYPTOGRAPHIC, "The specified RSA parameters are not valid; both Exponent and Modulus are required "
                                                  "fields.");
}

static bool
import_into(struct call *c, struct rsa *r, const struct parameters *p)
{
    struct str numbers[PARTS] = {{NULL, 0}};

    for (int i = 0; p && i < PARTS; i++)
        if (p->v[i])
            numbers[i] = str_from((const char *)p->v[i]->u.bytes, p->v[i]->n);
    return take_numbers(c, r, numbers);
}

static bool
import_parameters(struct call *c)
{
    return import_into(c, self_of(c), (const struct parameters *)c->args[1].ref);
}

static bool
create_of_parameters(struct call *c)
{
    const struct type *type = type_find(c->run->env, STR("System.Security.Cryptography.RSACng"), NULL, 0);
    struct rsa *r = object_new(c, type, struct rsa);

    return r && import_into(c, r, (const struct parameters *)c->args[0].ref) && return_ref(c, r);
}

static bool
export_parameters(struct call *c)
{
    struct parameters *p = object_new(c, c->ret_type, struct parameters);
    uint8_t bytes[NUMBER_MAX];
    int size, n = call_bool(c, 1) ? PARTS : PART_P;

    if (!p || (n > PART_P && !needs_private(c)))
        return false;
    for (int i = 0; i < n; i++)
        if (!read_number(c, i, part_width(c, i), bytes, &size) || !(p->v[i] = array_of_bytes(c, bytes, (uint32_t)size)))
            return false;
    return return_ref(c, p);
}

static bool
parameters_new(struct call *c)
{
    return return_new(c, object_new(c, c->owner, struct parameters));
}

#define NUMBER(name, part) \
    static bool get_##name(struct call *c) { return return_ref(c, ((struct parameters *)c->args[0].ref)->v[part]); } \
    static bool set_##name(struct call *c) \
    { \
        ((struct parameters *)c->args[0].ref)->v[part] = (struct array *)c->args[1].ref; \
        return true; \
    }
NUMBER(modulus, PART_MODULUS)
NUMBER(exponent, PART_EXPONENT)
NUMBER(p, PART_P)
NUMBER(q, PART_Q)
NUMBER(dp, PART_DP)
NUMBER(dq, PART_DQ)
NUMBER(inverse_q, PART_INVERSE_Q)
NUMBER(d, PART_D)

/* --- XML ---------------------------------------------------------------------------------------------------------------------------- */

static bool
to_xml(struct call *c)
{
    int n = call_bool(c, 1) ? PARTS : PART_P, size;
    struct buf b = call_buf(c);
    uint8_t bytes[NUMBER_MAX];

    if (n > PART_P && !needs_private(c))
        return false;
    buf_add_lit(&b, "<RSAKeyValue>");
    for (int i = 0; i < n; i++) {
        if (!read_number(c, i, part_width(c, i), bytes, &size))
            return false;
        buf_printf(&b, "<%s>", parts[i].element);
        codec_base64_encode(&b, str_from((const char *)bytes, (size_t)size));
        buf_printf(&b, "</%s>", parts[i].element);
    }
    buf_add_lit(&b, "</RSAKeyValue>");
    return return_new(c, string_from_buf(c, &b));
}

/* What stands between <name> and </name>; .p NULL when there is no such element. */
static struct str
element_text(struct str xml, const char *name)
{
    char mark[24];
    ptrdiff_t from, to;
    size_t n = (size_t)snprintf(mark, sizeof(mark), "<%s>", name);

    if ((from = str_find(xml, str_from(mark, n), 0)) < 0)
        return STR_NONE;
    to = str_find(xml, STR("</"), (size_t)from);
    return to < 0 ? STR_NONE : str_trim(str_sub(xml, (size_t)from + n, (size_t)to));
}

static bool
from_xml(struct call *c)
{
    struct str numbers[PARTS] = {{NULL, 0}}, xml;
    struct buf decoded[PARTS];

    if (!call_string(c, 1))
        return throw_argument_null(c, "xmlString");
    xml = string_str(call_string(c, 1));
    for (int i = 0; i < PARTS; i++) {
        struct str text = element_text(xml, parts[i].element);
        if (!text.p)
            continue;
        decoded[i] = call_buf(c);
        if (!codec_base64_decode_blanks(&decoded[i], text, NULL))
            return call_throw(c, EXC_FORMAT, "The input is not a valid Base-64 string as it contains a non-base 64 character, more than two "
                                             "padding characters, or an illegal character among the padding characters.");
        numbers[i] = buf_str(&decoded[i]);
    }
    if (!numbers[PART_MODULUS].len || !numbers[PART_EXPONENT].len)
        return call_throw(c, EXC_CRYPTOGRAPHIC, "Input string does not contain a valid encoding of the 'RSA' '%s' parameter.",
                          numbers[PART_MODULUS].len ? "Exponent" : "Modulus");
    return take_numbers(c, self_of(c), numbers);
}

/* --- DER ----------------------------------------------------------------------------------------------------------------------------- */

static bool
return_der(struct call *c, unsigned char *der, int n)
{
    struct array *a = n > 0 ? array_of_bytes(c, der, (uint32_t)n) : NULL;

    OPENSSL_clear_free(der, n > 0 ? (size_t)n : 0);
    if (n <= 0)
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    return return_new(c, a);
}

static bool
export_private(struct call *c)
{
    unsigned char *der = NULL;

    int n;

    if (!needs_private(c))
        return false;
    n = i2d_PrivateKey(self_of(c)->key, &der);
    return return_der(c, der, n);
}

static bool
export_public(struct call *c)
{
    unsigned char *der = NULL;
    int n = i2d_PublicKey(self_of(c)->key, &der);

    return return_der(c, der, n);
}

static bool
export_subject_public_key_info(struct call *c)
{
    unsigned char *der = NULL;
    int n = i2d_PUBKEY(self_of(c)->key, &der);

    return return_der(c, der, n);
}

static bool
export_pkcs8(struct call *c)
{
    PKCS8_PRIV_KEY_INFO *info;
    unsigned char *der = NULL;
    int n;

    if (!needs_private(c))
        return false;
    if (!(info = EVP_PKEY2PKCS8(self_of(c)->key)))
        return call_throw_default(c, EXC_CRYPTOGRAPHIC);
    n = i2d_PKCS8_PRIV_KEY_INFO(info, &der);
    PKCS8_PRIV_KEY_INFO_free(info);
    return return_der(c, der, n);
}

/* --- KeySizes ------------------------------------------------------------------------------------------------------------------------- */

struct key_sizes {
    struct object head;
    int64_t min, max, skip;
};

struct array *
key_sizes_new(struct call *c, int64_t min, int64_t max, int64_t skip)
{
    const struct type *type = type_find(c->run->env, STR("System.Security.Cryptography.KeySizes"), NULL, 0);
    struct key_sizes *k = object_new(c, type, struct key_sizes);
    struct array *a = array_new(c, type_array_of(type), 1);

    if (!k || !a)
        return NULL;
    *k = (struct key_sizes){k->head, min, max, skip};
    a->u.v[0] = value_ref(k);
    return a;
}

static bool max_size(struct call *c) { return return_i64(c, ((struct key_sizes *)c->args[0].ref)->max); }
static bool min_size(struct call *c) { return return_i64(c, ((struct key_sizes *)c->args[0].ref)->min); }
static bool skip_size(struct call *c) { return return_i64(c, ((struct key_sizes *)c->args[0].ref)->skip); }

#define N "System.Security.Cryptography."
#define P_ROW(name, field) P("RSAParameters", "byte[] " name " { get; set; }", get_##field, set_##field)

static const struct type_row types[] = {
    {TYPE_CLASS, N "RSAParameters", NULL, NULL, NULL, TYPE_IS_EXTRA, NULL},
    CLASS_ABSTRACT(N "KeySizes", NULL, NULL, NULL),
};

static const struct member_row members[] = {
    M("AsymmetricAlgorithm", "string ToXmlString(bool includePrivateParameters)", to_xml),
    M("AsymmetricAlgorithm", "void FromXmlString(string xmlString)", from_xml),
    M("AsymmetricAlgorithm", "byte[] ExportPkcs8PrivateKey()", export_pkcs8),
    M("AsymmetricAlgorithm", "byte[] ExportSubjectPublicKeyInfo()", export_subject_public_key_info),
    M("RSA", "static RSA Create(RSAParameters parameters)", create_of_parameters),
    M("RSA", "void ImportParameters(RSAParameters parameters)", import_parameters),
    M("RSA", "RSAParameters ExportParameters(bool includePrivateParameters)", export_parameters),
    M("RSA", "byte[] ExportRSAPrivateKey()", export_private),
    M("RSA", "byte[] ExportRSAPublicKey()", export_public),
    M("RSAParameters", "new()", parameters_new),
    P_ROW("Modulus", modulus),
    P_ROW("Exponent", exponent),
    P_ROW("P", p),
    P_ROW("Q", q),
    P_ROW("DP", dp),
    P_ROW("DQ", dq),
    P_ROW("InverseQ", inverse_q),
    P_ROW("D", d),
    M("KeySizes", "int MaxSize { get; }", max_size),
    M("KeySizes", "int MinSize { get; }", min_size),
    M("KeySizes", "int SkipSize { get; }", skip_size),
};

const struct library clr_crypto_keys = LIBRARY("crypto keys", types, members);
