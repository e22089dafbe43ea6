/* test_settings.c: what is left of the machine for clients.
 * SPDX-License-Identifier: Apache-2.0 */
#include "gateway/settings.c"
#include "test.h"

static uint32_t
connections(uint32_t wanted, uint32_t workers, uint64_t descriptors)
{
    struct options o = {.workers = workers, .n_listeners = 2, .limits.connections = wanted};

    return settings_connections(&o, descriptors);
}

TEST(clients_get_no_more_connections_than_leave_room_for_backends_and_operators)
{
    EXPECT_EQ(connections(65536, 2, 1 << 20), 65536);
    EXPECT_EQ(connections(100, 2, 256), 100);
    EXPECT_EQ(connections(65536, 2, 256), 256 - 60 - 32);
    EXPECT_EQ(connections(65536, 2, 20000), 20000 - 60 - 1024);
}

TEST(with_few_descriptors_a_quarter_is_for_clients)
{
    EXPECT_EQ(connections(65536, 2, 64), 16);
    EXPECT_EQ(connections(65536, 64, 1024), 256);
    EXPECT_EQ(connections(65536, 2, 1), 1);
}

