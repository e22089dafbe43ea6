/* liquid.h: Liquid templates in DotLiquid's dialect with C# names: {{ body.title | Upcase }}, {% if %} ... {% endif %}.
 *
 *     template text --liquid_compile()--> struct liquid        once a document; immutable, for all workers
 *     liquid_render(template, run, to)                          once a message; what it reads are struct liquid_value
 * What DotLiquid does on a mistake at run time is done here too: "Liquid error: ..." stands in the output. Only limits, and
 * what an object of the host reports, end a rendering.
 * The .NET functions that filters stand on (dates, cultures, case) come from a table of the caller's (clr/liquid_dotnet.h).
 * SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "data/decimal.h"

struct liquid;
struct liquid_run;
struct liquid_object;

/* Tags inside tags; DotLiquid ends at 80 scopes. */
#define LIQUID_DEPTH_MAX 80

/* --- values -------------------------------------------------------------------------------------------------------- */

enum liquid_kind {
    LIQUID_NIL,
    LIQUID_BOOL,
    LIQUID_INT,                       /* System.Int32, kept in `integer` */
    LIQUID_LONG,                      /* System.Int64 */
    LIQUID_DOUBLE,
    LIQUID_DECIMAL,
    LIQUID_STRING,
    LIQUID_DATE,
    LIQUID_OBJECT,                    /* lists, things with members */
    LIQUID_EMPTY,                     /* the words `empty` and `blank` */
};

/* A System.DateTime; only the caller's table knows what the numbers mean, but that a later instant has more ticks. */
struct liquid_date {
    int64_t ticks, zone;
};

struct liquid_value {
    enum liquid_kind kind;
    union {
        bool truth;
        int64_t integer;
        double real;
        struct decimal decimal;
        struct str text;              /* WTF-8 */
        struct liquid_date date;
        const struct liquid_object *object;
    };
};

/* Where a walk stands; zeroed before the first step. Whoever implements next() chooses the use. */
struct liquid_walk {
    uint64_t at;
    const void *p;
    uint64_t state[8];                /* for what is larger */
};

/* What an object can do. The functions may allocate from run->arena; a problem is reported by liquid_fail(), and then the
 * result does not matter. */
struct liquid_ops {
    const char *type_name;            /* as .NET writes it, for messages */
    /* The member of this name; false when there is none. NULL: no members. */
    bool (*member)(struct liquid_run *run, const struct liquid_object *o, struct str name, struct liquid_value *ret);
    /* The element at i (0 ...); false past the end. NULL: no list. */
    bool (*item)(struct liquid_run *run, const struct liquid_object *o, uint64_t i, struct liquid_value *ret);
    /* The next element of a walk; false at the end. NULL: cannot be walked. */
    bool (*next)(struct liquid_run *run, const struct liquid_object *o, struct liquid_walk *at, struct liquid_value *ret);
    /* How many elements a walk gives; NULL: counted by walking. */
    uint64_t (*count)(struct liquid_run *run, const struct liquid_object *o);
    /* How it is printed. NULL: its elements one after the other. */
    void (*text)(struct liquid_run *run, const struct liquid_object *o, struct buf *to);
    bool is_hash;                     /* JSONArrayFor takes it as one element */
};

struct liquid_object {
    const struct liquid_ops *ops;
};

static inline struct liquid_value
liquid_nil(void)
{
    return (struct liquid_value){.kind = LIQUID_NIL};
}

static inline struct liquid_value
liquid_bool(bool b)
{
    return (struct liquid_value){.kind = LIQUID_BOOL, .truth = b};
}

static inline struct liquid_value
liquid_int(int64_t n)
{
    return (struct liquid_value){.kind = LIQUID_INT, .integer = n};
}

static inline struct liquid_value
liquid_long(int64_t n)
{
    return (struct liquid_value){.kind = LIQUID_LONG, .integer = n};
}

static inline struct liquid_value
liquid_double(double d)
{
    return (struct liquid_value){.kind = LIQUID_DOUBLE, .real = d};
}

static inline struct liquid_value
liquid_decimal(struct decimal d)
{
    return (struct liquid_value){.kind = LIQUID_DECIMAL, .decimal = d};
}

/* The text is not copied. */
static inline struct liquid_value
liquid_string(struct str s)
{
    return (struct liquid_value){.kind = LIQUID_STRING, .text = s.p ? s : STR("")};
}

static inline struct liquid_value
liquid_of_date(struct liquid_date d)
{
    return (struct liquid_value){.kind = LIQUID_DATE, .date = d};
}

/* NULL (an arena was full) is nil. */
static inline struct liquid_value
liquid_of_object(const struct liquid_object *o)
{
    return o ? (struct liquid_value){.kind = LIQUID_OBJECT, .object = o} : liquid_nil();
}

/* A list of n values that live as long as the run. */
struct liquid_value liquid_list(struct liquid_run *run, const struct liquid_value *v, uint32_t n);
/* A KeyValuePair: .Key, .Value, and the members of the value. */
struct liquid_value liquid_pair(struct liquid_run *run, struct liquid_value key, struct liquid_value value);

/* --- what .NET gives ------------------------------------------------------------------------------------------------- */

struct liquid_dotnet {
    /* DateTime.Now, DateTime.TryParse(text), ToString(format) ("" : the general one; false: FormatException). */
    struct liquid_date (*now)(struct liquid_run *run);
    bool (*date_parse)(struct liquid_run *run, struct str text, struct liquid_date *ret);
    bool (*date_format)(struct liquid_date d, struct str format, struct buf *to);
    /* Text that Newtonsoft's reader takes for a date. */
    bool (*json_date)(struct str text, struct liquid_date *ret);
    /* Comparison by culture. */
    int (*compare)(struct str a, struct str b);
    uint32_t (*upper)(uint32_t c), (*lower)(uint32_t c);
    bool (*is_white)(uint32_t c), (*is_letter)(uint32_t c), (*is_digit)(uint32_t c), (*is_upper)(uint32_t c);
    /* TryParse with NumberStyles.Number (blanks, sign, thousands, point). */
    bool (*parse_double)(struct str text, double *ret);
    bool (*parse_decimal)(struct str text, struct decimal *ret);
    /* ToString("N2") and the like. */
    bool (*format_decimal)(struct decimal d, struct str format, struct buf *to);
};

/* --- templates ------------------------------------------------------------------------------------------------------- */

/* What compiling has to say: an error, or a mistake that DotLiquid would make of the text. */
struct liquid_note {
    struct liquid_note *next;
    bool is_error;
    uint32_t at, len;                 /* bytes of the template */
    struct str text;
};

/* Everything lives in `keep`, the text included (it is not copied). NULL after an error; *ret_notes (in `keep`) has it, and
 * warnings in any case. */
struct liquid *liquid_compile(struct arena *keep, struct str text, const struct liquid_note **ret_notes);
/* Whether the template reads the root of this name. */
bool liquid_mentions(const struct liquid *t, struct str root);

struct liquid_limits {
    uint64_t iterations;              /* rounds of all loops of one rendering */
    uint64_t output_bytes;
    uint64_t regex_steps;             /* of one match */
};

/* A name that templates begin with. get() is asked at its first use, and its value kept. */
struct liquid_root {
    struct str name;
    struct liquid_value (*get)(struct liquid_run *run, void *ctx);
    void *ctx;
};

struct liquid_frame;

#define LIQUID_SLICE_STEPS 5000

/* One rendering. The first part is the caller's. */
struct liquid_run {
    struct arena *arena;              /* where values go; the renderer turns it to short-lived memory and back */
    const struct liquid_dotnet *dotnet;
    const struct liquid_limits *limits;
    const struct liquid_root *roots;
    uint32_t n_roots;
    uint64_t wall_ns;                 /* since 1970: what now is */
    void *host;
    bool (*on_slice)(struct liquid_run *run);   /* every LIQUID_SLICE_STEPS nodes; may yield; false ends it. May be NULL */
    /* The renderer's. */
    struct arena *lasting, *scratch;  /* the caller's arena, and one for the values of a single output or condition */
    struct liquid_frame *frame;
    struct liquid_names { struct liquid_name *v; size_t n, cap; } assigned, counters, cycles, loops, loaded;
    struct str changed;               /* what ifchanged printed last */
    uint64_t iterations, steps;
    struct str thrown;                /* the exception on its way */
    bool thrown_is_syntax;
    bool has_failed;
    struct err err;                   /* has_failed: why the rendering ended */
};

/* Appends to `to`. False with *err when a limit was reached or the host failed: ERR_LIMIT names the limit. Yields where
 * on_slice, roots and objects do. */
MUST_USE bool liquid_render(const struct liquid *t, struct liquid_run *run, struct buf *to, struct err *err);
/* Ends the rendering; for ops and roots. */
void liquid_fail(struct liquid_run *run, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* --- models ---------------------------------------------------------------------------------------------------------- */

struct json;

/* A parsed document as values; it must live as long as the run. with_dates: texts that look like dates become some. */
struct liquid_value liquid_of_json(struct liquid_run *run, const struct json *j, bool with_dates);
/* An XML document: prefixes are dropped, names match exactly, else in any case; an element with only text is a string, repeated
 * ones are a list; walking an element gives its child elements. nil_is_null: what xsi:nil="true" is (else ""). False with
 * *err: not well-formed, or with a document type. */
MUST_USE bool liquid_of_xml(struct liquid_run *run, struct str text, bool nil_is_null, struct liquid_value *ret,
                            struct err *err);
