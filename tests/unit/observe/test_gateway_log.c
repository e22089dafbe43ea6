#include "observe/gateway_log.c"
#include "test.h"

#include <unistd.h>

#include "base/file.h"

static struct gateway_log_options
file_log(const char *path)
{
    static struct log_sink_options target;

    target = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(path)};
    return (struct gateway_log_options){.sinks = &target, .n_sinks = 1, .sampling = 100, .always_log_errors = true, .queue_rows = 100};
}

static uint64_t
written(struct log_sink *s)
{
    uint64_t n, lost;

    log_sink_count(s, &n, &lost);
    return n;
}

TEST(a_row_is_one_json_line_with_the_table_s_column_names)
{
    char path[] = "/tmp/headgate-log-XXXXXX";
    struct buf content AUTO(buf_destroy) = BUF_INIT;
    struct rand rand;
    struct log_sink *sink;
    struct gateway_log log;
    struct err err;

    close(mkstemp(path));
    rand_seed(&rand, 1);
    struct gateway_log_options o = file_log(path);
    EXPECT_OK(log_sink_open(&o, false, &sink, &err));
    gateway_log_create(&log, sink, &o, &rand);
    gateway_log_add(&log, &(struct log_row){.time_ns = 1700000000123456700u, .method = STR("GET"),
                                            .url = STR("http://g/a\"b\n"), .response_code = 200, .is_success = true,
                                            .cache = STR("hit")});
    gateway_log_add(&log, &(struct log_row){.method = STR("PUT"), .response_code = 500});
    gateway_log_flush(&log);
    log_sink_flush(sink);
    EXPECT_OK(file_read(path, 1 << 20, &content, &err));
    struct str rest = buf_str(&content), line;
    EXPECT(str_split_next(&rest, '\n', &line));
    EXPECT(str_find(line, STR("{\"TimeGenerated\":\"2023-11-14T22:13:20.1234567Z\""), 0) == 0);
    EXPECT(str_find(line, STR("\"Url\":\"http://g/a\\\"b\\n\""), 0) > 0);
    EXPECT(str_find(line, STR("\"Cache\":\"hit\""), 0) > 0);
    EXPECT(str_find(line, STR("BackendTime"), 0) < 0);
    EXPECT(str_split_next(&rest, '\n', &line));
    EXPECT(str_find(line, STR("\"IsRequestSuccess\":false"), 0) > 0);
    EXPECT_EQ(written(sink), 2);
    gateway_log_destroy(&log);
    log_sink_close(sink);
    unlink(path);
}

TEST(sampling_keeps_every_failure)
{
    struct rand rand;
    struct gateway_log log;
    int wanted = 0, failures = 0;

    rand_seed(&rand, 1);
    gateway_log_create(&log, (struct log_sink *)&rand, &(struct gateway_log_options){.sampling = 10, .always_log_errors = true}, &rand);
    for (int i = 0; i < 1000; i++)
        wanted += gateway_log_wants(&log, true);
    EXPECT(wanted > 50 && wanted < 200);
    EXPECT(gateway_log_wants(&log, false));
    gateway_log_create(&log, (struct log_sink *)&rand, &(struct gateway_log_options){.sampling = 10}, &rand);
    for (int i = 0; i < 1000; i++)
        failures += gateway_log_wants(&log, false);
    EXPECT(failures > 50 && failures < 200);
}
