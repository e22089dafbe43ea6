/* cmd_run.c: `headgate run`: reads headgate.yaml and the command line, prepares the state folder, and serves.
 * SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/num.h"
#include "cli/commands.h"
#include "gateway/master.h"
#include "gateway/serve.h"
#include "store/store.h"

#define OPTIONS_BYTES_MAX ((size_t)64 << 20)

struct words {
    const char *config, *artifacts, *listen, *workers;
    bool keep_going, strict, no_master;
};

static int
usage(FILE *to, int status)
{
    fprintf(to, "usage: headgate run [--config FILE] [--artifacts DIR] [--listen ADDRESS:PORT] [--workers N]\n"
                "                    [--keep-going] [--strict] [--no-master]\n\n"
                "Serves the APIs of a folder in APIOps layout. Without --config, ./headgate.yaml is read when it is there;\n"
                "nothing in it is required.\n"
                "  --artifacts DIR    the folder; goes before the file's `artifacts:`\n"
                "  --listen A:P       one plain listener instead of the file's\n"
                "  --workers N        threads that serve; one a core by default\n"
                "  --keep-going       at the start, serve what loads and answer 503 for APIs that do not\n"
                "  --strict           refuse what Azure refuses at save\n"
                "  --no-master        one process: nobody restarts it, and no `headgate upgrade`\n");
    return status;
}

static bool
parse_words(int argc, char **argv, struct words *w, int *status)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'}, {"artifacts", required_argument, NULL, 'a'},
        {"listen", required_argument, NULL, 'l'}, {"workers", required_argument, NULL, 'w'},
        {"keep-going", no_argument, NULL, 'k'}, {"strict", no_argument, NULL, 's'}, {"no-master", no_argument, NULL, 'm'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "c:a:l:w:", long_options, NULL)) != -1) {
        switch (c) {
        case 'c': w->config = optarg; break;
        case 'a': w->artifacts = optarg; break;
        case 'l': w->listen = optarg; break;
        case 'w': w->workers = optarg; break;
        case 'k': w->keep_going = true; break;
        case 's': w->strict = true; break;
        case 'm': w->no_master = true; break;
        case 'h': *status = usage(stdout, 0); return false;
        default: *status = usage(stderr, 2); return false;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "headgate run: unexpected '%s'\n", argv[optind]);
        *status = usage(stderr, 2);
        return false;
    }
    return true;
}

/* ADDRESS:PORT, :PORT or unix:PATH in place of the file's listeners. */
static bool
override_listener(struct options *o, const char *listen, struct arena *a, struct err *err)
{
    struct listener_conf *one = arena_new(a, struct listener_conf);
    struct str text = str_from_c(listen);
    ptrdiff_t colon = str_rfind_char(text, ':');

    *one = o->listeners[0];
    one->name = STR("");
    one->is_tls = false;
    if (str_starts_with(text, STR("unix:"))) {
        one->address = text;
    } else {
        if (colon < 0 || !num_parse_u32(str_skip(text, (size_t)colon + 1), 65535, &one->port, err))
            return err_set(err, ERR_SYNTAX, "--listen %s: expected ADDRESS:PORT", listen);
        one->address = colon ? str_sub(text, 0, (size_t)colon) : STR("127.0.0.1");
        if (one->address.p[0] == '[')
            one->address = str_sub(one->address, 1, one->address.len - 1);
    }
    o->listeners = one;
    o->n_listeners = 1;
    return true;
}

static bool
apply_words(const struct words *w, struct options *o, struct arena *a, struct err *err)
{
    if (w->artifacts)
        o->artifacts = str_from_c(w->artifacts);
    if (w->workers && !num_parse_u32(str_from_c(w->workers), 1024, &o->workers, err))
        return err_prefix(err, "--workers");
    if (w->listen && !override_listener(o, w->listen, a, err))
        return false;
    o->keep_going |= w->keep_going;
    o->strict |= w->strict;
    return true;
}

static int
run(const struct words *w, struct master_link *master)
{
    struct arena arena AUTO(arena_destroy) = ARENA(NULL, OPTIONS_BYTES_MAX);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct options options;
    struct words words = *w;
    struct diags diags;
    struct err err;
    struct stat st;
    bool ok;

    if (!words.config && stat("headgate.yaml", &st) == 0)
        words.config = "headgate.yaml";
    diags_init(&diags, &arena);
    ok = config_load(words.config, &arena, &options, &diags);
    diags_print(&diags, &text);
    if (text.len)
        fputs(buf_str(&text).p, stderr);
    if (!ok)
        return 1;
    if (!apply_words(&words, &options, &arena, &err)) {
        fprintf(stderr, "headgate run: %s\n", err.text);
        return 2;
    }
    if (!options.artifacts.len) {
        fprintf(stderr, "headgate run: no folder of APIs: use --artifacts DIR, or `artifacts:` in headgate.yaml\n");
        return 2;
    }
    options.keep_going |= master_link_is_restart(master); /* better an API less than nothing served */
    log_configure((enum log_level)options.log.level, options.log.format == LOG_FORMAT_JSON);
    return serve(&(struct serve_input){.options = &options, .master = master});
}

/* argv[-1] is the binary's own name: the master runs the same words again. */
int
cmd_run(int argc, char **argv)
{
    struct master_link *master = master_link_open();
    struct words words = {0};
    int status;

    if (!parse_words(argc, argv, &words, &status))
        return status;
    if (!master && !words.no_master)
        return master_run(argv - 1);
    status = run(&words, master);
    master_link_close(master);
    return status;
}
