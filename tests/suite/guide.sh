#!/bin/sh
# usage: tests/suite/guide.sh BUILD_DIR   runs the examples of docs/guide: every indented block that is a whole script, which it is
# when an `origin` and a `request` begin lines of it. Line numbers in failures are those of the page.
cd "$(dirname "$0")/../.." || exit 2
scripts=$(mktemp -d)
trap 'rm -rf "$scripts"' EXIT
for page in docs/guide/*.md; do
    awk -v to="$scripts/$(basename "$page" .md)" '
        function end_block() {
            if (text != "" && text ~ /(^|\n)origin / && text ~ /\n(request|raw) ?/) {
                file = to "-" first ".hgt"
                for (i = 1; i < first; i++) print "" > file
                printf "%s", text > file
                close(file)
            }
            text = ""; blank = ""
        }
        /^    / { if (text == "") first = NR; text = text blank substr($0, 5) "\n"; blank = ""; next }
        /^[ \t]*$/ { if (text != "") blank = blank "\n"; next }
        { end_block() }
        END { end_block() }' "$page"
done
exec "$1/headgate" test "$scripts"
