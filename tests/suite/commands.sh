#!/bin/sh
# usage: tests/suite/commands.sh BUILD_DIR   words and exit statuses of the commands, and what `headgate check` makes of files and folders.
exec /usr/bin/python3 "$(dirname "$0")/commands_test.py" "$1/headgate"
