#!/bin/sh
# usage: tests/suite/epoll.sh BUILD_DIR   scripts of HTTP on workers without io_uring: what runs where kernel or sandbox does not have it.
cd "$(dirname "$0")/../.." && HEADGATE_IO=epoll exec "$1/headgate" test tests/gateway/front tests/gateway/attacks
