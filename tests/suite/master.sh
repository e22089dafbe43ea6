#!/bin/sh
# usage: tests/suite/master.sh BUILD   the master process: crashes, upgrades under load, drains, privileges.
exec python3 "$(dirname "$0")/master_test.py" "$1/headgate"
