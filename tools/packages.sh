#!/bin/sh
# usage: tools/packages.sh GROUP...   installs what is missing of these groups of packages.txt.
# Servers come along for tests only, so a policy file keeps Debian from starting them while we install.
set -eu
cd "$(dirname "$0")/.."
missing=
for group in "$@"; do
    for package in $(awk -v g="$group" '$1 == g {print $2}' packages.txt); do
        case "$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null)" in
        *"ok installed") ;;
        *) missing="$missing $package" ;;
        esac
    done
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
command -v apt-get >/dev/null || { echo "this needs:$missing (no apt-get here to install it)" >&2; exit 1; }
[ -z "$sudo" ] || command -v sudo >/dev/null || { echo "run as root, or install:$missing" >&2; exit 1; }
echo "installing:$missing"
policy=/usr/sbin/policy-rc.d
made=
if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee $policy >/dev/null
    $sudo chmod 755 $policy
    made=1
fi
trap '[ -z "$made" ] || $sudo rm -f $policy' EXIT
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing >/dev/null
