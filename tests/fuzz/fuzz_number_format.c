/* fuzz_number_format.c: eight bytes of number, then a format; then all of it as a number's text. */
#include <math.h>
#include <string.h>

#include "clr/number_format.h"
#include "clr/number_parse.h"
#include "data/double_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf out AUTO(buf_destroy) = {.max = 1 << 20};
    struct str format, text = str_from((const char *)data, size);
    struct decimal d;
    double value, again;
    int64_t n;
    char digits[DOUBLE_TEXT_MAX];

    if (size < 8 || size > 4096)
        return 0;
    memcpy(&value, data, 8);
    memcpy(&n, data, 8);
    format = str_skip(text, 8);
    if (!format_double(&out, value, format))
        buf_clear(&out);
    buf_clear(&out);
    if (!format_i64(&out, n, 64, format))
        buf_clear(&out);
    buf_clear(&out);
    memcpy(&d, data, MIN(size, sizeof(d)));
    if (size >= sizeof(d) && d.scale <= DECIMAL_SCALE_MAX && d.negative <= 1 && !format_decimal(&out, d, format))
        buf_clear(&out);
    if (isfinite(value)) {
        size_t len = double_to_text(value, digits);
        ASSERT(number_parse_double(str_from(digits, len), STYLE_FLOAT_THOUSANDS, &again) == NUMBER_OK && again == value);
    }
    if (number_parse_decimal(text, STYLE_NUMBER, &d) == NUMBER_OK)
        ASSERT(d.scale <= DECIMAL_SCALE_MAX);
    if (number_parse_double(text, STYLE_FLOAT_THOUSANDS, &value) == NUMBER_OK)
        ASSERT(text.len > 0);
    return 0;
}
