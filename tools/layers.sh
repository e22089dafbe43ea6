#!/bin/sh
# usage: tools/layers.sh   fails when a file includes from a room above its own (ARCHITECTURE.md, "Rooms").
cd "$(dirname "$0")/.." || exit 2
find src -name '*.[chS]' -o -name '*.def' | sort | xargs awk '
BEGIN {
    n = split("base rt net data redis http expr clr cache model store backend observe exchange policy gateway admin hgt cli", room, " ")
    for (i = 1; i <= n; i++) rank[room[i]] = i
}
FNR == 1 { split(FILENAME, part, "/"); own = part[2]
    if (!(own in rank)) { print FILENAME ": room " own " is not in the list"; bad = 1 } }
/^[ \t]*#[ \t]*include[ \t]*"/ {
    split($0, q, "\""); split(q[2], p, "/")
    if (index(q[2], "/") == 0) { print FILENAME ":" FNR ": include with its room: \"" own "/" q[2] "\""; bad = 1 }
    else if (!(p[1] in rank)) { print FILENAME ":" FNR ": unknown room in \"" q[2] "\""; bad = 1 }
    else if (rank[p[1]] > rank[own]) { print FILENAME ":" FNR ": " own " may not include " p[1]; bad = 1 }
    else count[own " -> " p[1]]++
}
END { for (edge in count) edges++; if (bad) exit 1; printf "layers: %d edges, all downward\n", edges }'
