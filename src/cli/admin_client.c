/* admin_client.c: a blocking socket, one request, one answer.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/admin_client.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"
#include "net/addr.h"
#include "store/store.h"

#define ANSWER_SECONDS 30
#define ANSWER_BYTES_MAX ((size_t)64 << 20)

static bool
read_token(struct arena *arena, const char *command, struct str path, struct str *ret)
{
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct err err;

    if (!file_read(str_dup(arena, path).p, 4096, &text, &err)) {
        fprintf(stderr, "headgate %s: the token of the admin listener: %s\n", command, err.text);
        return false;
    }
    *ret = str_dup(arena, str_trim(buf_str(&text)));
    return true;
}

bool
admin_find(struct arena *arena, const char *command, const char *config, const char *state, const char *address,
           const char *token_file, struct admin_at *ret)
{
    struct options *o = arena_new(arena, struct options);
    struct buf text AUTO(buf_destroy) = BUF_INIT;
    struct str folder, file;
    struct diags diags;
    struct stat st;
    bool ok;

    if (!config && stat("headgate.yaml", &st) == 0)
        config = "headgate.yaml";
    diags_init(&diags, arena);
    ok = config_load(config, arena, o, &diags);
    diags_print(&diags, &text);
    if (!ok) {
        fprintf(stderr, "%s", buf_str(&text).p);
        return false;
    }
    if (address)
        ret->address = str_from_c(address);
    else if (str_starts_with(o->admin.address, STR("unix:")))
        ret->address = o->admin.address;
    else
        ret->address = str_printf(arena, str_find_char(o->admin.address, ':', 0) >= 0 ? "[%.*s]:%u" : "%.*s:%u",
                                  STR_ARG(o->admin.address), o->admin.port);
    folder = state ? str_from_c(state) : o->state;
    file = token_file ? str_from_c(token_file) : o->admin.token_file;
    if (!file.len && folder.len)
        file = str_printf(arena, "%.*s/admin-token", STR_ARG(folder));
    if (file.len)
        return read_token(arena, command, file, &ret->token);
    fprintf(stderr, "headgate %s: which gateway? Use --state DIR or --token-file FILE, or `state:` in its configuration\n", command);
    return false;
}

/* -1 with err. */
static int
connect_to(struct str address, struct err *err)
{
    struct timeval patience = {.tv_sec = ANSWER_SECONDS};
    union addr_socket at;
    struct addr parsed;
    socklen_t len;
    int fd;

    if (!addr_parse(address, 0, &parsed, err))
        return -1;
    len = addr_to_sockaddr(&parsed, &at);
    fd = socket(at.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, &at.sa, len) != 0) {
        err_set_errno(err, ERR_CONNECT, errno, "no gateway answers at %.*s", STR_ARG(address));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    return fd;
}

static bool
write_all(int fd, struct str bytes, struct err *err)
{
    while (bytes.len) {
        ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(err, ERR_IO, errno, "the admin listener does not read");
        bytes = str_skip(bytes, (size_t)n);
    }
    return true;
}

/* To the end: the request asks for the connection to be closed. */
static bool
read_all(int fd, struct buf *to, struct err *err)
{
    for (;;) {
        char *room = buf_reserve(to, (size_t)16 << 10);
        ssize_t n = room ? recv(fd, room, (size_t)16 << 10, 0) : -1;

        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || to->len > ANSWER_BYTES_MAX)
            return err_set_errno(err, ERR_IO, errno, "the admin listener does not answer");
        to->len += (size_t)n;
    }
}

static bool
read_answer(struct str text, struct admin_reply *ret, struct err *err)
{
    ptrdiff_t end = str_find(text, STR("\r\n\r\n"), 0);

    if (end < 0 || !str_starts_with(text, STR("HTTP/1.1 ")) || !num_parse_u32(str_sub(text, 9, 12), 999, &ret->status, NULL))
        return err_set(err, ERR_PROTOCOL, "what answers there is no admin listener");
    ret->body = str_skip(text, (size_t)end + 4);
    return true;
}

bool
admin_call(struct arena *arena, const struct admin_at *at, const char *method, struct str target, struct str body,
           struct admin_reply *ret, struct err *err)
{
    struct buf request = buf_in(arena), answer = buf_in(arena);
    int fd = connect_to(at->address, err);
    bool ok;

    if (fd < 0)
        return false;
    buf_printf(&request, "%s %.*s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\nAuthorization: Bearer %.*s\r\n", method,
               STR_ARG(target), STR_ARG(at->token));
    if (body.p)
        buf_printf(&request, "Content-Type: application/json\r\nContent-Length: %zu\r\n", body.len);
    buf_printf(&request, "\r\n%.*s", STR_ARG(body));
    ok = write_all(fd, buf_str(&request), err) && read_all(fd, &answer, err) && read_answer(buf_str(&answer), ret, err);
    close(fd);
    return ok;
}
