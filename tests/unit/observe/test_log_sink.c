#include "observe/log_sink.c"
#include "test.h"

#include "base/file.h"

static struct log_sink_options targets[2];

static struct log_sink *
sink_open(uint32_t n_targets, uint32_t queue_rows)
{
    struct gateway_log_options o = {.sinks = targets, .n_sinks = n_targets, .queue_rows = queue_rows};
    struct log_sink *s = NULL;
    struct err err;

    EXPECT_OK(log_sink_open(&o, false, &s, &err));
    return s;
}

static void
give(struct log_sink *s, const char *lines, uint32_t n_rows)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;

    buf_add(&b, lines, strlen(lines));
    log_sink_give(s, &b, n_rows);
    EXPECT_EQ(b.len, 0);
}

static void
expect_counts(struct log_sink *s, uint64_t written, uint64_t lost)
{
    uint64_t n_written, n_lost;

    log_sink_count(s, &n_written, &n_lost);
    EXPECT_EQ(n_written, written);
    EXPECT_EQ(n_lost, lost);
}

static void
expect_file(const char *path, const char *content)
{
    struct buf b AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    EXPECT_OK(file_read(path, 1 << 20, &b, &err));
    EXPECT_STR(buf_str(&b), content);
}

TEST(every_target_gets_every_row_in_order)
{
    char first[] = "/tmp/headgate-log-XXXXXX", second[] = "/tmp/headgate-log-XXXXXX";

    close(mkstemp(first));
    close(mkstemp(second));
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(first)};
    targets[1] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(second)};
    struct log_sink *s = sink_open(2, 100);
    give(s, "one\ntwo\n", 2);
    give(s, "three\n", 1);
    log_sink_flush(s);
    expect_counts(s, 3, 0);
    expect_file(first, "one\ntwo\nthree\n");
    expect_file(second, "one\ntwo\nthree\n");
    log_sink_close(s);
    unlink(first);
    unlink(second);
}

TEST(a_file_that_was_moved_away_is_opened_again_under_its_name)
{
    char path[] = "/tmp/headgate-log-XXXXXX", moved[64];
    struct err err;

    close(mkstemp(path));
    snprintf(moved, sizeof(moved), "%s.1", path);
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(path)};
    struct log_sink *s = sink_open(1, 100);
    give(s, "before\n", 1);
    log_sink_flush(s);
    EXPECT_EQ(rename(path, moved), 0);
    give(s, "between\n", 1);
    log_sink_flush(s);
    EXPECT_OK(log_sink_reopen(s, &err));
    give(s, "after\n", 1);
    log_sink_flush(s);
    expect_file(moved, "before\nbetween\n");
    expect_file(path, "after\n");
    log_sink_close(s);
    unlink(path);
    unlink(moved);
}

/* After a crash: serving without rows is better than not serving. */
TEST(a_file_that_cannot_be_opened_is_tried_again_where_asked)
{
    char folder[] = "/tmp/headgate-log-XXXXXX", path[64], file[80], moved[80];
    struct gateway_log_options o = {.sinks = targets, .n_sinks = 1, .queue_rows = 100};
    struct log_sink *s = NULL;
    struct err err;

    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/there", folder);
    snprintf(file, sizeof(file), "%s/rows", path);
    snprintf(moved, sizeof(moved), "%s/rows.1", path);
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(file)};
    EXPECT_ERR(log_sink_open(&o, false, &s, &err), ERR_IO);
    EXPECT_OK(log_sink_open(&o, true, &s, &err));
    give(s, "nowhere\n", 1);
    log_sink_flush(s);
    expect_counts(s, 0, 1);
    EXPECT_EQ(mkdir(path, 0700), 0);
    give(s, "there\n", 1);
    log_sink_flush(s);
    EXPECT_EQ(rename(file, moved), 0);
    EXPECT_OK(log_sink_reopen(s, &err));
    give(s, "after\n", 1);
    log_sink_flush(s);
    expect_counts(s, 2, 1);
    expect_file(moved, "there\n");
    expect_file(file, "after\n");
    log_sink_close(s);
    unlink(file);
    unlink(moved);
    rmdir(path);
    rmdir(folder);
}

TEST(a_full_disk_loses_rows_and_counts_them)
{
    if (access("/dev/full", W_OK) != 0)
        return;
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = STR("/dev/full")};
    struct log_sink *s = sink_open(1, 100);
    give(s, "a\nb\n", 2);
    log_sink_flush(s);
    expect_counts(s, 0, 2);
    log_sink_close(s);
}

TEST(what_waits_is_bounded)
{
    char path[] = "/tmp/headgate-log-XXXXXX";

    close(mkstemp(path));
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(path)};
    struct log_sink *s = sink_open(1, 3);
    give(s, "1\n2\n3\n4\n", 4);
    log_sink_flush(s);
    expect_counts(s, 0, 4);
    give(s, "1\n2\n3\n", 3);
    log_sink_flush(s);
    expect_counts(s, 3, 4);
    log_sink_close(s);
    unlink(path);
}

TEST(a_fifo_that_nobody_reads_costs_rows_and_no_hang)
{
    char folder[] = "/tmp/headgate-log-XXXXXX", path[64], line[4097];

    EXPECT(mkdtemp(folder) != NULL);
    snprintf(path, sizeof(path), "%s/fifo", folder);
    EXPECT_EQ(mkfifo(path, 0600), 0);
    int reader = open(path, O_RDONLY | O_NONBLOCK);
    EXPECT(reader >= 0);
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_FILE, .path = str_from_c(path)};
    struct log_sink *s = sink_open(1, 1000);
    memset(line, 'x', sizeof(line));
    line[4095] = '\n';
    line[4096] = 0;
    for (int i = 0; i < 40; i++)
        give(s, line, 1);
    log_sink_flush(s);                   /* the pipe holds 64 KiB */
    uint64_t n_written, n_lost;
    log_sink_count(s, &n_written, &n_lost);
    EXPECT_EQ(n_written + n_lost, 40);
    EXPECT(n_lost > 20);
    log_sink_close(s);
    close(reader);
    unlink(path);
    rmdir(folder);
}

TEST(syslog_gets_a_datagram_a_row_also_when_it_comes_later)
{
    char folder[] = "/tmp/headgate-log-XXXXXX", got[256];
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    EXPECT(mkdtemp(folder) != NULL);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/log", folder);
    targets[0] = (struct log_sink_options){.kind = LOG_SINK_SYSLOG, .path = str_from_c(at.sun_path)};
    struct log_sink *s = sink_open(1, 10);
    give(s, "lost\n", 1);
    log_sink_flush(s);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    EXPECT_EQ(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    give(s, "one\ntwo\n", 2);
    log_sink_flush(s);
    expect_counts(s, 2, 1);
    ssize_t n = recv(fd, got, sizeof(got), 0);
    EXPECT_STR(str_from(got, n > 0 ? (size_t)n : 0), "<134>headgate: one");
    n = recv(fd, got, sizeof(got), 0);
    EXPECT_STR(str_from(got, n > 0 ? (size_t)n : 0), "<134>headgate: two");
    log_sink_close(s);
    close(fd);
    unlink(at.sun_path);
    rmdir(folder);
}
