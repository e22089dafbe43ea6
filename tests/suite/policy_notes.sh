#!/bin/sh
# usage: tests/suite/policy_notes.sh BUILD_DIR   each failure and usage note of policy_notes.txt has its test; what scripts cannot ask is asked
# here.
exec /usr/bin/python3 "$(dirname "$0")/policy_notes.py" "$1/headgate"
