/* A thousand connections in one epoll loop: handshakes, an echo and a close each way. The first argument is the number. */
#include "harness.h"

#include <sys/epoll.h>
#include <sys/resource.h>

enum stage { SHAKING, SENDING, RECEIVING, CLOSING, ENDED };

/* One side of a connection. */
struct peer {
    btls_conn *conn;
    int fd, is_server;
    enum stage stage;
    size_t done;
    char buffer[32];
};

static int count = 1000;
static int loop_fd, open_peers;

/* The messages have one length, and each names its sender. */
static size_t message(const struct peer *peer, int number, char *text) {
    return (size_t)sprintf(text, "%s %08d", peer->is_server ? "server" : "client", number);
}

static void watch(struct peer *peer, btls_status status) {
    struct epoll_event event = {0};
    event.events = status == BTLS_WANT_WRITE ? EPOLLOUT : EPOLLIN;
    event.data.ptr = peer;
    CHECK(epoll_ctl(loop_fd, EPOLL_CTL_MOD, peer->fd, &event) == 0);
}

static btls_status send_message(struct peer *peer, int number) {
    char text[32];
    size_t length = message(peer, number, text), written;
    btls_status status = btls_conn_write(peer->conn, text + peer->done, length - peer->done, &written);
    if (status == BTLS_OK)
        peer->done += written;
    return status == BTLS_OK && peer->done < length ? BTLS_WANT_WRITE : status;
}

static btls_status receive_message(struct peer *peer, int number) {
    char expected[32];
    struct peer other = *peer;
    other.is_server = !peer->is_server;
    size_t length = message(&other, number, expected), got;
    while (peer->done < length) {
        btls_status status = btls_conn_read(peer->conn, peer->buffer + peer->done, length - peer->done, &got);
        if (status != BTLS_OK)
            return status;
        peer->done += got;
    }
    CHECK(memcmp(peer->buffer, expected, length) == 0);
    return BTLS_OK;
}

/* Continues as far as possible without waiting. */
static void advance(struct peer *peer, int number) {
    while (peer->stage != ENDED) {
        btls_status status = BTLS_OK;
        switch (peer->stage) {
        case SHAKING: status = btls_conn_handshake(peer->conn); break;
        case SENDING: status = send_message(peer, number); break;
        case RECEIVING: status = receive_message(peer, number); break;
        case CLOSING: status = btls_conn_shutdown(peer->conn); break;
        case ENDED: break;
        }
        if (status != BTLS_OK) {
            CHECK_CONN(peer->conn, waits(status), 1);
            watch(peer, status);
            return;
        }
        peer->stage = (enum stage)(peer->stage + 1);
        peer->done = 0;
    }
    open_peers--;
}

static void add(struct peer *peer, const btls_context *context, int fd, int is_server) {
    struct epoll_event event = {0};
    memset(peer, 0, sizeof *peer);
    peer->fd = fd;
    peer->is_server = is_server;
    make_nonblocking(fd);
    if (is_server)
        CHECK_STATUS(btls_conn_new_server(context, NULL, &peer->conn, NULL), BTLS_OK);
    else
        CHECK_STATUS(btls_conn_new_client(context, "localhost", NULL, &peer->conn, NULL), BTLS_OK);
    CHECK_CONN(peer->conn, btls_conn_set_fd(peer->conn, fd, fd), BTLS_OK);
    event.events = EPOLLIN | EPOLLOUT;
    event.data.ptr = peer;
    CHECK(epoll_ctl(loop_fd, EPOLL_CTL_ADD, fd, &event) == 0);
    open_peers++;
}

static void connections_in_one_epoll_loop_all_get_their_own_answers(void) {
    btls_context *server = server_asking(BTLS_CLIENT_AUTH_NEED), *client = context_with("client", "ca.pem");
    struct peer *peers = (struct peer *)calloc((size_t)count * 2, sizeof *peers);
    struct epoll_event events[64];
    loop_fd = epoll_create1(0);
    CHECK(loop_fd >= 0);
    for (int number = 0; number < count; number++) {
        int fds[2];
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        add(&peers[2 * number], server, fds[0], 1);
        add(&peers[2 * number + 1], client, fds[1], 0);
    }
    while (open_peers > 0) {
        int ready = epoll_wait(loop_fd, events, 64, -1);
        CHECK(ready > 0);
        for (int index = 0; index < ready; index++) {
            struct peer *peer = (struct peer *)events[index].data.ptr;
            advance(peer, (int)((peer - peers) / 2));
            if (peer->stage == ENDED)
                CHECK(epoll_ctl(loop_fd, EPOLL_CTL_DEL, peer->fd, NULL) == 0);
        }
    }
    for (int index = 0; index < 2 * count; index++) {
        btls_conn_free(peers[index].conn);
        close(peers[index].fd);
    }
    close(loop_fd);
    free(peers);
    btls_context_free(server);
    btls_context_free(client);
}

int main(int argc, char **argv) {
    if (argc > 1)
        count = atoi(argv[1]);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    CHECK(limit.rlim_max > (rlim_t)(2 * count + 16));
    RUN(connections_in_one_epoll_loop_all_get_their_own_answers);
    return 0;
}
