#include "observe/gateway_log.c"
#include "test.h"

#include "base/file.h"

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
    EXPECT_OK(log_sink_open(str_from_c(path), 100, &sink, &err));
    gateway_log_create(&log, sink, &rand);
    gateway_log_add(&log, &(struct log_row){.time_ns = 1700000000123456700u, .method = STR("GET"),
                                            .url = STR("http://g/a\"b\n"), .response_code = 200, .is_success = true,
                                            .cache = STR("hit")});
    gateway_log_add(&log, &(struct log_row){.method = STR("PUT"), .response_code = 500});
    gateway_log_flush(&log);
    EXPECT_OK(file_read(path, 1 << 20, &content, &err));
    struct str rest = buf_str(&content), line;
    EXPECT(str_split_next(&rest, '\n', &line));
    EXPECT(str_find(line, STR("{\"TimeGenerated\":\"2023-11-14T22:13:20.1234567Z\""), 0) == 0);
    EXPECT(str_find(line, STR("\"Url\":\"http://g/a\\\"b\\n\""), 0) > 0);
    EXPECT(str_find(line, STR("\"Cache\":\"hit\""), 0) > 0);
    EXPECT(str_find(line, STR("BackendTime"), 0) < 0);
    EXPECT(str_split_next(&rest, '\n', &line));
    EXPECT(str_find(line, STR("\"IsRequestSuccess\":false"), 0) > 0);
    EXPECT_EQ(log.rows_written, 2);
    gateway_log_destroy(&log);
    log_sink_close(sink);
    unlink(path);
}

TEST(a_full_disk_loses_rows_and_counts_them)
{
    struct rand rand;
    struct log_sink *sink;
    struct gateway_log log;
    struct err err;

    rand_seed(&rand, 1);
    if (access("/dev/full", W_OK) != 0)
        return;
    EXPECT_OK(log_sink_open(STR("/dev/full"), 100, &sink, &err));
    gateway_log_create(&log, sink, &rand);
    gateway_log_add(&log, &(struct log_row){.method = STR("GET")});
    gateway_log_flush(&log);
    EXPECT_EQ(log.rows_dropped, 1);
    EXPECT_EQ(log.rows_written, 0);
    gateway_log_destroy(&log);
    log_sink_close(sink);
}

TEST(sampling_keeps_every_failure)
{
    struct rand rand;
    struct log_sink *sink;
    struct gateway_log log;
    struct err err;
    int wanted = 0;

    rand_seed(&rand, 1);
    EXPECT_OK(log_sink_open(STR("stdout"), 10, &sink, &err));
    gateway_log_create(&log, sink, &rand);
    for (int i = 0; i < 1000; i++)
        wanted += gateway_log_wants(&log, true);
    EXPECT(wanted > 50 && wanted < 200);
    EXPECT(gateway_log_wants(&log, false));
    log_sink_close(sink);
}
