#!/bin/sh
# usage: tests/suite/attacks.sh BUILD_DIR   each row of the attack list names tests in tests/attacks.txt, and these are there: 84 rows,
# each once, each with a file that holds the text which stands behind it.
cd "$(dirname "$0")/../.." || exit 2
exec awk '
    function fail(text) { print "FAILED " text; failed++ }
    function end_row() { if (id != "" && !tests) fail(id ": names no test") }
    BEGIN {
        n = split("A17 B6 C10 D7 E10 F11 G12 H11", groups, " ")
        for (i = 1; i <= n; i++)
            for (k = substr(groups[i], 2) + 0; k; k--) wanted[substr(groups[i], 1, 1) k] = 1
    }
    /^#/ || /^$/ { next }
    /^[A-H]/ {
        end_row()
        id = $1; tests = 0
        if (!(id in wanted)) fail(id ": no such row")
        else if (seen[id]++) fail(id ": named twice")
        next
    }
    {
        file = $1; text = $0; found = 0; tests++
        sub(/^ +[^ ]+  /, "", text)
        while ((getline line < file) > 0) if (index(line, text)) { found = 1; break }
        close(file)
        if (found) passed++
        else fail(id ": " file " has no \"" text "\"")
    }
    END {
        end_row()
        for (id in wanted) if (!seen[id]) fail(id ": has no tests")
        printf "%d passed, %d failed\n", passed, failed
        exit failed > 0
    }' tests/attacks.txt
