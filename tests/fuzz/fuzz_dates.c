/* fuzz_dates.c: dates and spans from any text; what was read is written and read again. */
#include "base/buf.h"
#include "clr/datetime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_from((const char *)data, size), format = str_sub(text, 0, size / 2);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    struct moment m, again;
    int64_t span, span_again;

    if (size > 4096)
        return 0;
    if (datetime_parse(text, TICKS_UNIX_EPOCH, &m)) {
        ASSERT(m.ticks >= 0 && m.ticks <= TICKS_MAX);
        ASSERT(datetime_format(&out, &m, STR("o")));
        ASSERT(datetime_parse(buf_str(&out), TICKS_UNIX_EPOCH, &again) && again.ticks == m.ticks);
        buf_clear(&out);
        if (!datetime_format(&out, &m, format))
            buf_clear(&out);
    }
    if (datetime_parse_exact(str_skip(text, size / 2), format, TICKS_UNIX_EPOCH, &m))
        ASSERT(m.ticks >= 0 && m.ticks <= TICKS_MAX);
    buf_clear(&out);
    if (timespan_parse(text, &span) == TIMESPAN_OK) {
        ASSERT(timespan_format(&out, span, STR("c")));
        ASSERT(timespan_parse(buf_str(&out), &span_again) == TIMESPAN_OK && span == span_again);
        buf_clear(&out);
        if (!timespan_format(&out, span, format))
            buf_clear(&out);
    }
    return 0;
}
