/* cmd_origin.c: `headgate origin SCRIPT`: plays the fake backends that a test script declares, for trying things by hand.
 * An origin `as http://127.0.0.1:9000` gets that port, others a free one.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/num.h"
#include "cli/commands.h"
#include "hgt/origin.h"

#define SCRIPT_BYTES_MAX ((size_t)16 << 20)

static uint16_t
port_of(struct str url)
{
    struct str local = STR("http://127.0.0.1:"), rest, digits;
    uint32_t port;

    if (!str_starts_with(url, local))
        return 0;
    rest = str_skip(url, local.len);
    str_split_next(&rest, '/', &digits);
    return num_parse_u32(digits, 65535, &port, NULL) ? (uint16_t)port : 0;
}

static bool
start_all(const struct script *script, struct arena *a, struct fake_origin **origins)
{
    for (struct step *s = script->first; s; s = s->next) {
        struct fake_origin *o;
        struct err err;

        if (s->kind != STEP_ORIGIN)
            continue;
        o = arena_new(a, struct fake_origin);
        *o = (struct fake_origin){.name = s->name, .step = s, .port = port_of(s->value), .listener = -1, .next = *origins};
        if (!origin_start(o, &err)) {
            fprintf(stderr, "headgate origin: %s\n", err.text);
            return false;
        }
        *origins = o;
        printf("%.*s answers on http://127.0.0.1:%u\n", STR_ARG(o->name), o->port);
    }
    fflush(stdout);
    return true;
}

static void
wait_for_end(void)
{
    sigset_t set;
    int signo;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigwait(&set, &signo);
}

int
cmd_origin(int argc, char **argv)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, SCRIPT_BYTES_MAX * 8);
    struct buf text = buf_in(&arena), report AUTO(buf_destroy) = BUF_INIT;
    struct fake_origin *origins = NULL;
    struct source source;
    struct script script;
    struct diags diags;
    struct err err;
    sigset_t set;
    bool ok;

    if (argc != 2 || argv[1][0] == '-') {
        fprintf(argc == 2 && !strcmp(argv[1], "--help") ? stdout : stderr,
                "usage: headgate origin SCRIPT\n\nPlays the `origin` declarations of a test script until it is stopped.\n");
        return argc == 2 && !strcmp(argv[1], "--help") ? 0 : 2;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    diags_init(&diags, &arena);
    if (!file_read(argv[1], SCRIPT_BYTES_MAX, &text, &err)) {
        fprintf(stderr, "headgate origin: %s\n", err.text);
        return 2;
    }
    source = (struct source){str_from_c(argv[1]), buf_str(&text)};
    if (!script_parse(&source, &arena, &script, &diags)) {
        diags_print(&diags, &report);
        fputs(buf_str(&report).p, stderr);
        return 1;
    }
    ok = start_all(&script, &arena, &origins);
    if (ok)
        wait_for_end();
    for (struct fake_origin *o = origins; o; o = o->next)
        origin_destroy(o);
    return ok ? 0 : 1;
}
