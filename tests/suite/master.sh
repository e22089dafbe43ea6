#!/bin/sh
# usage: tests/suite/master.sh BUILD   the master process (Debian's own Python has python3-h2): crashes, upgrades under load, drains, privileges.
exec /usr/bin/python3 "$(dirname "$0")/master_test.py" "$1/headgate"
