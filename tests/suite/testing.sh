#!/bin/sh
# usage: tests/suite/testing.sh BUILD_DIR   `headgate test` as a pipeline sees it: exit statuses, JUnit reports, places of mistakes.
exec /usr/bin/python3 "$(dirname "$0")/testing_test.py" "$1/headgate"
