#include "observe/metrics.c"
#include "test.h"

TEST(figures_of_workers_are_summed_per_api)
{
    struct metrics *m = metrics_new(2, 10);
    struct buf out AUTO(buf_destroy) = BUF_INIT;
    uint32_t slot = metrics_api_slot(m, STR("shop\"1"));

    EXPECT_EQ(metrics_api_slot(m, STR("shop\"1")), slot);
    for (uint32_t i = 0; i < 100; i++)
        metrics_api_slot(m, str_from((char[]){(char)('A' + i % 26), (char)('a' + i / 26)}, 2));
    metrics_count_request(metrics_of_worker(m, 0), slot, 200, 3000, 0, CACHE_OUTCOME_HIT);
    metrics_count_request(metrics_of_worker(m, 1), slot, 204, 30000, 20000, CACHE_OUTCOME_MISS);
    metrics_count_request(metrics_of_worker(m, 1), slot + 90, 500, 1, 0, CACHE_OUTCOME_NONE);
    metric_add(metrics_of_worker(m, 0), METRIC_CONNECTIONS_ACCEPTED, 3);
    metric_add(metrics_of_worker(m, 1), METRIC_CONNECTIONS_ACCEPTED, 4);
    EXPECT_EQ(metrics_total(m, METRIC_CONNECTIONS_ACCEPTED), 7);
    metrics_print(m, &out);
    struct str text = buf_str(&out);
    EXPECT(str_find(text, STR("headgate_connections_accepted_total 7\n"), 0) > 0);
    EXPECT(str_find(text, STR("headgate_requests_total{api=\"shop\\\"1\",class=\"2xx\"} 2\n"), 0) > 0);
    EXPECT(str_find(text, STR("headgate_request_duration_ms_bucket{api=\"shop\\\"1\",le=\"5\"} 1\n"), 0) > 0);
    EXPECT(str_find(text, STR("headgate_request_duration_ms_count{api=\"shop\\\"1\"} 2\n"), 0) > 0);
    EXPECT(str_find(text, STR("headgate_request_duration_ms_sum{api=\"shop\\\"1\"} 33.000\n"), 0) > 0);
    EXPECT(str_find(text, STR("headgate_api_cache_total{api=\"shop\\\"1\",outcome=\"hit\"} 1\n"), 0) > 0);
    metrics_delete(m);
}
